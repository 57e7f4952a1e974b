"""Throttle: hours, the ceiling, and whose turn it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from datetime import time as time_of_day

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstation.errors import ConfigInvalid, WindowClosed
from dockstation.throttle import PIECE_BYTES, Throttle, Window, parse_window

NOON = datetime(2026, 3, 2, 12, 0).astimezone()


@pytest.mark.parametrize("text", ["", "19-07", "24:00-01:00", "19:00-07:60", "19:00 -07:00", "１９:00-07:00", "a"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ConfigInvalid):
        parse_window(text)


@pytest.mark.parametrize(
    ("window", "moment", "inside"),
    [
        ("19:00-07:00", "18:59", False),
        ("19:00-07:00", "19:00", True),
        ("19:00-07:00", "00:00", True),
        ("19:00-07:00", "06:59", True),
        ("19:00-07:00", "07:00", False),
        ("12:00-13:30", "13:29", True),
        ("12:00-13:30", "13:30", False),
        ("00:00-00:00", "03:00", True),
    ],
)
def test_a_window_ends_before_its_end(window: str, moment: str, inside: bool) -> None:
    assert parse_window(window).holds(time_of_day.fromisoformat(moment)) is inside


@given(st.times(), st.times(), st.times())
def test_a_window_and_its_other_half_make_a_day(begin: time_of_day, end: time_of_day, moment: time_of_day) -> None:
    assert begin == end or Window(begin, end).holds(moment) is not Window(end, begin).holds(moment)


async def test_outside_the_hours_only_marked_footage_passes() -> None:
    throttle = Throttle(windows=[parse_window("19:00-07:00")], clock=lambda: NOON.astimezone(UTC))
    assert not throttle.is_open(marked=False)
    with pytest.raises(WindowClosed, match="19:00-07:00"):
        await throttle.take(1, marked=False)
    await throttle.take(1, marked=True)
    two = Throttle(windows=[parse_window("19:00-07:00"), parse_window("11:59-12:01")], clock=lambda: NOON)
    await two.take(1, marked=False)


def ceiling(rate: float) -> Throttle:
    return Throttle(bytes_per_second=rate, clock=lambda: NOON)


async def test_the_ceiling_holds_for_all_together() -> None:
    throttle = ceiling(4_000_000)
    begin = asyncio.get_running_loop().time()
    piece = throttle.piece_bytes

    async def send() -> None:
        for _ in range(250_000 // piece):
            await throttle.take(piece, marked=False)

    await asyncio.gather(*(send() for _ in range(4)))
    took = asyncio.get_running_loop().time() - begin
    assert took >= 4 * (250_000 // piece) * piece / 4_000_000 - 0.1


async def test_whoever_waits_gets_a_turn_and_marked_footage_the_first() -> None:
    throttle = ceiling(1_000_000)
    served: list[str] = []
    await throttle.take(20_000, marked=False)

    async def send(name: str, *, marked: bool = False) -> None:
        for _ in range(3):
            await throttle.take(20_000, marked=marked)
            served.append(name)

    await asyncio.gather(send("a"), send("b"), send("c"), send("marked", marked=True))
    assert served[:3] == ["marked"] * 3
    rest = [name for name in served if name != "marked"]
    assert sorted(rest[:3]) == sorted(rest[3:6]) == sorted(rest[6:]) == ["a", "b", "c"]


async def test_one_who_gives_up_waiting_takes_nothing_and_holds_nobody_up() -> None:
    throttle = ceiling(100_000)
    await throttle.take(20_000, marked=False)
    waiting = asyncio.create_task(throttle.take(10_000_000, marked=False))
    await asyncio.sleep(0)
    waiting.cancel()
    async with asyncio.timeout(5):
        await throttle.take(10, marked=False)


@pytest.mark.parametrize(("rate", "piece"), [(0, PIECE_BYTES), (1e9, PIECE_BYTES), (6250, 4096), (1_000_000, 50_000)])
def test_pieces_shrink_with_the_ceiling(rate: float, piece: int) -> None:
    assert ceiling(rate).piece_bytes == piece
