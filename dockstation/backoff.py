"""Waiting: growing pauses with jitter, and how long it is worth going on without any progress.

Twenty-five stations that lost the same server must not come back in the same second, so a pause is drawn at random
between half and the whole of a bound that doubles from `FIRST_SECONDS` to `LONGEST_SECONDS`. What the service asks for
(`Retry-After`) is a lower bound.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from ledger.errors import CodedError

FIRST_SECONDS = 0.25
"""Bound of the first pause; a restarted server is found again quickly."""

LONGEST_SECONDS = 60.0
"""Bound that the pauses grow to."""

ASKED_SECONDS_MAX = 600.0
"""Longest pause that a service may ask for."""


def pause_seconds(attempt: int, *, chance: float, asked_seconds: float = 0.0) -> float:
    """Return the pause before attempt number `attempt` (from 1), `chance` being uniform in 0 to 1."""
    bound = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt - 1, 16))
    return max(bound * (0.5 + chance / 2), min(asked_seconds, ASKED_SECONDS_MAX))


class Patience:
    """Counts failures since the last progress and waits, or says that it is over.

    Args:
        seconds: How long failures are borne without progress.
        monotonic: Seconds on a clock that nobody sets.
        chance: Random numbers in 0 to 1.
    """

    def __init__(
        self,
        seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._chance = chance
        self._attempt = 0
        self._since = monotonic()

    def progress(self) -> None:
        """Begin anew: something worked."""
        self._attempt = 0
        self._since = self._monotonic()

    async def hold(
        self, error: CodedError, *, asked_seconds: float = 0.0, rest: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Wait before the next attempt.

        Args:
            asked_seconds: What the service asks for.
            rest: Waits for so many seconds at most.

        Raises:
            CodedError: `error` itself, when the next attempt would come after the end of patience.
        """
        self._attempt += 1
        pause = pause_seconds(self._attempt, chance=self._chance(), asked_seconds=asked_seconds)
        if self._monotonic() + pause - self._since > self._seconds:
            raise error
        await rest(pause)
