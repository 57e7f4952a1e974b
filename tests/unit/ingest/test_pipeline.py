"""Bytes go through both threads whole, in order, and a failing disk comes back to the request."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from evidence.core.digest import CHUNK_BYTES
from ingest.body import pour_piece
from ingest.buffers import Buffers
from ingest.digests import RunningDigest
from ingest.errors import SpoolFailed, UploadNoSpace
from ingest.pipeline import Pipeline
from ingest.spool import Disk, Spool
from tests.support.intake import digest_of, footage


class FailingDisk(Disk):
    """Fails with an error number from the n-th write on."""

    def __init__(self, *, writes: int, number: int) -> None:
        self.left = writes
        self.number = number

    def write(self, descriptor: int, data: memoryview, position: int) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(self.number, "the disk says no")
        # Half of the data, as a disk that is nearly full may do.
        return super().write(descriptor, data[: max(1, len(data) // 2)], position)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("seed", range(12))
async def test_any_pieces_give_the_file_and_its_digests(tmp_path: Path, threads: ThreadPoolExecutor, seed: int) -> None:
    chance = random.Random(seed)
    data = footage(
        chance.choice([1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + chance.randrange(9999)]), seed=seed
    )
    spool, upload, digest = Spool.open(tmp_path / "s", tmp_path / "q"), uuid4(), RunningDigest()
    file = spool.open_for_append(upload, create=True)
    with Buffers(count_max=3, per_ring_max=2).ring() as ring:
        pipeline = Pipeline(file=file, digest=digest, ring=ring, threads=threads)
        position = 0
        while position < len(data):
            size = chance.choice([1, 100, 65_536, 262_144, CHUNK_BYTES, 2 * CHUNK_BYTES])
            await pour_piece(pipeline, memoryview(data)[position : position + size])
            position += size
            if chance.random() < 0.2:
                pipeline.hand_over()
        assert pipeline.fed == len(data)
        await pipeline.drain()
        assert pipeline.written == len(data)
        await pipeline.close()
        assert ring.held == 0
    file.sync()
    file.close()
    expected = digest_of(data)
    assert spool.bytes_path(upload).read_bytes() == data
    assert digest.whole() == expected.sha256
    assert not digest.lags
    assert len(spool.kept_leaves(upload)) == len(data) // CHUNK_BYTES
    assert len(spool.all_leaves(upload, len(data))) == expected.chunks


async def test_a_lagging_digest_is_left_alone(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    data = footage(CHUNK_BYTES + 10)
    spool, upload, digest = Spool.open(tmp_path / "s", tmp_path / "q"), uuid4(), RunningDigest()
    file = spool.open_for_append(upload, create=True)
    file.write(memoryview(data[:7]), 0)
    for _ in digest.take_chunk(memoryview(data[:7])):
        pass
    with Buffers(count_max=2, per_ring_max=2).ring() as ring:
        pipeline = Pipeline(file=file, digest=digest, ring=ring, threads=threads)
        await pour_piece(pipeline, data[7:])
        await pipeline.drain()
        await pipeline.close()
    file.close()
    assert (digest.offset, digest.whole_offset) == (len(data), 0)
    assert spool.bytes_path(upload).read_bytes() == data


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, UploadNoSpace), (errno.EIO, SpoolFailed)])
@pytest.mark.parametrize("writes", [0, 3, 10])
async def test_a_failing_disk_ends_the_request_and_every_buffer_comes_back(
    tmp_path: Path, threads: ThreadPoolExecutor, number: int, error: type[Exception], writes: int
) -> None:
    disk = FailingDisk(writes=writes, number=number)
    spool, upload = Spool.open(tmp_path / "s", tmp_path / "q", disk=disk), uuid4()
    file = spool.open_for_append(upload, create=True)
    data = footage(20 * CHUNK_BYTES)
    with Buffers(count_max=3, per_ring_max=3).ring() as ring:
        pipeline = Pipeline(file=file, digest=RunningDigest(), ring=ring, threads=threads)
        async with asyncio.timeout(10):
            with pytest.raises(error):
                await pour_piece(pipeline, data)
            with pytest.raises(error):
                await pipeline.drain()
            await pipeline.close()
        await asyncio.sleep(0)
        assert ring.held == 0
        assert spool.bytes_path(upload).read_bytes()[: pipeline.written] == data[: pipeline.written]
    file.close()
