"""Threads with one job each, so that blocking work never stalls the event loop and never overtakes itself.

The journal has one (SQLite, fsync), and every card that is being read has one (a dying card may hang for minutes). Work
handed to a `Lane` runs in the order in which it was handed over: `close` after a `read` means after that read, even if
whoever waited for the read was cancelled meanwhile.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from dockstation.errors import JournalUnusable
from dockstation.journal_store import Journal

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """One thread; use as an async context manager, which waits for the work in hand when it ends."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call on the thread and return its result; a cancelled waiter leaves a call that has begun running."""
        return await asyncio.wrap_future(self.start(call, *args, **kwargs))

    def start(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand a call to the thread without waiting."""
        return self._pool.submit(call, *args, **kwargs)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        last = self._pool.submit(lambda: None)
        self._pool.shutdown(wait=False)
        # A cancellation must not leave the thread behind with an open card.
        await asyncio.shield(asyncio.wrap_future(last))


class Books:
    """The journal on its own thread."""

    def __init__(self, journal: Journal, lane: Lane) -> None:
        self._journal = journal
        self._lane = lane

    async def do(self, call: Callable[Concatenate[Journal, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of `Journal`: `await books.do(Journal.seal, row, clip=clip)`.

        A change that has begun is finished even if the caller is cancelled meanwhile.

        Raises:
            JournalUnusable: SQLite failed: the disk is full, read-only or broken.
        """
        try:
            return await self._lane.run(call, self._journal, *args, **kwargs)
        except sqlite3.Error as error:
            raise JournalUnusable(f"the journal cannot be used: {error}") from error

    def later(self, call: Callable[Concatenate[Journal, P], T], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run a method of `Journal` when its turn comes, without waiting; for what only onlookers need."""
        self._lane.start(call, self._journal, *args, **kwargs)
