"""Evidence folders appear whole or not at all: after a kill at any point, a fault, a change of mind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from evidence.core.digest import CHUNK_BYTES, ClipDigest, digest_file, leaf_hashes
from evidence.core.durable import TEMPORARY_PREFIX
from evidence.errors import EvidenceDamaged, ExportTargetTaken, ExportTargetUnusable
from evidence.export.folder import write_evidence_folder
from tests.support.evidence_folder import content_of
from tests.support.stepper import killed_runs, step

CONTENT = content_of(chunks=2)
SMALL = {"a.receipt": b"receipt", "log.policy": b"policy"}

IMPORTS = """
import threading
from evidence.core.digest import digest_file, leaf_hashes
from evidence.export.folder import write_evidence_folder
original = Path(sys.argv[2]).parent / "original"
digest, leaves = digest_file(original), leaf_hashes(original)
"""
WRITE = """
write_evidence_folder(
    folder / "out", original=original, name="a", digest=digest, leaves=leaves,
    small_files={"a.receipt": b"receipt", "log.policy": b"policy"}, stop=threading.Event(),
)
"""


@pytest.fixture
def original(tmp_path: Path) -> Path:
    (tmp_path / "original").write_bytes(CONTENT)
    return tmp_path / "original"


def write(
    original: Path,
    target: Path,
    *,
    digest: ClipDigest | None = None,
    leaves: list[bytes] | None = None,
    stop: threading.Event | None = None,
) -> None:
    write_evidence_folder(
        target,
        original=original,
        name="a",
        digest=digest or digest_file(original),
        leaves=leaves or leaf_hashes(original),
        small_files=SMALL,
        stop=stop or threading.Event(),
    )


def test_a_folder_holds_exactly_what_was_asked_for(original: Path, tmp_path: Path) -> None:
    write(original, tmp_path / "out")
    content = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert content == {"a": CONTENT, **SMALL}
    assert not [path for path in (tmp_path / "out").iterdir() if path.stat().st_mode & 0o222]


def test_after_a_kill_at_any_point_the_folder_is_whole_or_not_there(original: Path, tmp_path: Path) -> None:
    runs = killed_runs(WRITE, tmp_path, imports=IMPORTS)
    whole = []
    for folder in runs:
        next(runs)
        out = folder / "out"
        if out.exists():
            assert {path.name: path.read_bytes() for path in out.iterdir()} == {"a": CONTENT, **SMALL}
        assert all(path == out or path.name.startswith(TEMPORARY_PREFIX) for path in folder.iterdir())
        whole.append(out.exists())
    assert whole == sorted(whole), "once it is there it stays"
    assert whole[-1]
    assert not whole[0]


def test_everything_is_on_disk_before_the_folder_gets_its_name(original: Path, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    calls = step(WRITE, tmp_path / "x", imports=IMPORTS)
    assert calls is not None
    last_rename = len(calls) - 1 - calls[::-1].index("rename")
    last_write = len(calls) - 1 - calls[::-1].index("write")
    assert "fsync" in calls[last_write:last_rename]
    assert calls[:last_rename].count("fsync") >= 1 + len(SMALL) + 1, "each file and the folder"
    assert "fsync" in calls[last_rename:]


@pytest.mark.parametrize("at", [0, CHUNK_BYTES + 3, len(CONTENT) - 1])
def test_an_altered_original_leaves_nothing_and_is_placed(original: Path, tmp_path: Path, at: int) -> None:
    digest, leaves = digest_file(original), leaf_hashes(original)
    spoilt = bytearray(CONTENT)
    spoilt[at] ^= 1
    original.write_bytes(spoilt)
    with pytest.raises(EvidenceDamaged) as caught:
        write(original, tmp_path / "out", digest=digest, leaves=leaves)
    assert caught.value.details["first_byte"] == at // CHUNK_BYTES * CHUNK_BYTES
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


@pytest.mark.parametrize("size", [0, CHUNK_BYTES, len(CONTENT) - 1])
def test_a_cut_original_leaves_nothing(original: Path, tmp_path: Path, size: int) -> None:
    digest, leaves = digest_file(original), leaf_hashes(original)
    original.write_bytes(CONTENT[:size])
    with pytest.raises(EvidenceDamaged) as caught:
        write(original, tmp_path / "out", digest=digest, leaves=leaves)
    assert caught.value.details["stored_bytes"] == size
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


def test_an_original_that_cannot_be_read_is_not_the_targets_fault(original: Path, tmp_path: Path) -> None:
    digest, leaves = digest_file(original), leaf_hashes(original)
    original.unlink()
    with pytest.raises(EvidenceDamaged):
        write(original, tmp_path / "out", digest=digest, leaves=leaves)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_nothing_is_written_over(original: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    if kind == "folder":
        target.mkdir()
    elif kind == "file":
        target.touch()
    else:
        target.symlink_to("nowhere")
    with pytest.raises(ExportTargetTaken):
        write(original, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["original", "out"]


def test_a_place_that_cannot_be_written_is_named(original: Path, tmp_path: Path) -> None:
    for target in (tmp_path / "missing" / "out", original / "out", tmp_path / ("x" * 300)):
        with pytest.raises(ExportTargetUnusable):
            write(original, target)
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


def test_a_change_of_mind_leaves_nothing(original: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(ExportTargetUnusable):
        write(original, tmp_path / "out", stop=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["original"]
