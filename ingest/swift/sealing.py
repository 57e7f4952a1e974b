"""Sealing a recording that its controller called complete: every original, then all of it together, exactly once.

Order of effects; doing all of it again finishes what a crash interrupted, and changes nothing that is done:

1. the container is `sealing`: nothing goes in any more     crash: `recover`, or the controller's next attempt, goes on
2. each original: where it comes from, then its length, which seals it like any upload   crash: some are sealed
3. each companion's bytes become an object              crash: objects that nothing names yet
4. one transaction: `recording.sealed`, the container is `sealed`    crash: all of it or nothing
5. only now 204

An original that is not there any more (expired, damaged on disk) opens the container again and says so to the
controller, which has everything still. The same content may be a clip already; then the recording names that clip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from evidence.core.clock import Clock, Entropy, format_time
from evidence.custody.record import record
from evidence.db.pool import Connection, Pool
from evidence.objects.store import ObjectStore
from evidence.parties.controllers import revoked_since
from ingest.errors import (
    ClipAlreadySealed,
    SpoolDamaged,
    SpoolLost,
    UploadBusy,
    UploadExpired,
    UploadLengthDeclared,
    UploadUnknown,
)
from ingest.offload import on_disk
from ingest.store import Source, UploadState
from ingest.swift import store
from ingest.swift.errors import SwiftContainerUnknown, SwiftElsewhere, SwiftLost, SwiftNothingRecorded
from ingest.swift.rules import ObjectKind, Origin, Span, object_span, origin_of, owner_of, recording_span
from ingest.swift.store import Container, ContainerState, Held
from ingest.upload import UploadService
from ledger.canonical import JsonObject, JsonValue
from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

_RETRY_SECONDS = 30.0
_GONE = (UploadExpired, UploadUnknown, UploadLengthDeclared, SpoolLost, SpoolDamaged)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Officer:
    """Who wore the recorder, as the controller had registered it."""

    number: str | None
    name: str | None


class RecordingSealer:
    """Seals recordings of one spool."""

    def __init__(
        self, *, pool: Pool, uploads: UploadService, objects: ObjectStore, clock: Clock, entropy: Entropy
    ) -> None:
        self._pool = pool
        self._uploads = uploads
        self._objects = objects
        self._clock = clock
        self._entropy = entropy
        self._locks: WeakValueDictionary[tuple[UUID, str], asyncio.Lock] = WeakValueDictionary()

    async def begin(self, conn: Connection, container: Container, metadata: Mapping[str, str]) -> None:
        """Let nothing more into a recording, in the caller's transaction; the caller holds its row.

        Raises:
            SwiftNothingRecorded: It has no original.
            SwiftElsewhere: Its bytes are on another host.
        """
        if container.spool != self._uploads.spool.id:
            raise SwiftElsewhere("the bytes of this recording lie on another host")
        objects = await store.objects_of(conn, container.controller, container.name)
        if not any(one.kind is ObjectKind.ORIGINAL for one in objects):
            raise SwiftNothingRecorded("the recording is called complete and holds no original")
        await store.update_container(conn, container, metadata=metadata, state=ContainerState.SEALING, at=self._clock())

    async def seal(self, controller: UUID, name: str) -> None:
        """Seal a recording that was begun to be sealed; one that is sealed stays as it is.

        Raises:
            SwiftElsewhere: Its bytes are on another host.
            SwiftLost: An original is not here any more; the container is open again.
            UploadBusy: An original is complete and could not be sealed just now; that is tried on.
        """
        lock = self._locks.setdefault((controller, name), asyncio.Lock())
        async with lock:
            container = await self._find(controller, name)
            if container.state is not ContainerState.SEALING:
                return
            objects = await store.objects_of(self._pool, controller, name)
            originals = [one for one in objects if one.kind is ObjectKind.ORIGINAL]
            companions = [one for one in objects if one.kind is not ObjectKind.ORIGINAL]
            officer = await self._officer(container)
            clips = [await self._seal_original(container, one, officer) for one in originals]
            for one in companions:
                if one.body:
                    await on_disk(self._objects.put, one.body)
            # Crash here: the originals are sealed, and nothing says yet that they belong together.
            await self._conclude(container, originals, clips, companions, officer)

    async def recover(self) -> int:
        """Finish what was begun; return how many recordings that were. What cannot be finished now is tried again."""
        finished = 0
        for container in await store.sealing(self._pool, spool=self._uploads.spool.id):
            try:
                await self.seal(container.controller, container.name)
                finished += 1
            except CodedError as error:
                _log.warning("recordings.not_sealed", container=container.name, code=error.code, reason=error.message)
        return finished

    async def run(self, stop: asyncio.Event) -> None:
        """Finish what could not be finished, until `stop`."""
        while not await happens(stop, _RETRY_SECONDS):
            try:
                await self.recover()
            except DATABASE_ERRORS as error:
                _log.warning("recordings.retry_failed", error=str(error))

    async def _find(self, controller: UUID, name: str) -> Container:
        container = await store.find_container(self._pool, controller, name)
        if container is None:
            raise SwiftContainerUnknown("there is no such container")
        if container.spool != self._uploads.spool.id:
            raise SwiftElsewhere("the bytes of this recording lie on another host")
        return container

    async def _seal_original(self, container: Container, held: Held, officer: _Officer) -> UUID:
        """Seal one original and return its clip."""
        assert held.upload is not None  # noqa: S101 - of every original
        await store.settle_source(self._pool, held.upload, _source(container, held, officer))
        try:
            view = await self._uploads.declare_length(actor=container.actor, upload=held.upload, length=held.size)
        except ClipAlreadySealed as error:
            return UUID(str(error.details["clip"]))
        except _GONE as error:
            await self._reopen(container)
            raise SwiftLost(f"{held.name} is not here any more: {error.message}", object=held.name) from error
        if view.clip is not None:
            return view.clip
        if view.state is UploadState.COMPLETE:
            raise UploadBusy("an original is complete and being sealed")
        await self._reopen(container)
        raise SwiftLost(f"{held.name} is not here any more: it is {view.state}", object=held.name)

    async def _reopen(self, container: Container) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            current = await store.lock_container(conn, container.controller, container.name)
            if current is not None and current.state is ContainerState.SEALING:
                metadata = {name: text for name, text in current.metadata.items() if name != "status"}
                await store.update_container(
                    conn, current, metadata=metadata, state=ContainerState.TRANSFERRING, at=self._clock()
                )

    async def _officer(self, container: Container) -> _Officer:
        wearer = origin_of(container.name, container.metadata).wearer
        user = None if wearer is None else await store.find_object(self._pool, container.controller, "Users", wearer)
        metadata = {} if user is None else user.metadata
        return _Officer(metadata.get("userid") or None, metadata.get("name") or None)

    async def _conclude(
        self,
        container: Container,
        originals: Sequence[Held],
        clips: Sequence[UUID],
        companions: Sequence[Held],
        officer: _Officer,
    ) -> None:
        payload = _payload(container, originals, clips, companions, officer)
        async with self._pool.acquire() as conn, conn.transaction():
            # A controller that was revoked meanwhile brought its bytes while it might; its recording is kept whole.
            await revoked_since(conn, container.controller)
            current = await store.lock_container(conn, container.controller, container.name)
            if current is None or current.state is not ContainerState.SEALING:
                return
            await record(
                conn,
                type="recording.sealed",
                actor=container.actor,
                subject=f"recording:{container.recording}",
                payload=payload,
                clock=self._clock,
                entropy=self._entropy,
            )
            await store.update_container(
                conn, current, metadata=current.metadata, state=ContainerState.SEALED, at=self._clock()
            )
            await store.forget_bodies(conn, container)


def _source(container: Container, held: Held, officer: _Officer) -> Source:
    origin = origin_of(container.name, container.metadata)
    recorded_at = object_span(held.metadata).started_at or recording_span(container.metadata).started_at
    return Source(
        name="", path="", recorder=origin.recorder, recorded_at=recorded_at, officer=officer.number or officer.name
    )


def _payload(
    container: Container,
    originals: Sequence[Held],
    clips: Sequence[UUID],
    companions: Sequence[Held],
    officer: _Officer,
) -> JsonObject:
    origin: Origin = origin_of(container.name, container.metadata)
    span = recording_span(container.metadata)
    spans = [(one.name, object_span(one.metadata)) for one in originals]
    return {
        "recording": str(container.recording),
        "controller": str(container.controller),
        "container": container.name,
        "recorder": origin.recorder,
        "wearer": origin.wearer,
        "officer": officer.number,
        "officer_name": officer.name,
        **_times(span),
        "metadata": dict(container.metadata),
        "clips": [
            {
                "name": one.name,
                "clip": str(clip),
                "sha256": one.sha256.hex(),
                "size": one.size,
                **_times(object_span(one.metadata)),
                "metadata": dict(one.metadata),
            }
            for one, clip in zip(originals, clips, strict=True)
        ],
        "companions": [
            {
                "name": one.name,
                "kind": str(one.kind),
                "clip": str(clips[owner_of(one.name, object_span(one.metadata), spans)]),
                "sha256": one.sha256.hex() if one.size else None,
                "size": one.size,
                "metadata": dict(one.metadata),
            }
            for one in companions
        ],
    }


def _times(span: Span) -> dict[str, JsonValue]:
    def text(at: datetime | None) -> str | None:
        return None if at is None else format_time(at)

    return {"started_at": text(span.started_at), "stopped_at": text(span.stopped_at)}
