"""Copying chunks of a stored original, each held against its leaf hash on the way: one read, one write, no third pass.

The reader's thread reads into a few buffers that go round and writes them out; two helpers check the leaves of the same
buffers, a third follows with whatever digest the caller wants of them in order. hashlib, zlib, reading and writing let
go of the interpreter lock. The whole-file SHA-256 is not computed again: the leaves lead to the sealed root, and root
and SHA-256 were sealed together. Where the file system can share blocks (reflink), the bytes are not copied at all but
read once from the copy.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Final

from evidence.core.digest import CHUNK_BYTES
from evidence.errors import EvidenceDamaged, LeaseLost
from evidence.export.members import Stored
from ledger.tree import HASH_BYTES, leaf_hash

_BUFFER_CHUNKS: Final = 4
_BUFFERS: Final = 4
_CHECKERS: Final = 2
_FICLONE: Final = 0x40049409
"""`ioctl` of Linux that makes one file share the blocks of another (linux/fs.h)."""

Take = Callable[[memoryview], None]
Follow = Callable[[memoryview], int]
Passed = Callable[[int, int, int], None]


def copy_proved(
    path: Path,
    stored: Stored,
    write: Take,
    *,
    stop: threading.Event,
    follow: Follow | None = None,
    skip_chunks: int = 0,
    passed: Passed = lambda _chunks, _bytes, _followed: None,
) -> None:
    """Copy chunks of an original.

    Args:
        path: Where it lies.
        stored: Which chunks, and what they have to be.
        write: Takes the bytes in order, in this thread. Bytes may be taken before they are checked; what was taken is
            worth something only after this returns.
        stop: Set it to give up.
        follow: Takes the bytes in order, too, in a thread of its own, and tells what they come to so far.
        skip_chunks: So many of the wanted chunks were taken before.
        passed: Told how many chunks and bytes are taken and checked, the skipped ones included, and what `follow` said
            of just these (0 without one); from this thread.

    Raises:
        EvidenceDamaged: It cannot be read, or is not what was sealed.
        LeaseLost: `stop` was set.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise EvidenceDamaged(f"the stored original cannot be read: {error.strerror}") from error
    behind: deque[tuple[Future[None], Future[int] | None, int, int]] = deque()
    done_chunks = done_bytes = 0

    def settle() -> None:
        nonlocal done_chunks, done_bytes
        checked, followed, chunks, count = behind.popleft()
        checked.result()
        done_chunks, done_bytes = done_chunks + chunks, done_bytes + count
        passed(done_chunks, done_bytes, 0 if followed is None else followed.result())

    try:
        with ThreadPoolExecutor(_CHECKERS) as checkers, ThreadPoolExecutor(1) as follower:
            buffers = cycle([memoryview(bytearray(_BUFFER_CHUNKS * CHUNK_BYTES)) for _ in range(_BUFFERS)])
            for first, chunks in _steps(stored):
                length = min((first + chunks) * CHUNK_BYTES, stored.size) - first * CHUNK_BYTES
                if skip_chunks >= chunks:
                    skip_chunks, done_chunks, done_bytes = (
                        skip_chunks - chunks,
                        done_chunks + chunks,
                        done_bytes + length,
                    )
                    continue
                if stop.is_set():
                    raise LeaseLost("the export was given up")
                view = next(buffers)[:length]
                _fill(handle, view, first * CHUNK_BYTES)
                checked = checkers.submit(_check, view, stored.leaves, first)
                behind.append((checked, None if follow is None else follower.submit(follow, view), chunks, length))
                write(view)
                # The next buffer is the one that was handed out longest ago: the helpers must be done with it.
                while len(behind) >= _BUFFERS:
                    settle()
            while behind:
                settle()
    finally:
        os.close(handle)


def share_blocks(source: Path, target: int) -> bool:
    """Make an empty file share the blocks of another one; False where the file systems cannot."""
    try:
        with source.open("rb") as file:
            fcntl.ioctl(target, _FICLONE, file.fileno())
    except OSError:
        return False
    return True


def _steps(stored: Stored) -> list[tuple[int, int]]:
    """Cut the runs into what one buffer holds: (first chunk, chunks)."""
    return [
        (at, min(_BUFFER_CHUNKS, stop - at)) for first, stop in stored.runs for at in range(first, stop, _BUFFER_CHUNKS)
    ]


def _check(view: memoryview, leaves: bytes, first: int) -> None:
    for number, start in enumerate(range(0, len(view), CHUNK_BYTES), first):
        stated = leaves[number * HASH_BYTES : (number + 1) * HASH_BYTES]
        if leaf_hash(view[start : start + CHUNK_BYTES]) != stated:
            raise EvidenceDamaged(
                f"the stored original is not what was sealed: chunk {number} differs",
                first_byte=number * CHUNK_BYTES,
                chunk=number,
            )


def _fill(handle: int, view: memoryview, position: int) -> None:
    try:
        filled = 0
        while filled < len(view):
            count = os.preadv(handle, [view[filled:]], position + filled)
            if count == 0:
                raise EvidenceDamaged(f"the stored original ends at byte {position + filled}")
            filled += count
    except OSError as error:
        raise EvidenceDamaged(f"the stored original cannot be read: {error.strerror}") from error
