"""Digests while a file grows, and found again without their state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.core.digest import CHUNK_BYTES, ClipHasher
from ingest import digests as module
from ingest.digests import Digests, RunningDigest
from ingest.errors import SpoolDamaged, SpoolLost
from ingest.spool import Spool
from tests.support.intake import digest_of, footage

DATA = footage(3 * CHUNK_BYTES + 1001)


@pytest.fixture
def readers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool.open(tmp_path / "spool", tmp_path / "quarantine")


def lay_down(spool: Spool, data: bytes, digest: RunningDigest | None = None) -> UUID:
    """Write a file and its leaves as a finished request leaves them."""
    upload, digest = uuid4(), digest or RunningDigest()
    file = spool.open_for_append(upload, create=True)
    file.write(memoryview(data), 0)
    for index, leaf in digest.take_chunk(memoryview(data)):
        file.write_leaf(index, leaf)
    digest.take_whole(memoryview(data))
    file.sync()
    file.close()
    return upload


@given(st.lists(st.integers(min_value=0, max_value=CHUNK_BYTES + 5), max_size=8))
def test_pieces_of_any_size_give_the_reference_digest(sizes: list[int]) -> None:
    digest, reference, leaves = RunningDigest(), ClipHasher(), []
    position = 0
    for size in sizes:
        piece = memoryview(DATA)[position : position + size]
        position += len(piece)
        leaves += [leaf for _, leaf in digest.take_chunk(piece)]
        digest.take_whole(piece)
        reference.update(piece)
    assert leaves == reference.leaves
    assert (digest.offset, digest.lags) == (position, False)
    if position:
        assert digest.whole() == reference.digest().sha256


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, 2 * CHUNK_BYTES + 1, len(DATA)])
async def test_without_any_state_the_file_is_read_again(spool: Spool, readers: ThreadPoolExecutor, size: int) -> None:
    upload = lay_down(spool, DATA[:size])
    digest, leaves = await Digests(spool, readers=readers).finish(upload, size)
    assert digest == digest_of(DATA[:size])
    assert len(leaves) == digest.chunks


@pytest.mark.parametrize("offset", [5, CHUNK_BYTES, 2 * CHUNK_BYTES + 77, 3 * CHUNK_BYTES, len(DATA)])
async def test_after_a_restart_a_request_waits_for_no_more_than_the_unfinished_chunk(
    spool: Spool, readers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    upload = lay_down(spool, DATA)
    spans: list[tuple[int, int]] = []
    real = spool.read

    def read(upload: UUID, *, start: int, end: int) -> bytes:
        spans.append((start, end))
        return real(upload, start=start, end=end)

    monkeypatch.setattr(spool, "read", read)
    monkeypatch.setattr(spool, "read_checked", lambda *_, **__: pytest.fail("the whole file is read for a request"))
    running = await Digests(spool, readers=readers).at(upload, offset)
    assert spans == [(offset // CHUNK_BYTES * CHUNK_BYTES, offset)]
    assert (running.offset, running.whole_offset, running.lags) == (offset, 0, True)


async def test_state_in_memory_is_continued_without_reading(spool: Spool, readers: ThreadPoolExecutor) -> None:
    running = RunningDigest()
    upload = lay_down(spool, DATA, running)
    digests = Digests(spool, readers=readers)
    digests.keep(upload, running)
    assert await digests.at(upload, len(DATA)) is running
    digest, _ = await digests.finish(upload, len(DATA))
    assert digest == digest_of(DATA)


async def test_a_reader_follows_a_growing_file(
    spool: Spool, readers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLICE_BYTES", CHUNK_BYTES // 2)
    upload = lay_down(spool, DATA)
    digests = Digests(spool, readers=readers)
    running = await digests.at(upload, CHUNK_BYTES + 5)
    for acknowledged in (CHUNK_BYTES + 5, 2 * CHUNK_BYTES, len(DATA)):
        digests.follow(upload, acknowledged)
        async with asyncio.timeout(10):
            while running.whole_offset < acknowledged:
                await asyncio.sleep(0.005)
        assert running.whole_offset == acknowledged
    await digests.close()


async def test_what_another_process_appended_is_read_and_taken_in(spool: Spool, readers: ThreadPoolExecutor) -> None:
    first = RunningDigest()
    part = memoryview(DATA)[: CHUNK_BYTES + 99]
    for _ in first.take_chunk(part):
        pass
    first.take_whole(part)
    upload = lay_down(spool, DATA)
    digests = Digests(spool, readers=readers)
    digests.keep(upload, first)
    moved = await digests.at(upload, len(DATA))
    assert moved is first
    assert (moved.offset, moved.whole_offset) == (len(DATA), CHUNK_BYTES + 99)
    digest, _ = await digests.finish(upload, len(DATA))
    assert digest == digest_of(DATA)


async def test_a_digest_that_is_ahead_is_not_believed(spool: Spool, readers: ThreadPoolExecutor) -> None:
    running = RunningDigest()
    upload = lay_down(spool, DATA, running)
    digests = Digests(spool, readers=readers)
    digests.keep(upload, running)
    fresh = await digests.at(upload, CHUNK_BYTES)
    assert fresh is not running
    assert fresh.whole_offset == 0


async def test_damage_is_named_by_chunk(spool: Spool, readers: ThreadPoolExecutor) -> None:
    upload = lay_down(spool, DATA)
    with spool.bytes_path(upload).open("r+b") as file:
        file.seek(2 * CHUNK_BYTES + 5)
        file.write(b"\0\1\2")
    with pytest.raises(SpoolDamaged) as caught:
        await Digests(spool, readers=readers).finish(upload, len(DATA))
    assert caught.value.details["chunk"] == 2


@pytest.mark.parametrize("left", [None, 0, CHUNK_BYTES, len(DATA) - 1])
async def test_missing_bytes_are_lost_not_zero(spool: Spool, readers: ThreadPoolExecutor, left: int | None) -> None:
    upload = lay_down(spool, DATA)
    path = spool.bytes_path(upload)
    if left is None:
        path.unlink()
    else:
        path.write_bytes(DATA[:left])
    with pytest.raises(SpoolLost):
        await Digests(spool, readers=readers).finish(upload, len(DATA))


async def test_only_so_many_are_remembered(
    spool: Spool, readers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_MAX", 3)
    digests = Digests(spool, readers=readers)
    uploads = [lay_down(spool, DATA[:10]) for _ in range(5)]
    for upload in uploads:
        await digests.prepare(upload, 10)
    kept = [await digests.at(upload, 10) for upload in uploads[2:]]
    assert [await digests.at(upload, 10) for upload in uploads[2:]] == kept
    for upload in uploads:
        assert (await digests.finish(upload, 10))[0] == digest_of(DATA[:10])
    await digests.close()
