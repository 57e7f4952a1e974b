"""Leadership changes hands by force: killed processes, cut connections, leaders that do not know they were replaced."""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from ledger import store
from ledger.errors import CheckpointConflict, CheckpointStale, HeadMoved, NotLeading
from ledger.leader import Leader
from ledger.sequencer import SequencerSettings, SequencerStatus
from ledger.waiting import PublicationWaiter
from tests.support.ledger import TestLog, running, until

ROOT = Path(__file__).parents[3]
TAKEOVER_SECONDS = 5.0


@contextmanager
def sequencer_process(log: TestLog, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a sequencer of this log in another process."""
    module = ["-m", "tests.support.sequencer_process"]
    command = [sys.executable, *module, log.dsn, str(log.folder.root), log.signer.encoded(), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_when_the_leading_process_is_killed_another_one_takes_over_in_time(log: TestLog) -> None:
    follower = log.sequencer(SequencerSettings())
    with sequencer_process(log) as process:
        assert process.stdout
        assert await asyncio.to_thread(process.stdout.readline) == "leading\n"
        async with running(follower), PublicationWaiter(log.connect) as waiter:
            await log.append(10)
            (entry,) = await log.append(1)
            assert await waiter.wait(entry.id, timeout_seconds=5) == 10
            assert follower.status == SequencerStatus(), "it has led nothing so far"
            process.send_signal(signal.SIGKILL)
            killed_at = time.monotonic()
            (entry,) = await log.append(1)
            assert await waiter.wait(entry.id, timeout_seconds=TAKEOVER_SECONDS) == 11
            assert time.monotonic() - killed_at < TAKEOVER_SECONDS
            await until(lambda: follower.status.published_size == 12)
    assert await log.audit() == []


async def terminate(log: TestLog) -> int:
    """Cut the leader's connection at the server."""
    count: int = await log.conn.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND (classid::bigint << 32) + objid::bigint = $1",
        store.LEADER_KEY,
    )
    return count


async def test_a_leader_whose_connection_is_cut_stops_and_another_one_goes_on(log: TestLog) -> None:
    first, second = log.sequencer(), log.sequencer()
    await log.append(3)
    await first.recover()
    await first.step()
    assert await terminate(log) == 1
    await log.vacant()
    await second.recover()
    await log.append(1)
    with pytest.raises((NotLeading, *store.DATABASE_ERRORS)):
        await first.step()
    with pytest.raises(NotLeading):
        await first.recover()
    assert await second.step() == 1
    await first.close()
    await second.close()
    assert await log.audit() == []


async def test_a_dozing_leader_notices_that_its_connection_is_cut(log: TestLog) -> None:
    sequencer = log.sequencer()
    async with running(sequencer), PublicationWaiter(log.connect) as waiter:
        for _ in range(3):
            await until(lambda: sequencer.status.is_leading)
            await asyncio.sleep(0.2)
            assert await terminate(log) == 1
            (entry,) = await log.append(1)
            assert await waiter.wait(entry.id, timeout_seconds=TAKEOVER_SECONDS) is not None
    assert await log.audit() == []


async def test_leaders_that_are_cut_all_the_time_lose_nothing(log: TestLog) -> None:
    sequencers = [log.sequencer() for _ in range(3)]
    async with running(sequencers[0]), running(sequencers[1]), running(sequencers[2]):
        for _ in range(25):
            await log.append(40)
            await terminate(log)
            await asyncio.sleep(0.04)
        await until(lambda: max(one.status.published_size for one in sequencers) == 1000, seconds=20)
    model = await log.model()
    assert len(set(model.ids)) == model.size == 1000
    assert (await log.checkpoint()).root == model.root()
    assert await log.audit() == []


def leader(log: TestLog, conn: asyncpg.Connection[asyncpg.Record]) -> Leader:
    """Make a leader that never asked whether it may lead."""
    return Leader(conn, log.folder, log.signer, clock=log.clock, entries_max=100)


async def test_two_that_both_believe_to_lead_never_contradict_each_other(log: TestLog) -> None:
    conns = [await log.connect(), await log.connect()]
    leaders: list[Leader | None] = [None, None]
    lost = 0
    for _ in range(30):
        await log.append(9)
        for number, conn in enumerate(conns):
            if leaders[number] is None:
                leaders[number] = leader(log, conn)
                await leaders[number].recover()  # type: ignore[union-attr]  # set in the line above
        outcomes = await asyncio.gather(*(one.step() for one in leaders if one), return_exceptions=True)
        for number, outcome in enumerate(outcomes):
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, HeadMoved | CheckpointStale | CheckpointConflict), outcome
                leaders[number] = None
                lost += 1
    await log.sequence()
    assert lost > 5, "they did compete"
    model = await log.model()
    assert len(set(model.ids)) == model.size == 270
    assert (await log.checkpoint()).root == model.root()
    assert await log.audit() == []
    for conn in conns:
        await conn.close()


async def test_a_leader_that_slept_through_its_replacement_changes_nothing(log: TestLog) -> None:
    await log.append(3)
    asleep = await log.connect()
    late = leader(log, asleep)
    await late.recover()
    await log.append(2)
    await log.sequence()
    before = await log.folder.get("checkpoint")
    assert await late.step() == 0, "its queue is empty"
    assert await log.folder.get("checkpoint") == before
    await log.append(2)
    with pytest.raises(HeadMoved):
        await late.step()
    assert await log.folder.get("checkpoint") == before
    await log.sequence()
    assert await log.audit() == []
    await asleep.close()


async def test_a_full_disk_is_said_and_survived(log: TestLog) -> None:
    sequencer = log.sequencer()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with running(sequencer):
        await until(lambda: sequencer.status.is_leading)
        # A full tile has 8 KiB: the limit lets smaller files through, as a disk does that is nearly full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            await log.append(300)
            await until(lambda: sequencer.status.error)
            assert "File too large" in (sequencer.status.error or "")
            assert (await log.checkpoint()).size == 0
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        await until(lambda: sequencer.status.published_size == 300)
        await until(lambda: sequencer.status.error is None)
    assert await log.audit() == []


async def test_a_folder_that_cannot_be_written_is_said_and_survived(log: TestLog, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    sequencer = log.sequencer()
    async with running(sequencer):
        await until(lambda: sequencer.status.error)
        (tmp_path / "log").unlink()
        await log.append(1)
        await until(lambda: sequencer.status.published_size == 1)
    assert await log.audit() == []


@pytest.mark.slow
async def test_a_kill_at_any_file_operation_changes_nothing(log: TestLog) -> None:
    calls, appended = 0, 0
    while True:
        appended += len(await log.append(130))
        with sequencer_process(log, str(calls)) as process:
            output, _ = await asyncio.to_thread(process.communicate)
        await log.sequence()
        checkpoint = await log.checkpoint()
        assert (checkpoint.size, checkpoint.root) == (appended, (await log.model()).root())
        if output:
            break
        assert process.returncode == -signal.SIGKILL
        calls += 1
    assert calls > 50
    assert await log.audit() == []
