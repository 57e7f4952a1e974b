"""Bytes come in: offsets, requests that end badly, writers that meet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.core.clock import utc_now
from evidence.core.digest import CHUNK_BYTES
from evidence.db.pool import Pool
from ingest.digests import RunningDigest
from ingest.errors import (
    UploadBusy,
    UploadFinished,
    UploadLengthExceeded,
    UploadOffsetMismatch,
    UploadStalled,
    UploadTakenOver,
    UploadTerminated,
    UploadUnknown,
)
from ingest.store import UploadState
from tests.support.clock import SeededEntropy
from tests.support.intake import (
    IMPATIENT,
    OTHER_STAFF,
    STAFF,
    Disconnected,
    Intake,
    breaking,
    footage,
    open_intake,
    pieces,
)
from tests.support.parties import PaperDock

SIZES = [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 12345]


async def stuck(data: bytes, arrived: asyncio.Event) -> AsyncIterator[bytes]:
    """Yield some bytes and then stay silent, as a half-open connection does."""
    yield data
    arrived.set()
    await asyncio.sleep(3600)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [1000, 262_144, 5 * CHUNK_BYTES])
async def test_what_was_sent_is_what_is_sealed(intake: Intake, size: int, piece: int) -> None:
    data = footage(size)
    view = await intake.staff_upload(data)
    if size // piece > 1000:
        piece = 65_536
    assert await intake.send(view, data, piece=piece) == size
    assert intake.object_bytes(data) == data
    assert intake.leftovers() == set()


async def test_requests_continue_where_the_last_one_ended(intake: Intake, dock: PaperDock) -> None:
    data = footage(2 * CHUNK_BYTES + 777)
    view = await intake.dock_upload(dock, data)
    offset = 0
    for size in (1, 500_000, CHUNK_BYTES - 500_001, 1000, len(data)):
        part = data[offset : offset + size]
        offset = await intake.service.append(
            actor=view.actor, upload=view.id, offset=offset, stream=pieces(part, piece=77_777)
        )
        assert (await intake.state(view)).offset == offset
    assert offset == len(data)
    sealed = await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert not sealed.repeated
    assert intake.object_bytes(data) == data


async def test_a_digest_that_is_behind_its_bytes_takes_none_of_them_twice(
    intake: Intake, dock: PaperDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, may_go_on, take = footage(3 * CHUNK_BYTES), threading.Event(), RunningDigest.take_whole

    def take_late(digest: RunningDigest, piece: memoryview) -> None:
        assert may_go_on.wait(20)
        take(digest, piece)

    monkeypatch.setattr(RunningDigest, "take_whole", take_late)
    view = await intake.dock_upload(dock, data)

    async def body() -> AsyncIterator[bytes]:
        yield data[: 2 * CHUNK_BYTES]
        while not (await intake.state(view)).offset:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # whoever read the file now would have begun
        may_go_on.set()
        yield data[2 * CHUNK_BYTES :]

    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=body())
    await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert intake.object_bytes(data) == data


@pytest.mark.parametrize("offset", [0, 999, 1001, 5000])
async def test_bytes_at_another_offset_change_nothing(intake: Intake, dock: PaperDock, offset: int) -> None:
    data = footage(5000)
    view = await intake.dock_upload(dock, data)
    await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=pieces(data[:1000]))
    with pytest.raises(UploadOffsetMismatch) as caught:
        await intake.service.append(actor=view.actor, upload=view.id, offset=offset, stream=pieces(b"x" * 100))
    assert caught.value.details["offset"] == 1000
    assert intake.spool.bytes_path(view.id).read_bytes() == data[:1000]


async def test_a_wrong_offset_does_not_stop_the_running_request(intake: Intake, dock: PaperDock) -> None:
    data = footage(3000)
    view = await intake.dock_upload(dock, data)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield data[:1000]
        arrived.set()
        await go_on.wait()
        yield data[1000:]

    first = asyncio.create_task(
        intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=slow())
    )  # fmt: skip
    await arrived.wait()
    with pytest.raises(UploadOffsetMismatch):
        await intake.service.append(actor=view.actor, upload=view.id, offset=2500, stream=pieces(b"zzz"))
    go_on.set()
    assert await first == 3000


@pytest.mark.parametrize("sent", [1, 150_000, CHUNK_BYTES, 2 * CHUNK_BYTES + 5])
async def test_r21_a_broken_connection_loses_no_byte_that_came(intake: Intake, dock: PaperDock, sent: int) -> None:
    data = footage(3 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    with pytest.raises(Disconnected):
        await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=breaking(data[:sent]))
    assert (await intake.state(view)).offset == sent
    assert intake.spool.bytes_path(view.id).read_bytes() == data[:sent]
    await intake.send(view, data, offset=sent)
    await intake.seal(dock, view, intake.manifest(dock, view, data))


async def test_a_cancelled_request_loses_no_byte_that_came(intake: Intake, dock: PaperDock) -> None:
    data = footage(2 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    arrived = asyncio.Event()
    request = asyncio.create_task(
        intake.service.append(
            actor=view.actor, upload=view.id, offset=0, stream=stuck(data[: CHUNK_BYTES + 3], arrived)
        )
    )
    await arrived.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert (await intake.state(view)).offset == CHUNK_BYTES + 3
    await intake.send(view, data, offset=CHUNK_BYTES + 3)


async def test_a_long_request_is_acknowledged_on_the_way(intake: Intake, dock: PaperDock) -> None:
    data = footage(5000)
    view = await intake.dock_upload(dock, data)
    arrived = asyncio.Event()
    request = asyncio.create_task(
        intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=stuck(data[:1234], arrived))
    )
    await arrived.wait()
    async with asyncio.timeout(5):
        while (await intake.state(view)).offset != 1234:
            await asyncio.sleep(0.01)
    request.cancel()
    await asyncio.wait({request})


async def test_a_second_writer_takes_over_and_the_first_stops(intake: Intake, dock: PaperDock) -> None:
    data = footage(2 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    arrived = asyncio.Event()
    first = asyncio.create_task(
        intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=stuck(data[:777], arrived))
    )
    await arrived.wait()
    async with asyncio.timeout(5):
        while (offset := (await intake.state(view)).offset) != 777:
            await asyncio.sleep(0.01)
    assert await intake.send(view, data, offset=offset) == len(data)
    with pytest.raises(UploadTakenOver):
        await first
    await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert intake.object_bytes(data) == data


async def test_the_first_writer_of_another_process_stops_too(
    intake: Intake, dock: PaperDock, pool: Pool, tmp_path: Path
) -> None:
    """Two services share nothing but database and disk, as two processes on one host do."""
    data = footage(2 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    arrived = asyncio.Event()
    first = asyncio.create_task(
        intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=stuck(data[:999], arrived))
    )
    await arrived.wait()
    async with asyncio.timeout(5):
        while (offset := (await intake.state(view)).offset) != 999:
            await asyncio.sleep(0.01)
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=SeededEntropy(2)) as other:
        assert await other.send(view, data, offset=offset) == len(data)
    with pytest.raises(UploadTakenOver):
        await first
    await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert intake.object_bytes(data) == data


async def test_two_processes_may_continue_in_turns(intake: Intake, dock: PaperDock, pool: Pool, tmp_path: Path) -> None:
    data = footage(4 * CHUNK_BYTES + 99)
    view = await intake.dock_upload(dock, data)
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=SeededEntropy(2)) as other:
        step = len(data) // 7 + 1
        for turn, offset in enumerate(range(0, len(data), step)):
            carrier = (intake, other)[turn % 2]
            part = data[offset : offset + step]
            await carrier.service.append(actor=view.actor, upload=view.id, offset=offset, stream=pieces(part))
    await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert intake.object_bytes(data) == data


async def test_many_writers_of_one_upload_leave_one_whole_file(intake: Intake, dock: PaperDock) -> None:
    data = footage(3 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)

    async def push() -> None:
        try:
            offset = (await intake.state(view)).offset
            await intake.send(view, data, offset=offset, piece=10_000)
        except (UploadTakenOver, UploadOffsetMismatch, UploadFinished, UploadBusy):
            pass

    async with asyncio.timeout(60):
        while (await intake.state(view)).state is UploadState.OPEN:
            await asyncio.gather(*(push() for _ in range(5)))
    await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert intake.object_bytes(data) == data


async def test_an_over_long_body_is_refused_before_it_is_read(intake: Intake) -> None:
    view = await intake.staff_upload(footage(1000))

    read = []

    async def watched() -> AsyncIterator[bytes]:
        read.append(1)
        yield b""

    with pytest.raises(UploadLengthExceeded):
        await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=watched(), announced_bytes=1001)
    assert (await intake.state(view)).offset == 0


@pytest.mark.parametrize("piece", [1, 100, 1000, 5000])
async def test_an_over_long_body_of_unknown_length_is_not_sealed_cut_off(intake: Intake, piece: int) -> None:
    data = footage(1000)
    view = await intake.staff_upload(data)
    with pytest.raises(UploadLengthExceeded):
        await intake.service.append(
            actor=view.actor, upload=view.id, offset=0, stream=pieces(data + b"more", piece=piece)
        )
    state = await intake.state(view)
    assert state.state is UploadState.OPEN
    assert state.offset < 1000
    assert "clip.sealed" not in await intake.events()
    await intake.send(view, data, offset=state.offset)
    assert (await intake.state(view)).state is UploadState.SEALED


async def test_a_pause_after_the_last_byte_does_not_complete_an_over_long_body(intake: Intake) -> None:
    data = footage(1000)
    view = await intake.staff_upload(data)

    async def hesitant() -> AsyncIterator[bytes]:
        yield data
        await asyncio.sleep(5 * IMPATIENT.acknowledge_seconds)
        yield b"more"

    with pytest.raises(UploadLengthExceeded):
        await intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=hesitant())
    assert (await intake.state(view)).state is UploadState.OPEN


async def test_silence_ends_a_request_and_keeps_what_came(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> None:
    settings = replace(IMPATIENT, idle_seconds=0.2)
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=settings) as intake:
        data = footage(5000)
        view = await intake.staff_upload(data)
        with pytest.raises(UploadStalled):
            await intake.service.append(
                actor=view.actor, upload=view.id, offset=0, stream=stuck(data[:100], asyncio.Event())
            )
        assert (await intake.state(view)).offset == 100


async def test_more_requests_than_allowed_are_told_to_come_back(
    pool: Pool, tmp_path: Path, entropy: SeededEntropy
) -> None:
    settings = replace(IMPATIENT, appends_max=1)
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=settings) as intake:
        arrived = asyncio.Event()
        view = await intake.staff_upload(footage(500))
        running = asyncio.create_task(
            intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=stuck(b"a", arrived))
        )
        await arrived.wait()
        other = await intake.staff_upload(footage(600))
        with pytest.raises(UploadBusy):
            await intake.send(other, footage(600))
        # The upload that runs may be taken over all the same.
        async with asyncio.timeout(5):
            while (await intake.state(view)).offset != 1:
                await asyncio.sleep(0.01)
        await intake.service.append(actor=view.actor, upload=view.id, offset=1, stream=pieces(b"b"))
        with pytest.raises(UploadTakenOver):
            await running


async def test_sixteen_uploads_at_once(intake: Intake) -> None:
    files = [footage(2 * CHUNK_BYTES + number * 1000, seed=number) for number in range(16)]
    views = [await intake.staff_upload(data, name=f"{number}.mp4") for number, data in enumerate(files)]
    await asyncio.gather(*(intake.send(view, data) for view, data in zip(views, files, strict=True)))
    for view, data in zip(views, files, strict=True):
        assert (await intake.state(view)).state is UploadState.SEALED
        assert intake.object_bytes(data) == data
    assert (await intake.events()).count("clip.sealed") == 16
    assert intake.leftovers() == set()


async def test_somebody_elses_upload_does_not_exist(intake: Intake) -> None:
    view = await intake.staff_upload(footage(10))
    for call in (
        intake.service.status(actor=OTHER_STAFF, upload=view.id),
        intake.service.append(actor=OTHER_STAFF, upload=view.id, offset=0, stream=pieces(b"x")),
        intake.service.terminate(actor=OTHER_STAFF, upload=view.id),
        intake.service.declare_length(actor=OTHER_STAFF, upload=view.id, length=5),
    ):
        with pytest.raises(UploadUnknown):
            await call


async def test_a_terminated_upload_is_gone_and_stops_its_writer(intake: Intake) -> None:
    data = footage(5000)
    view = await intake.staff_upload(data)
    arrived = asyncio.Event()
    running = asyncio.create_task(
        intake.service.append(actor=view.actor, upload=view.id, offset=0, stream=stuck(data[:100], arrived))
    )
    await arrived.wait()
    await intake.service.terminate(actor=view.actor, upload=view.id)
    await intake.service.terminate(actor=view.actor, upload=view.id)
    with pytest.raises(UploadTakenOver):
        await running
    assert intake.leftovers() == set()
    with pytest.raises(UploadTerminated):
        await intake.state(view)
    with pytest.raises(UploadTerminated):
        await intake.send(view, data)


async def test_a_sealed_upload_takes_no_more_bytes_and_cannot_be_given_up(intake: Intake) -> None:
    data = footage(100)
    view = await intake.staff_upload(data)
    await intake.send(view, data)
    with pytest.raises(UploadFinished):
        await intake.service.append(actor=view.actor, upload=view.id, offset=100, stream=pieces(b""))
    with pytest.raises(UploadFinished):
        await intake.service.terminate(actor=view.actor, upload=view.id)
    assert (await intake.state(view)).state is UploadState.SEALED


async def test_nobody_takes_all_places(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> None:
    """One sender has two places, and all of them together three."""
    settings = replace(IMPATIENT, appends_max=3, appends_per_sender_max=2)
    async with open_intake(pool, tmp_path / "places", clock=utc_now, entropy=entropy, settings=settings) as intake:
        data = footage(3000)
        running = []
        for actor in (STAFF, STAFF, OTHER_STAFF):
            view = await intake.staff_upload(data, actor=actor)
            arrived = asyncio.Event()
            stream = stuck(data[:10], arrived)
            running.append(
                asyncio.create_task(intake.service.append(actor=actor, upload=view.id, offset=0, stream=stream))
            )
            await arrived.wait()
            if actor == STAFF and len(running) == 2:
                with pytest.raises(UploadBusy, match="of this sender"):
                    await intake.send(await intake.staff_upload(data), data)
        with pytest.raises(UploadBusy, match="running already"):
            await intake.send(await intake.staff_upload(data, actor=OTHER_STAFF), data)
        for request in running:
            request.cancel()
        await asyncio.wait(running)
        view = await intake.staff_upload(data)
        assert await intake.send(view, data) == len(data)
