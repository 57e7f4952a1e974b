"""Throttle: when footage may be sent, and how fast, all recorders together.

A ceiling is a token bucket: every piece of a body takes its bytes from it and waits until they are there. Whoever waits
is served in turn, one piece each, so recorders share the ceiling evenly however many they are; marked footage is served
before all other. Pieces shrink with the ceiling, so a turn comes round within seconds.

Windows are times of day on the station's own clock and in its own zone, `19:00-07:00` crossing midnight. Outside of
them footage waits, but for what the officer marked; statements and receipts are small and always go. A body that is
under way when a window closes is broken off: what the service has acknowledged stays.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time as time_of_day

from dockstation.errors import ConfigInvalid, WindowClosed
from evidence.core.clock import Clock

PIECE_BYTES = 1024 * 1024
"""Most bytes handed to the socket at once, without a ceiling."""

_PIECE_BYTES_MIN = 4096
_PIECE_SECONDS = 0.05
_BURST_SECONDS = 0.25
"""What may be caught up after a pause of the sender; more would overshoot the ceiling for others to see."""

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day in which footage may be sent: from `begin` up to `end`, not including it; the same is all day."""

    begin: time_of_day
    end: time_of_day

    def holds(self, moment: time_of_day) -> bool:
        """Tell whether a moment lies in the window."""
        if self.begin < self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


def parse_window(text: str) -> Window:
    """Read `HH:MM-HH:MM`.

    Raises:
        ConfigInvalid: It is something else.
    """
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ConfigInvalid(f"send_windows: {text!r} is not of the form 19:00-07:00")
    hours = [int(part) for part in found.groups()]
    return Window(time_of_day(hours[0], hours[1]), time_of_day(hours[2], hours[3]))


class Throttle:
    """Lets bytes pass.

    Args:
        bytes_per_second: The ceiling, 0 for none.
        windows: When footage may be sent; empty for always.
        clock: The station's clock.
        monotonic: Seconds on a clock that nobody sets.
    """

    def __init__(
        self,
        *,
        bytes_per_second: float = 0.0,
        windows: Sequence[Window] = (),
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = bytes_per_second
        self._windows = tuple(windows)
        self._clock = clock
        self._monotonic = monotonic
        self._marked: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._others: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._tokens = 0.0
        self._at = monotonic()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def piece_bytes(self) -> int:
        """Return how many bytes are best handed on at once."""
        if not self._rate:
            return PIECE_BYTES
        return int(min(PIECE_BYTES, max(_PIECE_BYTES_MIN, self._rate * _PIECE_SECONDS)))

    def is_open(self, *, marked: bool) -> bool:
        """Tell whether footage may be sent now."""
        if marked or not self._windows:
            return True
        moment = self._clock().astimezone().time()
        return any(window.holds(moment) for window in self._windows)

    def check(self, *, marked: bool) -> None:
        """Make sure that footage may be sent now.

        Raises:
            WindowClosed: It may not.
        """
        if not self.is_open(marked=marked):
            hours = ", ".join(f"{window.begin:%H:%M}-{window.end:%H:%M}" for window in self._windows)
            raise WindowClosed(f"footage is sent {hours}")

    async def take(self, count: int, *, marked: bool) -> None:
        """Wait until `count` bytes may pass.

        Raises:
            WindowClosed: They may not, for hours.
        """
        self.check(marked=marked)
        if not self._rate:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._marked if marked else self._others).append((count, turn))
        if self._timer is None:
            self._serve()
        await turn

    def _serve(self) -> None:
        """Serve whoever waits as far as the tokens go, and come back when there are more."""
        self._timer = None
        now = self._monotonic()
        self._tokens = min(self._tokens + (now - self._at) * self._rate, self._rate * _BURST_SECONDS)
        self._at = now
        while queue := self._marked or self._others:
            if self._tokens <= 0:
                pause = max(0.001, -self._tokens / self._rate)
                self._timer = asyncio.get_running_loop().call_later(pause, self._serve)
                return
            count, turn = queue.popleft()
            # One who was cancelled while waiting takes nothing.
            if not turn.done():
                self._tokens -= count
                turn.set_result(None)
