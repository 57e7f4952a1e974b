"""What can be asked of the search: text and facets, read strictly, turned into conditions on the index. Pure.

text    words separated by blanks, all of which must be somewhere in the clip's texts; "in quotes" for words that
        must stand together. Case, full width and half width do not matter. One Chinese character is enough.
facets  case, recorder, dock, officer, state, key_mark, sha256, and the time of recording
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.clips.clips import ClipState
from evidence.clips.document import facet
from evidence.clips.folding import fold, like_pattern, term_grams
from evidence.clips.search_store import Condition
from evidence.core.clock import format_time, parse_time
from evidence.errors import SearchInvalid, TimeInvalid
from ledger.canonical import canonical_json

TEXT_CHARS_MAX = 200
TERMS_MAX = 10
LIMIT_MAX = 200

_TERM = re.compile(r'"([^"]*)"|([^\s"]+)')
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipQuery:
    """A question; what is None does not matter. `recorded_from` is inclusive, `recorded_to` exclusive."""

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

    def condition(self, cursor: str | None) -> Condition:
        """Return what a document must fulfil.

        Raises:
            SearchInvalid: Text, digest, times or cursor cannot be understood.
        """
        terms = read_terms(self.text)
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise SearchInvalid("sha256 is 64 lower-case hex digits")
        if self.recorded_from and self.recorded_to and self.recorded_from >= self.recorded_to:
            raise SearchInvalid("the time to search to lies before the time to search from")
        return Condition(
            facets=list(self._facets()),
            grams=sorted({gram for term in terms for gram in term_grams(term)}),
            patterns=[like_pattern(term) for term in terms],
            recorded_from=self.recorded_from,
            recorded_to=self.recorded_to,
            before=None if cursor is None else self._read_cursor(cursor),
        )

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
        times = [format_time(moment) if moment else "" for moment in (self.recorded_from, self.recorded_to)]
        asked = canonical_json([sorted(read_terms(self.text)), sorted(self._facets()), times])
        return hashlib.sha256(asked).hexdigest()[:16]


def read_terms(text: str) -> list[str]:
    """Cut a text into folded terms.

    Raises:
        SearchInvalid: Too long, too many terms, a quotation mark without its partner, or a NUL.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise SearchInvalid(f"the text has {len(text)} characters, at most {TEXT_CHARS_MAX} are allowed")
    if "\0" in text:
        raise SearchInvalid("the text holds a NUL")
    straight = re.sub("[“”＂]", '"', text)
    if straight.count('"') % 2:
        raise SearchInvalid("a quotation mark has no partner")
    terms = [fold(match.group(1) if match.group(2) is None else match.group(2)) for match in _TERM.finditer(straight)]
    terms = list(dict.fromkeys(term for term in terms if term))
    if len(terms) > TERMS_MAX:
        raise SearchInvalid(f"there are {len(terms)} terms, at most {TERMS_MAX} are allowed")
    return terms
