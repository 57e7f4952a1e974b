"""Which exhibits of a package are handed over as excerpts: the seconds asked for, and the chunks that hold them.

Which chunks is found out once, when the package is asked for, by whoever knows media (`ingest.parts`), and kept in the
job's row. So a clip that no excerpt can be made of is refused there and then, and an attempt after a kill, or the same
package asked for again, encloses the same chunks whatever became of the clip's index meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from evidence.errors import ExportSpansInvalid, ExportTooManySpans, WireLimit
from evidence.verify.excerpt_statement import SPANS_MAX, Span, Told, told_body
from ledger.canonical import JsonObject

PACKAGE_SPANS_MAX: Final = SPANS_MAX
"""Most spans of one package, and of one exhibit in it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Seconds of a clip that somebody wants in the place of its original, in milliseconds on the players' clock."""

    clip: UUID
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a clip is handed over.

    Attributes:
        spans: The seconds asked for and shown, in order, at least one.
        chunks: Runs of chunks as (first, stop), rising, with a gap between any two.
    """

    clip: UUID
    spans: tuple[Told, ...]
    chunks: tuple[tuple[int, int], ...]

    def as_json(self) -> JsonObject:
        """Return it as it is kept in a job's row."""
        return {
            "clip": str(self.clip),
            "spans": [told_body(one) for one in self.spans],
            "chunks": [[first, stop] for first, stop in self.chunks],
        }

    @staticmethod
    def from_json(said: Mapping[str, Any]) -> Part:
        """Read what `as_json` wrote."""
        return Part(
            clip=UUID(said["clip"]),
            spans=tuple(
                Told(Span(**one["asked"]), None if one["shown"] is None else Span(**one["shown"]))
                for one in said["spans"]
            ),
            chunks=tuple((first, stop) for first, stop in said["chunks"]),
        )


def spans_by_clip(wanted: Sequence[Wanted], *, among: Collection[UUID]) -> dict[UUID, tuple[Span, ...]]:
    """Return what is wanted of each clip, in order; nothing is known yet of what lies there.

    Args:
        wanted: Spans in any order.
        among: The clips of the package.

    Raises:
        ExportTooManySpans: There are more than `PACKAGE_SPANS_MAX`.
        ExportSpansInvalid: One is empty, of no exhibit of the package, or lies over another of the same exhibit.
    """
    if len(wanted) > PACKAGE_SPANS_MAX:
        raise ExportTooManySpans(
            f"{len(wanted)} spans, a package takes at most {PACKAGE_SPANS_MAX}", spans_max=PACKAGE_SPANS_MAX
        )
    known, found = set(among), dict[UUID, list[Span]]()
    for one in wanted:
        if one.clip not in known:
            raise ExportSpansInvalid(f"clip {one.clip} is none of the package", clip=str(one.clip))
        try:
            span = Span(one.from_ms, one.to_ms)
        except WireLimit as error:
            raise ExportSpansInvalid(
                f"{one.from_ms} to {one.to_ms} ms is empty: a span begins at 0 or later, and ends after it begins",
                clip=str(one.clip),
            ) from error
        found.setdefault(one.clip, []).append(span)
    return {clip: _in_order(clip, spans) for clip, spans in found.items()}


def _in_order(clip: UUID, spans: list[Span]) -> tuple[Span, ...]:
    rising = sorted(spans, key=lambda span: span.from_ms)
    for before, one in pairwise(rising):
        if one.from_ms < before.to_ms:
            raise ExportSpansInvalid(
                f"{before.from_ms} to {before.to_ms} ms and {one.from_ms} to {one.to_ms} ms of clip {clip} overlap",
                clip=str(clip),
            )
    return tuple(rising)
