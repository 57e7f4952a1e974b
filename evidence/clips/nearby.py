"""Places on the earth for the search: cells that the index holds, and which of them a circle touches. Pure.

A position lies in one cell of each of three grids, of a hundredth, a tenth and a whole degree. A circle is asked for as
the cells that its box touches, in the finest grid where they are few; whoever is found is measured then, by the great
circle (`search_is_near` of the schema, radius 6,371,008.8 m). Both sides of 180 degrees are one place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

RADIUS_M_MAX = 100_000
LATITUDE_E6_MAX = 85_000_000
"""Beyond, meridians meet and boxes become rings; nobody enforces anything there."""

_GRIDS = (10_000, 100_000, 1_000_000)
"""Edges of cells, in millionths of a degree."""
_CELLS_MAX = 36
_METRES_PER_DEGREE = 6_371_008.8 * math.pi / 180
_TURN = 360_000_000


def cells_of(places: Iterable[tuple[int, int]]) -> set[str]:
    """Return the cells, of all grids, in which positions lie; each is (latitude, longitude) in millionths."""
    return {
        _cell(grid, latitude // edge, longitude // edge)
        for latitude, longitude in places
        for grid, edge in enumerate(_GRIDS)
    }


def cells_around(latitude: int, longitude: int, metres: int) -> list[str]:
    """Return the cells that a circle touches, sorted.

    Args:
        latitude, longitude: Its centre in millionths of a degree, at most `LATITUDE_E6_MAX` from the equator.
        metres: Its radius, 1 to `RADIUS_M_MAX`.
    """
    up = math.ceil(metres / _METRES_PER_DEGREE * 1_000_000) + 1
    widest = math.cos(math.radians((abs(latitude) + up) / 1_000_000))
    across = math.ceil(up / widest) + 1
    for grid, edge in enumerate(_GRIDS):
        rows = range((latitude - up) // edge, (latitude + up) // edge + 1)
        columns = range((longitude - across) // edge, (longitude + across) // edge + 1)
        if len(rows) * len(columns) <= _CELLS_MAX or grid == len(_GRIDS) - 1:
            return sorted({_cell(grid, row, column) for row in rows for column in columns})
    raise AssertionError("the last grid always serves")


def _cell(grid: int, row: int, column: int) -> str:
    columns = _TURN // _GRIDS[grid]
    return f"cell:{grid}:{row}:{(column + columns // 2) % columns}"
