"""The closed list of the codes of continuity observations, with their meanings; reading it needs no media library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.media.continuity.codes_bitstream import BITSTREAM
from ingest.media.continuity.codes_container import CONTAINER
from ingest.media.continuity.codes_timeline import SEQUENCE, TIMELINE
from ingest.media.continuity.meaning import Meaning

CODES: Final[Mapping[str, Meaning]] = {**CONTAINER, **BITSTREAM, **TIMELINE, **SEQUENCE}
