"""Durable files: whole or not at all, told only after the sync, and the same after a kill between any two steps."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from evidence.core.durable import (
    TEMPORARY_PREFIX,
    make_folders,
    publish_file,
    remove_temporaries,
    sync_folder,
    write_file,
)
from tests.support.stepper import killed_runs, step

OLD, NEW = b"old" * 1000, b"new" * 2000

IMPORTS = "from evidence.core.durable import make_folders, publish_file, write_file"
WRITE = "write_file(folder / 'file', b'new' * 2000)"
PUBLISH = "publish_file(folder / 'source', folder / 'ab' / 'target')"


def test_write_file_leaves_the_old_or_the_new_content_at_every_kill(tmp_path: Path) -> None:
    runs = killed_runs(WRITE, tmp_path, imports=IMPORTS)
    seen = set()
    for folder in runs:
        (folder / "file").write_bytes(OLD)
        next(runs)
        content = (folder / "file").read_bytes()
        assert content in (OLD, NEW)
        seen.add(content)
        remove_temporaries(folder)
        assert [path.name for path in folder.iterdir()] == ["file"]
    assert seen == {OLD, NEW}


def test_publish_file_never_loses_the_bytes_and_ends_when_repeated(tmp_path: Path) -> None:
    runs = killed_runs(PUBLISH, tmp_path, imports=IMPORTS)
    for folder in runs:
        source, target = folder / "source", folder / "ab" / "target"
        source.write_bytes(NEW)
        next(runs)
        assert all(path.read_bytes() == NEW for path in (source, target) if path.exists())
        assert source.exists() or target.exists()
        if source.exists():
            publish_file(source, target)
        assert target.read_bytes() == NEW
        assert not source.exists()


def test_write_file_syncs_the_file_before_its_name_and_the_folder_after(tmp_path: Path) -> None:
    calls = step(WRITE, tmp_path, imports=IMPORTS)
    assert calls is not None
    rename = calls.index("rename")
    assert calls.index("write") < calls.index("fsync") < rename
    assert "write" not in calls[calls.index("fsync") :]
    assert "fsync" in calls[rename:]


def test_publish_file_syncs_before_the_link_and_both_folders_after(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(NEW)
    calls = step(PUBLISH, tmp_path, imports=IMPORTS)
    assert calls is not None
    link, unlink = calls.index("link"), calls.index("unlink")
    assert "fsync" in calls[:link], "the bytes are on disk before the name is"
    assert "fsync" in calls[link:unlink], "the new name is on disk before the old one goes"
    assert "fsync" in calls[unlink:]


def test_make_folders_syncs_each_new_folder_into_its_parent(tmp_path: Path) -> None:
    calls = step("make_folders(folder / 'a' / 'b' / 'c')", tmp_path, imports=IMPORTS)
    assert calls is not None
    assert [name for name in calls if name in ("mkdir", "fsync")] == ["mkdir", "fsync"] * 3
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_write_file_writes_exactly_and_read_only(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"")
    assert (tmp_path / "file").read_bytes() == b""
    write_file(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW
    assert not stat.S_IMODE((tmp_path / "file").stat().st_mode) & 0o222


def test_a_secret_is_never_readable_by_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_file(tmp_path / "key", NEW, mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path / "taken", NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_write_file_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "missing" / "file", NEW)


def test_publish_file_keeps_the_same_file_published_before(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    target.write_bytes(NEW)
    inode = target.stat().st_ino
    source.write_bytes(NEW)
    publish_file(source, target)
    assert target.stat().st_ino == inode
    assert not source.exists()


def test_publish_file_throws_nothing_away_when_sizes_differ(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    target.write_bytes(NEW[:-1])
    source.write_bytes(NEW)
    with pytest.raises(FileExistsError):
        publish_file(source, target)
    assert (source.read_bytes(), target.read_bytes()) == (NEW, NEW[:-1])


def test_publish_file_needs_a_source(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        publish_file(tmp_path / "missing", tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


def test_make_folders_is_content_with_what_is_there(tmp_path: Path) -> None:
    make_folders(tmp_path)
    make_folders(tmp_path / "a" / "b")
    make_folders(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_sync_folder_refuses_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        sync_folder(tmp_path / "file")


def test_remove_temporaries_takes_only_leftovers(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY_PREFIX}1").touch()
    (tmp_path / f"{TEMPORARY_PREFIX}2").touch()
    (tmp_path / "evidence.tmp-3").touch()
    assert remove_temporaries(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.tmp-3"]
