"""Which picture is meant, and from which unit on it is decoded."""

from __future__ import annotations

from array import array
from fractions import Fraction

import pytest

from ingest.media.errors import PictureOutside, PicturesMissing
from ingest.media.frames import HIDDEN, KEY, NO_PTS, FrameIndex, FrameTrack
from ingest.media.showing import Asked, find_picture

MS = Fraction(1, 1000)


def index(*units: tuple[int, int, int], kind: str = "video", origin: Fraction = Fraction(0)) -> FrameIndex:
    """Make an index of one track; each unit is (pts in milliseconds, duration, flags), in file order."""
    times, lengths, flags = zip(*units, strict=True) if units else ((), (), ())
    column = array("q", range(len(units)))
    track = FrameTrack(
        index=0,
        kind=kind,
        codec="h264",
        unit=MS,
        offsets=column,
        sizes=column,
        pts=array("q", times),
        dts=column,
        durations=array("q", lengths),
        flags=bytearray(flags),
    )
    return FrameIndex(size=10_000, origin=origin, tracks=(track,))


# Two groups, I P B B in file order; the first B of the second group leans on the group before it.
OPEN = index((0, 40, KEY), (120, 40, 0), (40, 40, 0), (80, 40, 0), (200, 40, KEY), (160, 40, 0), (240, 40, 0))


@pytest.mark.parametrize(
    ("number", "pts", "first", "stop", "key_number"),
    [(0, 0, 0, 1, 0), (1, 40, 0, 3, 0), (3, 120, 0, 2, 0), (4, 160, 0, 6, 0), (5, 200, 4, 5, 5), (6, 240, 4, 7, 5)],
)
def test_pictures_are_counted_as_shown_and_decoded_from_the_key_frame_they_lean_on(
    number: int, pts: int, first: int, stop: int, key_number: int
) -> None:
    found = find_picture(OPEN, Asked(frame=number))
    assert (found.number, found.pts, found.first, found.stop) == (number, pts, first, stop)
    assert (found.key_number, found.of) == (key_number, 7)


@pytest.mark.parametrize(("at_ms", "number"), [(0, 0), (39, 0), (40, 1), (79, 1), (239, 5), (240, 6), (279, 6)])
def test_the_picture_on_show_at_a_time(at_ms: int, number: int) -> None:
    assert find_picture(OPEN, Asked(at_ms=at_ms)).number == number


def test_a_picture_that_begins_within_the_millisecond_has_begun() -> None:
    track = FrameTrack(
        index=0,
        kind="video",
        codec="h264",
        unit=Fraction(1, 30),
        offsets=array("q", [0, 0]),
        sizes=array("q", [1, 1]),
        pts=array("q", [0, 1]),
        dts=array("q", [0, 1]),
        durations=array("q", [1, 1]),
        flags=bytearray([KEY, 0]),
    )
    thirty = FrameIndex(size=10, origin=Fraction(0), tracks=(track,))
    assert [find_picture(thirty, Asked(at_ms=at)).number for at in (32, 33, 66)] == [0, 1, 1]


@pytest.mark.parametrize("asked", [Asked(frame=7), Asked(pts=41), Asked(at_ms=280), Asked(at_ms=10**9)])
def test_what_is_outside_says_what_there_is(asked: Asked) -> None:
    with pytest.raises(PictureOutside) as refused:
        find_picture(OPEN, asked)
    assert refused.value.details


def test_a_time_before_the_first_picture_is_outside() -> None:
    with pytest.raises(PictureOutside, match="from 50 ms to 90 ms"):
        find_picture(index((50, 40, KEY)), Asked(at_ms=49))


def test_the_last_picture_without_a_length_is_as_long_as_the_one_before() -> None:
    film = index((0, 0, KEY), (40, 0, 0))
    assert find_picture(film, Asked(at_ms=79)).number == 1
    with pytest.raises(PictureOutside):
        find_picture(film, Asked(at_ms=80))


def test_times_are_counted_from_where_the_review_copy_begins() -> None:
    film = index((1000, 40, KEY), (1040, 40, 0), origin=Fraction(1))
    assert (find_picture(film, Asked(at_ms=45)).pts, find_picture(film, Asked(pts=1040)).at_ms) == (1040, 40)


def test_what_is_hidden_or_without_a_time_has_no_number_and_is_decoded_all_the_same() -> None:
    film = index((0, 40, KEY | HIDDEN), (40, 40, NO_PTS), (80, 40, 0))
    found = find_picture(film, Asked(frame=0))
    assert (found.pts, found.of, found.first) == (80, 1, 0)


@pytest.mark.parametrize("film", [index(), index((0, 40, KEY), kind="audio"), index((0, 40, KEY | NO_PTS))])
def test_without_pictures_there_is_no_still(film: FrameIndex) -> None:
    with pytest.raises(PicturesMissing):
        find_picture(film, Asked(frame=0))


def test_another_track_than_the_first_is_taken_by_its_number() -> None:
    with pytest.raises(PicturesMissing):
        find_picture(OPEN, Asked(frame=0), track=3)


@pytest.mark.parametrize("names", [{}, {"frame": 0, "pts": 0}, {"frame": 0, "pts": 0, "at_ms": 0}])
def test_exactly_one_name(names: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Asked(**names)
