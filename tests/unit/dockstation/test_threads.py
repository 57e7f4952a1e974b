"""Lanes keep their order, whoever stops waiting; slots are what they should be."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dockstation.errors import JournalUnusable
from dockstation.journal import State
from dockstation.journal_store import Journal
from dockstation.threads import Books, Lane
from evidence.core.clock import utc_now
from tests.support.dock_journal import DOCK, listed, take


async def test_work_handed_over_runs_in_order_on_one_thread() -> None:
    done: list[tuple[int, int]] = []

    def note(number: int) -> None:
        time.sleep(0.001 * (5 - number))
        done.append((number, threading.get_ident()))

    async with Lane("test") as lane:
        await asyncio.gather(*(lane.run(note, number) for number in range(5)))
    assert [number for number, _ in done] == list(range(5))
    assert len({thread for _, thread in done}) == 1


async def test_a_close_comes_after_the_read_whose_waiter_was_cancelled() -> None:
    steps: list[str] = []
    begun = threading.Event()

    def read() -> None:
        begun.set()
        time.sleep(0.1)
        steps.append("read")

    async def docking() -> None:
        async with Lane("test") as lane:
            try:
                await lane.run(read)
            finally:
                lane.start(steps.append, "closed")

    task = asyncio.create_task(docking())
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert steps == ["read", "closed"]


async def test_an_error_on_the_lane_reaches_the_waiter_and_the_lane_goes_on() -> None:
    async with Lane("test") as lane:
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0)
        assert await lane.run(lambda: 7) == 7


async def test_a_journal_that_fails_is_named_as_such(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite3", clock=utc_now) as journal:
        take(journal, listed("a.mp4"))
        async with Lane("journal") as lane:
            books = Books(journal, lane)
            assert len(await books.do(Journal.rows, {State.SEEN})) == 1
            journal._db.execute("PRAGMA query_only = ON")
            with pytest.raises(JournalUnusable):
                await books.do(Journal.retry_refused)
            with pytest.raises(JournalUnusable) as caught:
                await books.do(Journal.take_stock, dock=DOCK, recorder="r", files=[listed("b.mp4")])
            assert isinstance(caught.value.__cause__, sqlite3.Error)
