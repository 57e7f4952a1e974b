"""The digests of a file in one read, on several threads, in constant memory.

The caller's thread reads; one helper follows with the leaf hashes of the same buffers, another with the whole-file
SHA-256, and with SM3 where that is asked for; hashlib and reading release the interpreter lock. The whole-file digest
cannot be shared out and sets the pace, so it has a thread to itself. A few buffers go round, so that none waits for the
others at every step. Besides them only the leaf hashes stay: 32 bytes per MiB of file.

The leaf hashes alone, which lead to the root on record and so cover every byte, can be shared out: each thread reads
and hashes pieces of its own.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import local

from evidence.core.digest import CHUNK_BYTES, has_sm3, start_sm3
from ledger.tree import HASH_BYTES, leaf_hash

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes of the whole file."""

_BUFFER_BYTES = 4 * CHUNK_BYTES
_BUFFERS = 4
_THREADS_MAX = 16


class FileUnreadable(Exception):
    """A file cannot be read to its end.

    Attributes:
        offset: First byte that could not be read.
        reason: What the system says.
        missing: Whether there is no such file at all.
    """

    def __init__(self, offset: int, reason: str, *, missing: bool = False) -> None:
        super().__init__(f"byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason
        self.missing = missing


@dataclass(frozen=True, slots=True)
class TreeHashes:
    """What a file's chunks come to.

    Attributes:
        size: Bytes.
        leaves: Leaf hash of every chunk, in order; empty for an empty file.
    """

    size: int
    leaves: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FileHashes(TreeHashes):
    """What a file's bytes come to, in chunks and as a whole.

    Attributes:
        sha256: 32 bytes, of the whole file.
        sm3: 32 bytes, of the whole file; None when it was not asked for, or cannot be computed here.
    """

    sha256: bytes
    sm3: bytes | None = None


def hash_file(path: Path, *, sm3: bool = False, progress: Progress | None = None) -> FileHashes:
    """Read a regular file once.

    Args:
        path: Where it is.
        sm3: Whether SM3 is wanted as well, where it can be computed.
        progress: See `Progress`.

    Raises:
        FileUnreadable: It is missing, no regular file, or a read failed on the way.
    """
    with _opened(path) as (handle, size):
        return _hash(handle, total=size, sm3=sm3, progress=progress)


def hash_chunks(path: Path, *, threads: int | None = None, progress: Progress | None = None) -> TreeHashes:
    """Read a regular file once for its clip tree alone, with all processors.

    Args:
        path: Where it is.
        threads: How many read and hash; None for one per processor.
        progress: See `Progress`; called by the caller's thread.

    Raises:
        FileUnreadable: It is missing, no regular file, or a read failed on the way: the first place of those.
    """
    with _opened(path) as (handle, size):
        return _hash_chunks(handle, size, threads=threads or min(os.cpu_count() or 1, _THREADS_MAX), progress=progress)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, int]]:
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise FileUnreadable(0, error.strerror or str(error), missing=missing) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise FileUnreadable(0, "not a regular file")
        yield handle, status.st_size
    finally:
        os.close(handle)


def split_leaves(raw: bytes) -> tuple[bytes, ...]:
    """Take a list of leaf hashes apart: 32 bytes each, nothing between them; a last short one stays short."""
    return tuple(raw[start : start + HASH_BYTES] for start in range(0, len(raw), HASH_BYTES))


def _hash(handle: int, *, total: int, sm3: bool, progress: Progress | None) -> FileHashes:
    whole, leaves, size = hashlib.sha256(), bytearray(), 0
    third = start_sm3() if sm3 and has_sm3() else None

    def take(data: memoryview) -> None:
        whole.update(data)
        if third is not None:
            third.update(data)

    def take_leaves(data: memoryview) -> None:
        for start in range(0, len(data), CHUNK_BYTES):
            leaves.extend(leaf_hash(data[start : start + CHUNK_BYTES]))

    buffers = cycle([memoryview(bytearray(_BUFFER_BYTES)) for _ in range(_BUFFERS)])
    behind: deque[tuple[Future[None], Future[None]]] = deque()
    with _lane("sha256") as for_whole, _lane("leaves") as for_leaves:
        while filled := _fill(handle, buffer := next(buffers), offset=size):
            data = buffer[:filled]
            behind.append((for_whole.submit(take, data), for_leaves.submit(take_leaves, data)))
            if len(behind) == _BUFFERS:
                # The next buffer is the one that the helpers got first; they must be done with it.
                _wait_for(behind.popleft())
            size += filled
            if progress:
                progress(size, max(size, total))
        for pair in behind:
            _wait_for(pair)
    return FileHashes(
        size=size,
        sha256=whole.digest(),
        leaves=split_leaves(bytes(leaves)),
        sm3=None if third is None else third.digest(),
    )


def _hash_chunks(handle: int, size: int, *, threads: int, progress: Progress | None) -> TreeHashes:
    mine = local()

    def take(start: int) -> tuple[int, list[bytes]]:
        if not hasattr(mine, "buffer"):
            mine.buffer = memoryview(bytearray(_BUFFER_BYTES))
        filled = _fill(handle, mine.buffer, offset=start)
        pieces = (mine.buffer[at : min(at + CHUNK_BYTES, filled)] for at in range(0, filled, CHUNK_BYTES))
        return filled, [leaf_hash(piece) for piece in pieces]

    # One piece more than the file had: it may have grown since it was measured.
    starts = range(0, size + 1, _BUFFER_BYTES)
    done, leaves = 0, list[bytes]()
    with ThreadPoolExecutor(threads, thread_name_prefix="leaves") as pool:
        for filled, hashed in pool.map(take, starts):
            if filled and done % _BUFFER_BYTES:
                raise FileUnreadable(done, "it changes while it is read")
            done += filled
            leaves += hashed
            if progress:
                progress(done, max(done, size))
    return TreeHashes(size=done, leaves=tuple(leaves))


def _lane(name: str) -> ThreadPoolExecutor:
    # One worker: what is handed in is done in order.
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)


def _wait_for(pair: tuple[Future[None], Future[None]]) -> None:
    for side in pair:
        side.result()


def _fill(handle: int, view: memoryview, *, offset: int) -> int:
    """Read until the buffer is full or the file ends, so that chunks stay aligned; return the bytes read."""
    filled = 0
    while filled < len(view):
        try:
            count = os.preadv(handle, [view[filled:]], offset + filled)
        except OSError as error:
            raise FileUnreadable(offset + filled, error.strerror or str(error)) from error
        if count == 0:
            break
        filled += count
    return filled
