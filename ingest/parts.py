"""Which chunks of an original hold several spans of seconds: located before a package is asked for, and then kept.

The same looking up as for one excerpt (`ingest.excerpts`), and no playable cut: a package is the same bytes whenever it
is made, and a cut would not be. Whoever gets the package makes one with `shilu-verify --rebuild`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from uuid import UUID

from evidence.core.digest import CHUNK_BYTES
from evidence.export.clip import Exporter
from evidence.export.order import chunk_runs
from evidence.export.parts import Part
from evidence.verify.excerpt_statement import Span, Told
from ingest.errors import ExcerptImpossible
from ingest.excerpts import SPAN_MS_MAX, find_original
from ingest.places import Place, locate_spans, look_up, origin_of
from ingest.workroom import workroom


async def locate_part(exporter: Exporter, clip: UUID, spans: Sequence[Span], *, workspace: Path) -> Part:
    """Find out which chunks of a clip hold some seconds. Nothing is put on record: nothing leaves the house by this.

    Args:
        exporter: Knows where objects lie.
        clip: The clip.
        spans: What is wanted, in order, at least one.
        workspace: Where a child may work; a folder in it is made and removed.

    Raises:
        ClipUnknown, ClipDestroyed: See `find_original`.
        ExcerptImpossible: Nothing lies in one of the spans, or nobody can tell which bytes hold it.
    """
    if any(span.to_ms - span.from_ms > SPAN_MS_MAX for span in spans):
        raise ExcerptImpossible("an excerpt of more than a day is the whole original", clip=str(clip))
    raw, original = await find_original(exporter, clip)
    async with workroom(workspace, prefix="excerpt-") as folder:
        places = await _places(original, raw, folder / "places", spans)
    held = [(first * CHUNK_BYTES, stop * CHUNK_BYTES) for place in places for first, stop in place.chunks]
    told = tuple(Told(span, place.shown) for span, place in zip(spans, places, strict=True))
    return Part(clip=clip, spans=told, chunks=chunk_runs(held, size=original.stat().st_size))


async def _places(original: Path, raw: bytes | None, room: Path, spans: Sequence[Span]) -> list[Place]:
    seconds = [(Fraction(span.from_ms, 1000), Fraction(span.to_ms, 1000)) for span in spans]
    origin = None if raw is None else origin_of(raw)
    if raw is None or origin is None:
        return await locate_spans(original, room, seconds, origin=None)
    return await look_up(original, raw, room, seconds, origin=origin)
