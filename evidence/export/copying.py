"""Copying chunks of a stored original, each held against its leaf hash on the way: one copy, no pass of its own.

Several helpers take a step of a few chunks each: read it into a buffer, check its leaves, take whatever digest the
caller wants of each while it is in the processor's cache, and write the buffer past the page cache (`straight`). What
was checked is what is written. hashlib, zlib, reading and writing let go of the interpreter lock, so some helpers hash
while others wait for the disk. The whole-file SHA-256 is not computed again: the leaves lead to the sealed root, and
root and SHA-256 were sealed together. Why so: ADR 36, 46 and 55.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from evidence.core.digest import CHUNK_BYTES
from evidence.errors import EvidenceDamaged, LeaseLost
from evidence.export.members import Stored
from evidence.export.straight import Straight, writing_straight
from ledger.tree import HASH_BYTES, leaf_hash

STEP_CHUNKS: Final = 4
"""Most chunks that one helper has in its buffer."""

_HELPERS: Final = 6
"""Measured on two processors: with fewer, the disk waits for digests; more are no faster."""

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
        target: The file that they are copied into, open for writing; what it holds is worth something only after this
            returns. Behind the last byte up to the next whole block (`straight.BLOCK_BYTES`) it holds anything.
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
    behind: deque[tuple[Future[int], _Step]] = deque()

    def settle() -> None:
        done, step = behind.popleft()
        passed(step.chunks_by_then, step.bytes_by_then, done.result(), step.length)

    try:
        steps = list(_steps(stored, place, skip_chunks))
        with writing_straight(target, place, stored.length) as out, ThreadPoolExecutor(_HELPERS) as helpers:
            # Anonymous maps begin on a page, as the disk wants them; nothing is there before it is touched.
            buffers = cycle([memoryview(mmap.mmap(-1, STEP_CHUNKS * CHUNK_BYTES)) for _ in range(_HELPERS)])
            for step in steps:
                if stop.is_set():
                    raise LeaseLost("the export was given up")
                behind.append((helpers.submit(_copy, handle, out, next(buffers), stored, step, also), step))
                # The next buffer is the one that was handed out longest ago: its helper must be done with it.
                while len(behind) >= _HELPERS:
                    settle()
            while behind:
                settle()
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class _Step:
    """Chunks that one helper copies, and how far everything is after it.

    Attributes:
        first: Number of the first chunk in the original.
        length: Bytes of all of them.
        place: Where they belong in the target, in bytes.
        chunks_by_then: Wanted chunks up to here.
        bytes_by_then: Their bytes.
    """

    first: int
    length: int
    place: int
    chunks_by_then: int
    bytes_by_then: int


def _steps(stored: Stored, place: int, skip_chunks: int) -> Iterator[_Step]:
    chunks = done = 0
    for first, stop in stored.runs:
        at = first
        while at < stop:
            # What was copied before ends a step, so that one is either there or to be made.
            until = min(at + (skip_chunks - chunks if chunks < skip_chunks else STEP_CHUNKS), stop)
            length = min(until * CHUNK_BYTES, stored.size) - at * CHUNK_BYTES
            chunks, done = chunks + until - at, done + length
            if chunks > skip_chunks:
                yield _Step(at, length, place + done - length, chunks, done)
            at = until


def _copy(handle: int, out: Straight, buffer: memoryview, stored: Stored, step: _Step, also: Digest) -> int:
    view = buffer[: step.length]
    _read_original(handle, view, step.first * CHUNK_BYTES)
    digest = _check(view, stored.leaves, step.first, also)
    out.write(buffer, step.length, step.place)
    return digest


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
    filled = 0
    try:
        while filled < len(view):
            count = os.preadv(handle, [view[filled:]], position + filled)
            if count == 0:
                raise EvidenceDamaged(f"the stored original ends at byte {position + filled}")
            filled += count
    except OSError as error:
        raise EvidenceDamaged(f"the stored original cannot be read: {error.strerror}") from error
