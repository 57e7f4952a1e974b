"""Prefixes: what has come of a file that is still being written is put on record while it grows (`clip.prefix`).

A recorder that is destroyed in the middle leaves footage whose beginning was in the ledger before that. Only whole
chunks are sealed, and only acknowledged ones: their bytes and leaves are on the disk, and an acknowledged offset never
goes back. A prefix is a state of the clip tree, as an old checkpoint is one of the log: the file that comes of it has
to contain it, and `check_continues` says whether it does.

1. leaves of acknowledged chunks are read, and their root computed     crash: nothing has happened
2. one transaction: `clip.prefix` and its row                          crash: the next round seals it, or a longer one

A sealed prefix binds the service: its upload can still fail to become a clip, but its bytes are kept, in quarantine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import structlog

from evidence.clips.prefix_store import SealedPrefix, prefixes_of
from evidence.core.clock import Clock, Entropy
from evidence.core.digest import CHUNK_BYTES
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Pool
from ingest import store
from ingest.errors import IngestError, SpoolDamaged
from ingest.offload import on_disk
from ingest.spool import Spool
from ingest.store import UploadRow
from ledger.canonical import JsonObject
from ledger.tree import root_of

_log = structlog.get_logger(__name__)


class Prefixes:
    """Seals the beginnings of uploads whose length is not known yet, every `seconds`; None for never."""

    def __init__(self, *, pool: Pool, spool: Spool, clock: Clock, entropy: Entropy, seconds: float | None) -> None:
        self._pool = pool
        self._spool = spool
        self._clock = clock
        self._entropy = entropy
        self._pause = None if seconds is None else timedelta(seconds=seconds)

    async def sweep(self) -> int:
        """Seal what has come since the last round; return how many prefixes that were."""
        if self._pause is None:
            return 0
        sealed = 0
        for row in await store.growing(self._pool, spool=self._spool.id, bytes_min=CHUNK_BYTES):
            try:
                sealed += await self._seal(row)
            except IngestError as error:
                _log.warning("uploads.prefix_not_sealed", upload=str(row.id), code=error.code, error=error.message)
        return sealed

    async def _seal(self, row: UploadRow) -> bool:
        chunks = row.offset // CHUNK_BYTES
        before = await prefixes_of(self._pool, row.id)
        if before and (before[-1].chunks >= chunks or self._clock() - before[-1].sealed_at < self._pause_or_zero()):
            return False
        leaves = await on_disk(self._spool.all_leaves, row.id, chunks * CHUNK_BYTES)
        check_continues(before, leaves)
        root = await asyncio.to_thread(partial(root_of, leaves))
        async with self._pool.acquire() as conn, conn.transaction():
            # Two processes on one spool come here with the same prefix; the second one finds it on record.
            await lock_subject(conn, f"upload:{row.id}")
            if any(prefix.chunks >= chunks for prefix in await prefixes_of(conn, row.id)):
                return False
            await record(
                conn,
                type="clip.prefix",
                actor=row.actor,
                subject=f"upload:{row.id}",
                payload=_payload(row, chunks=chunks, root=root),
                clock=self._clock,
                entropy=self._entropy,
            )
        return True

    def _pause_or_zero(self) -> timedelta:
        return self._pause or timedelta()


def check_continues(prefixes: Sequence[SealedPrefix], leaves: Sequence[bytes]) -> None:
    """See that the leaves of a file, or of more of it, begin with those of every prefix that was sealed of it.

    Raises:
        SpoolDamaged: They do not: bytes changed on the disk after they were on record.
    """
    for prefix in prefixes:
        if len(leaves) < prefix.chunks or root_of(leaves[: prefix.chunks]) != prefix.root:
            message = f"the first {prefix.size} bytes are not those that were sealed at {prefix.sealed_at}"
            raise SpoolDamaged(message, prefix=str(prefix.entry_id))


def _payload(row: UploadRow, *, chunks: int, root: bytes) -> JsonObject:
    source = row.source
    return {
        "upload": str(row.id),
        "name": source.name,
        "path": source.path,
        "raw": source.raw,
        "recorder": source.recorder,
        "dock": None if source.dock is None else str(source.dock),
        "inventory": None if source.inventory is None else str(source.inventory),
        "actor": row.actor,
        "size": chunks * CHUNK_BYTES,
        "chunk_size": CHUNK_BYTES,
        "chunks": chunks,
        "root": root.hex(),
    }
