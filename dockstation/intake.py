"""Intake: the one sequential read of a file, feeding the digests and the upload with the same bytes.

A `FileReader` hands out the file piece by piece, none longer than a chunk (1 MiB, the leaves of the clip tree). What is
read for the first time is hashed; what is read again, because the link broke after it had been read, is compared with
the leaf hash of its chunk before it is handed out. So every byte that leaves for the service is the byte that was
hashed, however often the link breaks, and a healthy run reads the medium exactly once.

After a restart of the program the digest state is gone: the chunks before the service's offset are read and hashed
again, and their leaf hashes must add up to the prefix digest that the journal kept. If they do not, the card holds
something else than what was sent, and the upload is given up.

Limits: one chunk in memory at a time. All methods block.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from dockstation.card import SeenFile, check_same
from dockstation.errors import DockError, FileChanged, FileUnreadable
from evidence.core.digest import CHUNK_BYTES, ClipDigest, ClipHasher
from ledger.tree import leaf_hash

Pread = Callable[[int, int, int], bytes]
"""`os.pread`: handle, count in bytes, offset in bytes."""


class Medium(Protocol):
    """Where a file lies: a recorder's card, or the station's spool."""

    def check(self) -> None:
        """Make sure that it is still the one that was opened."""

    def open_file(self, file: SeenFile) -> int:
        """Open a file that was seen and return its handle."""

    def explain(self, error: OSError, file: SeenFile) -> DockError:
        """Return the coded error for a failed system call."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the journal remembers of the part that was sent or copied.

    Attributes:
        chunks: Whole chunks that it covers.
        digest: SHA-256 over their leaf hashes.
    """

    chunks: int
    digest: bytes


class FileReader:
    """Reads one file of a medium; use as a context manager.

    Raises:
        DockError: The file cannot be opened as the one that was seen; see `Card.open_file`.
    """

    def __init__(self, medium: Medium, file: SeenFile, *, pread: Pread = os.pread) -> None:
        self.file = file
        self._medium = medium
        self._pread = pread
        self._hasher = ClipHasher()
        self._handle = medium.open_file(file)
        # A hint for slow media: read ahead generously.
        os.posix_fadvise(self._handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def hashed_bytes(self) -> int:
        """Return how many bytes from the start are hashed."""
        return self._hasher.size

    def chunk(self, index: int) -> bytes:
        """Return a chunk, hashing it and all chunks before it that are not hashed yet.

        Raises:
            FileChanged: The file was cut, or a chunk differs from its first reading.
            FileUnreadable: The bytes do not come.
            CardLost: The card was pulled.
        """
        begin = index * CHUNK_BYTES
        end = min(begin + CHUNK_BYTES, self.file.size)
        data = self.piece(begin, CHUNK_BYTES)
        return data if begin + len(data) == end else data + self.piece(begin + len(data), end - begin - len(data))

    def piece(self, offset: int, count: int) -> bytes:
        """Return some bytes from an offset on, of one chunk: `count` bytes, or fewer where the chunk ends or was hashed
        up to a place before; hash what is read for the first time, and everything before it.

        What was hashed before is read again from the beginning of its chunk and compared, and may be longer than asked.

        Raises:
            FileChanged, FileUnreadable, CardLost: See `chunk`.
        """
        self._advance(offset)
        index = offset // CHUNK_BYTES
        end = min((index + 1) * CHUNK_BYTES, self.file.size)
        if offset == self.hashed_bytes:
            data = self._read(offset, min(count, end - offset))
            self._hasher.update(data)
            return data
        begin = index * CHUNK_BYTES
        data = self._read(begin, min(end, self.hashed_bytes) - begin)
        if leaf_hash(data) != self.leaf(index):
            raise FileChanged(f"{self.file.path} reads differently the second time, at byte {begin}")
        return data[offset - begin :]

    def prefix(self) -> Prefix:
        """Return what is to be remembered about the whole chunks that are hashed."""
        return Prefix(len(self._hasher.leaves), hashlib.sha256(b"".join(self._hasher.leaves)).digest())

    def catch_up(self, remembered: Prefix) -> None:
        """Hash the chunks of a remembered prefix and make sure that they are the same.

        Raises:
            FileChanged: They differ: the card no longer holds what was sent.
            FileUnreadable, CardLost: See `chunk`.
        """
        if remembered.chunks * CHUNK_BYTES > self.file.size:
            raise FileChanged(f"{self.file.path} is shorter than what was sent of it")
        self._advance(remembered.chunks * CHUNK_BYTES)
        leaves = self._hasher.leaves[: remembered.chunks]
        if hashlib.sha256(b"".join(leaves)).digest() != remembered.digest:
            raise FileChanged(f"{self.file.path} no longer begins with the bytes that were sent")

    def finish(self) -> ClipDigest:
        """Return the digests of the whole file after a last look at its identity.

        A file that was deleted meanwhile on a file system that keeps open files whole is still whole, and welcome.

        Raises:
            FileChanged: It grew, shrank or was written while it was read.
            CardLost: The path shows another card now.
            FileEmpty: It has no bytes.
        """
        self._advance(self.file.size)
        check_same(self._handle, self.file)
        self._medium.check()
        return self._hasher.digest()

    def leaf(self, index: int) -> bytes | None:
        """Return the leaf hash of a chunk, of so much of it as is hashed; None when nothing is."""
        if index < len(self._hasher.leaves):
            return self._hasher.leaves[index]
        leaves = self._hasher.all_leaves() if self._hasher.size else []
        return leaves[index] if index < len(leaves) else None

    def _advance(self, offset: int) -> None:
        while self.hashed_bytes < offset:
            at = self.hashed_bytes
            step = min(offset, (at // CHUNK_BYTES + 1) * CHUNK_BYTES) - at
            self._hasher.update(self._read(at, step))

    def _read(self, offset: int, wanted: int) -> bytes:
        parts: list[bytes] = []
        while wanted > 0:
            try:
                data = self._pread(self._handle, wanted, offset)
            except OSError as error:
                raise self._medium.explain(error, self.file) from error
            if not data:
                self._explain_short(offset)
            parts.append(data)
            offset += len(data)
            wanted -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _explain_short(self, offset: int) -> None:
        self._medium.check()
        check_same(self._handle, self.file)
        raise FileUnreadable(f"{self.file.path} ends at byte {offset} although it has {self.file.size}")
