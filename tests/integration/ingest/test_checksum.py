"""Bodies with a checksum: taken as a whole or not at all, whatever ends them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from evidence.core.digest import CHUNK_BYTES
from ingest.checksum import BodyChecksum
from ingest.errors import UploadChecksumMismatch
from ingest.upload import UploadView
from tests.support.intake import Disconnected, Intake, breaking, footage, pieces
from tests.support.parties import PaperDock

SIZES = [1, CHUNK_BYTES, 2 * CHUNK_BYTES + 99]


def checksum_of(data: bytes, algorithm: str = "sha256") -> BodyChecksum:
    return BodyChecksum(algorithm, hashlib.new(algorithm, data).digest())


async def send(
    intake: Intake, view: UploadView, stream: AsyncIterator[bytes], *, checksum: BodyChecksum, offset: int = 0
) -> int:
    return await intake.service.append(
        actor=view.actor, upload=view.id, offset=offset, stream=stream, checksum=checksum
    )


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
@pytest.mark.parametrize("size", SIZES)
async def test_a_body_that_is_what_was_stated_is_taken(intake: Intake, size: int, algorithm: str) -> None:
    data = footage(size)
    view = await intake.staff_upload(data)
    assert await send(intake, view, pieces(data), checksum=checksum_of(data, algorithm)) == size
    assert intake.object_bytes(data) == data


@pytest.mark.parametrize("size", SIZES)
async def test_of_a_body_that_is_not_nothing_is_taken(intake: Intake, dock: PaperDock, size: int) -> None:
    data = footage(1000 + size)
    view = await intake.dock_upload(dock, data)
    await send(intake, view, pieces(data[:1000]), checksum=checksum_of(data[:1000]))
    damaged = bytearray(data[1000:])
    damaged[size // 2] ^= 1
    with pytest.raises(UploadChecksumMismatch):
        await send(intake, view, pieces(bytes(damaged)), checksum=checksum_of(data[1000:]), offset=1000)
    assert (await intake.state(view)).offset == 1000
    # The same request with the right bytes ends in the right digests: nothing of the dropped body is left in them.
    assert await send(intake, view, pieces(data[1000:]), checksum=checksum_of(data[1000:]), offset=1000) == len(data)
    sealed = await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert not sealed.repeated
    assert intake.object_bytes(data) == data


async def test_of_a_body_that_breaks_off_nothing_is_taken(intake: Intake, dock: PaperDock) -> None:
    data = footage(3 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    with pytest.raises(Disconnected):
        await send(intake, view, breaking(data[: 2 * CHUNK_BYTES]), checksum=checksum_of(data))
    assert (await intake.state(view)).offset == 0


async def test_of_a_request_that_is_cancelled_nothing_is_taken(intake: Intake, dock: PaperDock) -> None:
    data = footage(2 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    arrived = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield data
        arrived.set()
        await asyncio.sleep(3600)

    # All bytes of the body are there, and right: but nobody said that it has ended.
    request = asyncio.create_task(send(intake, view, stuck(), checksum=checksum_of(data)))
    await arrived.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert (await intake.state(view)).offset == 0


async def test_nothing_is_acknowledged_before_the_checksum_is_known(intake: Intake, dock: PaperDock) -> None:
    data = footage(2 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield data[:CHUNK_BYTES]
        arrived.set()
        await go_on.wait()
        yield data[CHUNK_BYTES:]

    request = asyncio.create_task(send(intake, view, slow(), checksum=checksum_of(data)))
    await arrived.wait()
    # Several times the pace at which bytes without a checksum are acknowledged.
    await asyncio.sleep(0.3)
    assert (await intake.state(view)).offset == 0
    go_on.set()
    assert await request == len(data)


async def test_a_second_writer_still_wins(intake: Intake, dock: PaperDock) -> None:
    data = footage(CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    arrived = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield data[:5000]
        arrived.set()
        await asyncio.sleep(3600)

    first = asyncio.create_task(send(intake, view, stuck(), checksum=checksum_of(data)))
    await arrived.wait()
    assert await intake.send(view, data) == len(data)
    with pytest.raises(Exception, match="another request"):
        await first
