"""Jobs are attempted by one worker at a time, a limited number of times, and published once."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from evidence.clips.clips import get_clip
from evidence.clips.preview_store import insert_preview
from evidence.clips.store import Derivation as DerivationRow
from evidence.clips.store import newest_derivation
from evidence.core.clock import utc_now
from evidence.errors import LeaseLost
from ingest import jobs, jobs_store
from ingest.derive import Derivation
from ingest.media.errors import ChildBroken, ChildLost, NoSpace
from ingest.media.result import EarlyStill
from ingest.settings import WorkerSettings
from ledger.errors import CodedError
from tests.support.clock import SeededEntropy
from tests.support.intake import Intake, footage
from tests.support.makers import EarlyMaker, FailingMaker, Maker, MediaMaker, SlowMaker

HASTY = WorkerSettings(
    concurrency=2, attempts_max=3, lease_seconds=0.6, retry_seconds=0.05, blocked_seconds=0.05, sweep_seconds=0.1
)


def derivation(intake: Intake, media: MediaMaker, *, settings: WorkerSettings = HASTY) -> Derivation:
    """Return what a worker works with."""
    return Derivation(
        pool=intake.pool,
        objects=intake.objects,
        workspace=intake.folder / "work",
        clock=utc_now,
        entropy=SeededEntropy(uuid4().int & 0xFFFF),
        settings=settings,
        media=media,
    )


async def sealed(intake: Intake, *, seed: int = 1) -> UUID:
    """Seal a small file and return its clip."""
    data = footage(1000, seed=seed)
    view = await intake.staff_upload(data)
    await intake.send(view, data)
    clip = (await intake.state(view)).clip
    assert clip is not None
    return clip


async def row(intake: Intake, clip: UUID) -> tuple[str, int, str | None]:
    """Return state, attempts and outcome of a job."""
    record = await intake.pool.fetchrow("SELECT state, attempts, outcome FROM derivation_job WHERE clip = $1", clip)
    assert record is not None
    return record["state"], record["attempts"], record["outcome"]


async def published(intake: Intake, clip: UUID) -> DerivationRow:
    """Return what is on record about a clip, which must be there once."""
    async with intake.pool.acquire() as conn:
        found = await newest_derivation(conn, clip)
    assert found is not None
    assert (await intake.events()).count("clip.derived") == 1
    return found


async def unseen(still: EarlyStill) -> None:
    """Let nobody see a first still."""


def workfolders(intake: Intake) -> list[Path]:
    """Return what lies in the workspace."""
    folder = intake.folder / "work"
    return list(folder.iterdir()) if folder.exists() else []


async def test_a_result_is_published_with_its_objects(intake: Intake) -> None:
    clip = await sealed(intake)
    assert await derivation(intake, Maker()).attempt(clip) is None
    assert await row(intake, clip) == ("done", 1, "reviewable")
    found = await published(intake, clip)
    assert (found.attempt, found.outcome, found.reason) == (1, "reviewable", None)
    assert (found.tools, found.parameters, found.probe) == (
        {"av": "18.1.0"}, {"height": 480}, {"duration_ms": 6000},
    )  # fmt: skip
    assert {made.kind: made.media_type for made in found.objects} == {"proxy": "video/mp4", "poster": "image/jpeg"}
    for made in found.objects:
        content = intake.objects.open_path(made.sha256.hex()).read_bytes()
        assert (hashlib.sha256(content).digest(), len(content)) == (made.sha256, made.size)
    assert workfolders(intake) == []


async def test_a_finished_job_is_not_done_again(intake: Intake) -> None:
    clip, maker = await sealed(intake), Maker()
    work = derivation(intake, maker)
    for _ in range(3):
        assert await work.attempt(clip) is None
    assert len(maker.calls) == 1
    await published(intake, clip)


async def test_a_clip_without_a_job_is_nothing_to_do(intake: Intake) -> None:
    assert await derivation(intake, Maker()).attempt(uuid4()) is None


@pytest.mark.parametrize("error", [ChildLost("killed"), ChildBroken("nonsense")])
async def test_failures_are_repeated_a_limited_number_of_times(intake: Intake, error: CodedError) -> None:
    clip, maker = await sealed(intake), FailingMaker(error=error)
    work = derivation(intake, maker)
    assert [await work.attempt(clip) for _ in range(4)] == [HASTY.retry_seconds, HASTY.retry_seconds, None, None]
    assert len(maker.calls) == 3
    found = await published(intake, clip)
    assert (found.attempt, found.outcome, found.reason) == (3, "undecodable", str(error))
    assert found.objects == ()
    assert await row(intake, clip) == ("done", 3, "undecodable")
    assert workfolders(intake) == []


async def test_a_later_attempt_may_succeed(intake: Intake) -> None:
    clip = await sealed(intake)
    work = derivation(intake, FailingMaker(error=ChildLost("killed"), times=2))
    assert [await work.attempt(clip) for _ in range(3)] == [HASTY.retry_seconds, HASTY.retry_seconds, None]
    assert (await published(intake, clip)).attempt == 3


async def test_a_full_disk_says_nothing_about_the_file(intake: Intake) -> None:
    clip = await sealed(intake)
    work = derivation(intake, FailingMaker(error=NoSpace("full"), times=10))
    for _ in range(10):
        assert await work.attempt(clip) == HASTY.blocked_seconds
    assert await row(intake, clip) == ("waiting", 0, None)
    assert await work.attempt(clip) is None
    assert (await published(intake, clip)).attempt == 1


async def test_a_missing_original_is_not_called_undecodable(intake: Intake) -> None:
    clip = await sealed(intake)
    path = intake.objects.open_path(hashlib.sha256(footage(1000)).hexdigest())
    aside = path.rename(path.with_name("aside"))
    work = derivation(intake, Maker())
    for _ in range(5):
        assert await work.attempt(clip) == HASTY.blocked_seconds
    aside.rename(path)
    assert await work.attempt(clip) is None
    assert (await published(intake, clip)).outcome == "reviewable"


async def test_a_held_job_is_left_to_its_holder(intake: Intake) -> None:
    clip, slow, other = await sealed(intake), SlowMaker(), Maker()
    first = asyncio.create_task(derivation(intake, slow).attempt(clip))
    await slow.began.wait()
    # Longer than the hold lasts: it is renewed while the work goes on.
    for _ in range(5):
        again = await derivation(intake, other).attempt(clip)
        assert again is not None
        assert 0 < again <= HASTY.lease_seconds + HASTY.retry_seconds
        await asyncio.sleep(HASTY.lease_seconds / 3)
    slow.go_on.set()
    assert await first is None
    assert other.calls == []
    await published(intake, clip)


async def test_who_lost_a_job_publishes_nothing(intake: Intake) -> None:
    clip, slow = await sealed(intake), SlowMaker()
    patient = replace(HASTY, lease_seconds=60.0)
    first = asyncio.create_task(derivation(intake, slow, settings=patient).attempt(clip))
    await slow.began.wait()
    # As if the first worker's host had been frozen for longer than its hold.
    await intake.pool.execute("UPDATE derivation_job SET lease_until = now() - interval '1 second'")
    assert await derivation(intake, Maker()).attempt(clip) is None
    slow.go_on.set()
    assert await first is None
    assert (await published(intake, clip)).attempt == 2


async def test_work_is_cancelled_when_the_job_is_lost(intake: Intake) -> None:
    clip, slow = await sealed(intake), SlowMaker()
    first = asyncio.create_task(derivation(intake, slow).attempt(clip))
    await slow.began.wait()
    await intake.pool.execute("UPDATE derivation_job SET lease_until = now() - interval '1 second'")
    assert await derivation(intake, Maker()).attempt(clip) is None
    async with asyncio.timeout(5):
        assert await first is None
    assert slow.calls == []
    assert workfolders(intake) == []


async def test_a_dead_workers_job_is_taken_over(intake: Intake) -> None:
    clip = await sealed(intake)
    lease = await jobs_store.take(intake.pool, clip=clip, token=uuid4(), lease_seconds=0.2)
    assert lease is not None
    stale = intake.folder / "work" / f"{clip}.{lease.token}"
    stale.mkdir(parents=True)
    (stale / "proxy.mp4").write_bytes(b"half")
    work = derivation(intake, Maker())
    again = await work.attempt(clip)
    assert again is not None
    await asyncio.sleep(again)
    assert await work.attempt(clip) is None
    assert (await published(intake, clip)).attempt == 2
    assert workfolders(intake) == []


async def test_a_file_that_takes_every_worker_down_ends_undecodable(intake: Intake) -> None:
    clip, maker = await sealed(intake), Maker()
    for _ in range(3):
        assert await jobs_store.take(intake.pool, clip=clip, token=uuid4(), lease_seconds=-1) is not None
    assert await derivation(intake, maker).attempt(clip) is None
    assert maker.calls == []
    found = await published(intake, clip)
    assert found.outcome == "undecodable"
    assert found.reason is not None
    assert "3 workers" in found.reason


async def test_a_cancelled_attempt_does_not_count(intake: Intake) -> None:
    clip, slow = await sealed(intake), SlowMaker()
    attempt = asyncio.create_task(derivation(intake, slow).attempt(clip))
    await slow.began.wait()
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert await row(intake, clip) == ("waiting", 0, None)
    assert workfolders(intake) == []


async def test_a_stale_token_changes_nothing(intake: Intake) -> None:
    clip = await sealed(intake)
    stale = await jobs_store.take(intake.pool, clip=clip, token=uuid4(), lease_seconds=-1)
    fresh = await jobs_store.take(intake.pool, clip=clip, token=uuid4(), lease_seconds=60)
    assert stale is not None
    assert fresh is not None
    assert not await jobs_store.renew(intake.pool, stale, lease_seconds=60)
    await jobs_store.TABLE.give_back(intake.pool, stale.token, reason="no", counts=False, delay_seconds=0)
    assert await row(intake, clip) == ("running", 2, None)
    work = derivation(intake, Maker())
    with pytest.raises(LeaseLost):
        await work._publish(stale, await Maker()(Path("x"), intake.folder, unseen), [])
    async with intake.pool.acquire() as conn:
        assert not await jobs_store.finish(conn, stale, outcome="still", reason=None)
        assert await jobs_store.finish(conn, fresh, outcome="still", reason=None)


async def test_a_first_still_is_seen_before_the_rest_is_made(intake: Intake) -> None:
    clip = await sealed(intake)
    media = EarlyMaker()
    work = asyncio.create_task(derivation(intake, media).attempt(clip))
    await media.began.wait()
    async with intake.pool.acquire() as conn:
        seen = await get_clip(conn, clip)
    shown = seen.made("poster")
    assert shown is not None
    assert intake.objects.open_path(shown.sha256.hex()).read_bytes() == media.still.data
    assert (seen.state, seen.derivation, seen.made("proxy")) == ("sealed", None, None)
    assert "clip.derived" not in await intake.events()
    media.go_on.set()
    await work
    async with intake.pool.acquire() as conn:
        after = await get_clip(conn, clip)
    # What is on record counts from now on, under another revision.
    made = after.made("poster")
    assert made is not None
    assert made.sha256 != shown.sha256
    assert after.revision != seen.revision


async def test_a_clip_with_a_first_still_is_not_what_it_was(intake: Intake) -> None:
    """A reader who holds the view from before must not be told that nothing has changed."""
    clip = await sealed(intake)
    async with intake.pool.acquire() as conn:
        before = (await get_clip(conn, clip)).revision
        await insert_preview(conn, clip=clip, sha256=bytes(32), size=1, media_type="image/jpeg")
        await insert_preview(conn, clip=clip, sha256=bytes(32), size=1, media_type="image/jpeg")
        assert (await get_clip(conn, clip)).revision != before


async def test_a_first_still_that_cannot_be_kept_costs_nothing_else(intake: Intake) -> None:
    clip = await sealed(intake)
    async with intake.pool.acquire() as conn:
        await conn.execute("ALTER TABLE clip_preview RENAME TO clip_preview_away")
        try:
            media = EarlyMaker()
            media.go_on.set()
            assert await derivation(intake, media).attempt(clip) is None
        finally:
            await conn.execute("ALTER TABLE clip_preview_away RENAME TO clip_preview")
    assert await row(intake, clip) == ("done", 1, "reviewable")


async def test_lost_queue_entries_are_put_back_once(intake: Intake) -> None:
    clips = {await sealed(intake, seed=seed) for seed in range(1, 6)}
    assert await jobs.sweep(intake.pool, age_seconds=-1) == 0
    await intake.pool.execute("DELETE FROM pgqueuer WHERE id % 2 = 0")
    left = await intake.pool.fetchval("SELECT count(*) FROM pgqueuer")
    assert await jobs.sweep(intake.pool, age_seconds=-1) == 5 - left
    rows = await intake.pool.fetch("SELECT payload FROM pgqueuer")
    assert {jobs.subject_of(record["payload"]) for record in rows} == clips
    assert len(rows) == 5
    # What is young, done or held is left alone.
    await intake.pool.execute("DELETE FROM pgqueuer")
    assert await jobs.sweep(intake.pool, age_seconds=3600) == 0
    held, done, *_ = clips
    await jobs_store.take(intake.pool, clip=held, token=uuid4(), lease_seconds=60)
    await derivation(intake, Maker()).attempt(done)
    assert await jobs.sweep(intake.pool, age_seconds=-1) == 3


async def test_the_queues_tables_are_those_the_library_wants(intake: Intake) -> None:
    async with intake.pool.acquire() as conn:
        plan = await jobs.queries_on(conn).plan_upgrade()
    assert plan.statements == ()
