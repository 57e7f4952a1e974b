"""Digests of an original: the same whatever the pieces, right by the letter of the RFC, exact about differences."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.core.digest import CHUNK_BYTES, ClipHasher, FileEmpty, digest_file, first_difference, leaf_hashes

SMALL_CHUNK_BYTES = 8

SIZES = [
    1,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    2 * CHUNK_BYTES,
    3 * CHUNK_BYTES,
    5 * CHUNK_BYTES + 12345,
]


def tree_hash(chunks: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if len(chunks) == 1:
        return hashlib.sha256(b"\x00" + chunks[0]).digest()
    split = 1
    while split * 2 < len(chunks):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_hash(chunks[:split]) + tree_hash(chunks[split:])).digest()


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
def test_both_digests_of_a_file(tmp_path: Path, size: int) -> None:
    data = content(size)
    chunks = [data[start : start + CHUNK_BYTES] for start in range(0, size, CHUNK_BYTES)]
    path = tmp_path / "clip"
    path.write_bytes(data)
    digest = digest_file(path)
    assert (digest.size, digest.chunk_bytes, digest.chunks) == (size, 1_048_576, len(chunks))
    assert digest.sha256 == hashlib.sha256(data).digest()
    assert digest.root == tree_hash(chunks)
    assert leaf_hashes(path) == [hashlib.sha256(b"\x00" + chunk).digest() for chunk in chunks]


@given(st.lists(st.binary(max_size=40), max_size=12).filter(any))
def test_pieces_of_any_size_make_the_same_digest(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    in_pieces, at_once = ClipHasher(chunk_bytes=SMALL_CHUNK_BYTES), ClipHasher(chunk_bytes=SMALL_CHUNK_BYTES)
    for piece in pieces:
        in_pieces.update(piece)
    at_once.update(memoryview(data))
    chunks = [data[start : start + SMALL_CHUNK_BYTES] for start in range(0, len(data), SMALL_CHUNK_BYTES)]
    assert in_pieces.digest() == at_once.digest()
    assert at_once.digest().root == tree_hash(chunks)
    assert at_once.size == len(data)


def test_a_digest_may_be_taken_on_the_way() -> None:
    hasher = ClipHasher(chunk_bytes=SMALL_CHUNK_BYTES)
    hasher.update(b"first half")
    early = hasher.digest()
    assert hasher.digest() == early, "taking it changes nothing"
    hasher.update(b" and more")
    assert hasher.digest().sha256 == hashlib.sha256(b"first half and more").digest()
    assert hasher.digest().root != early.root


def test_a_reused_buffer_is_not_kept() -> None:
    hasher, buffer = ClipHasher(chunk_bytes=SMALL_CHUNK_BYTES), bytearray(b"12345678")
    hasher.update(buffer)
    buffer[:] = b"????????"
    hasher.update(b"9")
    assert hasher.digest().sha256 == hashlib.sha256(b"123456789").digest()


def test_an_empty_file_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for judge in (digest_file, leaf_hashes):
        with pytest.raises(FileEmpty):
            judge(tmp_path / "empty")
    with pytest.raises(FileEmpty):
        ClipHasher().digest()


def test_a_missing_file_is_the_callers_to_explain(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest_file(tmp_path / "missing")


@pytest.mark.parametrize(
    ("expected", "actual", "index"),
    [("abc", "abc", None), ("", "", None), ("abc", "aXc", 1), ("abc", "ab", 2), ("ab", "abc", 2), ("abc", "", 0)],
)
def test_first_difference(expected: str, actual: str, index: int | None) -> None:
    assert first_difference([bytes([ord(c)]) for c in expected], [bytes([ord(c)]) for c in actual]) == index
