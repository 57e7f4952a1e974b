"""Objects in a local folder: the common exam, and the faults of a disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evidence.errors import ObjectDamaged
from evidence.objects.local import LocalObjects
from evidence.objects.store import ObjectStore
from ledger import durable
from tests.suites.objects import ObjectStoreSuite, digest, finished_file


class DiskGone(OSError):
    """The fault that these tests inject."""


class TestLocalObjects(ObjectStoreSuite):
    """The exam."""

    @pytest.fixture
    def objects(self, tmp_path: Path) -> ObjectStore:
        return LocalObjects(tmp_path / "对象 store")


def test_a_truncated_object_is_not_taken_for_the_good_copy_that_comes(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "objects")
    data = b"whole"
    name = objects.put(data)
    stored = objects.open_path(name)
    stored.chmod(0o644)
    stored.write_bytes(data[:3])
    source = finished_file(tmp_path / "spool", data)
    with pytest.raises(ObjectDamaged, match="3 bytes where 5 belong"):
        objects.adopt(source, name)
    with pytest.raises(ObjectDamaged, match="3 bytes where 5 belong"):
        objects.put(data)
    assert source.read_bytes() == data
    assert stored.read_bytes() == data[:3]


@pytest.mark.parametrize("failing", ["sync_file", "sync_folder"])
@pytest.mark.parametrize("call", range(4))
def test_a_disk_that_fails_at_any_sync_leaves_source_or_object_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, call: int
) -> None:
    objects = LocalObjects(tmp_path / "objects")
    data = b"footage" * 1_000
    source = finished_file(tmp_path / "spool", data)
    calls = 0
    real = getattr(durable, failing)

    def fail_once(path: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == call + 1:
            raise DiskGone("gone")
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(durable, failing, fail_once)
        try:
            objects.adopt(source, digest(data))
        except DiskGone:
            present = [path for path in (source, _object(tmp_path, data)) if path.exists()]
            assert present
            assert all(path.read_bytes() == data for path in present)
    objects.adopt(source, digest(data))
    assert objects.open_path(digest(data)).read_bytes() == data


def test_a_crash_between_writing_and_naming_leaves_nothing_visible(tmp_path: Path) -> None:
    LocalObjects(tmp_path / "objects")
    scratch = tmp_path / "objects" / "scratch"
    old, young = (scratch / f"{durable.TEMPORARY_PREFIX}{name}" for name in ("old", "young"))
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (0, 0))
    objects = LocalObjects(tmp_path / "objects")
    assert not old.exists()
    assert young.exists(), "another process may be writing it"
    assert list(objects.list()) == []


def test_strangers_in_the_folder_are_no_objects(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "objects")
    name = objects.put(b"own")
    folder = objects.open_path(name).parent
    (folder / "notes.txt").write_text("not ours")
    (folder / ("00" * 32 if not name.startswith("00") else "11" * 32)).write_text("in the wrong folder")
    (folder.parent / "stray").write_text("not ours")
    assert [stored.sha256 for stored in objects.list()] == [name]


def _object(tmp_path: Path, data: bytes) -> Path:
    name = digest(data)
    return tmp_path / "objects" / "sha256" / name[:2] / name
