"""Uploads that nobody goes on with: closed after a time, and what came of them kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidence.db.pool import Pool
from ingest.errors import UploadExpired
from ingest.store import UploadState
from ingest.upload import UploadView
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.intake import IMPATIENT, Intake, breaking, digest_of, enrolled, footage, open_intake
from tests.support.parties import PaperDock, paper_dock

IDLE = timedelta(days=3)
SETTINGS = replace(IMPATIENT, expiry_seconds=IDLE.total_seconds())


@pytest.fixture
async def intake(pool: Pool, tmp_path: Path, entropy: SeededEntropy, clock: SteppingClock) -> AsyncIterator[Intake]:
    async with open_intake(pool, tmp_path, clock=clock, entropy=entropy, settings=SETTINGS) as opened:
        yield opened


@pytest.fixture
async def dock(intake: Intake) -> PaperDock:
    return await enrolled(intake, paper_dock())


async def sweep(intake: Intake) -> None:
    """Let the maintenance do one round."""
    stop = asyncio.Event()
    rounds = asyncio.create_task(intake.service.run(stop))
    await asyncio.sleep(0.15)
    stop.set()
    await rounds


async def state_of(intake: Intake, view: UploadView) -> str:
    state: str = await intake.pool.fetchval("SELECT state FROM upload WHERE id = $1", view.id)
    return state


async def test_a_beginning_goes_to_quarantine_with_every_acknowledged_byte(
    intake: Intake, dock: PaperDock, clock: SteppingClock
) -> None:
    data = footage(5000)
    view = await intake.dock_upload(dock, data)
    assert await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_some(data[:3000])) == 3000
    clock.advance(IDLE)
    await sweep(intake)
    assert await state_of(intake, view) == UploadState.QUARANTINED
    assert intake.spool.quarantined_path(view.id).read_bytes() == data[:3000]
    assert (await intake.events()).count("upload.quarantined") == 1
    for attempt in (intake.state(view), intake.send(view, data, offset=3000), _give_up(intake, view)):
        with pytest.raises(UploadExpired):
            await attempt
    with pytest.raises(UploadExpired):
        await intake.seal(dock, view, intake.manifest(dock, view, data))


async def test_of_nothing_nothing_is_kept(intake: Intake, dock: PaperDock, clock: SteppingClock) -> None:
    view = await intake.dock_upload(dock, footage(10))
    clock.advance(IDLE)
    await sweep(intake)
    assert await state_of(intake, view) == UploadState.TERMINATED
    assert intake.leftovers() == set()
    assert "upload.quarantined" not in await intake.events()
    with pytest.raises(UploadExpired):
        await intake.state(view)


async def test_whoever_was_heard_of_is_given_the_whole_time_again(
    intake: Intake, dock: PaperDock, clock: SteppingClock
) -> None:
    data = footage(4000)
    view = await intake.dock_upload(dock, data)
    for offset in range(0, 3000, 1000):
        clock.advance(IDLE - timedelta(minutes=1))
        await intake.service.append(
            actor=view.actor, upload=view.id, offset=offset, stream=_some(data[offset : offset + 1000])
        )
        await sweep(intake)
        now = await intake.state(view)
        assert now.expires_at is not None
        assert now.expires_at - clock.now > IDLE - timedelta(minutes=1)
    assert (await intake.state(view)).offset == 3000


async def test_a_complete_file_without_its_manifest_expires_too(
    intake: Intake, dock: PaperDock, clock: SteppingClock
) -> None:
    data = footage(6000)
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    clock.advance(IDLE)
    await sweep(intake)
    assert await state_of(intake, view) == UploadState.QUARANTINED
    assert intake.spool.quarantined_path(view.id).read_bytes() == data
    # The recorder still has it: the same file comes again and becomes a clip.
    again, sealed = await intake.dock_sealed(dock, data)
    assert again.id != view.id
    assert not sealed.repeated


async def test_what_is_sealed_never_expires(intake: Intake, dock: PaperDock, clock: SteppingClock) -> None:
    data = footage(777)
    view, _ = await intake.dock_sealed(dock, data)
    person = await intake.staff_upload(digest_of(data).root)
    await intake.send(person, digest_of(data).root)
    clock.advance(IDLE * 100)
    await sweep(intake)
    for upload in (view, person):
        assert (await intake.state(upload)).state is UploadState.SEALED
        assert (await intake.state(upload)).expires_at is None


async def test_a_request_that_is_writing_is_left_alone(intake: Intake, dock: PaperDock, clock: SteppingClock) -> None:
    data = footage(9000)
    view = await intake.dock_upload(dock, data)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield data[:1]
        arrived.set()
        await go_on.wait()
        yield data[1:]

    request = asyncio.create_task(intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=slow()))
    await arrived.wait()
    async with asyncio.timeout(5):
        while not (await intake.state(view)).offset:
            await asyncio.sleep(0.01)
    clock.advance(IDLE * 2)
    await sweep(intake)
    go_on.set()
    assert await request == len(data)


async def test_a_crash_in_the_middle_is_finished_by_recovery(
    intake: Intake, dock: PaperDock, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = footage(5000)
    view = await intake.dock_upload(dock, data)
    with pytest.raises(ConnectionResetError):
        await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=breaking(data[:2000]))
    clock.advance(IDLE)

    async def crash(*_: object, **__: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr("ingest.store.finish_quarantined", crash)
        await sweep(intake)
    assert await state_of(intake, view) == UploadState.OPEN
    report = await intake.service.recover()
    assert report.quarantined == [view.id]
    assert intake.spool.quarantined_path(view.id).read_bytes() == data[:2000]
    with pytest.raises(UploadExpired):
        await intake.state(view)


async def test_without_a_limit_nothing_expires(
    pool: Pool, tmp_path: Path, entropy: SeededEntropy, clock: SteppingClock
) -> None:
    settings = replace(IMPATIENT, expiry_seconds=None)
    async with open_intake(pool, tmp_path / "b", clock=clock, entropy=entropy, settings=settings) as opened:
        view = await opened.staff_upload(footage(10))
        assert view.expires_at is None
        clock.advance(timedelta(days=40_000))
        await sweep(opened)
        assert (await opened.state(view)).state is UploadState.OPEN


async def _some(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _give_up(intake: Intake, view: UploadView) -> None:
    await intake.service.terminate(actor=view.actor, upload=view.id)


async def test_one_that_the_disk_holds_on_to_does_not_keep_the_others(
    intake: Intake, dock: PaperDock, clock: SteppingClock
) -> None:
    views = []
    for path in ("DCIM/A.mp4", "DCIM/B.mp4"):
        view = await intake.dock_upload(dock, footage(5000), path=path)
        await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_some(footage(3000)))
        views.append(view)
    # Where the first one's reason has to be written stands a folder: a disk that refuses.
    intake.spool.reason_path(views[0].id).mkdir()
    clock.advance(IDLE)
    await sweep(intake)
    assert [await state_of(intake, view) for view in views] == [UploadState.OPEN, UploadState.QUARANTINED]
    intake.spool.reason_path(views[0].id).rmdir()
    await sweep(intake)
    assert await state_of(intake, views[0]) == UploadState.QUARANTINED
