"""One observation, and the notebook in which a pass over a file writes them down.

An observation has a code of `codes.CODES`, a place (bytes of the original, milliseconds as the file counts them, track)
as far as it has one, and what was measured: whole numbers and short words, nothing that has to be interpreted.

A hostile file can give occasion for millions of observations. The notebook keeps the first `KEPT_PER_CODE_MAX` of each
code and counts the rest, so that its size is bounded whatever comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ingest.media.continuity.codes import CODES
from ingest.media.continuity.meaning import Severity
from ledger.canonical import INTEGER_MAX, JsonValue

KEPT_PER_CODE_MAX = 20
WORD_CHARACTERS_MAX = 200
MEASURES_MAX = 12

Measure: TypeAlias = "int | str | bool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was seen; what is not known is None.

    Attributes:
        track: Number of the track in the file, from 0.
        first_byte: Offset in the original.
        end_byte: Offset behind the last byte.
        from_ms: Time as the container counts it, in milliseconds.
        to_ms: End of the time, in milliseconds.
    """

    track: int | None = None
    first_byte: int | None = None
    end_byte: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen, where, and what was measured."""

    code: str
    place: Place = NOWHERE
    measured: Mapping[str, Measure] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """The weight of its code."""
        return CODES[self.code].severity

    def as_json(self) -> dict[str, JsonValue]:
        """Return it for the report: code, severity, and what is known of place and measures."""
        places = {
            "track": self.place.track,
            "bytes": _span(self.place.first_byte, self.place.end_byte),
            "ms": _span(self.place.from_ms, self.place.to_ms),
        }
        known = {name: value for name, value in places.items() if value is not None}
        measured = {name: _bounded(value) for name, value in self.measured.items()}
        return {"code": self.code, "severity": self.severity.value, **known, "measured": measured}


class Notebook:
    """Observations in the order in which they were made, a bounded number of each code."""

    def __init__(self) -> None:
        self._kept: list[Observation] = []
        self.counts: Counter[str] = Counter()

    def note(self, code: str, place: Place = NOWHERE, /, **measured: Measure) -> None:
        """Write an observation down; the code must be on the list."""
        if code not in CODES or len(measured) > MEASURES_MAX:
            raise ValueError(f"not an observation: {code}")
        self.counts[code] += 1
        if self.counts[code] <= KEPT_PER_CODE_MAX:
            self._kept.append(Observation(code, place, measured))

    def __iter__(self) -> Iterator[Observation]:
        """Yield what was kept."""
        return iter(self._kept)

    def codes(self, severity: Severity) -> set[str]:
        """Return the codes of that weight that were noted."""
        return {code for code in self.counts if CODES[code].severity is severity}


def _span(first: int | None, end: int | None) -> list[JsonValue] | None:
    if first is None:
        return None
    return [_whole(first), _whole(first if end is None else end)]


def _bounded(value: Measure) -> JsonValue:
    if isinstance(value, str):
        # What comes out of a file is shown to people: no control characters, no halves of characters.
        clean = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value)
        return clean[:WORD_CHARACTERS_MAX]
    return value if isinstance(value, bool) else _whole(value)


def _whole(value: int) -> int:
    return max(-INTEGER_MAX, min(value, INTEGER_MAX))
