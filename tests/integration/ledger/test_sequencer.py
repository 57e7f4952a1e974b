"""Sequencing: every entry gets one place, the tree is that of the definition, and what is published is all of it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from ledger import store
from ledger.canonical import encode_entry
from ledger.checkpoint import open_checkpoint
from ledger.errors import CheckpointConflict, CheckpointWithheld, NotLeading, StorageConflict, TreeMismatch
from ledger.proof import check_proof
from ledger.reader import LogReader
from ledger.sequencer import SequencerSettings, SequencerStatus
from ledger.tiles import bundle_path, encode_bundle, tile_path, tiles_for
from ledger.tree import EMPTY_ROOT, leaf_hash, root_of
from ledger.waiting import PublicationWaiter
from tests.support.ledger import EAGER, LogModel, TestLog, running, until


def files_of(model: LogModel, size: int) -> dict[str, bytes]:
    """Say which files a log of this size has, from the definition of tlog-tiles."""
    files = {}
    for tile in tiles_for(0, size):
        span = 256**tile.level
        start = tile.index * 256
        hashes = [
            root_of(leaf_hash(entry) for entry in model.entries[index * span : (index + 1) * span])
            for index in range(start, start + tile.width)
        ]
        files[tile_path(tile)] = b"".join(hashes)
        if tile.level == 0:
            files[bundle_path(tile.index, tile.width)] = encode_bundle(model.entries[start : start + tile.width])
    return files


async def stored(log: TestLog) -> dict[str, bytes]:
    """Read all published files but the checkpoint."""
    paths = [path async for path in log.folder.paths() if path != "checkpoint"]
    return {path: await log.folder.get(path) or b"" for path in paths}


async def test_the_first_start_publishes_the_empty_log(log: TestLog) -> None:
    await log.sequence()
    assert await log.checkpoint() == replace(await log.checkpoint(), size=0, root=EMPTY_ROOT)
    assert await stored(log) == {}
    assert await log.audit() == []


@pytest.mark.parametrize("sizes", [[1], [1, 2, 3], [255, 256, 257], [256, 512], [700], [3, 260, 700]])
async def test_published_are_exactly_the_files_of_each_published_size(log: TestLog, sizes: list[int]) -> None:
    model = LogModel.of([])
    expected: dict[str, bytes] = {}
    for size in sizes:
        await log.append(size - model.size)
        await log.sequence()
        model = await log.model()
        assert model.size == size
        assert (await log.checkpoint()).root == model.root()
        expected |= files_of(model, size)
    dropped = {path for path in expected if path.startswith(("tile/0/000.p/", "tile/entries/000.p/")) and size >= 512}
    assert await stored(log) == {path: data for path, data in expected.items() if path not in dropped}
    assert await log.audit() == []


@pytest.mark.slow
async def test_a_hundred_thousand_entries_on_three_levels(log: TestLog) -> None:
    for _ in range(10):
        await log.append(10_000)
    await log.sequence(SequencerSettings())
    model, checkpoint = await log.model(), await log.checkpoint()
    assert (checkpoint.size, checkpoint.root) == (100_000, model.root())
    files, expected = await stored(log), files_of(model, model.size)
    assert expected.items() <= files.items()
    assert {"tile/1/000", "tile/2/000.p/1"} <= files.keys()
    roots = await log.conn.fetch("SELECT level, count(*) FROM ledger_tile_root GROUP BY level ORDER BY level")
    assert [tuple(row) for row in roots] == [(0, 390), (1, 1)]
    reader = LogReader(log.folder)
    for index in (0, 255, 256, 65_535, 65_536, 99_999):
        check_proof(await reader.prove(index), entry=model.entries[index], log=log.signer.verifier)
    assert await log.audit() == []


async def test_batches_are_bounded_and_keep_the_order_of_appending(log: TestLog) -> None:
    entries = await log.append(50)
    assert await log.sequence(replace(EAGER, batch_entries_max=7)) == 8
    model = await log.model()
    assert model.ids == [entry.id for entry in entries]
    sizes = await log.conn.fetch("SELECT size FROM ledger_publication ORDER BY size")
    assert [row["size"] for row in sizes] == [0, 7, 14, 21, 28, 35, 42, 49, 50]


async def test_a_transaction_that_commits_late_is_not_passed_over(log: TestLog) -> None:
    late = await log.connect()
    transaction = late.transaction()
    await transaction.start()
    (early_bird,) = log.entries(1)
    await store.append(late, early_bird)
    sequencer = log.sequencer(replace(EAGER, batch_entries_max=3))
    await sequencer.recover()
    for _ in range(4):
        await log.append(5)
        while await sequencer.step():
            pass
    await transaction.commit()
    assert await sequencer.step() == 1
    assert await store.leaf_index(log.conn, early_bird.id) == 20
    await sequencer.close()
    await late.close()


async def test_the_lower_bound_of_the_queue_stops_at_what_may_still_come(log: TestLog) -> None:
    first, second = await log.connect(), await log.connect()
    await store.append_many(log.conn, log.entries(5))
    async with first.transaction():
        await store.append(first, *log.entries(1))
        running = await first.fetchval("SELECT pg_current_xact_id()")
        await store.append_many(second, log.entries(5))
        seen = await store.read_pending(log.conn, floor=0, entries_max=100)
        assert len(seen.keys) == 10
        assert seen.floor <= running, "this one has not ended"
        async with asyncio.timeout(60):
            # Transaction ids are the server's: what other tests have open in their databases holds the bound as well.
            while seen.floor != running:
                await asyncio.sleep(0.02)
                seen = await store.read_pending(log.conn, floor=0, entries_max=100)
                assert seen.floor <= running
        full = await store.read_pending(log.conn, floor=0, entries_max=3)
        assert full.floor == full.keys[-1][0] < running, "a full batch has not seen all that is below"
    last = await store.read_pending(log.conn, floor=seen.floor, entries_max=100)
    assert len(last.keys) == 6
    async with asyncio.timeout(60):
        while last.floor <= last.keys[-1][0]:
            await asyncio.sleep(0.02)
            last = await store.read_pending(log.conn, floor=seen.floor, entries_max=100)
    assert (await store.read_pending(log.conn, floor=last.floor, entries_max=100)).keys == []
    await first.close()
    await second.close()


async def test_an_old_snapshot_does_not_make_looking_at_the_queue_dear(log: TestLog) -> None:
    backup = await log.connect()
    transaction = backup.transaction(isolation="repeatable_read")
    await transaction.start()
    await backup.fetchval("SELECT count(*) FROM ledger_entry")
    sequencer = log.sequencer()
    await sequencer.recover()
    for _ in range(30):
        await log.append(100)
        await sequencer.step()
    await log.conn.execute(store.LEADER_SESSION)
    newest = await log.conn.fetchval("SELECT pg_current_xact_id()")
    floor = 0
    async with asyncio.timeout(60):
        while floor <= newest:  # as above: other tests' transactions count
            floor = await log.conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())")
            await asyncio.sleep(0.02)
    query = "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM ledger_pending WHERE xid >= $1 ORDER BY xid, ordinal"
    buffers = []
    for bound in (0, floor):
        plan = "\n".join(row[0] for row in await log.conn.fetch(query, bound))
        buffers.append(int(re.findall(r"shared hit=(\d+)", plan)[0]))
    assert buffers[0] > 20, "three thousand dead rows are there"
    assert buffers[1] < 6
    await sequencer.close()
    await transaction.rollback()
    await backup.close()


async def test_entries_of_rolled_back_transactions_leave_no_gap(log: TestLog) -> None:
    other = await log.connect()
    transaction = other.transaction()
    await transaction.start()
    await store.append_many(other, log.entries(5))
    await log.append(2)
    await transaction.rollback()
    await log.append(2)
    await log.sequence()
    assert (await log.checkpoint()).size == 4
    assert await log.audit() == []
    await other.close()


async def test_many_appenders_at_once_each_get_one_place(log: TestLog) -> None:
    entries = log.entries(20 * 50)
    waiter = PublicationWaiter(log.connect)

    async def append(own: slice) -> list[int | None]:
        conn = await log.connect()
        for entry in entries[own]:
            await store.append(conn, entry)
        await conn.close()
        return list(await asyncio.gather(*(waiter.wait(entry.id, timeout_seconds=20) for entry in entries[own])))

    async with running(log.sequencer()), waiter:
        places = await asyncio.gather(*(append(slice(start, start + 50)) for start in range(0, 1000, 50)))
    indices = [index for own in places for index in own]
    assert all(own == sorted(own, key=lambda index: index or 0) for own in places), "each appender's order is kept"
    assert sorted(index for index in indices if index is not None) == list(range(1000))
    reader = LogReader(log.folder)
    for entry, index in list(zip(entries, indices, strict=True))[::37]:
        assert index is not None
        check_proof(await reader.prove(index), entry=encode_entry(entry), log=log.signer.verifier)
    assert await log.audit() == []


async def test_a_dozing_sequencer_is_woken_by_an_append(log: TestLog) -> None:
    sequencer = log.sequencer()
    async with running(sequencer), PublicationWaiter(log.connect) as waiter:
        for _ in range(5):
            await until(lambda: sequencer.status.is_leading)
            await asyncio.sleep(3 * EAGER.awake_seconds)
            (entry,) = await log.append(1)
            assert await waiter.wait(entry.id, timeout_seconds=3) is not None


async def test_status_says_what_is_going_on(log: TestLog) -> None:
    sequencer = log.sequencer()
    assert sequencer.status == SequencerStatus()
    await log.append(3)
    async with running(sequencer):
        await until(lambda: sequencer.status.published_size == 3)
        leading = SequencerStatus(is_leading=True, size=3, published_size=3)
        assert replace(sequencer.status, published_at=None) == leading
        assert sequencer.status.published_at is not None
    assert replace(sequencer.status, published_at=None) == replace(leading, is_leading=False)


async def test_a_follower_takes_over_when_the_leader_stops(log: TestLog) -> None:
    first, second = log.sequencer(), log.sequencer()
    async with running(second):
        async with running(first):
            await until(lambda: first.status.is_leading or second.status.is_leading)
            assert first.status.is_leading != second.status.is_leading
            await log.append(1)
        await until(lambda: second.status.is_leading)
        await log.append(1)
        await until(lambda: second.status.published_size == 2)
    assert await log.audit() == []


async def test_only_one_leads(log: TestLog) -> None:
    first, second = log.sequencer(), log.sequencer()
    await first.recover()
    with pytest.raises(NotLeading):
        await second.recover()
    with pytest.raises(NotLeading):
        await second.step()
    await first.close()
    with pytest.raises(NotLeading):
        await first.step()
    await second.recover()
    await second.close()


class Witnesses:
    """A quorum that is reached or not, as the test says."""

    def __init__(self, log: TestLog) -> None:
        self.log = log
        self.reached = False
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, note: bytes, *, old_size: int, new_size: int) -> bytes:
        """Cosign, or refuse."""
        self.asked.append((old_size, new_size))
        assert open_checkpoint(note, self.log.signer.verifier).size == new_size
        if not self.reached:
            raise CheckpointWithheld("0 of 1 witnesses answered")
        return note + "— witness.example AAAAAAAA\n".encode()


async def test_below_quorum_nothing_is_published_and_nothing_is_lost(log: TestLog) -> None:
    witnesses = Witnesses(log)
    sequencer = log.sequencer(cosign=witnesses)
    with pytest.raises(CheckpointWithheld):
        await sequencer.recover()
    for _ in range(2):
        await log.append(3)
        with pytest.raises(CheckpointWithheld):
            await sequencer.step()
    assert sequencer.status.withheld == "0 of 1 witnesses answered"
    assert (sequencer.status.is_leading, sequencer.status.size, sequencer.status.published_size) == (True, 6, 0)
    assert await log.folder.get("checkpoint") is None
    assert await store.published_size(log.conn) == 0
    witnesses.reached = True
    assert await sequencer.step() == 0
    assert replace(sequencer.status, published_at=None) == SequencerStatus(is_leading=True, size=6, published_size=6)
    assert await log.folder.get("checkpoint") == await store.published_note(log.conn, 6)
    assert (await log.folder.get("checkpoint") or b"").endswith("— witness.example AAAAAAAA\n".encode())
    assert witnesses.asked == [(0, 0), (0, 3), (0, 6), (0, 6)]
    await sequencer.close()
    assert await log.audit() == []


async def test_a_running_sequencer_publishes_once_the_quorum_is_reached(log: TestLog) -> None:
    witnesses = Witnesses(log)
    sequencer = log.sequencer(cosign=witnesses)
    async with running(sequencer):
        await log.append(2)
        await until(lambda: sequencer.status.size == 2 and sequencer.status.withheld)
        assert sequencer.status.is_leading
        witnesses.reached = True
        await until(lambda: sequencer.status.published_size == 2)
    assert await log.audit() == []


async def test_a_lost_folder_is_made_again_from_rows(log: TestLog, tmp_path: Path) -> None:
    for count in (300, 300):
        await log.append(count)
        await log.sequence()
    before = await log.folder.get("checkpoint")
    (tmp_path / "log").rename(tmp_path / "lost")
    await log.sequence(replace(EAGER, batch_entries_max=100))
    assert await log.folder.get("checkpoint") == before
    assert await log.audit() == []
    await log.append(1)
    await log.sequence()
    assert await log.audit() == []


async def test_an_older_copy_of_the_folder_is_brought_up_to_date(log: TestLog, tmp_path: Path) -> None:
    await log.append(300)
    await log.sequence()
    old = await log.folder.get("checkpoint") or b""
    await log.append(300)
    await log.sequence()
    (tmp_path / "log" / "checkpoint").unlink()
    (tmp_path / "log" / "checkpoint").write_bytes(old)
    await log.sequence()
    assert (await log.checkpoint()).size == 600
    assert await log.audit() == []


# What must not go on


async def refuses(log: TestLog, error: type[Exception]) -> None:
    """Expect that a start refuses, that `run` does not try again, and that nothing was published."""
    published = await log.conn.fetchval("SELECT count(*) FROM ledger_publication")
    note = await log.folder.get("checkpoint")
    sequencer = log.sequencer()
    with pytest.raises(error):
        await asyncio.wait_for(sequencer.run(asyncio.Event()), 10)
    assert sequencer.status.error
    assert not sequencer.status.is_leading
    assert await log.conn.fetchval("SELECT count(*) FROM ledger_publication") == published
    assert await log.folder.get("checkpoint") == note


async def tampered(log: TestLog, *statements: str) -> None:
    """Change rows as a database superuser can."""
    async with log.conn.transaction():
        await log.conn.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await log.conn.execute(statement)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE ledger_leaf SET leaf_hash = sha256('x') WHERE index = 299", TreeMismatch),
        ("UPDATE ledger_tile_root SET root = sha256('x')", TreeMismatch),
        ("UPDATE ledger_head SET root = sha256('x')", TreeMismatch),
        ("DELETE FROM ledger_leaf WHERE index = 299", TreeMismatch),
        ("DELETE FROM ledger_head", TreeMismatch),
        ("UPDATE ledger_head SET size = 299", CheckpointConflict),
        ("UPDATE ledger_checkpoint SET root = sha256('x') WHERE size = 300", CheckpointConflict),
        ("DELETE FROM ledger_publication; DELETE FROM ledger_checkpoint", CheckpointConflict),
    ],
)
async def test_rows_that_do_not_fit_what_was_signed_stop_the_log(
    log: TestLog, statement: str, error: type[Exception]
) -> None:
    await log.append(300)
    await log.sequence()
    await log.append(1)
    await tampered(log, statement)
    await refuses(log, error)


async def test_a_database_set_back_is_noticed_by_the_published_checkpoint(log: TestLog) -> None:
    await log.append(3)
    await log.sequence()
    await log.append(2)
    await log.sequence()
    await tampered(
        log,
        "DELETE FROM ledger_publication WHERE size = 5",
        "DELETE FROM ledger_checkpoint WHERE size = 5",
        "DELETE FROM ledger_leaf WHERE index >= 3",
        "UPDATE ledger_head SET (size, root) = (SELECT size, root FROM ledger_checkpoint WHERE size = 3)",
    )
    await refuses(log, CheckpointConflict)


async def test_the_folder_of_another_log_is_refused(log: TestLog, tmp_path: Path) -> None:
    await log.sequence()
    checkpoint = tmp_path / "log" / "checkpoint"
    note = checkpoint.read_bytes().replace(b"example.com/log", b"example.com/other")
    checkpoint.unlink()
    checkpoint.write_bytes(note)
    await log.append(1)
    await refuses(log, StorageConflict)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"a\n0\n\n"])
async def test_a_published_checkpoint_that_is_none_is_not_replaced(
    log: TestLog, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "checkpoint").write_bytes(content)
    await refuses(log, StorageConflict)


async def test_a_tile_with_other_bytes_is_not_replaced(log: TestLog, tmp_path: Path) -> None:
    await log.sequence()
    path = tmp_path / "log" / "tile" / "0" / "000.p" / "2"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(64))
    await log.append(2)
    await refuses(log, StorageConflict)
    assert path.read_bytes() == bytes(64)


async def test_an_entry_that_is_queued_twice_stops_the_log(log: TestLog) -> None:
    (entry,) = await log.append(1)
    await log.sequence()
    await log.conn.execute("INSERT INTO ledger_pending (entry_id) VALUES ($1)", entry.id)
    await refuses(log, TreeMismatch)


async def test_a_queued_entry_that_is_gone_stops_the_log(log: TestLog) -> None:
    await log.sequence()
    await log.append(1)
    await tampered(log, "DELETE FROM ledger_entry")
    await refuses(log, TreeMismatch)


async def test_a_database_without_tables_ends_the_term_and_is_tried_again(empty_database: str, log: TestLog) -> None:
    sequencer = log.sequencer(connect=lambda: asyncpg.connect(empty_database))
    async with running(sequencer):
        await until(lambda: sequencer.status.error)
        assert "ledger_head" in (sequencer.status.error or "")


async def test_a_queue_full_of_dead_rows_is_not_walked(log: TestLog) -> None:
    # Vacuum is busy elsewhere, and the statistics were taken when little waited among much that is dead.
    await log.conn.execute("ALTER TABLE ledger_pending SET (autovacuum_enabled = off)")
    for _ in range(2):
        await log.conn.execute(
            "INSERT INTO ledger_pending (entry_id) SELECT gen_random_uuid() FROM generate_series(1, 20000)"
        )
        await log.conn.execute("DELETE FROM ledger_pending")
    await log.append(600)
    await log.conn.execute("ANALYZE ledger_pending")
    walked = "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables WHERE relname = 'ledger_pending'"
    connections: list[asyncpg.Connection[asyncpg.Record]] = []

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        connections.append(await log.connect())
        return connections[-1]

    sequencer = log.sequencer(replace(EAGER, batch_entries_max=300), connect=connect)
    await sequencer.recover()
    before = await connections[0].fetchval(walked)
    while await sequencer.step():
        pass
    await connections[0].execute("SELECT pg_stat_force_next_flush()")
    assert await connections[0].fetchval(walked) == before
    await sequencer.close()
    assert (await log.checkpoint()).size == 600
