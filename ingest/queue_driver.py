"""The queue's way to the database: queries over the pool, notifications on one connection of its own.

The library's own driver puts the listening connection back into the pool by resetting it; when that fails because the
server has just gone away, the connection is never given back and the pool cannot be closed. Here it is cut.

The library also rings itself, to see whether its listener hears, before it has begun to listen; what nobody hears it
takes for a broken listener some seconds later, and gives up. Here nobody rings before somebody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Self

from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver, NotifyCallback

from evidence.db.pool import Connection, Pool


class PoolDriver(Driver):
    """Serves pgqueuer from a pool and one listening connection; see `listening`."""

    def __init__(self, pool: Pool, listener: Connection) -> None:
        self._pool = pool
        self._listener = listener
        self._shutdown = asyncio.Event()
        self._listens = asyncio.Event()
        self._tasks = TaskManager()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Run a query and return its rows."""
        return [dict(row) for row in await self._pool.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement and return its status."""
        return await self._pool.execute(query, *args)

    async def notify(self, channel: str, payload: str) -> None:
        """Ring on a channel, once somebody listens."""
        await self._listens.wait()
        await self._pool.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Call back with the payload of everything that rings on a channel."""
        await self._listener.add_listener(channel, partial(_relay, callback))
        self._listens.set()

    @property
    def shutdown(self) -> asyncio.Event:
        """Set when no more work should be taken."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """Background tasks of the driver; there are none."""
        return self._tasks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: who made the driver ends it."""


@asynccontextmanager
async def listening(pool: Pool) -> AsyncIterator[PoolDriver]:
    """Give a driver for the length of a block; its listening connection is cut at the end, whatever state it is in."""
    async with pool.acquire() as listener:
        try:
            yield PoolDriver(pool, listener)
        finally:
            if not listener.is_closed():
                listener.terminate()


def _relay(callback: NotifyCallback, _connection: object, _pid: object, _channel: object, payload: object) -> None:
    if isinstance(payload, str):
        callback(payload)
