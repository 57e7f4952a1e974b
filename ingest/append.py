"""One request that carries bytes of one upload, from its first byte to the last acknowledgement.

Order of effects, the same in the middle of a long request and at its end:

1. bytes are written at their place                        crash: the next writer cuts them off
2. bytes and leaves are synced                             crash: the same
3. the row's offset moves, if this is still the writer     crash: told or not, the next HEAD states the new offset
4. only then may anybody be told

Whatever ends a request (end of the body, a disconnect, a cancelled handler, a full disk), everything that came in
before is written, synced and recorded on the way out. There are two exceptions: a request whose upload was taken over
has lost the right to record, and an over-long body is not the announced file, so what it carried since the last
acknowledgement is dropped. For the same reason the last byte of a file is not acknowledged before its body has ended,
and no byte of a body with a checksum before that has turned out right (`ingest.checksum`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from evidence.core.clock import Clock
from evidence.db.pool import Pool
from ingest import store
from ingest.body import Body
from ingest.checksum import RunningChecksum
from ingest.errors import (
    IngestError,
    UploadChecksumMismatch,
    UploadLengthExceeded,
    UploadNoSpace,
    UploadStalled,
    UploadTakenOver,
)
from ingest.offload import on_disk, to_the_end
from ingest.pipeline import Pipeline
from ingest.settings import UploadSettings
from ingest.spool import Spool, SpoolFile
from ledger.pausing import happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to continue one upload.

    Attributes:
        upload: Which one.
        writer: Token of the request; the row names the one that is in force.
        offset: Acknowledged bytes the request continues from.
        length: Announced bytes of the whole file, None while deferred.
        length_max: Longest file its sender may bring while the length is deferred.
    """

    upload: UUID
    writer: UUID
    offset: int
    length: int | None
    length_max: int


class Append:
    """Carries one request's bytes; `run` it once. It is the `Basin` of the body.

    Attributes:
        acknowledged: Bytes that are on disk and recorded.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        pool: Pool,
        spool: Spool,
        file: SpoolFile,
        pipeline: Pipeline,
        clock: Clock,
        settings: UploadSettings,
        on_acknowledged: Callable[[int], None],
        checksum: RunningChecksum | None = None,
    ) -> None:
        self.acknowledged = claim.offset
        self._checksum = checksum
        self._claim = claim
        self._pool = pool
        self._spool = spool
        self._file = file
        self._pipeline = pipeline
        self._clock = clock
        self._settings = settings
        self._on_acknowledged = on_acknowledged
        self._limit = claim.length or claim.length_max
        self._pace = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._silent_since: float | None = self._loop.time()
        self._may_record = True

    async def run(self, body: Body) -> int:
        """Take the body to its end and return the acknowledged offset.

        Raises:
            UploadTakenOver, UploadStalled, UploadLengthExceeded, UploadNoSpace, SpoolFailed: As they say.
            UploadChecksumMismatch: As it says; nothing is recorded then.
            Exception: Whatever the body raised, unchanged, after everything it gave is recorded.
        """
        pump = asyncio.create_task(body.pour(self))
        keeper = asyncio.create_task(self._keep())
        try:
            await asyncio.wait({pump, keeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await to_the_end(self._settle(pump, keeper))
        return self.acknowledged

    def look(self) -> None:
        """Look at once whether this request still is the writer, because another has come."""
        self._pace.set()

    async def room(self) -> memoryview:
        """See `Basin.room`.

        Raises:
            UploadLengthExceeded: The announced bytes are all there, and more come.
            UploadNoSpace, SpoolFailed: As they say.
        """
        if not self._left:
            self._may_record = False
            raise UploadLengthExceeded(f"more than {self._limit} bytes came", length=self._limit)
        self._silent_since = None
        room = await self._pipeline.room()
        # From here on whoever asked waits for the sender, not for us.
        self._silent_since = self._loop.time()
        return room[: self._left]

    def room_now(self) -> memoryview | None:
        """See `Basin.room_now`."""
        if not self._left or (room := self._pipeline.room_now()) is None:
            return None
        return room[: self._left]

    def took(self, count: int) -> None:
        """See `Basin.took`."""
        self._pipeline.took(count)
        self._silent_since = self._loop.time()
        if self._pipeline.fed - self.acknowledged >= self._settings.acknowledge_bytes:
            self._pace.set()

    @property
    def _left(self) -> int:
        return self._limit - self._pipeline.fed

    async def _keep(self) -> None:
        """Acknowledge as bytes come in, and end the request when it has no right or no reason to go on."""
        while True:
            await happens(self._pace, self._settings.acknowledge_seconds)
            self._pace.clear()
            self._check_reasons_to_end()
            self._pipeline.hand_over()
            written = self._pipeline.written
            if self._checksum is None and written > self.acknowledged and written != self._claim.length:
                # Not to be cancelled half-way: a sync whose failure nobody saw would make the next one lie.
                await to_the_end(self._acknowledge(written))
            elif not await store.is_writer(self._pool, self._claim.upload, writer=self._claim.writer):
                self._lose()

    def _check_reasons_to_end(self) -> None:
        limit = self._settings.idle_seconds
        if self._silent_since is not None and self._loop.time() - self._silent_since > limit:
            raise UploadStalled(f"nothing arrived for {limit:g} seconds")
        if self._spool.free_bytes() < self._settings.reserve_bytes:
            raise UploadNoSpace("the disk is full up to its reserve")

    async def _settle(self, pump: asyncio.Task[None], keeper: asyncio.Task[None]) -> None:
        for task in (pump, keeper):
            task.cancel()
        await asyncio.wait({pump, keeper})
        failure = _failure(keeper) or _failure(pump)
        try:
            try:
                await self._pipeline.drain()
            except IngestError as error:
                failure = failure or error
            failure = self._judge(pump, failure)
            if self._may_record and self._pipeline.written > self.acknowledged:
                await self._acknowledge(self._pipeline.written)
        finally:
            await self._pipeline.close()
        if failure is not None:
            raise failure

    def _judge(self, pump: asyncio.Task[None], failure: BaseException | None) -> BaseException | None:
        """Return what the request failed of once its checksum, if there is one, has had its say."""
        if self._checksum is None:
            return failure
        if failure is not None or pump.cancelled():
            self._may_record = False
            return failure
        try:
            self._checksum.check()
        except UploadChecksumMismatch as error:
            self._may_record = False
            return error
        return None

    async def _acknowledge(self, offset: int) -> None:
        try:
            await on_disk(self._file.sync)
        except IngestError:
            self._may_record = False
            raise
        # Crash here: the bytes are on disk and nobody was told; the next writer cuts them off and they come again.
        state = await store.acknowledge(
            self._pool, self._claim.upload, writer=self._claim.writer, offset=offset, at=self._clock()
        )
        if state is None:
            self._lose()
        # Crash here: the row says what is on disk; the client asks and hears it.
        self.acknowledged = offset
        self._on_acknowledged(offset)

    def _lose(self) -> None:
        self._may_record = False
        raise UploadTakenOver("another request continues this upload", acknowledged=self.acknowledged)


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
