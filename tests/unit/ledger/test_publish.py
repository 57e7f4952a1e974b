"""The log folder sits the exam of every place for a log; beside it stands what only a folder has."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ledger import publish
from ledger.errors import StorageBusy
from ledger.publish import LogFolder, LogStorage
from tests.suites.log_storage import LogStorageSuite, Place, listed, note


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    """A log folder that is not there yet."""
    return LogFolder(tmp_path / "a" / "log")


class TestLogFolder(LogStorageSuite):
    """A folder is a place for a log."""

    @pytest.fixture
    def place(self, folder: LogFolder) -> Place:
        """The same folder, opened by each as his own."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[LogStorage]:
            yield LogFolder(folder.root)

        return opened


async def test_files_are_read_only(folder: LogFolder) -> None:
    files = {"tile/0/000": b"hashes", "tile/entries/000": b"entries", "tile/0/x001/234.p/7": b"partial"}
    await folder.put_immutable(files)
    for path in files:
        assert not stat.S_IMODE((folder.root / path).stat().st_mode) & 0o222


async def test_a_folder_is_no_file(folder: LogFolder) -> None:
    await folder.put_immutable({"tile/0/000": b"hashes"})
    with pytest.raises(IsADirectoryError):
        await folder.get("tile/0")


async def test_the_same_bytes_again_do_not_touch_the_file(folder: LogFolder) -> None:
    await folder.put_immutable({"tile/0/000": b"hashes"})
    inode = (folder.root / "tile/0/000").stat().st_ino
    await folder.put_immutable({"tile/0/000": b"hashes", "tile/0/001": b"more"})
    assert (folder.root / "tile/0/000").stat().st_ino == inode
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
    assert await listed(folder) == ["tile/0/000"]
    await folder.remove_unfinished()
    assert not (folder.root / ".tmp-1").exists()
    assert await folder.get("tile/0/000") == b"hashes"


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
