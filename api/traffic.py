"""Running requests, counted so that a stop can let them end.

aiohttp's own shutdown stops reading from connections at once: an upload in the middle of its body would hang until it
is cut off. So the server first stops listening, lets running requests end in their own time up to a limit, and only
then takes connections down. What is cut off then is an upload whose acknowledged bytes stay.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from ledger.pausing import happens


class Traffic:
    """How many requests run, and whether the server is stopping."""

    def __init__(self) -> None:
        self.stopping = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """Count a request in."""
        self._running += 1
        self._idle.clear()

    def leave(self) -> None:
        """Count a request out."""
        self._running -= 1
        if self._running == 0:
            self._idle.set()

    async def drain(self, *, seconds_max: float) -> None:
        """Ask connections to close after their answer, and wait until no request runs, but not longer."""
        self.stopping = True
        await happens(self._idle, seconds_max)


TRAFFIC = web.AppKey("traffic", Traffic)
