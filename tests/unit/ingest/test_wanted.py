"""Which bytes an excerpt needs: as one finds them unit by unit, and quickly however long the film."""

from __future__ import annotations

import time
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from evidence.verify.excerpt_statement import Span
from ingest.media.frame_format import read_frames, write_frames
from ingest.media.frames import HIDDEN, KEY, NO_PTS, FrameIndex, FrameTrack
from ingest.wanted import FRAMING_BYTES_MAX, bytes_needed, seconds_shown

UNIT = Fraction(1, 10)
HOURS_MAX_SECONDS = 2.0
"""Bound for two hours of film, processor time; it takes some 0.3 s where this was written."""


def between_units(index: FrameIndex) -> list[tuple[int, int]]:
    """Find the bytes of no unit one unit after the other."""
    behind, runs = 0, []
    for start, stop in sorted(place for track in index.tracks for place in track.places):
        if start - behind > (FRAMING_BYTES_MAX if behind else 0):
            runs.append((behind, start))
        behind = max(behind, stop)
    return [*runs, (behind, index.size)] if behind < index.size else runs


def shown_slowly(index: FrameIndex, from_s: Fraction, to_s: Fraction) -> Span | None:
    """Find what can be shown one picture after the other."""
    begun: Fraction | None = None
    ended: Fraction | None = None
    for ticks, length, flags in zip(index.tracks[0].pts, index.tracks[0].durations, index.tracks[0].flags, strict=True):
        start, stop = ticks * UNIT - index.origin, (ticks + max(length, 1)) * UNIT - index.origin
        if flags & NO_PTS:
            continue
        if start < to_s and stop > from_s:
            ended = stop if ended is None else max(ended, stop)
        if flags & KEY and start <= from_s and not flags & HIDDEN:
            begun = start if begun is None else max(begun, start)
    if ended is None:
        return None
    first, last = max(Fraction(0), from_s if begun is None else begun), min(ended, to_s)
    from_ms, to_ms = int(first * 1000), -int(-last * 1000 // 1)
    return Span(from_ms, to_ms) if from_ms < to_ms else None


@st.composite
def indexes(draw: st.DrawFn) -> FrameIndex:
    """Draw an index of two tracks, units in any order, over each other, with gaps of all lengths."""
    tracks = []
    for number, kind in enumerate(("video", "audio")):
        made = FrameTrack(number, kind, "h264", UNIT)
        for at in range(draw(st.integers(1, 12))):
            made.offsets.append(draw(st.integers(0, 900)))
            made.sizes.append(draw(st.integers(1, 90)))
            made.dts.append(at)
            made.pts.append(at + draw(st.integers(-3, 3)))
            made.durations.append(draw(st.integers(0, 3)))
            made.flags.append(draw(st.sampled_from([0, KEY, KEY, KEY | HIDDEN, NO_PTS, KEY | NO_PTS])))
        tracks.append(made)
    return FrameIndex(1000, draw(st.fractions(-1, 1, max_denominator=7)), tuple(tracks))


@given(index=indexes(), begin=st.integers(0, 15), length=st.integers(1, 15))
def test_what_is_looked_up_in_columns_is_what_one_finds_unit_by_unit(
    index: FrameIndex, begin: int, length: int
) -> None:
    from_s, to_s = Fraction(begin, 7), Fraction(begin + length, 7)
    shown = seconds_shown(index, from_s=from_s, to_s=to_s)
    assert shown == shown_slowly(index, from_s, to_s)
    if shown is not None and all(track.timed for track in index.tracks):
        needed = bytes_needed(index, from_s=from_s, to_s=to_s)
        rest = between_units(index)
        assert needed[len(needed) - len(rest) :] == rest


def test_two_hours_are_looked_up_in_a_moment() -> None:
    index = two_hours()
    raw = write_frames(index)
    begun = time.process_time()
    read = read_frames(raw)
    needed = bytes_needed(read, from_s=Fraction(3600), to_s=Fraction(3630))
    shown = seconds_shown(read, from_s=Fraction(3600), to_s=Fraction(3630))
    spent = time.process_time() - begun
    assert read == index
    assert shown == Span(3_600_000, 3_630_000)
    assert sum(stop - start for start, stop in needed) < 12_000_000
    assert spent < HOURS_MAX_SECONDS, f"{spent:.2f} s"


def two_hours() -> FrameIndex:
    """Return the index of two hours: 25 pictures and 48 pieces of sound a second, one after the other."""
    picture, sound = FrameTrack(0, "video", "h264", Fraction(1, 25)), FrameTrack(1, "audio", "aac", Fraction(1, 48))
    place = 40_000
    for second in range(7200):
        for track, count, size in ((picture, 25, 9_000), (sound, 48, 300)):
            for at in range(second * count, (second + 1) * count):
                track.offsets.append(place)
                track.sizes.append(size)
                track.dts.append(at)
                track.pts.append(at)
                track.durations.append(1)
                track.flags.append(KEY if track is sound or at % 50 == 0 else 0)
                place += size
    return FrameIndex(place + 4_000_000, Fraction(0), (picture, sound))
