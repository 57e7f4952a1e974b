"""Uploads: the rules of tus 1.0 without its HTTP, over a spool on disk and rows in PostgreSQL.

What a sender may rely on:

- an acknowledged offset never goes back, and the bytes before it never have to be sent again;
- bytes offered at another offset than the acknowledged one change nothing;
- a later request for the same upload wins: the earlier one stops, in this process or another on the same host;
- an upload belongs to the party that created it; for everybody else it does not exist;
- what cannot become evidence (no byte, no proper name, not in an inventory, too long) is refused before a byte comes.

The way of one upload: `create` -> `append` as often as it takes -> sealed, by the last `append` for staff and by `seal`
with the dock's manifest for docks. Who may append: `ingest.carrier`; how bytes get to the disk: `ingest.append`; what
sealing means: `ingest.seal`; files that come in parts: `ingest.concatenation`; what a crash leaves and how it is
finished: `ingest.recover`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

import structlog

from evidence.clips.prefix_store import prefixes_of
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.pool import Pool
from evidence.objects.store import ObjectStore
from evidence.parties.inventory_store import find_inventoried
from ingest import store
from ingest.body import Body, Pieces
from ingest.carrier import Carrier
from ingest.checksum import BodyChecksum
from ingest.concatenation import Concatenation
from ingest.digests import Digests
from ingest.errors import (
    IngestError,
    SpoolDamaged,
    SpoolLost,
    UploadBusy,
    UploadElsewhere,
    UploadEmpty,
    UploadExpired,
    UploadFinal,
    UploadFinished,
    UploadLengthDeclared,
    UploadLengthExceeded,
    UploadNoSpace,
    UploadOffsetMismatch,
    UploadPartTaken,
    UploadTerminated,
    UploadTooLarge,
    UploadUnknown,
)
from ingest.expiry import Expiry
from ingest.offload import on_disk
from ingest.prefixes import Prefixes
from ingest.recover import RecoveryReport, recover
from ingest.seal import Sealed, Sealer
from ingest.settings import UploadSettings
from ingest.sources import DockClaim, parse_metadata, staff_source
from ingest.spool import Spool
from ingest.store import Source, UploadRow, UploadState
from ledger.errors import CodedError
from ledger.note import Verifier
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

_READER_THREADS = 2

GIVEN_UP = "upload.given_up"
"""How an upload ends that its sender gave up although its beginning was on record."""

_BROKEN: Mapping[str, type[IngestError]] = {kind.code: kind for kind in (SpoolDamaged, SpoolLost)}
"""Why a file that was put together from parts may have ended."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadView:
    """An upload as its owner sees it.

    Attributes:
        id: Names it in every request.
        actor: Who created it.
        length: Announced bytes, None while deferred.
        offset: Acknowledged bytes.
        metadata: As given at creation.
        state: See `UploadState`.
        code: Stable code of the error that ended it, if one did.
        clip: What it became, or what its bytes were already.
        entry: The ledger entry that states it.
        created_at: When it was created.
        expires_at: When it will be closed if its sender does not come again; None when it will not.
        partial: Whether it is a part.
        parts: The parts it is put together from; None for a file that comes in one piece.
    """

    id: UUID
    actor: str
    length: int | None
    offset: int
    metadata: Mapping[str, str]
    state: UploadState
    code: str | None
    clip: UUID | None
    entry: UUID | None
    created_at: datetime
    expires_at: datetime | None
    partial: bool
    parts: tuple[UUID, ...] | None


class UploadService:
    """The intake of one process; `recover` before the first request, `close` at the end.

    Args:
        pool: At least two connections.
        spool: On the file system of the objects.
        objects: Where sealed originals go.
        clock: Gives times of rows and entries.
        entropy: Gives ids and salts.
        settings: Limits and pace; they can be asked for.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        spool: Spool,
        objects: ObjectStore,
        clock: Clock,
        entropy: Entropy,
        settings: UploadSettings,
    ) -> None:
        self._pool = pool
        self._spool = spool
        self._clock = clock
        self._entropy = entropy
        self.settings = settings
        self._readers = ThreadPoolExecutor(_READER_THREADS, thread_name_prefix="read-again")
        self._digests = Digests(spool, readers=self._readers, sm3=settings.sm3)
        self._sealer = Sealer(
            pool=pool,
            spool=spool,
            objects=objects,
            digests=self._digests,
            clock=clock,
            entropy=entropy,
            second_store=settings.second_store,
        )
        self._expiry = Expiry(
            pool=pool, spool=spool, quarantine=self._sealer.quarantine, clock=clock, seconds=settings.expiry_seconds
        )
        self._prefixes = Prefixes(pool=pool, spool=spool, clock=clock, entropy=entropy, seconds=settings.prefix_seconds)
        self._carrier = Carrier(
            pool=pool, spool=spool, digests=self._digests, clock=clock, entropy=entropy, settings=settings
        )
        self._concatenation = Concatenation(
            pool=pool,
            spool=spool,
            carrier=self._carrier,
            sealer=self._sealer,
            clock=clock,
            pause_seconds=settings.retry_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def spool(self) -> Spool:
        """Where the bytes lie."""
        return self._spool

    async def create(
        self,
        *,
        actor: str,
        length: int | None,
        metadata: Mapping[str, bytes],
        partial: bool = False,
        parts: Sequence[UUID] | None = None,
    ) -> UploadView:
        """Announce a file.

        Args:
            actor: `dock:<uuid>` or `staff:<uuid>`.
            length: Its bytes; None when they are not known yet, see `declare_length`.
            metadata: As in tus, values decoded from base64. Staff: `filename`. Docks: `inventory`, `path`, `recorder`,
                and `raw` = `true` for an escaped path. Parts need none.
            partial: Whether this is a part, to be put together with others.
            parts: The parts that this file is put together from, in order; its length is theirs together.

        Raises:
            UploadEmpty, UploadTooLarge, UploadNoSpace: By its length.
            UploadNameInvalid, UploadMetadataInvalid, UploadNotInventoried: By its metadata.
            UploadConcatInvalid, UploadIncomplete, UploadPartTaken, UploadElsewhere: By its parts.
        """
        if parts is not None:
            length = sum(part.length or 0 for part in await self._concatenation.find_parts(actor, parts))
        self._check_length(actor, length)
        texts = parse_metadata(metadata)
        source = Source(name="", path="") if partial else await self._source(actor, metadata, length)
        await self._check_space(length)
        upload = uuid7(clock=self._clock, entropy=self._entropy)
        now = self._clock()
        row = UploadRow(
            id=upload,
            actor=actor,
            spool=self._spool.id,
            length=length,
            metadata=texts,
            source=source,
            created_at=now,
            updated_at=now,
            partial=partial,
            parts=None if parts is None else tuple(parts),
        )
        # No file is made yet: a row without a file is an upload of which nothing was acknowledged.
        if parts is None:
            await store.insert(self._pool, row)
        else:
            await self._concatenation.announce(row)
        return self._view(row)

    async def status(self, *, actor: str, upload: UUID) -> UploadView:
        """Return an upload as it stands; the offset is what a HEAD may state.

        Raises:
            UploadUnknown: There is none, or it is somebody else's.
            UploadTerminated: Its owner gave it up.
            UploadExpired: Nothing came for it for too long.
        """
        row = await self._find(actor, upload)
        if row.code == GIVEN_UP or (row.state is UploadState.TERMINATED and row.code is None):
            raise UploadTerminated("the upload was given up")
        return self._view(row)

    async def append(
        self,
        *,
        actor: str,
        upload: UUID,
        offset: int,
        stream: Body | AsyncIterator[bytes | memoryview],
        announced_bytes: int | None = None,
        checksum: BodyChecksum | None = None,
    ) -> int:
        """Take the bytes that follow `offset` and return the new acknowledged offset.

        Args:
            actor: The owner.
            upload: Which one.
            offset: What the sender believes to be acknowledged.
            stream: The body; what it raises comes out again, after everything it gave is on disk and recorded.
            announced_bytes: Length of the body if the sender stated it, so that an over-long one is refused at once.
            checksum: What the body comes to if the sender stated it; then it is taken as a whole or not at all.

        Raises:
            UploadChecksumMismatch: The body was not what was stated, and was dropped.
            UploadOffsetMismatch, UploadLengthExceeded, UploadFinished, UploadFinal: By its input.
            UploadTerminated, UploadExpired, UploadUnknown: It cannot be continued at all.
            UploadTakenOver, UploadStalled, UploadBusy, UploadNoSpace, SpoolFailed, SpoolLost, UploadElsewhere: By the
                way it took; the acknowledged offset stands.
            ClipAlreadySealed: These were the last bytes of a file that is sealed already.
        """
        body = stream if isinstance(stream, Body) else Pieces(stream)
        row = await self._find_here(actor, upload)
        self._check_appendable(row, offset, announced_bytes)
        if self._spool.free_bytes() - (announced_bytes or 0) < self.settings.reserve_bytes:
            raise UploadNoSpace("the disk is full up to its reserve")
        acknowledged = await self._carrier.carry(row, offset, body, checksum=checksum)
        if acknowledged is None:
            self._check_appendable(await self._find(actor, upload), offset, None)
            raise UploadBusy("another request has just moved this upload")
        if acknowledged == row.length and row.seals_itself:
            await self._sealer.seal(upload)
        return acknowledged

    async def declare_length(self, *, actor: str, upload: UUID, length: int) -> UploadView:
        """Set a deferred length, once.

        Raises:
            UploadLengthDeclared: It is declared already, or more bytes have arrived.
            UploadEmpty, UploadTooLarge: By the length.
        """
        row = await self._find_here(actor, upload)
        self._check_length(actor, length)
        if not await store.declare_length(self._pool, upload, length=length, at=self._clock()):
            row = await self._find(actor, upload)
            if row.length == length:
                return self._view(row)
            raise UploadLengthDeclared(
                f"the length is {row.length}, {row.offset} bytes have arrived", length=row.length
            )
        row = await self._find(actor, upload)
        if row.state is UploadState.COMPLETE and row.seals_itself:
            await self._sealer.seal(upload)
        return self._view(await self._find(actor, upload))

    async def terminate(self, *, actor: str, upload: UUID) -> None:
        """Give an upload up and free its bytes; what is sealed cannot be given up, and of what is sealed in part
        (`ingest.prefixes`) the bytes are kept in quarantine.

        Raises:
            UploadUnknown: There is none, or it is somebody else's.
            UploadFinished: It is sealed or in quarantine.
            UploadPartTaken: It is a part of a file.
        """
        row = await self._find_here(actor, upload)
        if row.state is UploadState.TERMINATED:
            return
        if row.final is not None:
            raise UploadPartTaken("the part belongs to a file that is being put together", final=str(row.final))
        if row.code == GIVEN_UP:
            return
        if row.sha256 is None and await prefixes_of(self._pool, upload):
            # What is on record is kept: it may be the reason why somebody wants it gone.
            await self._sealer.quarantine.hold(row, code=GIVEN_UP, reason="its sender gave the upload up")
            self._carrier.stop(upload)
            self._digests.forget(upload)
            return
        async with self._pool.acquire() as conn, conn.transaction():
            if not await store.finish_terminated(conn, upload, at=self._clock()):
                raise UploadFinished("the upload has ended and cannot be given up")
            await record(
                conn,
                type="upload.given_up",
                actor=actor,
                subject=f"upload:{upload}",
                payload={"upload": str(upload), "name": row.source.name, "actor": actor, "size": row.offset},
                clock=self._clock,
                entropy=self._entropy,
            )
        # Crash here: the row says it is given up; recovery removes the files.
        self._carrier.stop(upload)
        self._digests.forget(upload)
        await on_disk(self._spool.discard, upload)

    async def seal(self, *, actor: str, upload: UUID, manifest: bytes, dock_verifiers: Sequence[Verifier]) -> Sealed:
        """Seal a dock's complete upload; see `Sealer.seal`."""
        await self._find_here(actor, upload)
        return await self._sealer.seal(upload, manifest=manifest, dock_verifiers=dock_verifiers)

    async def recover(self) -> RecoveryReport:
        """Finish what a crash left; see `ingest.recover`."""
        return await recover(pool=self._pool, spool=self._spool, sealer=self._sealer, digests=self._digests)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: put parts together, seal what is complete and could not be sealed, close what expired."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._concatenation.run(stop), name="concatenation")
            tasks.create_task(self._tidy(stop), name="upload-tidying")
            tasks.create_task(self._seal_prefixes(stop), name="prefixes")

    async def _tidy(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._seal_left_over()
                await self._expiry.sweep()
            except DATABASE_ERRORS as error:
                _log.warning("uploads.retry_failed", error=str(error))
            except IngestError as error:
                _log.warning("uploads.sweep_failed", code=error.code, error=error.message)
            await happens(stop, self.settings.retry_seconds)

    async def _seal_prefixes(self, stop: asyncio.Event) -> None:
        pause = self.settings.prefix_seconds
        while pause is not None and not stop.is_set():
            try:
                await self._prefixes.sweep()
            except DATABASE_ERRORS as error:
                _log.warning("uploads.prefixes_failed", error=str(error))
            await happens(stop, pause)

    async def close(self) -> None:
        """Stop reading again and let the threads go; requests must have ended."""
        await self._digests.close()
        self._carrier.close()
        self._readers.shutdown()

    async def _seal_left_over(self) -> None:
        for row in await store.unfinished(self._pool, spool=self._spool.id, states=[UploadState.COMPLETE]):
            if not row.seals_itself and row.sha256 is None:
                continue
            try:
                await self._sealer.seal(row.id)
            except CodedError as error:
                _log.info("uploads.not_sealed", upload=str(row.id), code=error.code, reason=error.message)

    async def _find(self, actor: str, upload: UUID) -> UploadRow:
        row = await store.find(self._pool, upload)
        if row is None or row.actor != actor:
            raise UploadUnknown(f"there is no upload {upload}")
        if row.code == UploadExpired.code:
            raise UploadExpired(row.reason or "the upload has expired")
        if row.state is UploadState.TERMINATED and (broken := _BROKEN.get(row.code or "")):
            raise broken(row.reason or "a part of the file is broken")
        return row

    async def _find_here(self, actor: str, upload: UUID) -> UploadRow:
        row = await self._find(actor, upload)
        if row.spool != self._spool.id:
            raise UploadElsewhere("the bytes of this upload lie on another host", spool=str(row.spool))
        return row

    async def _source(self, actor: str, metadata: Mapping[str, bytes], length: int | None) -> Source:
        kind, _, party = actor.partition(":")
        if kind != "dock":
            return staff_source(metadata)
        claim = DockClaim(metadata, dock=UUID(party))
        async with self._pool.acquire() as conn:
            stated = await find_inventoried(
                conn, inventory=claim.inventory, dock=claim.dock, path=claim.path, raw=claim.raw
            )
        return claim.settle(stated, length=length)

    def _check_length(self, actor: str, length: int | None) -> None:
        if length is None:
            return
        if length <= 0:
            raise UploadEmpty("a file without a byte cannot be evidence")
        if length > (limit := self.settings.length_max_of(actor)):
            raise UploadTooLarge(f"{length} bytes are more than the {limit} allowed", length=length, length_max=limit)

    async def _check_space(self, length: int | None) -> None:
        outstanding = await store.outstanding_bytes(self._pool, spool=self._spool.id)
        if self._spool.free_bytes() - outstanding - (length or 0) < self.settings.reserve_bytes:
            raise UploadNoSpace("there is no room for this file beside the uploads under way", length=length)

    def _check_appendable(self, row: UploadRow, offset: int, announced_bytes: int | None) -> None:
        if row.parts is not None:
            raise UploadFinal("the file is put together from its parts")
        if row.state is UploadState.TERMINATED or row.code == GIVEN_UP:
            raise UploadTerminated("the upload was given up")
        if row.state is not UploadState.OPEN:
            raise UploadFinished(f"the upload is {row.state} and takes no more bytes", state=str(row.state))
        if offset != row.offset:
            raise UploadOffsetMismatch(f"{row.offset} bytes are acknowledged, not {offset}", offset=row.offset)
        limit = row.length if row.length is not None else self.settings.length_max_of(row.actor)
        if announced_bytes is not None and offset + announced_bytes > limit:
            raise UploadLengthExceeded(f"{announced_bytes} bytes more than fit into {limit}", length=limit)

    def _view(self, row: UploadRow) -> UploadView:
        return UploadView(
            id=row.id,
            actor=row.actor,
            length=row.length,
            offset=row.offset,
            metadata=row.metadata,
            state=row.state,
            code=row.code,
            clip=row.clip,
            entry=row.entry,
            created_at=row.created_at,
            expires_at=self._expiry.expires_at(row),
            partial=row.partial,
            parts=row.parts,
        )
