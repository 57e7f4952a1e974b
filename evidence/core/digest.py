"""Digests of an original: SHA-256 of the whole file, and the clip tree over its chunks, in one pass.

The clip tree is an RFC 6962 Merkle tree whose leaves are the file's bytes in chunks of 1 MiB (the last may be shorter).
The whole-file digest answers "is it the same file"; the tree answers "where does it differ" and lets an excerpt be
proved without the rest. An empty file has no chunks and no tree; intake refuses it.

Where a house says so, SM3 of the whole file (GB/T 32905-2016) is computed too, for those who have to rest on it. It
comes from the OpenSSL that Python was built with, and some builds lack it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evidence.errors import EvidenceError
from ledger.errors import Blame
from ledger.tree import root_of

CHUNK_BYTES = 1_048_576
"""Chunk size of the clip tree in bytes; stated in every payload that names a root."""

_READ_BYTES = CHUNK_BYTES


class FileEmpty(EvidenceError):
    """A file without a byte has no clip tree and cannot be evidence."""

    code = "file.empty"


class Sm3Unavailable(EvidenceError):
    """SM3 is asked for, and the OpenSSL of this Python does not have it. Use another build, or do without SM3."""

    code = "digest.sm3_unavailable"
    blame = Blame.WAY


@dataclass(frozen=True, slots=True)
class ClipDigest:
    """Both digests of an original, and the third one where it is known.

    Attributes:
        size: Bytes of the file, at least 1.
        chunk_bytes: Chunk size of the tree in bytes.
        chunks: Number of leaves.
        root: 32 bytes, RFC 6962 root over the chunks.
        sha256: 32 bytes, SHA-256 of the whole file.
        sm3: 32 bytes, SM3 of the whole file; None where nobody computed it. Two digests are the same whether or not
            both state it: docks do not. Whoever has it compares it by itself.
    """

    size: int
    chunk_bytes: int
    chunks: int
    root: bytes
    sha256: bytes
    sm3: bytes | None = field(default=None, compare=False)


class ClipHasher:
    """Computes a `ClipDigest` from bytes as they come, in pieces of any size; not safe for two threads at once."""

    def __init__(self, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.size = 0
        self.leaves: list[bytes] = []
        self._chunk_bytes = chunk_bytes
        self._whole = hashlib.sha256()
        self._chunk = _new_leaf()
        self._chunk_filled = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the file."""
        view = memoryview(data)
        self._whole.update(view)
        self.size += len(view)
        while view:
            part = view[: self._chunk_bytes - self._chunk_filled]
            self._chunk.update(part)
            self._chunk_filled += len(part)
            view = view[len(part) :]
            if self._chunk_filled == self._chunk_bytes:
                self.leaves.append(self._chunk.digest())
                self._chunk = _new_leaf()
                self._chunk_filled = 0

    def digest(self) -> ClipDigest:
        """Return the digests of everything taken so far; more may follow.

        Raises:
            FileEmpty: Nothing was taken.
        """
        leaves = self.all_leaves()
        return ClipDigest(
            size=self.size,
            chunk_bytes=self._chunk_bytes,
            chunks=len(leaves),
            root=root_of(leaves),
            sha256=self._whole.digest(),
        )

    def all_leaves(self) -> list[bytes]:
        """Return the leaf hash of every chunk, the short last one included.

        Raises:
            FileEmpty: Nothing was taken.
        """
        if self.size == 0:
            raise FileEmpty("the file is empty")
        return [*self.leaves, self._chunk.digest()] if self._chunk_filled else list(self.leaves)


def digest_file(path: Path) -> ClipDigest:
    """Read a file once and return both digests.

    Raises:
        FileEmpty: The file has no bytes.
        OSError: It cannot be read.
    """
    return _hash_file(path).digest()


def leaf_hashes(path: Path) -> list[bytes]:
    """Read a file once and return the leaf hash of every 1 MiB chunk, in order.

    Raises:
        FileEmpty: The file has no bytes.
        OSError: It cannot be read.
    """
    return _hash_file(path).all_leaves()


def start_sm3() -> hashlib._Hash:
    """Return a fresh SM3.

    Raises:
        Sm3Unavailable: This Python has none.
    """
    try:
        return hashlib.new("sm3")
    except ValueError as error:
        raise Sm3Unavailable("the OpenSSL of this Python has no SM3") from error


def has_sm3() -> bool:
    """Tell whether SM3 can be computed here."""
    try:
        start_sm3()
    except Sm3Unavailable:
        return False
    return True


def first_difference(expected: Sequence[bytes], actual: Sequence[bytes]) -> int | None:
    """Return the index of the first chunk in which two lists of leaf hashes differ, or None when they are the same."""
    for index, (left, right) in enumerate(zip(expected, actual, strict=False)):
        if left != right:
            return index
    return None if len(expected) == len(actual) else min(len(expected), len(actual))


def _hash_file(path: Path) -> ClipHasher:
    hasher = ClipHasher()
    buffer = bytearray(_READ_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hasher.update(view[:count])
    return hasher


def _new_leaf() -> hashlib._Hash:
    # The prefix makes a leaf (RFC 6962, section 2.1): the streaming twin of `ledger.tree.leaf_hash`.
    return hashlib.sha256(b"\x00")
