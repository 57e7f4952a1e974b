"""Docks as they stand, told to whoever watches: server-sent events (WHATWG HTML, 9.2), for as long as was asked.

    event: docks
    data: {"items":[...],"next":null}       the page of `GET /v1/docks`, whole, when something in it has changed
    : still here                            when nothing has, so that silence means a broken line

A stream is short (`WATCH_SECONDS_MAX`), and a browser opens the next one by itself: whoever may no longer know is told
nothing more from then on. All watchers share one look at the rows; a process serves `WATCHERS_MAX` of them. A service
that stops ends its streams at their next beat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from api.dock_register import all_docks
from api.errors import WatchersTooMany
from api.models.common import PAGE_ITEMS_MAX
from api.models.docks import DockPage
from api.services import Services

WATCHERS_MAX = 32
"""Most streams of one process at a time; the 33rd is refused, and its page polls."""

BEAT_SECONDS = 1.0
"""How often a stream looks; a change is told within it."""

STILL_SECONDS = 10.0
"""After how long without a change a stream says that it is there."""

MEDIA_TYPE = "text/event-stream"
RETRY_MILLISECONDS = 2000


class DockWatch:
    """Shares one look at the docks among all who watch.

    Args:
        monotonic: Seconds from any beginning that only grow.
    """

    def __init__(self, services: Services, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self._services = services
        self._watchers = 0
        self._looking = asyncio.Lock()
        self._seen: tuple[float, bytes] | None = None

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Count somebody who watches for the length of the block.

        Raises:
            WatchersTooMany: Nobody more can.
        """
        if self._watchers >= WATCHERS_MAX:
            raise WatchersTooMany("too many people watch the docks; ask for the list", watchers=WATCHERS_MAX)
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1

    async def look(self) -> bytes:
        """Return the docks as JSON in one line, at most a beat old; the first `PAGE_ITEMS_MAX` of them."""
        async with self._looking:
            now = self.monotonic()
            if self._seen is None or now - self._seen[0] >= BEAT_SECONDS:
                docks = await all_docks(self._services, limit=PAGE_ITEMS_MAX + 1)
                items = docks[:PAGE_ITEMS_MAX]
                page = DockPage(items=items, next=str(items[-1].dock) if len(docks) > PAGE_ITEMS_MAX else None)
                self._seen = now, page.model_dump_json().encode()
            return self._seen[1]


DOCK_WATCH = web.AppKey("dock_watch", DockWatch)
