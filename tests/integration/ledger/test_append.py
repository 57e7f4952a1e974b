"""Appending: in the caller's transaction, once per id, into tables that refuse to be changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from ledger import store
from ledger.canonical import encode_entry
from ledger.errors import DuplicateEntry, EntryMalformed
from tests.support.ledger import TestLog, until


async def queued(log: TestLog) -> int:
    """Count the entries that wait."""
    count: int = await log.conn.fetchval("SELECT count(*) FROM ledger_pending")
    return count


async def test_an_entry_is_queued_by_the_commit_that_appends_it(log: TestLog) -> None:
    (entry,) = log.entries(1)
    other = await log.connect()
    async with other.transaction():
        await store.append(other, entry)
        assert await queued(log) == 0
    assert await queued(log) == 1
    assert await log.conn.fetchval("SELECT entry FROM ledger_entry") == encode_entry(entry)
    assert await store.leaf_index(log.conn, entry.id) is None
    await other.close()


async def test_an_entry_goes_with_the_transaction_that_fails(log: TestLog) -> None:
    transaction = log.conn.transaction()
    await transaction.start()
    await store.append(log.conn, *log.entries(1))
    await transaction.rollback()
    assert await queued(log) == 0
    assert await log.conn.fetchval("SELECT count(*) FROM ledger_entry") == 0


async def test_a_second_entry_with_the_same_id_is_refused_and_the_transaction_goes_on(log: TestLog) -> None:
    first, second = log.entries(2)
    async with log.conn.transaction():
        await store.append(log.conn, first)
        with pytest.raises(DuplicateEntry):
            await store.append(log.conn, replace(second, id=first.id))
        await store.append(log.conn, second)
    rows = await log.conn.fetch("SELECT entry FROM ledger_entry ORDER BY entry_id")
    assert [row["entry"] for row in rows] == [encode_entry(first), encode_entry(second)]
    assert await queued(log) == 2


async def test_of_two_transactions_with_the_same_id_one_is_refused(log: TestLog) -> None:
    (entry,) = log.entries(1)
    other = await log.connect()
    async with log.conn.transaction():
        await store.append(log.conn, entry)
        late = asyncio.create_task(store.append(other, entry))
        await asyncio.sleep(0.05)
        assert not late.done(), "it has to wait for the first one's end"
    with pytest.raises(DuplicateEntry):
        await late
    assert await queued(log) == 1
    await other.close()


async def test_a_sequenced_id_is_refused_as_well(log: TestLog) -> None:
    (entry,) = await log.append(1)
    await log.sequence()
    with pytest.raises(DuplicateEntry):
        await store.append(log.conn, entry)
    assert await queued(log) == 0


async def test_bulk_is_whole_or_nothing(log: TestLog) -> None:
    first, second, third = log.entries(3)
    await store.append(log.conn, second)
    for batch in ([first, second, third], [first, third, first]):
        with pytest.raises(DuplicateEntry):
            await store.append_many(log.conn, batch)
    assert await queued(log) == 1


async def test_what_is_no_entry_is_not_appended(log: TestLog) -> None:
    (entry,) = log.entries(1)
    with pytest.raises(EntryMalformed):
        await store.append(log.conn, replace(entry, actor="No Body"))
    with pytest.raises(EntryMalformed):
        await store.append_many(log.conn, [replace(entry, commit=b"short")])
    assert await queued(log) == 0


@pytest.mark.parametrize(
    "statement",
    [
        f"{change} {table}"
        for table, column in (
            ("ledger_entry", "entry"),
            ("ledger_leaf", "leaf_hash"),
            ("ledger_tile_root", "root"),
            ("ledger_checkpoint", "note"),
            ("ledger_publication", "note"),
        )
        for change in ("DELETE FROM", "TRUNCATE")
    ]
    + [
        "UPDATE ledger_entry SET entry = entry",
        "UPDATE ledger_leaf SET leaf_hash = leaf_hash",
        "UPDATE ledger_tile_root SET root = root",
        "UPDATE ledger_checkpoint SET note = note",
        "UPDATE ledger_publication SET note = note",
        "DELETE FROM ledger_head",
        "TRUNCATE ledger_head",
        "UPDATE ledger_head SET size = size - 1",
        "UPDATE ledger_head SET root = sha256('other')",
    ],
)
async def test_what_is_written_cannot_be_changed(log: TestLog, statement: str) -> None:
    await log.append(257)
    await log.sequence()
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)):
        await log.conn.execute(statement)
    assert await log.audit() == []


@pytest.mark.parametrize(
    ("size", "previous"),
    [
        (2, 2),  # a second root of a size
        (1, 0),  # back, beside what follows the empty tree
        (1, 2),  # back
        (3, 0),  # a branch
        (3, None),  # a second beginning
        (3, 1),  # after a size that nobody signed
        (3, 3),  # after itself
        (-1, 2),
    ],
)
async def test_signed_checkpoints_form_one_chain(log: TestLog, size: int, previous: int | None) -> None:
    await log.append(2)
    await log.sequence()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await log.conn.execute(
            "INSERT INTO ledger_checkpoint (size, previous_size, root, note, signed_at) VALUES ($1, $2, $3, $4, $5)",
            *(size, previous, bytes(32), b"note", log.clock()),
        )


async def test_an_awake_sequencer_is_not_rung_and_a_dozing_one_is(log: TestLog) -> None:
    rings: list[object] = []
    listener, sequencer = await log.connect(), await log.connect()
    await listener.add_listener(store.PENDING_CHANNEL, lambda *_: rings.append(1))
    await log.append(1)
    assert await store.try_to_doze(sequencer)
    await log.append(100)
    await until(lambda: rings)
    await store.wake(sequencer)
    await log.append(1)
    await asyncio.sleep(0.05)
    assert len(rings) == 1, "one ring per transaction, and none while somebody is awake"
    await listener.close()
    await sequencer.close()


async def test_nobody_dozes_off_while_a_transaction_is_open_that_will_not_ring(log: TestLog) -> None:
    sequencer = await log.connect()
    async with log.conn.transaction():
        await store.append(log.conn, *log.entries(1))
        assert not await store.try_to_doze(sequencer)
    assert await store.try_to_doze(sequencer)
    assert await store.is_pending(sequencer, floor=0), "what did not ring is in sight before anybody dozes"
    await sequencer.close()
