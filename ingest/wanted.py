"""Which bytes of an original an excerpt of some seconds needs, and what it can show; pure.

Which bytes: all access units of all tracks that are needed to show the seconds, from the key frame before, and all
bytes that belong to no access unit (head, index, tables: without them nothing plays), in whole chunks. Container
framing of a few bytes between units is taken along only around the wanted units.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, compress
from math import ceil, floor
from operator import sub
from typing import Final

from evidence.verify.excerpt_statement import Span
from ingest.media.errors import NothingBetween, RangesUnknown
from ingest.media.frames import HIDDEN, KEY, NO_PLACE, NO_PTS, FrameIndex, FrameTrack, ranges_between

FRAMING_BYTES_MAX: Final = 64
"""Longest run of bytes between two units that is taken for the framing of one, and not for a table of its own."""

MARGIN_BYTES: Final = 4096
"""Bytes taken along before and behind wanted units: their framing, a cluster's head, padding."""

_TIMED: Final = bytes(not flags & NO_PTS for flags in range(256))
_PLACED: Final = bytes(not flags & NO_PLACE for flags in range(256))
_BEGINS: Final = bytes(flags & (KEY | HIDDEN | NO_PTS) == KEY for flags in range(256))


def bytes_needed(index: FrameIndex, *, from_s: Fraction, to_s: Fraction) -> list[tuple[int, int]]:
    """Return the bytes an excerpt needs, as (start, stop): wanted units with a margin, and what belongs to no unit.

    Raises:
        NothingBetween: No unit is needed to show these seconds.
        RangesUnknown: The container does not hold its units in one piece each, or states no times.
    """
    units = ranges_between(index, from_s=from_s, to_s=to_s)
    if not units or seconds_shown(index, from_s=from_s, to_s=to_s) is None:
        raise NothingBetween("no picture and no sound lies between these times")
    wanted = [(run.offset - MARGIN_BYTES, run.end + MARGIN_BYTES) for run in units]
    return [*wanted, *_between_units(index)]


def bytes_of_units(index: FrameIndex, track: FrameTrack, *, first: int, stop: int) -> list[tuple[int, int]]:
    """Return the bytes needed to decode some units of one track, as `bytes_needed` does.

    Raises:
        RangesUnknown: One of them does not lie in one piece.
    """
    if not all(track.flags[first:stop].translate(_PLACED)):
        raise RangesUnknown("the container does not hold these units in one piece each", track=str(track.index))
    units = zip(track.offsets[first:stop], track.sizes[first:stop], strict=True)
    wanted = [(offset - MARGIN_BYTES, offset + size + MARGIN_BYTES) for offset, size in units]
    return [*wanted, *_between_units(index)]


def seconds_shown(index: FrameIndex, *, from_s: Fraction, to_s: Fraction) -> Span | None:
    """Return what an excerpt can show, in milliseconds, from the key frame before; None where it shows nothing."""
    leading = next((one for kind in ("video", "audio") for one in index.tracks if one.kind == kind and len(one)), None)
    if leading is None:
        return None
    unit, origin = leading.unit, index.origin
    from_ticks, to_ticks = floor((from_s + origin) / unit), ceil((to_s + origin) / unit)
    timed = leading.flags.translate(_TIMED)
    begun = max(_key_times(leading, until=from_ticks), default=None)
    ended = max(
        (
            shown + max(length, 1)
            for shown, length in compress(zip(leading.pts, leading.durations, strict=True), timed)
            if shown < to_ticks
        ),
        default=from_ticks,
    )
    if ended <= from_ticks:
        return None
    first = max(Fraction(0), from_s if begun is None else begun * unit - origin)
    last = min(ended * unit - origin, to_s)
    from_ms, to_ms = int(first * 1000), -int(-last * 1000 // 1)
    return Span(from_ms, to_ms) if from_ms < to_ms else None


def _key_times(track: FrameTrack, *, until: int) -> Iterator[int]:
    return (shown for shown in compress(track.pts, track.flags.translate(_BEGINS)) if shown <= until)


def _placed(track: FrameTrack) -> bytearray:
    return track.flags.translate(_PLACED)


def _between_units(index: FrameIndex) -> Iterator[tuple[int, int]]:
    """Yield the runs of bytes that belong to no access unit, but for the framing between units."""
    starts = sorted(chain.from_iterable(compress(track.offsets, _placed(track)) for track in index.tracks))
    stops = sorted(chain.from_iterable(compress(track.ends, _placed(track)) for track in index.tracks))
    if not starts:
        yield 0, index.size
        return
    # Between two units lies a gap where as many have ended as have begun, however they lie over each other.
    if starts[0]:
        yield 0, starts[0]
    for at, gap in enumerate(map(sub, starts[1:], stops)):
        if gap > FRAMING_BYTES_MAX:
            yield stops[at], starts[at + 1]
    if stops[-1] < index.size:
        yield stops[-1], index.size
