"""Who may append: one request per upload, as many uploads at a time as the host can carry.

A request claims the upload's row (which takes the right to record away from its predecessor), asks a predecessor in
this process to stop, and waits for the lock of the file, which every writer holds while it writes. A predecessor in
another process sees at its next look at the row that it has lost, and lets go. Only then, and only if nobody has
claimed the row meanwhile, the file is cut back to the acknowledged offset and the new bytes follow.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.db.pool import Pool
from ingest import store
from ingest.append import Append, Claim
from ingest.body import Body
from ingest.buffers import Buffers
from ingest.checksum import BodyChecksum, RunningChecksum
from ingest.digests import Digests
from ingest.errors import UploadBusy, UploadTakenOver
from ingest.offload import disk_error, on_disk, to_the_end
from ingest.pipeline import Pipeline
from ingest.settings import UploadSettings
from ingest.spool import Spool, SpoolFile
from ingest.store import UploadRow

_LOCK_PAUSE_SECONDS = 0.02
_PRIORITY = 5
"""Niceness of the threads that write and digest: where processors are short they get a third of what others get."""


class Carrier:
    """Carries the bytes of running requests to the spool."""

    def __init__(
        self, *, pool: Pool, spool: Spool, digests: Digests, clock: Clock, entropy: Entropy, settings: UploadSettings
    ) -> None:
        self._pool = pool
        self._spool = spool
        self._digests = digests
        self._clock = clock
        self._entropy = entropy
        self._settings = settings
        self._buffers = Buffers(
            # One for each request there may be, whatever the settings say: with fewer somebody could not begin.
            count_max=max(settings.buffers_max, settings.appends_max),
            per_ring_max=settings.buffers_per_append_max,
            eager_max=settings.buffers_eager_max,
        )
        # Two or three threads per running request, mostly waiting; as many exist as were ever needed at once.
        per_append = 3 if settings.sm3 else 2
        self._threads = ThreadPoolExecutor(
            per_append * settings.appends_max + 2, thread_name_prefix="upload", initializer=_step_back
        )
        self._requests: Counter[str] = Counter()
        self._running: dict[UUID, Append] = {}

    async def carry(
        self,
        row: UploadRow,
        offset: int,
        body: Body,
        *,
        checksum: BodyChecksum | None = None,
    ) -> int | None:
        """Append a body at the acknowledged offset, as a whole or not at all when it has a checksum.

        Returns:
            The new acknowledged offset; None when the row no longer stands at `offset` and nothing was touched.

        Raises:
            UploadBusy: Too many requests are running, in all or of this sender, or the former writer does not let go.
            UploadTakenOver: Another request came after this one.
            SpoolLost: Acknowledged bytes are missing.
            Exception: See `Append.run`.
        """
        async with self._place(row.id, row.actor):
            claim = Claim(
                upload=row.id,
                writer=uuid7(clock=self._clock, entropy=self._entropy),
                offset=offset,
                length=row.length,
                length_max=self._settings.length_max_of(row.actor),
            )
            if not await store.claim(self._pool, row.id, offset=offset, writer=claim.writer, at=self._clock()):
                return None
            self.stop(row.id)
            async with self._hold(claim) as file:
                return await self._append(claim, file, body, checksum)

    def stop(self, upload: UUID) -> None:
        """Ask the request that writes an upload in this process, if there is one, whether it still may."""
        if running := self._running.get(upload):
            running.look()

    def close(self) -> None:
        """Let the threads go; requests must have ended."""
        self._threads.shutdown()

    async def _append(
        self,
        claim: Claim,
        file: SpoolFile,
        body: Body,
        checksum: BodyChecksum | None,
    ) -> int:
        upload = claim.upload
        running = None if checksum is None else RunningChecksum(checksum)
        digest = await self._digests.at(upload, claim.offset)
        self._digests.follow(upload, claim.offset)
        with self._buffers.ring() as ring:
            pipeline = Pipeline(
                file=file, digest=digest, ring=ring, threads=self._threads, also=running.take if running else None
            )
            append = Append(
                claim,
                pool=self._pool,
                spool=self._spool,
                file=file,
                pipeline=pipeline,
                clock=self._clock,
                settings=self._settings,
                on_acknowledged=partial(self._follow, pipeline, upload),
                checksum=running,
            )
            self._running[upload] = append
            try:
                return await append.run(body)
            finally:
                del self._running[upload]
                if append.acknowledged != digest.offset:
                    self._digests.forget(upload)

    def _follow(self, pipeline: Pipeline, upload: UUID, acknowledged: int) -> None:
        # A digest whose own thread is merely behind must not be fed from the file as well: it would take bytes twice.
        if not pipeline.takes_whole:
            self._digests.follow(upload, acknowledged)

    @asynccontextmanager
    async def _place(self, upload: UUID, sender: str) -> AsyncIterator[None]:
        # Who takes over an upload in this process may come in: the place it needs is about to be free.
        if upload not in self._running:
            if self._requests.total() >= self._settings.appends_max:
                raise UploadBusy(f"{self._requests.total()} uploads are running already")
            if self._requests[sender] >= self._settings.appends_per_sender_max:
                raise UploadBusy(f"{self._requests[sender]} uploads of this sender are running already")
        self._requests[sender] += 1
        try:
            yield
        finally:
            self._requests[sender] -= 1
            self._requests += Counter()  # forget who has none

    @asynccontextmanager
    async def _hold(self, claim: Claim) -> AsyncIterator[SpoolFile]:
        """Open the upload's file once its former writer has let go; closing it lets the next one in."""
        file = await self._open(claim)
        try:
            # Somebody may have claimed it while we waited, appended and gone: then its file is not ours to cut.
            if not await store.is_writer(self._pool, claim.upload, writer=claim.writer):
                raise UploadTakenOver("another request continues this upload", acknowledged=claim.offset)
            await to_the_end(on_disk(file.cut_back, claim.offset))
            yield file
        finally:
            file.close()

    async def _open(self, claim: Claim) -> SpoolFile:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.takeover_seconds
        while True:
            try:
                return self._spool.open_for_append(claim.upload, create=claim.offset == 0)
            except OSError as error:
                raise disk_error(error) from error
            except UploadBusy:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(_LOCK_PAUSE_SECONDS)


def _step_back() -> None:
    """Let the event loop and the database go first: many threads that digest would keep every answer waiting."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PRIORITY)
