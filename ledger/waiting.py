"""Waiting for entries to become provable: one listening connection for any number of waiters.

The sequencer rings `ledger_published` after each publication. The waiter then asks the database once for all entries
that anybody waits for; it asks once more for those who came since the last answer, and every `check_seconds` as a
safety net while somebody waits. So the load follows the publications, not the callers. A lost connection is opened
again, and the first thing done then is to ask for all: whatever was rung meanwhile is not missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self, TypeAlias
from uuid import UUID

import asyncpg

from ledger import store
from ledger.errors import Blame, CodedError
from ledger.pausing import happens

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_log = logging.getLogger(__name__)


class PublicationWaiter:
    """Tells callers when their entries are published. Use it as an async context, one per process.

    Args:
        connect: Opens a connection that belongs to the waiter alone.
        check_seconds: How often to ask without being rung, while somebody waits.
        retry_seconds: Pause before a lost connection is opened again.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[_Connection]],
        *,
        check_seconds: float = 5.0,
        retry_seconds: float = 0.5,
    ) -> None:
        self._connect = connect
        self._check_seconds = check_seconds
        self._retry_seconds = retry_seconds
        self._waiting: dict[UUID, list[asyncio.Future[int]]] = {}
        self._new: set[UUID] = set()
        self._ask_for_all = True
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def wait(self, entry_id: UUID, *, timeout_seconds: float) -> int | None:
        """Return the index of an entry as soon as a published checkpoint covers it.

        None after the timeout: the entry is pending, or was never committed; ask again later.

        Raises:
            RuntimeError: The waiter is not entered, or was left.
            CodedError: The database does not suit, so that waiting is in vain.
        """
        if self._task is None:
            raise RuntimeError("the waiter is not running")
        if self._task.done():
            self._task.result()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(entry_id, []).append(future)
        self._new.add(entry_id)
        self._rung.set()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._waiting[entry_id].remove(future)
            if not self._waiting[entry_id]:
                del self._waiting[entry_id]

    async def _run(self) -> None:
        while True:
            try:
                async with self._listening() as conn:
                    await self._serve(conn)
            except asyncpg.InternalClientError:
                # How the driver puts it that a statement met the end of its connection: the server's last word has
                # come, the end of the stream has not, so the connection does not count as closed yet.
                _log.warning("listening ends: the server ended the connection")
            except store.DATABASE_ERRORS as error:
                _log.warning("listening ends: %s", error)
            except CodedError as error:
                if error.blame is not Blame.WAY:
                    raise
                _log.warning("listening ends: %s", error)
            await asyncio.sleep(self._retry_seconds)

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[_Connection]:
        conn = await self._connect()
        try:
            conn.add_termination_listener(self._ring)
            await conn.add_listener(store.PUBLISHED_CHANNEL, self._ring_for_all)
            yield conn
        finally:
            # Nothing is held on this connection, so nobody has to be told that it ends.
            conn.terminate()

    async def _serve(self, conn: _Connection) -> None:
        self._ask_for_all = True
        while not conn.is_closed():
            asked = list(self._waiting if self._ask_for_all else self._new)
            self._ask_for_all = False
            self._new.clear()
            self._rung.clear()
            if asked:
                self._tell(await store.published_indices(conn, asked))
            if not await happens(self._rung, self._check_seconds if self._waiting else None):
                self._ask_for_all = True

    def _tell(self, indices: dict[UUID, int]) -> None:
        for entry_id, index in indices.items():
            for future in self._waiting.get(entry_id, ()):
                if not future.done():
                    future.set_result(index)

    def _ring(self, *_: object) -> None:
        self._rung.set()

    def _ring_for_all(self, *_: object) -> None:
        self._ask_for_all = True
        self._rung.set()
