"""Copying chunks of a stored original, each held against its leaf hash on the way: one copy, no pass of its own.

The system copies (`copy_file_range`), so no byte goes through this process on its way; what came out is read from the
copy into a few buffers that go round, while it is still in memory, and that is what is checked. Where the system does
not, this thread reads and writes. Two helpers check the leaves of the buffers, and take whatever digest the caller
wants of each while it is in the processor's cache. hashlib, zlib, copying, reading and writing let go of the
interpreter lock. The whole-file SHA-256 is not computed again: the leaves lead to the sealed root, and root and SHA-256
were sealed together. Where the file system can share blocks, `copy_file_range` does. Why so: ADR 36 and 46.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from evidence.core.digest import CHUNK_BYTES
from evidence.errors import EvidenceDamaged, LeaseLost
from evidence.export.members import Stored
from ledger.tree import HASH_BYTES, leaf_hash

_BUFFER_CHUNKS: Final = 1
_BUFFERS: Final = 6
_CHECKERS: Final = 2
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

Digest = Callable[[memoryview], int]
Passed = Callable[[int, int, int, int], None]


def copy_proved(
    path: Path,
    stored: Stored,
    target: int,
    *,
    place: int = 0,
    stop: threading.Event,
    also: Digest = lambda _view: 0,
    skip_chunks: int = 0,
    passed: Passed = lambda _chunks, _bytes, _digest, _length: None,
) -> None:
    """Copy chunks of an original.

    Args:
        path: Where it lies.
        stored: Which chunks, and what they have to be.
        target: The file that they are copied into, open for reading and writing; what it holds is worth something
            only after this returns.
        place: Where in it the first wanted chunk belongs, in bytes; skipped ones are passed over.
        stop: Set it to give up.
        also: Taken of the bytes of each step besides, in another thread and in any order.
        skip_chunks: So many of the wanted chunks were copied before.
        passed: Told, step by step in order and from this thread, how many chunks and bytes are copied and checked, the
            skipped ones included, and of the bytes of this step what `also` came to and how many they are.

    Raises:
        EvidenceDamaged: It cannot be read, or is not what was sealed.
        LeaseLost: `stop` was set.
        OSError: The target cannot be written.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise EvidenceDamaged(f"the stored original cannot be read: {error.strerror}") from error
    mover = _Mover(handle, target)
    behind: deque[tuple[Future[int], int, int]] = deque()
    done_chunks = done_bytes = 0

    def settle() -> None:
        nonlocal done_chunks, done_bytes
        checked, chunks, count = behind.popleft()
        digest = checked.result()
        done_chunks, done_bytes = done_chunks + chunks, done_bytes + count
        passed(done_chunks, done_bytes, digest, count)

    try:
        with ThreadPoolExecutor(_CHECKERS) as checkers:
            buffers = cycle([memoryview(bytearray(_BUFFER_CHUNKS * CHUNK_BYTES)) for _ in range(_BUFFERS)])
            for first, chunks in _steps(stored):
                length = min((first + chunks) * CHUNK_BYTES, stored.size) - first * CHUNK_BYTES
                at, place = place, place + length
                if skip_chunks >= chunks:
                    skip_chunks -= chunks
                    done_chunks, done_bytes = done_chunks + chunks, done_bytes + length
                    continue
                if stop.is_set():
                    raise LeaseLost("the export was given up")
                view = next(buffers)[:length]
                mover.move(view, first * CHUNK_BYTES, at)
                behind.append((checkers.submit(_check, view, stored.leaves, first, also), chunks, length))
                # The next buffer is the one that was handed out longest ago: the helpers must be done with it.
                while len(behind) >= _BUFFERS:
                    settle()
            while behind:
                settle()
    finally:
        os.close(handle)


@dataclass
class _Mover:
    """Copies between two open files, by the system as long as it can.

    Attributes:
        source: The original.
        target: The copy.
        by_system: Whether the system has not refused so far.
    """

    source: int
    target: int
    by_system: bool = True

    def move(self, view: memoryview, position: int, place: int) -> None:
        """Copy as many bytes as the buffer holds, and leave in it what came out."""
        if self.by_system and self._by_system(len(view), position, place):
            if _fill(self.target, view, place) < len(view):
                raise OSError(errno.EIO, "the copy became shorter while it was written")
            return
        _read_original(self.source, view, position)
        while view:
            count = os.pwrite(self.target, view, place)
            view, place = view[count:], place + count

    def _by_system(self, length: int, position: int, place: int) -> bool:
        try:
            while length:
                count = os.copy_file_range(self.source, self.target, length, position, place)
                if count == 0:
                    return False  # the original ends here, and reading it says so
                length, position, place = length - count, position + count, place + count
        except OSError as error:
            if error.errno in _FULL:
                raise
            # Other file systems, an old kernel, or a fault that reading or writing will name.
            self.by_system = False
        return self.by_system


def _steps(stored: Stored) -> list[tuple[int, int]]:
    """Cut the runs into what one buffer holds: (first chunk, chunks)."""
    return [
        (at, min(_BUFFER_CHUNKS, stop - at)) for first, stop in stored.runs for at in range(first, stop, _BUFFER_CHUNKS)
    ]


def _check(view: memoryview, leaves: bytes, first: int, also: Digest) -> int:
    for number, start in enumerate(range(0, len(view), CHUNK_BYTES), first):
        stated = leaves[number * HASH_BYTES : (number + 1) * HASH_BYTES]
        if leaf_hash(view[start : start + CHUNK_BYTES]) != stated:
            raise EvidenceDamaged(
                f"the stored original is not what was sealed: chunk {number} differs",
                first_byte=number * CHUNK_BYTES,
                chunk=number,
            )
    return also(view)


def _read_original(handle: int, view: memoryview, position: int) -> None:
    try:
        read = _fill(handle, view, position)
    except OSError as error:
        raise EvidenceDamaged(f"the stored original cannot be read: {error.strerror}") from error
    if read < len(view):
        raise EvidenceDamaged(f"the stored original ends at byte {position + read}")


def _fill(handle: int, view: memoryview, position: int) -> int:
    """Read until the buffer is full or the file ends; return the bytes read."""
    filled = 0
    while filled < len(view):
        count = os.preadv(handle, [view[filled:]], position + filled)
        if count == 0:
            break
        filled += count
    return filled
