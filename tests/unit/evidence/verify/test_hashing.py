"""Reading files: right by an independent computation, in little memory, and honest about where reading failed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.core.digest import CHUNK_BYTES, digest_file, leaf_hashes
from evidence.verify.hashing import FileUnreadable, hash_chunks, hash_file, split_leaves
from tests.support.evidence_folder import content_of

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, 23 * CHUNK_BYTES + 5])
def test_two_threads_come_to_the_same_as_one(tmp_path: Path, size: int) -> None:
    path = tmp_path / "clip"
    path.write_bytes(content_of(chunks=23, tail_bytes=5)[:size])
    hashes = hash_file(path)
    assert (hashes.size, hashes.sha256) == (size, digest_file(path).sha256)
    assert list(hashes.leaves) == leaf_hashes(path)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("size", [1, CHUNK_BYTES, 4 * CHUNK_BYTES, 23 * CHUNK_BYTES + 5])
def test_the_tree_alone_is_the_same_from_any_number_of_threads(tmp_path: Path, size: int, threads: int) -> None:
    path = tmp_path / "clip"
    path.write_bytes(content_of(chunks=23, tail_bytes=5)[:size])
    seen: list[tuple[int, int]] = []
    hashes = hash_chunks(path, threads=threads, progress=lambda done, total: seen.append((done, total)))
    assert hashes.size == size
    assert list(hashes.leaves) == leaf_hashes(path)
    assert seen[-1] == (size, size)


def test_an_empty_file_has_no_leaves(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    hashes = hash_file(tmp_path / "empty")
    assert (hashes.size, hashes.leaves, hashes.sha256) == (0, (), hashlib.sha256(b"").digest())


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(256 * CHUNK_BYTES)
    code = """
import sys
from pathlib import Path
from evidence.verify.hashing import hash_file
hash_file(Path(sys.argv[1]))
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
    command = [sys.executable, "-c", code, str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert int(run.stdout) < 100 * 1024, "kilobytes; the file has 262,144"


def test_a_read_that_fails_says_where_and_why() -> None:
    # A process's memory is a regular file whose first page cannot be read: the disk error that a test can have.
    with pytest.raises(FileUnreadable) as caught:
        hash_file(Path("/proc/self/mem"))
    assert (caught.value.offset, caught.value.missing) == (0, False)
    assert "error" in caught.value.reason.lower()


def test_a_missing_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable) as caught:
        hash_file(tmp_path / "missing")
    assert caught.value.missing


def test_leaves_are_split_and_a_short_one_stays_short() -> None:
    assert split_leaves(b"") == ()
    assert [len(leaf) for leaf in split_leaves(bytes(70))] == [32, 32, 6]
