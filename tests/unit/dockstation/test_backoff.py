"""Waiting: pauses grow, stay apart, honour what is asked, and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstation.backoff import ASKED_SECONDS_MAX, FIRST_SECONDS, LONGEST_SECONDS, Patience, pause_seconds
from dockstation.errors import LinkLost


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1), asked=st.floats(0, 1e9))
def test_pauses_stay_within_their_bounds(attempt: int, chance: float, asked: float) -> None:
    pause = pause_seconds(attempt, chance=chance, asked_seconds=asked)
    assert FIRST_SECONDS / 2 <= pause <= max(LONGEST_SECONDS, ASKED_SECONDS_MAX)
    assert pause >= min(asked, ASKED_SECONDS_MAX)


def test_pauses_double_until_the_longest() -> None:
    pauses = [pause_seconds(attempt, chance=1.0) for attempt in range(1, 12)]
    assert pauses[:4] == [0.25, 0.5, 1.0, 2.0]
    assert pauses[-1] == LONGEST_SECONDS


def test_chance_spreads_the_second_half_of_a_pause() -> None:
    assert pause_seconds(3, chance=0.0) == 0.5
    assert pause_seconds(3, chance=1.0) == 1.0


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_patience_ends_with_the_error_itself_and_is_renewed_by_progress() -> None:
    clock = Clock()
    patience = Patience(10.0, monotonic=clock, chance=lambda: 0.0)
    error = LinkLost("gone")
    await patience.hold(error)
    clock.now += 9.9
    with pytest.raises(LinkLost) as caught:
        await patience.hold(error)
    assert caught.value is error
    patience.progress()
    await patience.hold(error)


async def test_a_wish_longer_than_patience_is_not_waited_for() -> None:
    with pytest.raises(LinkLost):
        await Patience(5.0).hold(LinkLost("busy"), asked_seconds=6.0)
