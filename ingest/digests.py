"""Both digests of an upload while it grows: in memory from append to append, and found again after a restart.

The clip tree needs the leaves of full chunks, which lie beside the spool, and the running hash of the unfinished chunk,
which is made again by reading at most one chunk. The state of the whole-file SHA-256 cannot be saved: after a restart
the file is read again from its beginning, in a thread of its own, while new bytes already arrive. That reading also
compares every full chunk with its kept leaf, so bytes that changed on disk since they were acknowledged are found.

A `RunningDigest` is only kept for bytes that were acknowledged. When an append ends otherwise it is forgotten, because
the next writer may send other bytes for the same place.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from uuid import UUID

from evidence.core.digest import CHUNK_BYTES, ClipDigest, start_sm3
from ingest.offload import on_disk_in
from ingest.spool import Spool, start_chunk_hash
from ledger.tree import root_of

KEPT_MAX = 4096
"""Running digests kept in memory, about 1 KiB each; the longest unused is forgotten first and can be found again."""

_SLICE_BYTES = 64 * CHUNK_BYTES
"""Bytes read again before a reader looks whether it is still wanted."""


class RunningDigest:
    """Hash states after the first bytes of a file.

    The halves may be fed from threads of their own, one thread each: clip tree, whole-file digest, and SM3 behind it.

    Args:
        sm3: Whether SM3 of the whole file is computed as well.

    Attributes:
        offset: Bytes the clip tree has taken.
        whole_offset: Bytes the whole-file digest has taken; less than `offset` after a restart.
    """

    def __init__(self, *, sm3: bool = False) -> None:
        self.offset = 0
        self.whole_offset = 0
        self._chunk = start_chunk_hash()
        self._whole = hashlib.sha256()
        self._sm3 = start_sm3() if sm3 else None

    @property
    def lags(self) -> bool:
        """Whether the whole-file digest has to be brought up by reading again."""
        return self.whole_offset != self.offset

    def take_chunk(self, data: memoryview) -> Iterator[tuple[int, bytes]]:
        """Take the next bytes into the clip tree and yield index and leaf of every chunk they fill."""
        while data:
            part = data[: CHUNK_BYTES - self.offset % CHUNK_BYTES]
            self._chunk.update(part)
            self.offset += len(part)
            data = data[len(part) :]
            if self.offset % CHUNK_BYTES == 0:
                yield self.offset // CHUNK_BYTES - 1, self._chunk.digest()
                self._chunk = start_chunk_hash()

    def take_whole(self, data: memoryview) -> None:
        """Take the next bytes into the whole-file digest; `take_sm3` needs the same ones."""
        self._whole.update(data)
        self.whole_offset += len(data)

    @property
    def takes_sm3(self) -> bool:
        """Whether SM3 is computed as well."""
        return self._sm3 is not None

    def take_sm3(self, data: memoryview) -> None:
        """Take the next bytes into SM3, if it is computed."""
        if self._sm3 is not None:
            self._sm3.update(data)

    def jump(self, offset: int, chunk: hashlib._Hash) -> None:
        """Continue the clip tree at a later offset; the whole-file digest stays where it is and lags."""
        self.offset, self._chunk = offset, chunk

    def whole(self) -> bytes:
        """Return the SHA-256 of the first `whole_offset` bytes."""
        return self._whole.digest()

    def sm3(self) -> bytes | None:
        """Return the SM3 of the same bytes; None when it is not computed."""
        return None if self._sm3 is None else self._sm3.digest()


class Digests:
    """The running digests of this process.

    Args:
        spool: Where the bytes lie.
        readers: Threads for reading again; few, so that a restart with many uploads does not starve running requests.
        sm3: Whether SM3 of the whole file is computed as well.
    """

    def __init__(self, spool: Spool, *, readers: Executor, sm3: bool = False) -> None:
        self._spool = spool
        self._sm3 = sm3
        self._readers = readers
        self._known: OrderedDict[UUID, RunningDigest] = OrderedDict()
        self._followers: dict[UUID, _Follower] = {}

    async def at(self, upload: UUID, offset: int) -> RunningDigest:
        """Return the digest of an upload's first `offset` bytes, all of them acknowledged, ready to be continued.

        Raises:
            SpoolLost: Bytes of the unfinished chunk are missing.
        """
        known = self._known.get(upload)
        if known is None or known.offset > offset:
            self.forget(upload)
            known = RunningDigest(sm3=self._sm3)
        if known.offset < offset:
            start = offset // CHUNK_BYTES * CHUNK_BYTES
            tail = await on_disk_in(self._readers, partial(self._spool.read, upload, start=start, end=offset))
            known.jump(offset, start_chunk_hash(tail))
        self.keep(upload, known)
        return known

    def keep(self, upload: UUID, digest: RunningDigest) -> None:
        """Remember a digest of acknowledged bytes."""
        self._known[upload] = digest
        self._known.move_to_end(upload)
        while len(self._known) > KEPT_MAX:
            self.forget(next(iter(self._known)))

    def forget(self, upload: UUID) -> None:
        """Drop what is known about an upload."""
        self._known.pop(upload, None)
        if follower := self._followers.pop(upload, None):
            follower.task.cancel()

    def follow(self, upload: UUID, acknowledged: int) -> None:
        """Bring a lagging whole-file digest up to an acknowledged offset in the background."""
        digest = self._known.get(upload)
        if digest is None or digest.whole_offset >= acknowledged:
            return
        follower = self._followers.get(upload)
        if follower is None or follower.task.done():
            follower = self._followers[upload] = _Follower(digest, acknowledged)
            follower.task = asyncio.create_task(self._read_on(upload, follower), name=f"read-again:{upload}")
            # Whoever finishes the upload meets the failure again; until then nobody waits for this task.
            follower.task.add_done_callback(_notice)
        follower.target = max(follower.target, acknowledged)

    async def prepare(self, upload: UUID, offset: int) -> None:
        """Begin to bring an upload's digests up to its acknowledged offset, so that they are ready when asked for."""
        await self.at(upload, offset)
        self.follow(upload, offset)

    async def finish(self, upload: UUID, size: int) -> tuple[ClipDigest, list[bytes]]:
        """Return the digests and all leaves of a complete upload of `size` bytes.

        Raises:
            SpoolDamaged: Bytes on disk are not those that were acknowledged.
            SpoolLost: Bytes are missing.
        """
        digest = await self.at(upload, size)
        while digest.whole_offset < size:
            self.follow(upload, size)
            await asyncio.shield(self._followers[upload].task)
        leaves, root = await on_disk_in(self._readers, partial(self._leaves_and_root, upload, size))
        found = ClipDigest(
            size=size,
            chunk_bytes=CHUNK_BYTES,
            chunks=len(leaves),
            root=root,
            sha256=digest.whole(),
            sm3=digest.sm3(),
        )
        return found, leaves

    def _leaves_and_root(self, upload: UUID, size: int) -> tuple[list[bytes], bytes]:
        leaves = self._spool.all_leaves(upload, size)
        return leaves, root_of(leaves)

    async def close(self) -> None:
        """Stop all reading."""
        tasks = [follower.task for follower in self._followers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._followers.clear()

    async def _read_on(self, upload: UUID, follower: _Follower) -> None:
        digest = follower.digest
        while (start := digest.whole_offset) < follower.target:
            end = min(start + _SLICE_BYTES, follower.target)
            await on_disk_in(self._readers, partial(self._read_slice, upload, digest, end))

    def _read_slice(self, upload: UUID, digest: RunningDigest, end: int) -> None:
        for chunk in self._spool.read_checked(upload, start=digest.whole_offset, end=end):
            # The offset that tells that nothing is missing moves with the whole-file digest, so that one comes last.
            digest.take_sm3(chunk)
            digest.take_whole(chunk)


class _Follower:
    """A reading in progress: which digest it feeds and how far it should come."""

    task: asyncio.Task[None]

    def __init__(self, digest: RunningDigest, target: int) -> None:
        self.digest = digest
        self.target = target


def _notice(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()
