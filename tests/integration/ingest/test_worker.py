"""Workers on a real queue: woken, shared, stopped, and waiting for a database that went away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from evidence.core.clock import utc_now
from evidence.db.pool import open_pool
from ingest.media.errors import ChildLost
from ingest.media.result import MediaResult
from ingest.media.runner import OnEarly
from ingest.media.sample import make_recorders
from ingest.settings import WorkerSettings
from ingest.worker import Worker
from tests.support.clock import SeededEntropy
from tests.support.intake import Intake, footage
from tests.support.makers import FailingMaker, Maker, MediaMaker, SlowMaker

HASTY = WorkerSettings(
    concurrency=2, attempts_max=3, lease_seconds=1.0, retry_seconds=0.05, blocked_seconds=0.05, sweep_seconds=0.2
)


@asynccontextmanager
async def working(
    intake: Intake, media: MediaMaker | None = None, *, settings: WorkerSettings = HASTY, seed: int = 5
) -> AsyncIterator[asyncio.Task[None]]:
    """Run a worker for the length of a block and see that it stops in time."""
    stop = asyncio.Event()
    optional = {} if media is None else {"media": media}
    worker = Worker(
        pool=intake.pool,
        objects=intake.objects,
        workspace=intake.folder / "work",
        clock=utc_now,
        entropy=SeededEntropy(seed),
        settings=settings,
        **optional,
    )
    task = asyncio.create_task(worker.run(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def seal_some(intake: Intake, count: int) -> list[UUID]:
    """Seal a number of different files."""
    clips = []
    for seed in range(1, count + 1):
        data = footage(500, seed=seed)
        view = await intake.staff_upload(data)
        await intake.send(view, data)
        state = await intake.state(view)
        assert state.clip is not None
        clips.append(state.clip)
    return clips


async def until_derived(intake: Intake, count: int, *, seconds: float = 30) -> None:
    """Wait until so many clips are on record as derived."""
    async with asyncio.timeout(seconds):
        while (await intake.events()).count("clip.derived") < count:
            await asyncio.sleep(0.02)


async def test_jobs_are_taken_as_they_come(intake: Intake) -> None:
    maker = Maker()
    await seal_some(intake, 2)
    async with working(intake, maker):
        await until_derived(intake, 2)
        # This one comes while the worker sleeps: the commit wakes it.
        data = footage(500, seed=77)
        await intake.send(await intake.staff_upload(data), data)
        await until_derived(intake, 3)
    assert len(maker.calls) == 3
    assert await intake.pool.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_two_workers_share_and_publish_each_clip_once(intake: Intake) -> None:
    maker = Maker()
    clips = await seal_some(intake, 20)
    async with working(intake, maker, seed=5), working(intake, maker, seed=6):
        await until_derived(intake, 20)
    assert len(maker.calls) == 20
    rows = await intake.pool.fetch("SELECT clip FROM clip_derivation")
    assert sorted(row["clip"] for row in rows) == sorted(clips)


async def test_no_more_at_a_time_than_set(intake: Intake) -> None:
    await seal_some(intake, 6)
    running = most = 0

    class Counting(Maker):
        async def __call__(self, source: Path, workdir: Path, on_early: OnEarly) -> MediaResult:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.05)
            running -= 1
            return await super().__call__(source, workdir, on_early)

    async with working(intake, Counting(), settings=replace(HASTY, concurrency=1)):
        await until_derived(intake, 6)
    assert most == 1


async def test_failures_come_round_again(intake: Intake) -> None:
    await seal_some(intake, 1)
    maker = FailingMaker(error=ChildLost("killed"))
    async with working(intake, maker):
        await until_derived(intake, 1)
    assert len(maker.calls) == 3
    assert await intake.pool.fetchval("SELECT outcome FROM clip_derivation") == "undecodable"


async def test_a_stopped_worker_gives_its_jobs_back_at_once(intake: Intake) -> None:
    await seal_some(intake, 2)
    slow = SlowMaker()
    patient = replace(HASTY, lease_seconds=3600.0)
    async with working(intake, slow, settings=patient):
        await slow.began.wait()
    rows = await intake.pool.fetch("SELECT state, attempts FROM derivation_job")
    assert [(row["state"], row["attempts"]) for row in rows] == [("waiting", 0)] * 2
    async with working(intake, Maker()):
        await until_derived(intake, 2)


async def test_a_job_whose_queue_entry_was_lost_is_found(intake: Intake) -> None:
    await seal_some(intake, 3)
    await intake.pool.execute("DELETE FROM pgqueuer")
    async with working(intake, Maker()):
        await until_derived(intake, 3)


async def test_a_database_that_went_away_is_waited_for(intake: Intake, database: str) -> None:
    async with open_pool(database, program="victim") as pool:
        victim = replace(intake, pool=pool)
        await seal_some(intake, 1)
        async with working(victim, Maker()) as task:
            await until_derived(intake, 1)
            await intake.pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'"
            )
            data = footage(500, seed=99)
            await intake.send(await intake.staff_upload(data), data)
            await until_derived(intake, 2)
            assert not task.done()


async def test_connections_that_break_in_the_middle_of_work_cost_nothing(intake: Intake, database: str) -> None:
    async with open_pool(database, program="victim") as pool:
        victim, slow = replace(intake, pool=pool), SlowMaker()
        await seal_some(intake, 1)
        async with working(victim, slow, settings=replace(HASTY, lease_seconds=20.0)):
            await slow.began.wait()
            await intake.pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'"
            )
            slow.go_on.set()
            await until_derived(intake, 1)
    assert await intake.pool.fetchval("SELECT attempt FROM clip_derivation") == 1


async def test_real_footage_goes_all_the_way(intake: Intake) -> None:
    files = [path for recorder in make_recorders(intake.folder / "recorders", seconds=2) for path in recorder.files]
    files.append(intake.folder / "garbage.mp4")
    files[-1].write_bytes(footage(5000))
    for path in files:
        data = path.read_bytes()
        await intake.send(await intake.staff_upload(data, name=path.name), data)
    async with working(intake):
        await until_derived(intake, len(files), seconds=100)
    rows = await intake.pool.fetch("SELECT c.name, d.outcome FROM clip_derivation d JOIN clip c USING (clip)")
    outcomes = {row["name"]: row["outcome"] for row in rows}
    assert outcomes.pop("garbage.mp4") == "undecodable"
    assert set(outcomes.values()) == {"reviewable", "still", "audio"}


async def test_the_queue_s_own_log_does_not_grow_for_ever(intake: Intake) -> None:
    await seal_some(intake, 2)
    async with working(intake, Maker()):
        async with asyncio.timeout(10):
            while await intake.pool.fetchval("SELECT count(*) FROM pgqueuer_log WHERE status = 'successful'") < 2:
                await asyncio.sleep(0.02)
        await intake.pool.execute("UPDATE pgqueuer_log SET created = now() - interval '8 days' WHERE job_id = 1")
        async with asyncio.timeout(10):
            while await intake.pool.fetchval("SELECT count(*) FROM pgqueuer_log WHERE job_id = 1"):
                await asyncio.sleep(0.02)
    assert await intake.pool.fetchval("SELECT count(*) FROM pgqueuer_log") >= 2
