"""What lies in quarantine can be looked at and copied out; the record knows of every copy first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from evidence.core.digest import CHUNK_BYTES
from evidence.custody.events import checked_payload
from evidence.errors import ExportTargetTaken, ExportTargetUnusable
from ingest.audit import audit_uploads
from ingest.errors import ManifestDisagrees, UploadNotQuarantined
from ingest.set_aside import REASON_NAME, QuarantineRoom
from ingest.upload import UploadView
from tests.support.intake import Intake, footage
from tests.support.parties import PaperDock


@pytest.fixture
def room(intake: Intake) -> QuarantineRoom:
    return QuarantineRoom(pool=intake.pool, spool=intake.spool, clock=intake.clock, entropy=intake.entropy)


async def refused(intake: Intake, dock: PaperDock, data: bytes, *, path: str = "DCIM/A.mp4") -> UploadView:
    """Bring a file whose manifest tells of other bytes."""
    view = await intake.dock_upload(dock, data, path=path)
    await intake.send(view, data)
    manifest = intake.manifest(dock, view, data)
    with pytest.raises(ManifestDisagrees):
        await intake.seal(dock, view, replace(manifest, digest=replace(manifest.digest, sha256=bytes(32))))
    return view


async def copies(intake: Intake) -> int:
    return (await intake.events()).count("upload.copied_out")


async def test_what_is_there_is_listed_with_its_reason(intake: Intake, dock: PaperDock, room: QuarantineRoom) -> None:
    sizes = [1, CHUNK_BYTES, CHUNK_BYTES + 1]
    views = [await refused(intake, dock, footage(size, seed=size), path=f"DCIM/{size}.mp4") for size in sizes]
    await intake.send(await intake.staff_upload(b"sound"), b"sound")
    listed = await room.listed()
    assert [one.upload for one in listed] == [view.id for view in views]
    assert [one.kept_bytes for one in listed] == sizes
    assert {one.code for one in listed} == {"manifest.disagrees"}
    assert [one.path for one in await room.listed(after=views[0].id, limit=1)] == [f"DCIM/{CHUNK_BYTES}.mp4"]
    assert (await room.find(views[1].id)) == listed[1]


async def test_a_copy_is_whole_and_on_record(
    intake: Intake, dock: PaperDock, room: QuarantineRoom, tmp_path: Path
) -> None:
    data = footage(2 * CHUNK_BYTES + 5)
    view = await refused(intake, dock, data)
    done = await room.copy_out(view.id, target=tmp_path / "out", actor="service", purpose="litigation")
    assert done.file.read_bytes() == data
    assert done.sha256 == hashlib.sha256(data).digest()
    assert json.loads((tmp_path / "out" / REASON_NAME).read_text())["code"] == "manifest.disagrees"
    payload = json.loads(
        await intake.pool.fetchval("SELECT payload FROM custody_payload WHERE entry_id = $1", done.entry_id)
    )
    assert payload == {
        "upload": str(view.id),
        "purpose": "litigation",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    checked_payload("upload.copied_out", payload)
    # What is kept stays, and the audit of uploads has nothing to say.
    assert intake.spool.quarantined_path(view.id).read_bytes() == data
    async with intake.pool.acquire() as conn:
        assert [finding async for finding in audit_uploads(conn)] == []


async def test_a_target_that_cannot_be_made_leaves_no_copy(
    intake: Intake, dock: PaperDock, room: QuarantineRoom, tmp_path: Path
) -> None:
    view = await refused(intake, dock, footage(100))
    (tmp_path / "taken").mkdir()
    with pytest.raises(ExportTargetTaken):
        await room.copy_out(view.id, target=tmp_path / "taken", actor="service", purpose="litigation")
    assert await copies(intake) == 0
    with pytest.raises(ExportTargetUnusable):
        await room.copy_out(view.id, target=tmp_path / "no" / "out", actor="service", purpose="litigation")
    # The trace comes first: an attempt that failed at the target is on record, a copy without a trace never is.
    assert await copies(intake) == 1
    assert list(tmp_path.glob("**/.tmp-*")) == []


async def test_a_copy_whose_entry_cannot_be_written_has_no_byte(
    intake: Intake, dock: PaperDock, room: QuarantineRoom, tmp_path: Path
) -> None:
    view = await refused(intake, dock, footage(100))
    await intake.pool.execute("ALTER TABLE ledger_entry ADD CONSTRAINT shut CHECK (false) NOT VALID")
    with pytest.raises(asyncpg.CheckViolationError):
        await room.copy_out(view.id, target=tmp_path / "out", actor="service", purpose="litigation")
    assert await copies(intake) == 0
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob("**/.tmp-*")) == []


async def test_names_of_recorders_do_not_lead_out_of_the_folder(
    intake: Intake, dock: PaperDock, room: QuarantineRoom, tmp_path: Path
) -> None:
    view = await refused(intake, dock, footage(100), path="DCIM/reason.json")
    done = await room.copy_out(view.id, target=tmp_path / "out", actor="service", purpose="litigation")
    assert done.file.parent == tmp_path / "out"
    assert done.file.name != REASON_NAME
    assert done.file.read_bytes() == footage(100)


async def test_what_is_not_in_quarantine_is_refused(
    intake: Intake, room: QuarantineRoom, tmp_path: Path, dock: PaperDock
) -> None:
    sealed, _ = await intake.dock_sealed(dock, footage(50))
    gone = await refused(intake, dock, footage(60), path="DCIM/B.mp4")
    intake.spool.quarantined_path(gone.id).unlink()
    assert (await room.find(gone.id)).kept_bytes is None
    for upload in (sealed.id, uuid4(), gone.id):
        with pytest.raises(UploadNotQuarantined):
            await room.copy_out(upload, target=tmp_path / "out", actor="service", purpose="litigation")
    assert await copies(intake) == 0
    assert not (tmp_path / "out").exists()
