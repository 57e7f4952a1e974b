"""Concatenation (tus 1.0.0): parts that came side by side become one file.

A final upload takes its bytes from its parts by the very way that bytes take from a socket: written, hashed, synced,
acknowledged. So nothing about it is special but its source, and a crash leaves an offset to go on at.

1. the final upload is on record, and its parts belong to it       crash: the next round finds it
2. the parts' bytes are appended to it, chunk by chunk             crash: the next round goes on at its offset
3. its parts are closed and their bytes removed                    crash: the next round does it
4. it is sealed, or waits for its dock's manifest                  crash: sealed by maintenance, as others are

A part whose bytes are not those that were acknowledged goes to quarantine; its final upload ends, and the other parts
are free again for another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import structlog

from evidence.core.clock import Clock
from evidence.db.pool import Pool
from ingest import store
from ingest.body import Pieces
from ingest.carrier import Carrier
from ingest.errors import (
    IngestError,
    SpoolDamaged,
    SpoolLost,
    UploadConcatInvalid,
    UploadElsewhere,
    UploadIncomplete,
    UploadPartTaken,
)
from ingest.offload import on_disk
from ingest.seal import Sealer
from ingest.spool import Spool
from ingest.store import UploadRow, UploadState
from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

PARTS_MAX = 256
"""Most parts of one file."""

CONCATENATED = "upload.concatenated"
"""How a part ends whose bytes are in its final upload."""

_log = structlog.get_logger(__name__)


class _PartLost(Exception):
    """The bytes of a part are not there or not those that were acknowledged."""

    def __init__(self, part: UploadRow, error: IngestError) -> None:
        super().__init__(str(error))
        self.part = part
        self.error = error


class Concatenation:
    """Puts final uploads together, one after the other."""

    def __init__(
        self,
        *,
        pool: Pool,
        spool: Spool,
        carrier: Carrier,
        sealer: Sealer,
        clock: Clock,
        pause_seconds: float,
    ) -> None:
        self._pool = pool
        self._spool = spool
        self._carrier = carrier
        self._sealer = sealer
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._news = asyncio.Event()

    async def find_parts(self, actor: str, parts: Sequence[UUID]) -> list[UploadRow]:
        """Return the parts of an upload that is about to be announced, in order.

        Raises:
            UploadConcatInvalid: Too many, one twice, or one that is no part of this sender.
            UploadIncomplete: Bytes of one are missing.
            UploadPartTaken: One belongs to another upload, or has ended.
            UploadElsewhere: One lies on another host.
        """
        if not parts or len(parts) > PARTS_MAX or len(set(parts)) != len(parts):
            raise UploadConcatInvalid(f"a file is put together from 1 to {PARTS_MAX} parts, each of them once")
        rows = await store.find_all(self._pool, parts)
        for part in parts:
            row = rows.get(part)
            if row is None or row.actor != actor or not row.partial:
                raise UploadConcatInvalid(f"there is no part {part}", upload=str(part))
            if row.spool != self._spool.id:
                raise UploadElsewhere("the bytes of this part lie on another host", spool=str(row.spool))
            if row.state is UploadState.OPEN:
                raise UploadIncomplete(f"bytes of part {part} are missing", upload=str(part), offset=row.offset)
            if row.state is not UploadState.COMPLETE or row.final is not None:
                raise UploadPartTaken(f"part {part} cannot be used any more", upload=str(part))
        return [rows[part] for part in parts]

    async def announce(self, row: UploadRow) -> None:
        """Put a final upload on record, and its parts with it.

        Raises:
            UploadPartTaken: Another final upload was quicker.
        """
        assert row.parts is not None  # noqa: S101 - it is a final upload
        async with self._pool.acquire() as conn, conn.transaction():
            await store.insert(conn, row)
            if await store.take_parts(conn, row.id, parts=row.parts, at=self._clock()) != len(row.parts):
                raise UploadPartTaken("a part was just used for another upload")
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Put together what is announced, until `stop`."""
        waker = asyncio.create_task(_ring(stop, self._news))
        try:
            while not stop.is_set():
                self._news.clear()
                try:
                    await self.sweep()
                except DATABASE_ERRORS as error:
                    _log.warning("uploads.concatenation_failed", error=str(error))
                if not stop.is_set():
                    await happens(self._news, self._pause_seconds)
        finally:
            waker.cancel()

    async def sweep(self) -> None:
        """Bring every final upload of this spool as far as it gets."""
        for row in await store.finals_with_parts(self._pool, spool=self._spool.id):
            try:
                await self._bring_on(row)
            except CodedError as error:
                # A full disk, a busy intake, an upload that was just given up: the next round looks again.
                _log.info("uploads.not_concatenated", upload=str(row.id), code=error.code, reason=error.message)

    async def _bring_on(self, row: UploadRow) -> None:
        if row.state is UploadState.OPEN:
            with self._spool.locked(row.id):
                pass  # another process that is at it goes on; taking it over from each other would get nowhere
            try:
                await self._carrier.carry(row, row.offset, Pieces(self._bytes_of_parts(row)))
            except _PartLost as lost:
                await self._give_up(row, lost)
        now = await store.find(self._pool, row.id)
        if now is None or now.state is UploadState.OPEN:
            return
        if now.state is UploadState.TERMINATED and now.clip is None:
            await store.release_parts(self._pool, row.id, at=self._clock())
            return
        for part in await store.close_parts(self._pool, row.id, code=CONCATENATED, at=self._clock()):
            # Crash here: the part's row has ended and its files lie there; recovery removes them.
            await on_disk(self._spool.discard, part)
        if now.state is UploadState.COMPLETE and now.seals_itself:
            await self._sealer.seal(row.id)

    async def _bytes_of_parts(self, row: UploadRow) -> AsyncIterator[memoryview]:
        """Yield what the parts hold beyond the final upload's offset, each full chunk compared with its leaf."""
        rows = await store.find_all(self._pool, row.parts or ())
        position = 0
        for part in (rows[part] for part in row.parts or ()):
            length = part.length or 0
            start = max(row.offset - position, 0)
            position += length
            if start >= length:
                continue
            chunks = iter(self._spool.read_checked(part.id, start=start, end=length))
            while True:
                try:
                    chunk = await on_disk(next, chunks, None)
                except (SpoolDamaged, SpoolLost) as error:
                    raise _PartLost(part, error) from error
                if chunk is None:
                    break
                yield chunk

    async def _give_up(self, row: UploadRow, lost: _PartLost) -> None:
        """Set the part aside that is not what was acknowledged; without it there is no file."""
        await self._sealer.quarantine.hold(lost.part, code=lost.error.code, reason=lost.error.message)
        reason = f"part {lost.part.id}: {lost.error.message}"
        await store.finish_terminated(self._pool, row.id, at=self._clock(), code=lost.error.code, reason=reason)
        await on_disk(self._spool.discard, row.id)


async def _ring(stop: asyncio.Event, news: asyncio.Event) -> None:
    await stop.wait()
    news.set()
