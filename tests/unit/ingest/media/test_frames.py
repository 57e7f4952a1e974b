from __future__ import annotations

import json
import time
import zlib
from array import array
from fractions import Fraction
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.errors import FramesMalformed, RangesUnknown
from ingest.media.frame_format import HEAD_BYTES_MAX, MAGIC, read_frames, write_frames
from ingest.media.frames import (
    HIDDEN,
    KEY,
    NO_DTS,
    NO_PLACE,
    NO_PTS,
    ByteRun,
    FrameIndex,
    FrameTrack,
    ranges_between,
    seconds_touched,
)
from ledger.canonical import canonical_json

SIZE = 100_000


def track(
    *units: tuple[int, int, int, int, int, int],
    index: int = 0,
    kind: str = "video",
    unit: Fraction = Fraction(1, 10),
    edit_shift: int = 0,
) -> FrameTrack:
    """Return a track of (offset, size, pts, dts, duration, flags)."""
    made = FrameTrack(index, kind, "h264", unit, edit_shift)
    for offset, size, pts, dts, duration, flags in units:
        made.offsets.append(offset)
        made.sizes.append(size)
        made.pts.append(pts)
        made.dts.append(dts)
        made.durations.append(duration)
        made.flags.append(flags)
    return made


def film(**changes: Any) -> FrameTrack:
    """Return forty pictures, ten a second, a key frame each second, the third of each group shown before the second."""
    order = {1: 2, 2: 1}
    return track(
        *(
            (1000 + 200 * n, 100, n + order.get(n % 10, n % 10) - n % 10, n - 1, 1, KEY * (n % 10 == 0))
            for n in range(40)
        ),
        **changes,
    )


def sound(**changes: Any) -> FrameTrack:
    """Return twenty pieces of sound of 0.2 seconds, each between two pictures."""
    return track(*((1100 + 400 * n, 60, n, n, 1, KEY) for n in range(20)), unit=Fraction(1, 5), kind="audio", **changes)


def index_of(*tracks: FrameTrack, origin: Fraction = Fraction(0)) -> FrameIndex:
    return FrameIndex(size=SIZE, origin=origin, tracks=tracks)


ticks = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)


@st.composite
def units(draw: st.DrawFn) -> tuple[int, int, int, int, int, int]:
    flags = draw(st.integers(min_value=0, max_value=63))
    offset = draw(st.integers(min_value=0, max_value=SIZE))
    size = draw(st.integers(min_value=0, max_value=SIZE - offset))
    placed = 0 if flags & NO_PLACE else offset
    return placed, size, draw(ticks), draw(ticks), draw(st.integers(min_value=0, max_value=2**53 - 1)), flags


@given(
    st.lists(st.lists(units(), max_size=12), max_size=4),
    st.fractions(min_value=-9, max_value=9, max_denominator=10**9),
    st.fractions(min_value=Fraction(1, 90_000), max_value=1, max_denominator=10**9),
    ticks,
)
def test_what_is_written_is_read(
    tracks: list[list[tuple[int, int, int, int, int, int]]], origin: Fraction, unit: Fraction, shift: int
) -> None:
    made = [track(*rows, index=number, unit=unit, edit_shift=shift) for number, rows in enumerate(tracks)]
    wanted = index_of(*made, origin=origin)
    assert read_frames(write_frames(wanted)) == wanted


def test_two_hours_are_small_and_quickly_read() -> None:
    """The promise for an excerpt of half a minute out of two hours is one second, for everything together."""
    count = 216_000
    pictures = FrameTrack(0, "video", "h264", Fraction(1, 30))
    sounds = FrameTrack(1, "audio", "aac", Fraction(1, 60))
    pictures.sizes.extend(3000 + number * 7919 % 20_011 for number in range(count))
    sounds.sizes.extend(300 + number * 31 % 97 for number in range(2 * count))
    # Half a second of pictures, then half a second of sound.
    ends = [0]
    for at in range(0, count, 15):
        for made, first, stop in ((pictures, at, at + 15), (sounds, 2 * at, 2 * at + 30)):
            ends = list(accumulate(made.sizes[first:stop], initial=ends[-1]))
            made.offsets.extend(ends[:-1])
    for made in (pictures, sounds):
        made.pts.extend(range(len(made.sizes)))
        made.dts.extend(range(len(made.sizes)))
        made.durations.extend([1] * len(made.sizes))
        made.flags.extend(KEY * (made is sounds or number % 60 == 0) for number in range(len(made.sizes)))
    raw = write_frames(FrameIndex(size=ends[-1], origin=Fraction(0), tracks=(pictures, sounds)))
    assert len(raw) < 5_000_000
    began = time.process_time()
    index = read_frames(raw)
    runs = ranges_between(index, from_s=Fraction(3600), to_s=Fraction(3630))
    assert time.process_time() - began < 1.5
    assert len(runs) == 1
    assert runs[0].size < ends[-1] // 200


def parts(raw: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(raw[12:16], "big")
    return json.loads(raw[16 : 16 + length]), zlib.decompress(raw[16 + length :])


def whole(head: object, body: bytes) -> bytes:
    raw = head if isinstance(head, bytes) else canonical_json(head)  # type: ignore[arg-type]
    return MAGIC + (1).to_bytes(4, "big") + len(raw).to_bytes(4, "big") + raw + zlib.compress(body)


def test_the_parts_of_the_vectors_are_put_together_as_the_writer_does() -> None:
    raw = write_frames(index_of(film(), sound(index=1)))
    head, body = parts(raw)
    assert read_frames(whole(head, body)) == read_frames(raw)


RAW = write_frames(index_of(film(), sound(index=1)))
HEAD, BODY = parts(RAW)


def with_track(**changes: object) -> dict[str, Any]:
    return {**HEAD, "tracks": [{**HEAD["tracks"][0], **changes}, HEAD["tracks"][1]]}


def with_columns(**columns: array[int]) -> bytes:
    """Return a file of one track with one unit whose columns are stated as 64-bit numbers."""
    values = {"g": 0, "s": 1, "d": 0, "p": 0, "l": 0} | {name: column[0] for name, column in columns.items()}
    head = {**HEAD, "tracks": [{**HEAD["tracks"][0], "units": 1, "widths": [8] * 5}]}
    return whole(head, array("q", list(values.values())).tobytes() + b"\x01")


def test_one_unit_in_the_widest_columns_is_fine() -> None:
    assert len(read_frames(with_columns(g=array("q", [SIZE - 1]))).tracks[0]) == 1


VECTORS = {
    "nothing": b"",
    "another file": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "magic alone": MAGIC,
    "version two": RAW[:8] + (2).to_bytes(4, "big") + RAW[12:],
    "head beyond the end": RAW[:12] + (HEAD_BYTES_MAX).to_bytes(4, "big") + RAW[16:],
    "head beyond the limit": RAW[:12] + (HEAD_BYTES_MAX + 1).to_bytes(4, "big") + RAW[16:] + bytes(HEAD_BYTES_MAX),
    "cut by one byte": RAW[:-1],
    "one byte more": RAW + b"\0",
    "columns flipped": RAW[:-12] + bytes([RAW[-12] ^ 255]) + RAW[-11:],
    "columns too short": whole(HEAD, BODY[:-1]),
    "columns too long": whole(HEAD, BODY + b"\0"),
    "a bomb": whole(HEAD, bytes(50_000_000)),
    "head with blanks": whole(json.dumps(HEAD).encode(), BODY),
    "head of another form": whole([HEAD], BODY),
    "something more in the head": whole({**HEAD, "more": 1}, BODY),
    "size missing": whole({"origin": [0, 1], "tracks": []}, b""),
    "negative size": whole({**HEAD, "size": -1, "tracks": []}, b""),
    "size true": whole({**HEAD, "size": True, "tracks": []}, b""),
    "origin over zero": whole({**HEAD, "origin": [1, 0]}, BODY),
    "origin not in lowest terms": whole({**HEAD, "origin": [2, 4]}, BODY),
    "origin true": whole({**HEAD, "origin": [True, 1]}, BODY),
    "negative unit": whole(with_track(unit=[-1, 10]), BODY),
    "unit zero": whole(with_track(unit=[0, 1]), BODY),
    "kind unheard of": whole(with_track(kind="smell"), BODY),
    "endless codec": whole(with_track(codec="x" * 65), BODY),
    "width three": whole(with_track(widths=[3, 1, 1, 1, 1]), BODY),
    "width true": whole(with_track(widths=[True, 1, 1, 1, 1]), BODY),
    "four widths": whole(with_track(widths=[2, 1, 1, 1]), BODY),
    "negative count": whole(with_track(units=-40), BODY),
    "count of millions": whole(with_track(units=2**40), BODY),
    "count true": whole(with_track(units=True), BODY),
    "tracks out of order": whole({**HEAD, "tracks": HEAD["tracks"][::-1]}, BODY),
    "the same track twice": whole({**HEAD, "tracks": [HEAD["tracks"][0]] * 2}, BODY),
    "too many tracks": whole(
        {**HEAD, "tracks": [{**HEAD["tracks"][0], "units": 0, "index": n} for n in range(257)]}, b""
    ),
    "ranges denied": whole(with_track(ranges=False), BODY),
    "unknown flag": whole(HEAD, BODY[:-1] + b"\x41"),
    "place before the file": with_columns(g=array("q", [-1])),
    "place behind the file": with_columns(g=array("q", [SIZE])),
    "negative unit size": with_columns(g=array("q", [9]), s=array("q", [-1])),
    "negative duration": with_columns(l=array("q", [-1])),
    "sum beyond all bounds": with_columns(g=array("q", [2**63 - 1]), s=array("q", [2**63 - 1])),
    "time beyond all bounds": with_columns(d=array("q", [2**53])),
    "shown time beyond all bounds": with_columns(d=array("q", [2**53 - 1]), p=array("q", [1])),
}


@pytest.mark.parametrize("name", VECTORS)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(FramesMalformed):
        read_frames(VECTORS[name])


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=len(RAW)))
def test_bytes_by_chance_are_refused_in_one_way(noise: bytes, place: int) -> None:
    """Whatever stands there, the answer is an index or the one coded error."""
    try:
        read_frames(RAW[:place] + noise + RAW[place + len(noise) :])
    except FramesMalformed:
        return


def runs(index: FrameIndex, from_s: str, to_s: str) -> list[tuple[int, int]]:
    return [(run.offset, run.end) for run in ranges_between(index, from_s=Fraction(from_s), to_s=Fraction(to_s))]


def test_pictures_are_taken_from_the_key_frame_before() -> None:
    # 1.45 s lies in the fifteenth picture; the group begins with the eleventh; 1.6 s begins with the seventeenth.
    wanted = [(1000 + 200 * n, 1100 + 200 * n) for n in range(10, 16)]
    assert runs(index_of(film()), "1.45", "1.6") == wanted


def test_a_picture_shown_early_but_stored_late_is_taken() -> None:
    # The picture shown at 0.1 s is the third in the file and leans on the second.
    assert runs(index_of(film()), "0", "0.15") == [(1000, 1100), (1200, 1300), (1400, 1500)]


def test_sound_begins_one_piece_earlier() -> None:
    assert runs(index_of(sound()), "1.0", "1.2") == [(1100 + 400 * n, 1160 + 400 * n) for n in (4, 5)]
    assert runs(index_of(sound()), "0", "0.2") == [(1100, 1160)]


def test_neighbours_become_one_run() -> None:
    assert runs(index_of(film(), sound(index=1)), "0", "0.2") == [(1000, 1160), (1200, 1300), (1400, 1500)]


def test_seconds_are_those_of_the_players() -> None:
    late = index_of(film(), origin=Fraction(-2))
    assert runs(late, "3.45", "3.6") == runs(index_of(film()), "1.45", "1.6")


def test_beyond_the_end_the_last_group_is_what_is_shown() -> None:
    assert runs(index_of(film()), "100", "101")[0] == (7000, 7100)


def test_before_the_beginning_nothing_is_needed() -> None:
    assert runs(index_of(film()), "-9", "-8") == []


def test_an_empty_track_asks_for_nothing() -> None:
    assert runs(index_of(film(), track(index=1, kind="data")), "0", "0.05") == runs(index_of(film()), "0", "0.05")


def test_without_places_or_times_there_are_no_ranges() -> None:
    scattered = track((0, 10, 0, 0, 1, KEY | NO_PLACE), (50, 10, 1, 1, 1, 0))
    bare = track((0, 10, 0, 0, 0, KEY | NO_PTS | NO_DTS), (10, 10, 0, 0, 0, NO_PTS | NO_DTS))
    for index in (index_of(scattered), index_of(bare)):
        with pytest.raises(RangesUnknown):
            ranges_between(index, from_s=Fraction(0), to_s=Fraction(1))
    assert not index_of(scattered).ranges
    assert index_of(bare).ranges


def test_bytes_tell_their_seconds() -> None:
    index = index_of(film(), sound(index=1))
    assert seconds_touched(index, start=1250, stop=1251) == (Fraction(2, 10), Fraction(3, 10))
    assert seconds_touched(index, start=1000, stop=1200) == (Fraction(0), Fraction(2, 10))
    assert seconds_touched(index, start=0, stop=1000) is None


def test_hidden_pictures_are_taken_along() -> None:
    hidden = track((0, 10, -1, -1, 1, KEY | HIDDEN), (10, 10, 0, 0, 1, 0), (20, 10, 1, 1, 1, KEY))
    assert ranges_between(index_of(hidden), from_s=Fraction(0), to_s=Fraction(1, 10)) == (ByteRun(0, 20),)
