"""Which bytes of an original an excerpt of some seconds needs, and what it can show; pure.

Which bytes: all access units of all tracks that are needed to show the seconds, from the key frame before, and all
bytes that belong to no access unit (head, index, tables: without them nothing plays), in whole chunks. Container
framing of a few bytes between units is taken along only around the wanted units.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from evidence.verify.excerpt_statement import Span
from ingest.errors import ExcerptImpossible
from ingest.media.errors import RangesUnknown
from ingest.media.frames import HIDDEN, KEY, NO_PTS, FrameIndex, FrameTrack, ranges_between

FRAMING_BYTES_MAX: Final = 64
"""Longest run of bytes between two units that is taken for the framing of one, and not for a table of its own."""

MARGIN_BYTES: Final = 4096
"""Bytes taken along before and behind wanted units: their framing, a cluster's head, padding."""


def bytes_needed(index: FrameIndex, *, from_s: Fraction, to_s: Fraction) -> list[tuple[int, int]]:
    """Return the bytes an excerpt needs, as (start, stop): wanted units with a margin, and what belongs to no unit.

    Raises:
        ExcerptImpossible: No unit is needed to show these seconds, or nobody knows where they lie.
    """
    try:
        units = ranges_between(index, from_s=from_s, to_s=to_s)
    except RangesUnknown as error:
        raise ExcerptImpossible(f"{error.message}; export the whole clip") from error
    if not units or seconds_shown(index, from_s=from_s, to_s=to_s) is None:
        raise ExcerptImpossible("no picture and no sound lies between these times")
    wanted = [(run.offset - MARGIN_BYTES, run.end + MARGIN_BYTES) for run in units]
    return [*wanted, *_between_units(index)]


def seconds_shown(index: FrameIndex, *, from_s: Fraction, to_s: Fraction) -> Span | None:
    """Return what an excerpt can show, in milliseconds, from the key frame before; None where it shows nothing."""
    leading = next((one for kind in ("video", "audio") for one in index.tracks if one.kind == kind and len(one)), None)
    if leading is None:
        return None
    begun, ended = None, None
    for start, stop, flags in _times(index, leading):
        if start < to_s and stop > from_s:
            ended = stop if ended is None else max(ended, stop)
        if flags & KEY and start <= from_s and not flags & HIDDEN:
            begun = start if begun is None else max(begun, start)
    if ended is None:
        return None
    first, last = max(Fraction(0), from_s if begun is None else begun), min(ended, to_s)
    from_ms, to_ms = int(first * 1000), -int(-last * 1000 // 1)
    return Span(from_ms, to_ms) if from_ms < to_ms else None


def _times(index: FrameIndex, track: FrameTrack) -> Iterator[tuple[Fraction, Fraction, int]]:
    unit, origin = track.unit, index.origin
    for ticks, length, flags in zip(track.pts, track.durations, track.flags, strict=True):
        if not flags & NO_PTS:
            start = ticks * unit - origin
            yield start, start + max(length, 1) * unit, flags


def _between_units(index: FrameIndex) -> Iterator[tuple[int, int]]:
    """Yield the runs of bytes that belong to no access unit, but for the framing between units."""
    # Each track's units rise for the most part, so sorting is little more than merging.
    places = sorted(place for track in index.tracks for place in track.places)
    behind = 0
    for start, stop in places:
        if start - behind > (FRAMING_BYTES_MAX if behind else 0):
            yield behind, start
        behind = max(behind, stop)
    if behind < index.size:
        yield behind, index.size
