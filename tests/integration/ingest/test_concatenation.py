"""Files that come in parts, side by side, and are put together: whole, once, and past every crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from evidence.core.digest import CHUNK_BYTES
from ingest.concatenation import PARTS_MAX
from ingest.errors import (
    SpoolDamaged,
    UploadConcatInvalid,
    UploadFinal,
    UploadIncomplete,
    UploadNotInventoried,
    UploadPartTaken,
)
from ingest.store import UploadState
from ingest.upload import UploadView
from tests.support.intake import OTHER_STAFF, STAFF, Intake, actor_of, digest_of, footage, pieces
from tests.support.parties import PaperDock

SPLITS = [
    [1],
    [1, 1],
    [CHUNK_BYTES, CHUNK_BYTES],
    [CHUNK_BYTES - 1, 2 * CHUNK_BYTES + 5, 7],
    [3, CHUNK_BYTES, 100_000, CHUNK_BYTES + 1, 1],
]


@asynccontextmanager
async def maintained(intake: Intake) -> AsyncIterator[None]:
    """Run the intake's maintenance meanwhile."""
    stop = asyncio.Event()
    running = asyncio.create_task(intake.service.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def send_part(intake: Intake, data: bytes, *, actor: str = STAFF) -> UUID:
    view = await intake.service.create(actor=actor, length=len(data), metadata={}, partial=True)
    await intake.send(view, data)
    return view.id


async def send_parts(intake: Intake, data: bytes, split: Sequence[int], *, actor: str = STAFF) -> list[UUID]:
    """Send all parts at the same time."""
    ends = [sum(split[: index + 1]) for index in range(len(split))]
    spans = zip([0, *ends], ends, strict=False)
    return await asyncio.gather(*(send_part(intake, data[start:end], actor=actor) for start, end in spans))


async def announce(intake: Intake, parts: Sequence[UUID], *, actor: str = STAFF) -> UploadView:
    return await intake.service.create(actor=actor, length=None, metadata={"filename": "合.mp4".encode()}, parts=parts)


async def until(intake: Intake, view: UploadView, *states: UploadState) -> UploadView:
    async with asyncio.timeout(20):
        while (now := await intake.state(view)).state not in states:
            await asyncio.sleep(0.01)
    return now


@pytest.mark.parametrize("split", SPLITS)
async def test_parts_become_the_file(intake: Intake, split: list[int]) -> None:
    data = footage(sum(split))
    parts = await send_parts(intake, data, split)
    async with maintained(intake):
        view = await announce(intake, parts)
        assert (view.length, view.parts) == (len(data), tuple(parts))
        await until(intake, view, UploadState.SEALED)
    assert intake.object_bytes(data) == data
    assert intake.leftovers() == set()
    rows = await intake.pool.fetch("SELECT state, code FROM upload WHERE partial")
    assert {(row["state"], row["code"]) for row in rows} == {("terminated", "upload.concatenated")}
    assert (await intake.events()).count("clip.sealed") == 1


async def test_the_order_is_that_of_the_list(intake: Intake) -> None:
    first, second = footage(3000, seed=1), footage(2000, seed=2)
    parts = [await send_part(intake, first), await send_part(intake, second)]
    async with maintained(intake):
        await until(intake, await announce(intake, parts[::-1]), UploadState.SEALED)
    assert intake.object_bytes(second + first) == second + first


async def test_a_dock_may_send_in_parts_and_still_owes_a_manifest(intake: Intake, dock: PaperDock) -> None:
    data = footage(2 * CHUNK_BYTES + 9)
    parts = await send_parts(intake, data, [CHUNK_BYTES, CHUNK_BYTES + 9], actor=actor_of(dock))
    whole = await intake.dock_upload(dock, data)
    inventory = intake.inventories[whole.id]
    metadata = {
        "inventory": str(inventory.id).encode(),
        "path": b"DCIM/A.mp4",
        "recorder": dock.recorder.encode(),
    }
    async with maintained(intake):
        view = await intake.service.create(actor=actor_of(dock), length=None, metadata=metadata, parts=parts)
        await until(intake, view, UploadState.COMPLETE)
    intake.inventories[view.id] = inventory
    sealed = await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert not sealed.repeated
    assert intake.object_bytes(data) == data


async def test_a_dock_cannot_put_together_what_it_did_not_state(intake: Intake, dock: PaperDock) -> None:
    data = footage(5000)
    parts = await send_parts(intake, data, [2000, 2999], actor=actor_of(dock))
    view = await intake.dock_upload(dock, data)
    metadata = {key: value.encode() for key, value in view.metadata.items()}
    with pytest.raises(UploadNotInventoried):
        await intake.service.create(actor=actor_of(dock), length=None, metadata=metadata, parts=parts)


async def test_lists_that_are_none_are_refused_and_touch_nothing(intake: Intake) -> None:
    mine = await send_part(intake, footage(100))
    whole = await intake.staff_upload(footage(10))
    theirs = await send_part(intake, footage(200), actor=OTHER_STAFF)
    for parts in ([], [mine, mine], [uuid4()], [mine, whole.id], [mine, theirs], [uuid4()] * (PARTS_MAX + 1)):
        with pytest.raises(UploadConcatInvalid):
            await announce(intake, parts)
    view = await announce(intake, [mine])
    assert view.length == 100


async def test_a_part_that_is_not_whole_is_waited_for(intake: Intake) -> None:
    data = footage(3000)
    done = await send_part(intake, data[:1000])
    part = await intake.service.create(actor=STAFF, length=2000, metadata={}, partial=True)
    await intake.service.append(actor=STAFF, upload=part.id, offset=0, stream=pieces(data[1000:1500]))
    with pytest.raises(UploadIncomplete) as caught:
        await announce(intake, [done, part.id])
    assert caught.value.details["offset"] == 500
    await intake.service.append(actor=STAFF, upload=part.id, offset=500, stream=pieces(data[1500:]))
    async with maintained(intake):
        await until(intake, await announce(intake, [done, part.id]), UploadState.SEALED)
    assert intake.object_bytes(data) == data


async def test_of_two_files_only_one_gets_a_part(intake: Intake) -> None:
    parts = await send_parts(intake, footage(3000), [1000, 2000])
    results = await asyncio.gather(
        announce(intake, parts), announce(intake, [parts[1]]), announce(intake, parts[::-1]), return_exceptions=True
    )
    assert sum(isinstance(result, UploadView) for result in results) == 1
    assert sum(isinstance(result, UploadPartTaken) for result in results) == 2
    assert await intake.pool.fetchval("SELECT count(*) FROM upload WHERE parts IS NOT NULL") == 1


async def test_a_part_never_becomes_a_clip_by_itself(intake: Intake) -> None:
    part = await send_part(intake, footage(1000))
    async with maintained(intake):
        await asyncio.sleep(0.2)
    report = await intake.service.recover()
    assert report.waiting == [part]
    assert (await intake.service.status(actor=STAFF, upload=part)).state is UploadState.COMPLETE
    assert "clip.sealed" not in await intake.events()


async def test_a_final_upload_takes_no_bytes_and_its_parts_stay(intake: Intake) -> None:
    data = footage(2000)
    parts = await send_parts(intake, data, [1000, 1000])
    view = await announce(intake, parts)
    with pytest.raises(UploadFinal):
        await intake.send(view, data)
    with pytest.raises(UploadPartTaken):
        await intake.service.terminate(actor=STAFF, upload=parts[0])


async def test_after_giving_up_the_parts_can_be_used_again(intake: Intake) -> None:
    data = footage(2000)
    parts = await send_parts(intake, data, [1000, 1000])
    view = await announce(intake, parts)
    await intake.service.terminate(actor=STAFF, upload=view.id)
    async with maintained(intake):
        async with asyncio.timeout(10):
            while await intake.pool.fetchval("SELECT count(*) FROM upload WHERE final IS NOT NULL"):
                await asyncio.sleep(0.01)
        await until(intake, await announce(intake, parts), UploadState.SEALED)
    assert intake.object_bytes(data) == data


async def test_a_part_that_changed_on_the_disk_is_set_aside(intake: Intake) -> None:
    data = footage(3 * CHUNK_BYTES)
    parts = await send_parts(intake, data, [CHUNK_BYTES, 2 * CHUNK_BYTES])
    path = intake.spool.bytes_path(parts[1])
    damaged = bytearray(path.read_bytes())
    damaged[CHUNK_BYTES + 77] ^= 1
    path.write_bytes(damaged)
    view = await announce(intake, parts)
    async with maintained(intake), asyncio.timeout(10):
        with pytest.raises(SpoolDamaged):
            await until(intake, view)
        while await intake.pool.fetchval("SELECT final FROM upload WHERE id = $1", parts[0]):
            await asyncio.sleep(0.01)
    assert intake.spool.quarantined_path(parts[1]).read_bytes() == damaged
    # Sent again, the file comes about: the sound part is still there.
    again = await send_part(intake, data[CHUNK_BYTES:])
    async with maintained(intake):
        await until(intake, await announce(intake, [parts[0], again]), UploadState.SEALED)
    assert intake.object_bytes(data) == data


@pytest.mark.parametrize("crash_at", [1, CHUNK_BYTES, CHUNK_BYTES + 500, 2 * CHUNK_BYTES])
async def test_a_restart_goes_on_at_the_offset(intake: Intake, monkeypatch: pytest.MonkeyPatch, crash_at: int) -> None:
    """The parts' bytes break off in the middle, as in a process that is killed; the next round has only the rows."""
    data = footage(2 * CHUNK_BYTES + 1000)
    parts = await send_parts(intake, data, [CHUNK_BYTES + 600, CHUNK_BYTES + 400])
    view = await announce(intake, parts)
    concatenation = intake.service._concatenation
    whole = concatenation._bytes_of_parts

    async def breaking_off(row: object) -> AsyncIterator[memoryview]:
        left = crash_at
        async for piece in whole(row):  # type: ignore[arg-type]
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(concatenation, "_bytes_of_parts", breaking_off)
        with pytest.raises(ConnectionResetError):
            await concatenation.sweep()
    assert (await intake.state(view)).offset == crash_at
    intake.service._digests.forget(view.id)
    report = await intake.service.recover()
    assert view.id in report.resumable
    async with maintained(intake):
        await until(intake, view, UploadState.SEALED)
    found = await intake.pool.fetchval("SELECT (sha256, root) FROM upload WHERE id = $1", view.id)
    assert found == (digest_of(data).sha256, digest_of(data).root)
    assert intake.object_bytes(data) == data
    assert intake.leftovers() == set()


async def test_what_is_sealed_already_ends_the_file_and_its_parts(intake: Intake) -> None:
    data = footage(5000)
    await intake.send(await intake.staff_upload(data), data)
    parts = await send_parts(intake, data, [2500, 2500])
    async with maintained(intake):
        view = await announce(intake, parts)
        ended = await until(intake, view, UploadState.TERMINATED)
    assert ended.code == "clip.already_sealed"
    assert ended.clip is not None
    assert intake.leftovers() == set()
