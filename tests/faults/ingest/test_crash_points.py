"""A crash at every step of sealing and refusing; afterwards a fresh process recovers with the everyday code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from evidence.clips.store import read_leaves
from evidence.core.clock import utc_now
from evidence.core.digest import CHUNK_BYTES
from evidence.db.pool import Pool
from ingest import seal, store
from ingest.errors import ManifestDisagrees, SpoolLost
from ingest.recover import RecoveryReport
from ingest.store import UploadState
from ledger.tree import root_of
from tests.support.clock import SeededEntropy
from tests.support.crash import Crash, When, crash_at
from tests.support.intake import Intake, digest_of, footage, open_intake
from tests.support.parties import PaperDock

DATA = footage(2 * CHUNK_BYTES + 4321)

SEALING: list[tuple[str, Callable[[Intake], object], str]] = [
    ("leaves are kept", lambda intake: intake.spool, "keep_leaves"),
    ("intent is written", lambda _: store, "intend_seal"),
    ("bytes become an object", lambda intake: intake.objects, "adopt"),
    ("the clip is recorded", lambda _: seal, "record"),
    ("the upload is closed", lambda _: store, "finish_sealed"),
    ("the spool is tidied", lambda intake: intake.spool, "discard"),
]
"""Every step with an effect, in order: what it is, who does it, its name."""

REFUSING: list[tuple[str, Callable[[Intake], object], str]] = [
    ("bytes move into quarantine", lambda intake: intake.spool, "hold_back"),
    ("the upload is closed", lambda _: store, "finish_quarantined"),
]


@asynccontextmanager
async def restarted(dead: Intake) -> AsyncIterator[tuple[Intake, RecoveryReport]]:
    """Open the same folder and database as a new process does, and recover."""
    async with open_intake(dead.pool, dead.folder, clock=utc_now, entropy=SeededEntropy(7)) as intake:
        intake.inventories.update(dead.inventories)
        yield intake, await intake.service.recover()


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize(("step", "victim", "name"), SEALING, ids=[step for step, _, _ in SEALING])
async def test_a_staff_upload_is_sealed_after_any_crash(
    intake: Intake,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    victim: Callable[[Intake], object],
    name: str,
    when: When,
) -> None:
    view = await intake.staff_upload(DATA)
    with monkeypatch.context() as patch:
        assert_reached = crash_at(patch, victim(intake), name, when)
        with pytest.raises(Crash):
            await intake.send(view, DATA)
        assert_reached()
    async with restarted(intake) as (alive, report):
        state = await alive.state(view)
        assert state.state is UploadState.SEALED
        assert (await alive.events()).count("clip.sealed") == 1
        assert await alive.pool.fetchval("SELECT count(*) FROM derivation_job") == 1
        assert await alive.pool.fetchval("SELECT count(*) FROM pgqueuer") == 1
        assert await alive.pool.fetchval("SELECT count(*) FROM clip_leaves") == 1
        assert alive.object_bytes(DATA) == DATA
        assert alive.leftovers() == set()
        assert not report.quarantined
        assert not report.refused
        again = await alive.service.recover()
        assert not again.sealed


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize(("step", "victim", "name"), SEALING, ids=[step for step, _, _ in SEALING])
async def test_a_dock_gets_the_same_answer_after_any_crash(
    intake: Intake,
    dock: PaperDock,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    victim: Callable[[Intake], object],
    name: str,
    when: When,
) -> None:
    view = await intake.dock_upload(dock, DATA)
    await intake.send(view, DATA)
    manifest = intake.manifest(dock, view, DATA)
    with monkeypatch.context() as patch:
        crash_at(patch, victim(intake), name, when)
        with pytest.raises(Crash):
            await intake.seal(dock, view, manifest)
    async with restarted(intake) as (alive, _):
        sealed = await alive.seal(dock, view, manifest)
        assert not sealed.repeated
        assert (await alive.events()).count("clip.sealed") == 1
        assert (await alive.state(view)).entry == sealed.entry_id
        assert alive.object_bytes(DATA) == DATA
        assert alive.leftovers() == set()


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize(("step", "victim", "name"), REFUSING, ids=[step for step, _, _ in REFUSING])
async def test_a_refusal_is_finished_after_any_crash(
    intake: Intake,
    dock: PaperDock,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    victim: Callable[[Intake], object],
    name: str,
    when: When,
) -> None:
    view = await intake.dock_upload(dock, DATA)
    await intake.send(view, DATA)
    wrong = intake.manifest(dock, view, DATA, sha256=bytes(32))
    with monkeypatch.context() as patch:
        crash_at(patch, victim(intake), name, when)
        with pytest.raises(Crash):
            await intake.seal(dock, view, wrong)
    async with restarted(intake) as (alive, _):
        with pytest.raises(ManifestDisagrees):
            await alive.seal(dock, view, wrong)
        assert (await alive.events()).count("upload.quarantined") == 1
        assert alive.spool.quarantined_path(view.id).read_bytes() == DATA
        assert alive.leftovers() == set()


async def test_an_interrupted_move_into_quarantine_is_finished(intake: Intake, dock: PaperDock) -> None:
    """The reason is there, the bytes are not: the crash was between the two."""
    view = await intake.dock_upload(dock, DATA)
    await intake.send(view, DATA)
    wrong = intake.manifest(dock, view, DATA, root=bytes(32))
    with pytest.raises(ManifestDisagrees):
        await intake.seal(dock, view, wrong)
    intake.spool.quarantined_path(view.id).rename(intake.spool.bytes_path(view.id))
    await intake.pool.execute("UPDATE upload SET state = 'complete', code = NULL WHERE id = $1", view.id)
    async with restarted(intake) as (alive, report):
        assert report.quarantined == [view.id]
        assert alive.spool.quarantined_path(view.id).read_bytes() == DATA


async def test_bytes_beyond_the_acknowledged_offset_are_cut_off(intake: Intake, dock: PaperDock) -> None:
    view = await intake.dock_upload(dock, DATA)
    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_once(DATA[: CHUNK_BYTES + 100]))
    with intake.spool.bytes_path(view.id).open("ab") as file:
        file.write(b"never acknowledged" * 100_000)
    with intake.spool.leaves_path(view.id).open("ab") as file:
        file.write(b"\xee" * 64)
    async with restarted(intake) as (alive, report):
        assert report.resumable == [view.id]
        assert (await alive.state(view)).offset == CHUNK_BYTES + 100
        await alive.send(view, DATA, offset=CHUNK_BYTES + 100)
        await alive.seal(dock, view, alive.manifest(dock, view, DATA))
        assert alive.object_bytes(DATA) == DATA


@pytest.mark.parametrize("lost", ["all", "tail"])
async def test_lost_acknowledged_bytes_are_said_to_be_lost(intake: Intake, lost: str) -> None:
    view = await intake.staff_upload(DATA)
    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_once(DATA[:5000]))
    path = intake.spool.bytes_path(view.id)
    if lost == "all":
        path.unlink()
    else:
        path.write_bytes(DATA[:4999])
    with pytest.raises(SpoolLost):
        await intake.send(view, DATA, offset=5000)
    async with restarted(intake) as (alive, report):
        assert report.quarantined == [view.id]
        state = await alive.state(view)
        assert (state.state, state.code) == (UploadState.QUARANTINED, "upload.spool_lost")
        assert (await alive.events())[-1] == "upload.quarantined"


async def test_files_without_a_row_are_kept_aside(intake: Intake, entropy: SeededEntropy) -> None:
    view = await intake.staff_upload(DATA)
    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_once(DATA[:5000]))
    empty = await intake.staff_upload(footage(10))
    intake.spool.bytes_path(empty.id).touch()
    await intake.pool.execute("DELETE FROM upload")
    async with restarted(intake) as (alive, report):
        assert report.quarantined == [view.id]
        assert report.tidied == [empty.id]
        assert alive.spool.quarantined_path(view.id).read_bytes() == DATA[:5000]
        assert (await alive.events())[-1] == "upload.quarantined"
        assert alive.leftovers() == set()
        assert not (await alive.service.recover()).quarantined


async def test_files_of_ended_uploads_are_removed(intake: Intake) -> None:
    view = await intake.staff_upload(DATA)
    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_once(DATA[:5000]))
    await intake.pool.execute("UPDATE upload SET state = 'terminated' WHERE id = $1", view.id)
    async with restarted(intake) as (alive, report):
        assert report.tidied == [view.id]
        assert alive.leftovers() == set()


async def test_leaves_that_went_missing_are_made_again(intake: Intake, dock: PaperDock) -> None:
    view = await intake.dock_upload(dock, DATA)
    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_once(DATA[: 2 * CHUNK_BYTES + 1]))
    intake.spool.leaves_path(view.id).unlink()
    async with restarted(intake) as (alive, _):
        await alive.send(view, DATA, offset=2 * CHUNK_BYTES + 1)
        await alive.seal(dock, view, alive.manifest(dock, view, DATA))


@pytest.mark.parametrize("left", [b"", bytes(32)], ids=["never written", "zeros"])
async def test_a_last_leaf_that_a_power_cut_took_is_made_again(
    intake: Intake, dock: PaperDock, monkeypatch: pytest.MonkeyPatch, left: bytes
) -> None:
    view = await intake.dock_upload(dock, DATA)
    await intake.send(view, DATA)
    manifest = intake.manifest(dock, view, DATA)
    with monkeypatch.context() as patch:
        crash_at(patch, intake.objects, "adopt", When.AFTER)
        with pytest.raises(Crash):
            await intake.seal(dock, view, manifest)
    kept = intake.spool.leaves_path(view.id)
    whole = 32 * (len(DATA) // CHUNK_BYTES)
    kept.write_bytes(kept.read_bytes()[:whole] + left)
    async with restarted(intake) as (alive, report):
        assert report.sealed == [view.id]
        async with alive.pool.acquire() as conn:
            leaves = await read_leaves(conn, sha256=digest_of(DATA).sha256)
    assert leaves is not None
    assert root_of(leaves) == digest_of(DATA).root


@pytest.mark.parametrize("position", [0, CHUNK_BYTES + 17])
async def test_bytes_that_changed_on_disk_are_found_after_a_restart(
    intake: Intake, dock: PaperDock, position: int
) -> None:
    view = await intake.dock_upload(dock, DATA)
    await intake.send(view, DATA)
    path = intake.spool.bytes_path(view.id)
    damaged = bytearray(DATA)
    damaged[position] ^= 1
    path.write_bytes(damaged)
    async with restarted(intake) as (alive, report):
        assert report.waiting == [view.id]
        with pytest.raises(Exception, match=f"chunk {position // CHUNK_BYTES}") as caught:
            await alive.seal(dock, view, alive.manifest(dock, view, DATA))
        assert getattr(caught.value, "code", None) == "upload.spool_damaged"
        assert alive.spool.quarantined_path(view.id).read_bytes() == bytes(damaged)


async def test_a_complete_upload_whose_request_died_is_sealed_in_the_background(intake: Intake) -> None:
    view = await intake.staff_upload(DATA)

    async def dies_after_the_last_byte() -> AsyncIterator[bytes]:
        yield DATA
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=dies_after_the_last_byte())
    assert (await intake.state(view)).state is UploadState.COMPLETE
    stop = asyncio.Event()
    keeper = asyncio.create_task(intake.service.run(stop))
    async with asyncio.timeout(10):
        while (await intake.state(view)).state is not UploadState.SEALED:
            await asyncio.sleep(0.02)
    stop.set()
    await keeper


async def test_a_restart_reads_the_whole_file_again_off_the_request(intake: Intake, dock: PaperDock) -> None:
    """Half of the file came before the restart; the digest is right although its state was lost."""
    view = await intake.dock_upload(dock, DATA)
    half = CHUNK_BYTES + CHUNK_BYTES // 2
    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=_once(DATA[:half]))
    async with restarted(intake) as (alive, _):
        await alive.send(view, DATA, offset=half)
        sealed = await alive.seal(dock, view, alive.manifest(dock, view, DATA))
        row = await alive.pool.fetchrow("SELECT sha256, root FROM clip WHERE clip = $1", sealed.clip)
        assert row is not None
        assert (row["sha256"], row["root"]) == (digest_of(DATA).sha256, digest_of(DATA).root)


async def test_the_spool_keeps_its_identity(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> None:
    ids = set()
    for _ in range(2):
        async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy) as intake:
            ids.add(intake.spool.id)
    assert len(ids) == 1


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
