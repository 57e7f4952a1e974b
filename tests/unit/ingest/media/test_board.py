from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ingest.media.board import COLUMNS, TILES_MAX, Slots, format_storyboard, place_of, sheet_size, tile_size
from ingest.media.geometry import Size


def kept(seconds: list[Fraction]) -> Slots[int]:
    slots: Slots[int] = Slots()
    for number, place in enumerate(seconds):
        if slots.wants(place):
            slots.keep(place, number)
    return slots


@given(st.lists(st.fractions(min_value=0, max_value=5000, max_denominator=50), max_size=900))
def test_tiles_are_few_and_apart_whatever_comes(seconds: list[Fraction]) -> None:
    slots = kept(seconds)
    times = [place for place, _ in slots.kept]
    assert len(times) <= TILES_MAX
    assert len({place // slots.distance for place in times}) == len(times)
    assert times == sorted(times)
    assert bool(seconds) == bool(times)


def test_long_footage_has_between_half_and_all_of_the_tiles() -> None:
    for length in (201, 1000, 7200, 90_000):
        slots = kept([Fraction(place) for place in range(length)])
        assert TILES_MAX // 2 <= len(slots.kept) <= TILES_MAX
        assert slots.kept[-1][0] >= length - 1 - slots.distance


def test_short_footage_has_one_a_second() -> None:
    slots = kept([Fraction(number, 25) for number in range(125)])
    assert [place for place, _ in slots.kept] == [0, 1, 2, 3, 4]


def test_a_clock_that_jumps_by_years_makes_no_more_tiles() -> None:
    assert len(kept([Fraction(0), Fraction(10**9), Fraction(10**9) + 2]).kept) == 3


def test_tiles_keep_the_shape_of_the_picture() -> None:
    assert tile_size(Size(1280, 720)) == Size(160, 90)
    assert tile_size(Size(720, 1280)) == Size(50, 90)
    assert tile_size(Size(1280, 200)).width == 160


def test_the_sheet_holds_every_tile() -> None:
    tile = Size(160, 90)
    for count in (1, COLUMNS, COLUMNS + 1, TILES_MAX):
        size = sheet_size(count, tile)
        x, y = place_of(count - 1, tile)
        assert x + tile.width <= size.width
        assert y + tile.height == size.height
    assert sheet_size(3, tile) == Size(480, 90)


def test_cues_follow_each_other_and_name_their_tile() -> None:
    written = format_storyboard(
        [Fraction(1, 2), Fraction(5), Fraction(3725)], end=Fraction(3726, 1), tile=Size(160, 90)
    )
    assert written == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:05.000\nstoryboard-sheet#xywh=0,0,160,90\n\n"
        "00:00:05.000 --> 01:02:05.000\nstoryboard-sheet#xywh=160,0,160,90\n\n"
        "01:02:05.000 --> 01:02:06.000\nstoryboard-sheet#xywh=320,0,160,90\n"
    )


def test_the_last_cue_never_ends_before_it_begins() -> None:
    assert "00:00:05.000 --> 00:00:05.001" in format_storyboard(
        [Fraction(0), Fraction(5)], end=Fraction(2), tile=Size(160, 90)
    )
