"""What can be asked of the search: a line of the query language and facets by name, turned into one tree. Pure.

text    the query language, see `language.py`
facets  case, recorder, dock, officer, state, key_mark, sha256, and the time of recording; all have to hold
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from evidence.access.scope import WHOLE, Scope
from evidence.clips.clips import ClipState
from evidence.clips.document import facet
from evidence.clips.language import parse
from evidence.clips.page_store import Condition
from evidence.clips.query_tree import Between, Every, Facets, Node
from evidence.core.clock import format_time, parse_time
from evidence.errors import SearchInvalid, TimeInvalid

LIMIT_MAX = 200

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipQuery:
    """A question; what is None does not matter. `recorded_from` is inclusive, the other two ends are exclusive."""

    text: str = ""
    case: UUID | None = None
    recorder: str | None = None
    dock: UUID | None = None
    officer: str | None = None
    state: ClipState | None = None
    key_mark: bool | None = None
    sha256: str | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    received_after: datetime | None = None

    def condition(self, cursor: str | None, scope: Scope = WHOLE) -> Condition:
        """Return what a document must fulfil, within what whoever asks may find.

        Raises:
            SearchInvalid: Text, digest, times or cursor cannot be understood.
        """
        return Condition(
            wanted=self.tree(),
            scope=scope,
            before=None if cursor is None else self._read_cursor(cursor),
        )

    def tree(self) -> Node:
        """Return text and facets as one tree.

        Raises:
            SearchInvalid: Text, digest or times cannot be understood.
        """
        asked = parse(self.text)
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise SearchInvalid("sha256 is 64 lower-case hex digits")
        if self.recorded_from and self.recorded_to and self.recorded_from >= self.recorded_to:
            raise SearchInvalid("the time to search to lies before the time to search from")
        parts = list(asked.parts) if isinstance(asked, Every) else [asked]
        parts += [Facets((one,)) for one in self._facets()]
        if self.recorded_from or self.recorded_to:
            parts.append(Between("recorded_at", self.recorded_from, self.recorded_to))
        if self.received_after:
            parts.append(Between("received_at", self.received_after + timedelta(microseconds=1), None))
        return Every(tuple(parts))

    def cursor(self, last: tuple[datetime, UUID]) -> str:
        """Write the place behind a document, good for this question only."""
        received_at, clip = last
        raw = f"{self._fingerprint()} {format_time(received_at)} {clip}".encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def _read_cursor(self, cursor: str) -> tuple[datetime, UUID]:
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
            fingerprint, received_at, clip = raw.split(" ")
            place = parse_time(received_at), UUID(clip)
        except (binascii.Error, ValueError, TimeInvalid) as error:
            raise SearchInvalid("the cursor is not one of ours") from error
        if fingerprint != self._fingerprint():
            raise SearchInvalid("the cursor belongs to another question")
        return place

    def _facets(self) -> Iterator[str]:
        for name in ("case", "recorder", "dock", "officer", "state", "sha256"):
            value = getattr(self, name)
            if value is not None:
                yield facet(name, str(value))
        if self.key_mark is not None:
            yield facet("key_mark", "yes" if self.key_mark else "no")

    def _fingerprint(self) -> str:
        return hashlib.sha256(repr(self.tree()).encode()).hexdigest()[:16]
