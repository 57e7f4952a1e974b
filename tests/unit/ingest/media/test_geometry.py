from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.geometry import (
    REVIEW_LONG_SIDE_MAX,
    REVIEW_SHORT_SIDE_MAX,
    Size,
    Turn,
    review_size,
    turn_of,
    within,
)

ONE = 0x10000
sides = st.integers(min_value=1, max_value=20_000)


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)


def applied(turn: Turn, x: int, y: int) -> tuple[int, int]:
    """Where a point goes, y downwards: clockwise quarter turns first, then left and right swapped."""
    for _ in range(turn.degrees // 90):
        x, y = -y, x
    return (-x, y) if turn.mirrored else (x, y)


SIGNS = [
    *((p, 0, 0, q) for p in (1, -1) for q in (1, -1)),
    *((0, p, q, 0) for p in (1, -1) for q in (1, -1)),
]


@pytest.mark.parametrize("signs", SIGNS)
def test_each_of_the_eight_matrices_does_what_its_turn_says(signs: tuple[int, int, int, int]) -> None:
    a, b, c, d = signs
    turn = turn_of(matrix(a * ONE, b * ONE, c * ONE, d * ONE))
    for x, y in ((1, 0), (0, 1), (2, 3)):
        assert applied(turn, x, y) == (a * x + c * y, b * x + d * y)


def test_the_eight_turns_are_eight() -> None:
    assert {turn_of(matrix(*(sign * ONE for sign in signs))) for signs in SIGNS} == set(Turn)


@pytest.mark.parametrize("tilt", [-8000, 8000])
def test_a_small_tilt_is_left_alone(tilt: int) -> None:
    assert turn_of(matrix(65_000, tilt, -tilt, 65_000)) is Turn.NONE
    assert turn_of(matrix(tilt, 65_000, -65_000, tilt)) is Turn.CLOCKWISE


@pytest.mark.parametrize("raw", [b"", b"\0" * 35, b"\0" * 36, b"\0" * 37, matrix(ONE, 0, 0, 0), matrix(0, ONE, 0, 0)])
def test_a_matrix_that_makes_no_sense_turns_nothing(raw: bytes) -> None:
    assert turn_of(raw) is Turn.NONE


@given(st.binary(min_size=36, max_size=36))
def test_any_matrix_gives_one_of_the_turns(raw: bytes) -> None:
    assert turn_of(raw) in set(Turn)


@pytest.mark.parametrize(
    ("stored", "aspect", "turn", "expected"),
    [
        ((1920, 1080), None, Turn.NONE, (1280, 720)),
        ((1920, 1080), None, Turn.CLOCKWISE, (720, 1280)),
        ((640, 360), None, Turn.NONE, (640, 360)),
        ((1280, 720), None, Turn.NONE, (1280, 720)),
        ((3840, 2160), None, Turn.NONE, (1280, 720)),
        ((1440, 1080), Fraction(4, 3), Turn.NONE, (1280, 720)),
        ((720, 576), Fraction(16, 15), Turn.NONE, (768, 576)),
        ((720, 480), Fraction(8, 9), Turn.NONE, (720, 540)),
        ((720, 480), Fraction(8, 9), Turn.CLOCKWISE, (540, 720)),
        ((640, 480), Fraction(0), Turn.NONE, (640, 480)),
        ((640, 480), Fraction(1000), Turn.NONE, (640, 480)),
        ((641, 361), None, Turn.NONE, (640, 360)),
        ((1, 1), None, Turn.NONE, (2, 2)),
        ((20_000, 2), None, Turn.NONE, (1280, 2)),
    ],
)
def test_review_sizes(stored: tuple[int, int], aspect: Fraction | None, turn: Turn, expected: tuple[int, int]) -> None:
    assert review_size(Size(*stored), pixel_aspect=aspect, turn=turn) == Size(*expected)


@given(sides, sides, st.fractions(min_value=0, max_value=10), st.sampled_from(Turn))
def test_a_review_size_is_even_and_within_the_limits(width: int, height: int, aspect: Fraction, turn: Turn) -> None:
    size = review_size(Size(width, height), pixel_aspect=aspect, turn=turn)
    assert size.width % 2 == size.height % 2 == 0
    assert 2 <= min(size.width, size.height) <= REVIEW_SHORT_SIDE_MAX
    assert max(size.width, size.height) <= REVIEW_LONG_SIDE_MAX


@given(sides, sides, st.sampled_from(Turn))
def test_square_pixels_are_never_enlarged(width: int, height: int, turn: Turn) -> None:
    size = review_size(Size(width, height), pixel_aspect=None, turn=turn)
    long, short = max(width, height), min(width, height)
    assert max(size.width, size.height) <= long + 1
    assert min(size.width, size.height) <= short + 1


@given(st.integers(2, 640), st.integers(2, 640), st.integers(1, 640), st.integers(1, 640))
def test_within_touches_the_box_and_never_leaves_it(width: int, height: int, box_x: int, box_y: int) -> None:
    box = Size(2 * box_x, 2 * box_y)
    size = within(Size(width, height), box)
    assert size.width <= box.width
    assert size.height <= box.height
    assert size.width == box.width or size.height == box.height


def test_within_leaves_a_fitting_size_alone() -> None:
    assert within(Size(1280, 720), Size(1280, 720)) == Size(1280, 720)
    assert within(Size(640, 480), Size(1280, 720)) == Size(960, 720)
