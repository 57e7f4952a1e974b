"""Waiting: told as soon as it is published, by one connection for all, which comes back when it is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import asyncpg
import pytest

from evidence.core.ids import uuid7
from ledger import store
from ledger.errors import Blame, CodedError
from ledger.waiting import PublicationWaiter
from tests.support.ledger import TestLog

if TYPE_CHECKING:
    Base = asyncpg.Connection[asyncpg.Record]
else:
    Base = asyncpg.Connection


class CountingConnection(Base):
    """A connection that counts its queries, together with all others of its kind."""

    queries = 0

    async def fetch(self, *args: object, **options: object) -> list[asyncpg.Record]:  # type: ignore[override]
        """Count and pass on."""
        CountingConnection.queries += 1
        found: list[asyncpg.Record] = await super().fetch(*args, **options)  # type: ignore[call-overload]
        return found


@pytest.fixture
async def waiter(log: TestLog) -> AsyncIterator[PublicationWaiter]:
    """A running waiter that never asks by itself during a test."""
    async with PublicationWaiter(log.connect, check_seconds=60, retry_seconds=0.05) as running:
        yield running


async def test_it_tells_the_index_once_a_checkpoint_covers_it(log: TestLog, waiter: PublicationWaiter) -> None:
    await log.append(4)
    (entry,) = await log.append(1)
    waiting = asyncio.create_task(waiter.wait(entry.id, timeout_seconds=10))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await log.sequence()
    assert await asyncio.wait_for(waiting, 1) == 4
    assert await waiter.wait(entry.id, timeout_seconds=1) == 4, "and again, from the rows"


async def test_it_does_not_tell_what_is_sequenced_and_not_published(log: TestLog, waiter: PublicationWaiter) -> None:
    await log.sequence()
    (entry,) = log.entries(1)
    await log.conn.execute("INSERT INTO ledger_leaf VALUES (0, $1, sha256('x'))", entry.id)
    assert await store.leaf_index(log.conn, entry.id) == 0
    assert await waiter.wait(entry.id, timeout_seconds=0.2) is None


async def test_it_gives_up_on_what_never_comes(log: TestLog, waiter: PublicationWaiter) -> None:
    started = time.monotonic()
    assert await waiter.wait(uuid7(clock=log.clock, entropy=log.entropy), timeout_seconds=0.2) is None
    assert time.monotonic() - started < 2


async def test_many_wait_for_one_and_some_give_up(log: TestLog, waiter: PublicationWaiter) -> None:
    (entry,) = await log.append(1)
    short = [waiter.wait(entry.id, timeout_seconds=0.05) for _ in range(5)]
    long = asyncio.gather(*(waiter.wait(entry.id, timeout_seconds=10) for _ in range(5)))
    assert await asyncio.gather(*short) == [None] * 5
    await log.sequence()
    assert await long == [0] * 5


async def test_a_cancelled_caller_does_not_disturb_the_others(log: TestLog, waiter: PublicationWaiter) -> None:
    (entry,) = await log.append(1)
    gone = asyncio.create_task(waiter.wait(entry.id, timeout_seconds=10))
    stays = asyncio.create_task(waiter.wait(entry.id, timeout_seconds=10))
    await asyncio.sleep(0.05)
    gone.cancel()
    await log.sequence()
    assert await stays == 0


async def test_the_load_follows_publications_not_callers(log: TestLog) -> None:
    connections = 0

    async def counted() -> asyncpg.Connection[asyncpg.Record]:
        nonlocal connections
        connections += 1
        return await asyncpg.connect(log.dsn, connection_class=CountingConnection)

    entries = await log.append(500)
    async with PublicationWaiter(counted, check_seconds=60) as waiter:
        CountingConnection.queries = 0
        waiting = asyncio.gather(*(waiter.wait(entry.id, timeout_seconds=20) for entry in entries))
        await asyncio.sleep(0.3)
        await log.sequence()
        assert sorted(index for index in await waiting if index is not None) == list(range(500))
    assert connections == 1
    assert CountingConnection.queries <= 6


async def test_a_lost_connection_is_opened_again_and_nothing_is_missed(log: TestLog, waiter: PublicationWaiter) -> None:
    for _ in range(3):
        (entry,) = await log.append(1)
        waiting = asyncio.create_task(waiter.wait(entry.id, timeout_seconds=10))
        await asyncio.sleep(0.1)
        await log.conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        await log.sequence()
        assert await waiting is not None


async def test_a_statement_that_meets_the_end_of_its_connection_is_no_riddle(
    log: TestLog, caplog: pytest.LogCaptureFixture
) -> None:
    met = 0

    class MeetingTheEnd(Base):
        async def fetch(self, *args: object, **options: object) -> list[asyncpg.Record]:  # type: ignore[override]
            """End the connection at the server, and ask before that is known here."""
            nonlocal met
            met += 1
            if met == 1:
                await log.conn.execute("SELECT pg_terminate_backend($1)", self.get_server_pid())
                raise asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress")
            found: list[asyncpg.Record] = await super().fetch(*args, **options)  # type: ignore[call-overload]
            return found

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(log.dsn, connection_class=MeetingTheEnd)

    (entry,) = await log.append(1)
    await log.sequence()
    async with PublicationWaiter(connect, check_seconds=60, retry_seconds=0.01) as waiter:
        assert await waiter.wait(entry.id, timeout_seconds=10) == 0
    assert [record.getMessage() for record in caplog.records] == ["listening ends: the server ended the connection"]


async def test_a_database_that_is_away_is_waited_for(log: TestLog) -> None:
    tries = 0

    async def late() -> asyncpg.Connection[asyncpg.Record]:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise ConnectionRefusedError("not yet")
        return await log.connect()

    (entry,) = await log.append(1)
    await log.sequence()
    async with PublicationWaiter(late, retry_seconds=0.02) as waiter:
        assert await waiter.wait(entry.id, timeout_seconds=5) == 0


async def test_a_missed_ring_is_made_up_for(log: TestLog) -> None:
    await log.sequence()
    (entry,) = log.entries(1)
    async with PublicationWaiter(log.connect, check_seconds=0.1) as waiter:
        waiting = asyncio.create_task(waiter.wait(entry.id, timeout_seconds=5))
        await asyncio.sleep(0.05)
        async with log.conn.transaction():
            await log.conn.execute("INSERT INTO ledger_leaf VALUES (0, $1, sha256('x'))", entry.id)
            await log.conn.execute("INSERT INTO ledger_checkpoint VALUES (1, 0, sha256('x'), 'note', now())")
            await log.conn.execute("INSERT INTO ledger_publication VALUES (1, 'note', now())")
        assert await waiting == 0


async def test_waiting_in_vain_is_said(log: TestLog) -> None:
    class Unsuitable(CodedError):
        """The database is none."""

        blame = Blame.INPUT

    async def unsuitable() -> asyncpg.Connection[asyncpg.Record]:
        raise Unsuitable("not this one")

    waiter = PublicationWaiter(unsuitable)
    with pytest.raises(RuntimeError):
        await waiter.wait(log.entries(1)[0].id, timeout_seconds=1)
    await waiter.__aenter__()
    await asyncio.sleep(0.05)
    with pytest.raises(Unsuitable):
        await waiter.wait(log.entries(1)[0].id, timeout_seconds=1)
    with pytest.raises(Unsuitable):
        await waiter.__aexit__(None, None, None)


async def test_it_ends_although_it_is_rung_in_the_same_instant(log: TestLog) -> None:
    """Else a command that is done while the log publishes would never end."""
    rings: list[Callable[..., None]] = []

    class Ringing(Base):
        async def add_listener(self, channel: str, callback: Callable[..., None]) -> None:  # type: ignore[override]
            await super().add_listener(channel, callback)
            rings.append(callback)

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(log.dsn, connection_class=Ringing)

    (entry,) = log.entries(1)

    async def leave_when_rung() -> None:
        async with PublicationWaiter(connect) as waiter:
            assert await waiter.wait(entry.id, timeout_seconds=0.1) is None
            rings[0]()

    leaving = asyncio.create_task(leave_when_rung())
    await asyncio.wait({leaving}, timeout=5)
    assert leaving.done()
