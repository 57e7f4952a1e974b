"""A clock and random bytes that tests steer: time moves when it is told to, entropy repeats from a seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
"""Where every `SteppingClock` begins unless told otherwise: a Monday morning in Beijing."""


class SteppingClock:
    """A clock that moves by a fixed step at every reading, so that no two events share an instant."""

    def __init__(self, start: datetime = START, *, step: timedelta = timedelta(milliseconds=1)) -> None:
        self.now = start
        self._step = step

    def __call__(self) -> datetime:
        instant = self.now
        self.now += self._step
        return instant

    def advance(self, duration: timedelta) -> None:
        """Move time forward."""
        self.now += duration


class SeededEntropy:
    """Random bytes that are the same in every run, and different at every call."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def __call__(self, count: int) -> bytes:
        return self._random.randbytes(count)
