"""Times and looks: holes by the track's own habit, sound that does not join, pictures that stand still."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import pytest
from av.video.frame import VideoFrame

from ingest.media.continuity.extents import Extent, note_extents
from ingest.media.continuity.eye import Eye, grey_of
from ingest.media.continuity.looks import Looks
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.timeline import PictureTimes, SoundTimes

MILLISECOND = Fraction(1, 1000)


def pictures(times: Iterable[int], *, unit: Fraction = MILLISECOND) -> Notebook:
    notebook = Notebook()
    track = PictureTimes(notebook, unit)
    for time in times:
        track.take(time, None, 40, Place(from_ms=time))
    track.finish()
    return notebook


def measured(notebook: Notebook) -> list[tuple[str, int | None, object]]:
    return [(item.code, item.place.from_ms, item.measured.get("milliseconds")) for item in notebook]


def test_a_hole_in_an_even_track() -> None:
    times = [time for time in range(0, 4000, 40) if time != 2000]
    assert measured(pictures(times)) == [("timeline.picture_gap", 2040, 80)]


def test_an_uneven_track_has_holes_of_seconds_only() -> None:
    times = [number * 33 + (number * number * 7) % 29 for number in range(200)]
    assert measured(pictures(times)) == []
    late = [time + (2600 if time > 3000 else 0) for time in times]
    assert [code for code, _place, _length in measured(pictures(late))] == ["timeline.picture_gap"]


def test_pictures_in_decoding_order_are_put_in_order() -> None:
    order = [start + step for start in range(0, 4000, 160) for step in (0, 160, 80, 40, 120)]
    assert measured(pictures(dict.fromkeys(order))) == []


def test_times_that_run_backwards() -> None:
    notebook = Notebook()
    track = PictureTimes(notebook, MILLISECOND)
    for time in (0, 40, 80, 20, 120):
        track.take(time, time, 40, Place(from_ms=time))
    assert measured(notebook) == [("timeline.backwards", 20, 60)]


@pytest.mark.parametrize(("shift", "noted"), [(0, []), (15, []), (64, [64]), (-64, [-64]), (1000, [1000])])
def test_sound_that_does_not_join(shift: int, noted: list[int]) -> None:
    notebook = Notebook()
    track = SoundTimes(notebook, MILLISECOND)
    for number in range(20):
        track.take(number * 64 + (shift if number >= 10 else 0), 64, Place())
    assert [item.measured["milliseconds"] for item in notebook] == noted


def test_pictures_and_sound_that_do_not_begin_and_end_together() -> None:
    notebook = Notebook()
    note_extents(notebook, Extent(0, 10_000), Extent(300, 10_900))
    assert measured(notebook) == []
    note_extents(notebook, Extent(0, 10_000), Extent(700, 8_000))
    assert measured(notebook) == [("timeline.starts_differ", 0, 700), ("timeline.ends_differ", 8000, -2000)]
    note_extents(notebook, Extent(), Extent(0, 5))


def looks(greys: Iterable[tuple[bytes, int]]) -> list[tuple[str, int | None, object]]:
    notebook = Notebook()
    accumulator = Looks(notebook, 0)
    for grey, time in greys:
        accumulator.take(grey, time)
    accumulator.finish()
    return measured(notebook)


def moving(start: int, end: int) -> list[tuple[bytes, int]]:
    return [(bytes([60, 100, time // 40 % 200]), time) for time in range(start, end, 40)]


def test_a_picture_that_stands_still() -> None:
    still = [(bytes([60, 100, 250]), time) for time in range(2000, 8000, 40)]
    assert looks([*moving(0, 2000), *still, *moving(8000, 9000)]) == [("timeline.frozen", 2000, 5960)]
    assert looks([*moving(0, 2000), *still[:40], *moving(3600, 6000)]) == []


@pytest.mark.parametrize(
    ("name", "size", "length"),
    [("yuv420p", (160, 120), 576), ("nv12", (64, 36), 576), ("rgb24", (160, 120), 0), ("yuv420p", (16, 16), 0)],
)
def test_grey_values_are_taken_from_where_they_lie(name: str, size: tuple[int, int], length: int) -> None:
    assert len(grey_of(VideoFrame(*size, name)) or b"") == length


def test_an_eye_sees_ten_pictures_a_second_in_the_originals_time() -> None:
    notebook = Notebook()
    eye = Eye(notebook, track=3, origin=Fraction(7))
    black = VideoFrame(64, 36, "gray")
    black.planes[0].update(bytes(black.planes[0].buffer_size))
    for number in range(90):
        eye.see(black, Fraction(number, 30))
    eye.finish()
    assert [(item.code, item.place.track, item.place.from_ms) for item in notebook] == [("timeline.black", 3, 7000)]


def test_a_picture_that_is_black_is_told_as_black_only() -> None:
    black = [(bytes([16, 17, 16]), time) for time in range(2000, 5000, 40)]
    assert looks([*moving(0, 2000), *black]) == [("timeline.black", 2000, 2960)]
    assert looks([]) == []
