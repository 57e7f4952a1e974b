"""What is refused before a byte comes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from evidence.core.clock import utc_now
from evidence.db.pool import Pool
from ingest.errors import (
    IngestError,
    UploadElsewhere,
    UploadEmpty,
    UploadLengthDeclared,
    UploadLengthExceeded,
    UploadMetadataInvalid,
    UploadNameInvalid,
    UploadNoSpace,
    UploadNotInventoried,
    UploadTooLarge,
    UploadUnknown,
)
from ingest.settings import GIBIBYTE
from ingest.spool import Disk
from ingest.store import UploadState
from tests.support.clock import SeededEntropy
from tests.support.intake import IMPATIENT, STAFF, Intake, actor_of, enrolled, footage, open_intake, pieces
from tests.support.parties import PaperDock, paper_dock


class NearlyFull(Disk):
    """A disk with a fixed number of free bytes."""

    def __init__(self, free: int) -> None:
        self.free = free

    def free_bytes(self, folder: Path) -> int:
        return self.free


@pytest.mark.parametrize(
    ("length", "error"),
    [(0, UploadEmpty), (-1, UploadEmpty), (64 * GIBIBYTE + 1, UploadTooLarge), (2**62, UploadTooLarge)],
)
async def test_lengths_that_are_refused(intake: Intake, length: int, error: type[IngestError]) -> None:
    with pytest.raises(error):
        await intake.service.create(actor=STAFF, length=length, metadata={"filename": b"a.mp4"})
    assert await intake.pool.fetchval("SELECT count(*) FROM upload") == 0


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"filename": b""},
        {"filename": b"../../etc/passwd"},
        {"filename": b"/etc/passwd"},
        {"filename": b"a\0.mp4"},
        {"filename": b"a\n.mp4"},
        {"filename": b"\xff\xfe.mp4"},
        {"filename": b"x" * 4096},
        {"filename": b"a.mp4", "note": b"\xc3\x28"},
        {"filename": b"a.mp4", "note": b"nul \0"},
    ],
)
async def test_hostile_names_are_refused(intake: Intake, metadata: dict[str, bytes]) -> None:
    with pytest.raises(UploadNameInvalid):
        await intake.service.create(actor=STAFF, length=5, metadata=metadata)
    assert await intake.pool.fetchval("SELECT count(*) FROM upload") == 0
    assert intake.leftovers() == set()


async def test_too_much_metadata_is_refused(intake: Intake) -> None:
    for metadata in ({"filename": b"a", "x": b"y" * 9000}, {"filename": b"a"} | {f"k{n}": b"v" for n in range(40)}):
        with pytest.raises(UploadMetadataInvalid):
            await intake.service.create(actor=STAFF, length=5, metadata=metadata)


async def test_a_name_is_kept_as_it_came_and_reaches_no_path(intake: Intake) -> None:
    name = "执法/现场 \u202e4pm.exe\\..\\🎥.mp4"
    data = footage(100)
    view = await intake.staff_upload(data, name=name)
    assert view.metadata == {"filename": name}
    await intake.send(view, data)
    clip = await intake.pool.fetchrow("SELECT name FROM clip")
    source = await intake.pool.fetchrow("SELECT path FROM clip_source")
    assert clip is not None
    assert source is not None
    assert (clip["name"], source["path"]) == (name.rpartition("/")[2], name)
    assert {path.name for path in intake.folder.rglob("*") if path.is_file()} == {
        "spool-id",
        intake.objects.open_path(await intake.pool.fetchval("SELECT encode(sha256, 'hex') FROM clip")).name,
    }


async def test_a_full_disk_is_found_out_before_a_byte_comes(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> None:
    disk = NearlyFull(free=10_000)
    settings = replace(IMPATIENT, reserve_bytes=1000)
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=settings, disk=disk) as intake:
        await intake.staff_upload(footage(5000))
        # What other uploads still expect counts as taken.
        with pytest.raises(UploadNoSpace):
            await intake.staff_upload(footage(5000))
        view = await intake.staff_upload(footage(3000))
        disk.free = 999
        with pytest.raises(UploadNoSpace):
            await intake.send(view, footage(3000))
        assert (await intake.state(view)).offset == 0
        disk.free = 10_000
        await intake.send(view, footage(3000))


async def test_a_dock_sends_only_what_it_inventoried(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    view = await intake.dock_upload(dock, data, path="DCIM/ONE.mp4")
    good = {key: value.encode() for key, value in view.metadata.items()}
    stranger = await enrolled(intake, paper_dock(seed=9))

    async def create(*, actor: str = view.actor, length: int = 1000, **changes: bytes) -> None:
        await intake.service.create(actor=actor, length=length, metadata=good | changes)

    await create()
    with pytest.raises(UploadNotInventoried):
        await create(length=999)
    for changed in ("path", "recorder"):
        with pytest.raises(UploadNotInventoried):
            await intake.service.create(actor=view.actor, length=1000, metadata=good | {changed: b"OTHER"})
    with pytest.raises(UploadNotInventoried):
        await create(raw=b"true")
    with pytest.raises(UploadNotInventoried):
        await create(inventory=str(uuid4()).encode())
    with pytest.raises(UploadNotInventoried):
        await create(actor=actor_of(stranger))
    with pytest.raises(UploadNameInvalid):
        await create(path=b"../../etc/shadow")
    with pytest.raises(UploadMetadataInvalid):
        await create(inventory=b"not a uuid")
    with pytest.raises(UploadMetadataInvalid):
        await create(raw=b"yes")
    for missing in ("inventory", "path", "recorder"):
        with pytest.raises(UploadMetadataInvalid, match=missing):
            await intake.service.create(
                actor=view.actor, length=1000, metadata={key: good[key] for key in good if key != missing}
            )


async def test_a_name_that_is_not_utf8_comes_escaped_from_a_dock(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    view = await intake.dock_upload(dock, data, path="DCIM/%C9%CF.mp4", raw=True)
    await intake.send(view, data)
    sealed = await intake.seal(dock, view, intake.manifest(dock, view, data))
    row = await intake.pool.fetchrow("SELECT path, raw FROM clip_source WHERE clip = $1", sealed.clip)
    assert row is not None
    assert (row["path"], row["raw"]) == ("DCIM/%C9%CF.mp4", True)


async def test_a_deferred_length_is_declared_once(intake: Intake) -> None:
    data = footage(1000)
    view = await intake.service.create(actor=STAFF, length=None, metadata={"filename": b"live.mp4"})
    assert view.length is None
    await intake.service.append(actor=STAFF, upload=view.id, offset=0, stream=pieces(data[:600]))
    for length, error in ((599, UploadLengthDeclared), (0, UploadEmpty), (65 * GIBIBYTE, UploadTooLarge)):
        with pytest.raises(error):
            await intake.service.declare_length(actor=STAFF, upload=view.id, length=length)
    declared = await intake.service.declare_length(actor=STAFF, upload=view.id, length=1000)
    assert (declared.length, declared.state) == (1000, UploadState.OPEN)
    assert (await intake.service.declare_length(actor=STAFF, upload=view.id, length=1000)).length == 1000
    with pytest.raises(UploadLengthDeclared):
        await intake.service.declare_length(actor=STAFF, upload=view.id, length=1001)
    await intake.send(declared, data, offset=600)
    assert (await intake.state(view)).state is UploadState.SEALED


async def test_declaring_what_has_arrived_seals(intake: Intake) -> None:
    data = footage(1000)
    view = await intake.service.create(actor=STAFF, length=None, metadata={"filename": b"live.mp4"})
    await intake.service.append(actor=STAFF, upload=view.id, offset=0, stream=pieces(data))
    assert (await intake.state(view)).state is UploadState.OPEN
    declared = await intake.service.declare_length(actor=STAFF, upload=view.id, length=1000)
    assert declared.state is UploadState.SEALED


async def test_without_a_length_the_limit_holds(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> None:
    settings = replace(IMPATIENT, length_bytes_max=1000)
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=settings) as intake:
        view = await intake.service.create(actor=STAFF, length=None, metadata={"filename": b"live.mp4"})
        with pytest.raises(UploadLengthExceeded):
            await intake.service.append(actor=STAFF, upload=view.id, offset=0, stream=pieces(footage(1001), piece=100))


async def test_an_unknown_upload(intake: Intake) -> None:
    with pytest.raises(UploadUnknown):
        await intake.service.status(actor=STAFF, upload=uuid4())


async def test_an_upload_of_another_host_is_not_touched(
    intake: Intake, pool: Pool, tmp_path: Path, entropy: SeededEntropy
) -> None:
    data = footage(100)
    view = await intake.staff_upload(data)
    await intake.service.append(actor=STAFF, upload=view.id, offset=0, stream=pieces(data[:50]))
    async with open_intake(pool, tmp_path / "other", clock=utc_now, entropy=entropy) as other:
        assert (await other.state(view)).offset == 50
        with pytest.raises(UploadElsewhere):
            await other.send(view, data, offset=50)
        report = await other.service.recover()
        assert not report.quarantined
    await intake.send(view, data, offset=50)


async def test_people_and_docks_have_limits_of_their_own(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> None:
    settings = replace(IMPATIENT, length_bytes_max=5000, staff_length_bytes_max=1000)
    async with open_intake(pool, tmp_path / "limits", clock=utc_now, entropy=entropy, settings=settings) as intake:
        dock = await enrolled(intake, paper_dock())
        await intake.dock_upload(dock, footage(5000))
        await intake.staff_upload(footage(1000))
        with pytest.raises(UploadTooLarge):
            await intake.staff_upload(footage(1001))
        with pytest.raises(UploadTooLarge):
            await intake.dock_upload(dock, footage(5001), path="DCIM/B.mp4")
        # A length that is declared later, and one that is never declared, are held to the same.
        view = await intake.service.create(actor=STAFF, length=None, metadata={"filename": b"live.mp4"})
        with pytest.raises(UploadTooLarge):
            await intake.service.declare_length(actor=STAFF, upload=view.id, length=1001)
        with pytest.raises(UploadLengthExceeded):
            await intake.send(view, footage(1001))
