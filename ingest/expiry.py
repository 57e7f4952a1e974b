"""Expiry: uploads that nobody went on with (tus 1.0.0, `Upload-Expires`), so that a spool is not filled by beginnings.

What was acknowledged is not thrown away for that: it may be all that is left of a recorder. Bytes go to quarantine with
the reason, and the ledger says so; only an upload of which nothing ever came is simply closed. Uploads that wait for
the service itself (complete ones of people, or with a manifest) never expire.

An upload expires under the lock of its file. Whoever writes at that moment goes on; whoever comes a moment later finds
the upload gone and begins anew. A crash in the middle is a refusal broken off, which recovery finishes.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import structlog

from evidence.core.clock import Clock
from evidence.db.pool import Pool
from ingest import store
from ingest.errors import IngestError, UploadBusy, UploadExpired
from ingest.offload import on_disk
from ingest.quarantine import Quarantine
from ingest.spool import Spool
from ingest.store import UploadRow

_log = structlog.get_logger(__name__)


class Expiry:
    """Ends uploads that were idle for `seconds`; None for never."""

    def __init__(
        self, *, pool: Pool, spool: Spool, quarantine: Quarantine, clock: Clock, seconds: float | None
    ) -> None:
        self._pool = pool
        self._spool = spool
        self._quarantine = quarantine
        self._clock = clock
        self._idle = None if seconds is None else timedelta(seconds=seconds)

    def expires_at(self, row: UploadRow) -> datetime | None:
        """Return when an upload will expire if nothing comes; None when it will not."""
        if self._idle is None or not row.waits_for_sender or row.updated_at is None:
            return None
        return row.updated_at + self._idle

    async def sweep(self) -> int:
        """End what has been idle for too long; return how many uploads that were."""
        if self._idle is None:
            return 0
        ended = 0
        for row in await store.idle(self._pool, spool=self._spool.id, since=self._clock() - self._idle):
            try:
                async with self._alone_with(row) as alone:
                    ended += alone and await self._end(row)
            except IngestError as error:
                # One that the disk will not let go must not keep all others from their end.
                _log.warning("uploads.not_expired", upload=str(row.id), code=error.code, error=error.message)
        return ended

    @contextlib.asynccontextmanager
    async def _alone_with(self, row: UploadRow) -> AsyncIterator[bool]:
        """Hold the lock of an upload's file; tell whether it is ours and the upload still as idle as it looked."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._spool.locked(row.id))
            except UploadBusy:
                yield False
                return
            yield await store.find(self._pool, row.id) == row

    async def _end(self, row: UploadRow) -> bool:
        reason = f"nothing came since {row.updated_at}; {row.offset} of {row.length or 'unknown'} bytes are here"
        if row.offset:
            await self._quarantine.hold(row, code=UploadExpired.code, reason=reason)
            return True
        closed = await store.finish_terminated(
            self._pool, row.id, at=self._clock(), code=UploadExpired.code, reason=reason
        )
        await on_disk(self._spool.discard, row.id)
        return closed
