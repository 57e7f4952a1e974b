"""What surrounds a recording, as people state it: position, related 文书, covertness, what a proposal read. Pure.

Positions are whole millionths of a degree (0.1 m), because payloads hold no fractions; which datum they are in is
stated, since maps sold in China are shifted by some hundred metres (GCJ-02). Times of 文书 are kept as they were given:
RFC 3339 to the minute or second, with the zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from evidence.clips.parts import Line, Part, Quotation, Remark

INDEX_MAX = 19_999
"""Last place in the longest transcript, see `ingest.media.transcript`."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})")


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("a time is written like 2026-03-02T09:00+08:00")
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("the time is not in the calendar") from None
    return text


def _entry(text: str) -> str:
    if str(UUID(text)) != text:
        raise ValueError("a UUID is written in lower case with dashes")
    return text


StatedTime = Annotated[str, Field(max_length=25), AfterValidator(_time)]
EntryId = Annotated[str, Field(min_length=36, max_length=36), AfterValidator(_entry)]


class Position(Part):
    """A position in millionths of a degree, north and east positive; `accuracy_m` as whoever gave it knows it."""

    latitude_e6: Annotated[int, Field(ge=-90_000_000, le=90_000_000)]
    longitude_e6: Annotated[int, Field(ge=-180_000_000, le=180_000_000)]
    datum: Literal["wgs84", "cgcs2000", "gcj02"] = "wgs84"
    accuracy_m: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class Document(Part):
    """A 文书 about the same act: its kind, its number, and from when to when it says that the act went on."""

    # Payloads call the times `from` and `to`; `from` is no name in Python.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, serialize_by_alias=True)

    kind: Line
    number: Line | None = None
    starts: Annotated[StatedTime | None, Field(alias="from")] = None
    ends: Annotated[StatedTime | None, Field(alias="to")] = None

    @model_validator(mode="after")
    def _in_order(self) -> Document:
        if self.starts and self.ends and datetime.fromisoformat(self.ends) < datetime.fromisoformat(self.starts):
            raise ValueError("a document's time ends before it starts")
        return self


class Covert(Part):
    """A recording that the people on it were not told of: its legal basis, and who approved it. Neither is optional."""

    basis: Remark
    approver: Line


class Proposed(Part):
    """Where a machine's proposal stands, and how it read where a person corrected it.

    Attributes:
        entry: Ledger entry of the transcript.
        index: Place of the segment in it, from 0.
        text: What the machine proposed; left out where the person took it over word for word.
        from_ms, to_ms: When it had been said according to the machine; left out where the person kept it.
    """

    entry: EntryId
    index: Annotated[int, Field(ge=0, le=INDEX_MAX)]
    text: Quotation | None = None
    from_ms: Annotated[int, Field(ge=0)] | None = None
    to_ms: Annotated[int, Field(ge=0)] | None = None

    @property
    def place(self) -> tuple[str, int]:
        """What names the proposal: the transcript's entry, and the place in it."""
        return self.entry, self.index
