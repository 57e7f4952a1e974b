"""The exam of every place where a log is published. A place's tests subclass it and give the fixture `place`.

What the suite relies on is only `LogStorage`; a place's own layout and faults are tested beside it.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.errors import CheckpointStale, StorageConflict
from ledger.note import Signer
from ledger.publish import LogStorage
from ledger.reader import LogReader
from ledger.tree import EMPTY_ROOT
from tests.support.clock import SeededEntropy
from tests.support.published_log import PublishedLog, files_of

SIGNER = Signer.generate("example.com/log", SeededEntropy())
OTHER = Signer.generate("example.com/other", SeededEntropy())


def note(size: int, *, root: bytes = bytes(32), signer: Signer = SIGNER) -> bytes:
    """Sign a checkpoint."""
    return sign_checkpoint(Checkpoint(signer.name, size, root if size else EMPTY_ROOT), [signer])


async def listed(storage: LogStorage) -> list[str]:
    """List all files, each as often as it is named."""
    return sorted([path async for path in storage.paths()])


class Place(Protocol):
    """Opens the same place any number of times, as so many processes would."""

    def __call__(self) -> AbstractAsyncContextManager[LogStorage]:
        """Open it."""
        ...


class LogStorageSuite:
    """What holds for every place."""

    async def test_an_empty_place_shows_nothing(self, place: Place) -> None:
        async with place() as storage:
            assert await storage.get("checkpoint") is None
            assert await listed(storage) == []
            await storage.remove_unfinished()
            await storage.drop_partials(["tile/0/000"])
            await storage.put_immutable({})
            assert await listed(storage) == []

    async def test_what_is_stored_is_read_back_by_others(self, place: Place) -> None:
        files = {"tile/0/000": bytes(range(256)) * 32, "tile/entries/000": b"", "tile/0/x001/234.p/7": b"\r\n\0"}
        async with place() as storage, place() as other:
            await storage.put_immutable(files)
            assert {path: await other.get(path) for path in files} == files
            assert await listed(other) == sorted(files)

    @pytest.mark.parametrize("path", ["tile/0/001", "tile/0/000/more", "nothing", "tile/0/000.p/1", "tile/0/00"])
    async def test_what_is_not_there_is_none(self, place: Place, path: str) -> None:
        async with place() as storage:
            assert await storage.get(path) is None
            await storage.put_immutable({"tile/0/000": b"hashes"})
            assert await storage.get(path) is None

    async def test_the_longest_bundle_fits(self, place: Place) -> None:
        bundle = bytes(256 * (2 + 65_535))
        async with place() as storage:
            await storage.put_immutable({"tile/entries/000": bundle})
            assert await storage.get("tile/entries/000") == bundle

    async def test_the_same_bytes_again_are_welcome(self, place: Place) -> None:
        async with place() as storage, place() as other:
            await storage.put_immutable({"tile/0/000": b"hashes"})
            await other.put_immutable({"tile/0/000": b"hashes", "tile/0/001": b"more"})
            assert await storage.get("tile/0/000") == b"hashes"
            assert await storage.get("tile/0/001") == b"more"

    @pytest.mark.parametrize("other", [b"", b"Hashes", b"hashes and more"])
    async def test_other_bytes_are_an_error_and_never_written(self, place: Place, other: bytes) -> None:
        async with place() as storage:
            await storage.put_immutable({"tile/0/000": b"hashes"})
            with pytest.raises(StorageConflict) as raised:
                await storage.put_immutable({"tile/0/000": other, "tile/0/001": b"more"})
            assert raised.value.details["path"] == "tile/0/000"
            assert await storage.get("tile/0/000") == b"hashes"
            await storage.put_immutable({"tile/0/000": b"hashes", "tile/0/001": b"more"})
            assert await listed(storage) == ["tile/0/000", "tile/0/001"]

    async def test_of_many_writers_of_one_name_one_wins_and_the_others_are_told(self, place: Place) -> None:
        async with place() as a, place() as b, place() as c:
            writers = [a, b, c] * 3
            puts = [one.put_immutable({"tile/0/000": bytes([number])}) for number, one in enumerate(writers)]
            outcomes = await asyncio.gather(*puts, return_exceptions=True)
            assert [isinstance(one, StorageConflict) for one in outcomes].count(False) == 1
            assert await a.get("tile/0/000") == bytes([outcomes.index(None)])

    async def test_partial_files_of_full_tiles_are_dropped(self, place: Place) -> None:
        partials = {f"tile/0/00{n}.p/{w}": b"x" for n in (0, 1) for w in (1, 2, 255)}
        kept = [path for path in partials if "/001.p" in path]
        async with place() as storage:
            await storage.put_immutable({**partials, "tile/0/000": b"full", "tile/0/x000/000.p/1": b"another"})
            await storage.drop_partials(["tile/0/000", "tile/0/007"])
            assert await listed(storage) == sorted(["tile/0/000", *kept, "tile/0/x000/000.p/1"])
            await storage.put_immutable({"tile/0/000.p/3": b"again"})
            assert await storage.get("tile/0/000.p/3") == b"again"

    async def test_what_is_no_checkpoint_is_not_published(self, place: Place) -> None:
        async with place() as storage:
            for content in (b"", b"rubbish", note(5)[:-1], note(5).replace(b"\n", b"\r\n")):
                with pytest.raises(StorageConflict):
                    await storage.put_checkpoint(content)
            assert await storage.get("checkpoint") is None

    async def test_the_checkpoint_goes_forward(self, place: Place) -> None:
        async with place() as storage, place() as other:
            for size in (0, 1, 5, 5):
                await storage.put_checkpoint(note(size))
                assert await other.get("checkpoint") == note(size)

    async def test_the_same_checkpoint_with_more_signatures_is_a_refreshment(self, place: Place) -> None:
        more = note(5) + "— witness.example AAAAAAAA\n".encode()
        async with place() as storage, place() as other:
            await storage.put_checkpoint(note(5))
            await other.put_checkpoint(more)
            assert await storage.get("checkpoint") == more
            await storage.put_checkpoint(note(5))
            assert await other.get("checkpoint") == note(5)

    async def test_the_checkpoint_never_goes_back(self, place: Place) -> None:
        async with place() as storage, place() as late:
            await late.put_checkpoint(note(3))
            await storage.put_checkpoint(note(5))
            for size in (0, 4):
                with pytest.raises(CheckpointStale):
                    await storage.put_checkpoint(note(size))
                with pytest.raises(CheckpointStale):
                    await late.put_checkpoint(note(size))
            assert await storage.get("checkpoint") == note(5)
            await late.put_checkpoint(note(6))
            assert await storage.get("checkpoint") == note(6)

    async def test_a_contradiction_is_not_published(self, place: Place) -> None:
        async with place() as storage, place() as other:
            await storage.put_checkpoint(note(5))
            for wrong in (note(5, root=b"\x01" * 32), note(6, signer=OTHER), b"rubbish", b""):
                for writer in (storage, other):
                    with pytest.raises(StorageConflict):
                        await writer.put_checkpoint(wrong)
            assert await storage.get("checkpoint") == note(5)

    async def test_of_many_writers_at_once_the_largest_stays(self, place: Place) -> None:
        sizes = [3, 9, 1, 12, 7, 12, 2, 11, 4]
        async with place() as a, place() as b, place() as c:
            writers = [a, b, c] * 3
            puts = [one.put_checkpoint(note(size)) for one, size in zip(writers, sizes, strict=True)]
            outcomes = await asyncio.gather(*puts, return_exceptions=True)
            assert all(outcome is None or isinstance(outcome, CheckpointStale) for outcome in outcomes)
            assert await a.get("checkpoint") == note(12)

    async def test_of_two_roots_of_a_size_one_is_published(self, place: Place) -> None:
        async with place() as a, place() as b:
            for size in range(1, 20):
                roots = [note(size, root=bytes([side]) * 32) for side in (1, 2)]
                outcomes = await asyncio.gather(
                    a.put_checkpoint(roots[0]), b.put_checkpoint(roots[1]), return_exceptions=True
                )
                assert sorted(map(type, outcomes), key=repr) == sorted([type(None), StorageConflict], key=repr)
                assert await a.get("checkpoint") == roots[outcomes.index(None)]

    async def test_a_reader_proves_from_it(self, place: Place, tmp_path: Path) -> None:
        made = PublishedLog(tmp_path / "made", signer=SIGNER)
        made.grow(600)
        files = files_of(made.root)
        async with place() as storage, place() as other:
            await storage.put_immutable({path: data for path, data in files.items() if path != "checkpoint"})
            await storage.put_checkpoint(files["checkpoint"])
            assert await listed(other) == sorted(files)
            reader = LogReader(other)
            for index in (0, 255, 256, 599):
                assert (await reader.prove(index)).index == index
