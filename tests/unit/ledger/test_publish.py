"""The log folder: immutable means immutable, and the checkpoint goes forward only, whoever writes and when."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
from pathlib import Path

import pytest

from ledger import publish
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.errors import CheckpointStale, StorageBusy, StorageConflict
from ledger.note import Signer
from ledger.publish import LogFolder
from ledger.tree import EMPTY_ROOT
from tests.support.clock import SeededEntropy

SIGNER = Signer.generate("example.com/log", SeededEntropy())


def note(size: int, *, root: bytes = bytes(32), origin: str = "example.com/log") -> bytes:
    """Sign a checkpoint."""
    root = root if size else EMPTY_ROOT
    signer = SIGNER if origin == SIGNER.name else Signer.generate(origin, SeededEntropy())
    return sign_checkpoint(Checkpoint(origin, size, root), [signer])


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    """A log folder that is not there yet."""
    return LogFolder(tmp_path / "a" / "log")


async def listed(folder: LogFolder) -> set[str]:
    """List all files."""
    return {path async for path in folder.paths()}


async def test_files_are_stored_read_only_and_read_back(folder: LogFolder) -> None:
    files = {"tile/0/000": b"hashes", "tile/entries/000": b"entries", "tile/0/x001/234.p/7": b"partial"}
    await folder.put_immutable(files)
    assert {path: await folder.get(path) for path in files} == files
    assert await listed(folder) == files.keys()
    for path in files:
        assert not stat.S_IMODE((folder.root / path).stat().st_mode) & 0o222


@pytest.mark.parametrize("path", ["tile/0/001", "tile/0", "tile/0/000/more", "nothing", "tile/0/000.p/1"])
async def test_what_is_not_there_is_none(folder: LogFolder, path: str) -> None:
    assert await folder.get(path) is None
    await folder.put_immutable({"tile/0/000": b"hashes"})
    if path == "tile/0":
        with pytest.raises(IsADirectoryError):
            await folder.get(path)
    else:
        assert await folder.get(path) is None


async def test_the_same_bytes_again_are_welcome(folder: LogFolder) -> None:
    await folder.put_immutable({"tile/0/000": b"hashes"})
    inode = (folder.root / "tile/0/000").stat().st_ino
    await folder.put_immutable({"tile/0/000": b"hashes", "tile/0/001": b"more"})
    assert (folder.root / "tile/0/000").stat().st_ino == inode
    assert await folder.get("tile/0/001") == b"more"


@pytest.mark.parametrize("other", [b"", b"Hashes", b"hashes and more"])
async def test_other_bytes_are_an_error_and_never_written(folder: LogFolder, other: bytes) -> None:
    await folder.put_immutable({"tile/0/000": b"hashes"})
    with pytest.raises(StorageConflict):
        await folder.put_immutable({"tile/0/000": other, "tile/0/001": b"more"})
    assert await folder.get("tile/0/000") == b"hashes"
    await folder.put_immutable({"tile/0/000": b"hashes", "tile/0/001": b"more"})
    assert not list(folder.root.glob(".tmp-*"))


async def test_a_folder_that_vanished_is_made_again_in_the_next_term(folder: LogFolder, tmp_path: Path) -> None:
    await folder.put_immutable({"tile/0/000.p/1": b"hash"})
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        await folder.put_immutable({"tile/0/000.p/2": b"hashes"})
    await folder.remove_unfinished()
    await folder.put_immutable({"tile/0/000.p/2": b"hashes"})
    assert await folder.get("tile/0/000.p/2") == b"hashes"


async def test_unfinished_files_are_not_listed_and_are_removed(folder: LogFolder) -> None:
    await folder.put_immutable({"tile/0/000": b"hashes"})
    (folder.root / ".tmp-1").write_bytes(b"half")
    assert await listed(folder) == {"tile/0/000"}
    await folder.remove_unfinished()
    assert not (folder.root / ".tmp-1").exists()
    assert await folder.get("tile/0/000") == b"hashes"


async def test_partial_files_of_full_tiles_are_dropped(folder: LogFolder) -> None:
    await folder.put_immutable({f"tile/0/00{n}.p/{w}": b"x" for n in (0, 1) for w in (1, 2)} | {"tile/0/000": b"full"})
    await folder.drop_partials(["tile/0/000", "tile/0/007"])
    assert await listed(folder) == {"tile/0/000", "tile/0/001.p/1", "tile/0/001.p/2"}
    await folder.put_immutable({"tile/0/000.p/3": b"again"})
    assert await folder.get("tile/0/000.p/3") == b"again"


async def test_what_is_no_checkpoint_is_not_published(folder: LogFolder) -> None:
    for content in (b"", b"rubbish", note(5)[:-1]):
        with pytest.raises(StorageConflict):
            await folder.put_checkpoint(content)
    assert await folder.get("checkpoint") is None


async def test_the_checkpoint_goes_forward(folder: LogFolder) -> None:
    for size in (0, 1, 5, 5):
        await folder.put_checkpoint(note(size))
        assert await folder.get("checkpoint") == note(size)


async def test_the_same_checkpoint_with_more_signatures_is_a_refreshment(folder: LogFolder) -> None:
    await folder.put_checkpoint(note(5))
    more = note(5) + "— witness.example AAAAAAAA\n".encode()
    await folder.put_checkpoint(more)
    assert await folder.get("checkpoint") == more


async def test_the_checkpoint_never_goes_back(folder: LogFolder) -> None:
    await folder.put_checkpoint(note(5))
    for size in (0, 4):
        with pytest.raises(CheckpointStale):
            await folder.put_checkpoint(note(size))
    assert await folder.get("checkpoint") == note(5)


async def test_a_contradiction_is_not_published(folder: LogFolder) -> None:
    await folder.put_checkpoint(note(5))
    for other in (note(5, root=b"\x01" * 32), note(6, origin="example.com/other"), b"rubbish", b""):
        with pytest.raises(StorageConflict):
            await folder.put_checkpoint(other)
    assert await folder.get("checkpoint") == note(5)


async def test_of_many_writers_at_once_the_largest_stays(folder: LogFolder) -> None:
    sizes = [3, 9, 1, 12, 7, 12, 2, 11]
    others = [LogFolder(folder.root) for _ in sizes]
    outcomes = await asyncio.gather(
        *(other.put_checkpoint(note(size)) for other, size in zip(others, sizes, strict=True)), return_exceptions=True
    )
    assert all(outcome is None or isinstance(outcome, CheckpointStale) for outcome in outcomes)
    assert await folder.get("checkpoint") == note(12)


async def test_a_lock_that_is_held_for_long_is_an_error_of_the_way(
    folder: LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "LOCK_WAIT_SECONDS", 0.1)
    await folder.put_checkpoint(note(1))
    handle = os.open(folder.root / ".lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(StorageBusy):
        await folder.put_checkpoint(note(2))
    os.close(handle)
    await folder.put_checkpoint(note(2))
    assert await folder.get("checkpoint") == note(2)
