"""Cells on the earth: whatever lies within a circle lies in one of the cells that are asked for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.nearby import LATITUDE_E6_MAX, RADIUS_M_MAX, cells_around, cells_of

LATITUDE = st.integers(-LATITUDE_E6_MAX, LATITUDE_E6_MAX)
LONGITUDE = st.integers(-180_000_000, 180_000_000)
RADIUS = st.integers(1, RADIUS_M_MAX)


@given(latitude=LATITUDE, longitude=LONGITUDE, metres=RADIUS, course=st.floats(0, 360), part=st.floats(0, 0.9999))
def test_whatever_lies_within_a_circle_lies_in_one_of_its_cells(
    latitude: int, longitude: int, metres: int, course: float, part: float
) -> None:
    there = _travel(latitude, longitude, metres * part, course)
    assert cells_of([there]) & set(cells_around(latitude, longitude, metres))


@given(latitude=LATITUDE, longitude=LONGITUDE, metres=RADIUS)
def test_a_circle_is_asked_for_by_few_cells(latitude: int, longitude: int, metres: int) -> None:
    assert 1 <= len(cells_around(latitude, longitude, metres)) <= 120


@pytest.mark.parametrize("metres", [500, 20_000, RADIUS_M_MAX])
def test_both_sides_of_180_degrees_are_one_place(metres: int) -> None:
    for here, there in ((179_999_900, -179_999_900), (-180_000_000, 180_000_000)):
        assert cells_of([(10_000_000, there)]) & set(cells_around(10_000_000, here, metres))


def test_a_small_circle_asks_for_small_cells() -> None:
    assert all(cell.startswith("cell:0:") for cell in cells_around(39_331_300, 112_432_900, 500))
    assert len(cells_around(39_331_300, 112_432_900, 500)) <= 6


def _travel(latitude: int, longitude: int, metres: float, course: float) -> tuple[int, int]:
    """Return where one arrives on a great circle."""
    turn, heading, north = metres / 6_371_008.8, math.radians(course), math.radians(latitude / 1e6)
    arrived = math.asin(math.sin(north) * math.cos(turn) + math.cos(north) * math.sin(turn) * math.cos(heading))
    east = math.atan2(
        math.sin(heading) * math.sin(turn) * math.cos(north), math.cos(turn) - math.sin(north) * math.sin(arrived)
    )
    degrees = (longitude / 1e6 + math.degrees(east) + 180) % 360 - 180
    return round(math.degrees(arrived) * 1e6), round(degrees * 1e6)
