"""Deliveries: containers and objects that a controller brings, until it calls a recording complete.

An original takes the way of every upload (`ingest.upload`): a spool on disk, both digests, places, quotas, the reserve
of the disk. Its length is left open, so that nothing seals it but `ingest.swift.sealing`. Whatever else belongs to a
recording is small and waits in the database.

Order of effects of an object:

1. the bytes are in the spool, synced                  crash: an upload nobody names; it expires into quarantine
2. one transaction: its row, in the place of the former   crash: all of it or nothing
3. the former's bytes go: the same ones are given up, others are kept in quarantine   crash: they expire into it
4. 201 with the ETag

So an object is there whole or not at all, the last of two writers wins, and bytes that were replaced by others can be
looked at. A recording that is sealed is not changed: the same bytes again get the same answer, others go to quarantine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.db.pool import Connection, Pool
from evidence.objects.store import ObjectStore
from ingest import store as uploads_store
from ingest.errors import UploadBusy, UploadEmpty, UploadFinished, UploadNoSpace
from ingest.offload import to_the_end
from ingest.quarantine import Quarantine
from ingest.store import UploadState
from ingest.swift import store
from ingest.swift.errors import (
    SwiftContainerUnknown,
    SwiftElsewhere,
    SwiftEtagMismatch,
    SwiftObjectUnknown,
    SwiftSealed,
    SwiftTooLarge,
)
from ingest.swift.metadata import merge
from ingest.swift.metering import Metered
from ingest.swift.rules import REGISTERS, ObjectKind, kind_of
from ingest.swift.sealing import RecordingSealer
from ingest.swift.store import Container, ContainerState, Held
from ingest.upload import UploadService

COMPANION_BYTES_MAX = 16 * 1_048_576
"""Longest companion in bytes; a trail of twelve hours, a place a second, has about five million."""

REGISTERED_BYTES_MAX = 65_536
OBJECTS_MAX = 1000
REGISTERED_MAX = 20_000
"""Most objects of a recording, and of a register."""

REPLACED = "swift.replaced"
"""How an upload ends whose object was replaced by other bytes before its recording was sealed."""

COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What comes with a PUT: the bytes, how many were announced, and the MD5 in hex if the sender states it."""

    stream: AsyncIterator[bytes]
    announced_bytes: int | None
    etag: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What became of an original that came whole.

    Attributes:
        held: What the recording holds now; None when it is over and these bytes are not part of it.
        former: What was replaced.
        is_settled: Whether the bytes that came have their place, in the recording or in quarantine.
    """

    held: Held | None
    former: Held | None
    is_settled: bool


class Deliveries:
    """The intake of controllers; made from the intake of everybody else."""

    def __init__(
        self, *, pool: Pool, uploads: UploadService, objects: ObjectStore, clock: Clock, entropy: Entropy
    ) -> None:
        self._pool = pool
        self._uploads = uploads
        self._clock = clock
        self._entropy = entropy
        self._quarantine = Quarantine(pool=pool, spool=uploads.spool, clock=clock, entropy=entropy)
        self.sealer = RecordingSealer(pool=pool, uploads=uploads, objects=objects, clock=clock, entropy=entropy)

    async def create_container(self, controller: UUID, name: str, metadata: Mapping[str, str]) -> bool:
        """Create a container, or update what is said about it; tell whether it is new.

        Raises:
            SwiftMetadataInvalid, SwiftSealed, SwiftNothingRecorded: See `describe_container`.
        """
        container = Container(
            controller=controller,
            name=name,
            recording=uuid7(clock=self._clock, entropy=self._entropy),
            spool=self._uploads.spool.id,
            metadata={},
            state=ContainerState.REGISTER if name in REGISTERS else ContainerState.TRANSFERRING,
        )
        async with self._pool.acquire() as conn:
            is_new = await store.insert_container(conn, container, at=self._clock())
        if metadata:
            await self.describe_container(controller, name, metadata)
        return is_new

    async def describe_container(self, controller: UUID, name: str, metadata: Mapping[str, str]) -> None:
        """Update what is said about a container; a recording that is called complete by that is sealed.

        Raises:
            SwiftContainerUnknown: There is none.
            SwiftMetadataInvalid: Too much is said.
            SwiftSealed: It is sealed, and was described otherwise.
            CodedError: See `RecordingSealer.seal`; the recording stays as it was, and can be completed again.
        """
        is_complete = metadata.get("status", "").lower() == COMPLETE
        async with self._pool.acquire() as conn, conn.transaction():
            container = await self._lock(conn, controller, name)
            merged = merge(container.metadata, metadata)
            if container.state in (ContainerState.SEALING, ContainerState.SEALED):
                if merged != container.metadata:
                    raise SwiftSealed("the recording is complete and was described otherwise")
            elif is_complete and container.state is ContainerState.TRANSFERRING:
                await self.sealer.begin(conn, container, merged)
            else:
                await store.update_container(conn, container, metadata=merged, state=container.state, at=self._clock())
        # Crash here: it is `sealing`, and recovery goes on.
        if is_complete and container.state is not ContainerState.REGISTER:
            await to_the_end(self.sealer.seal(controller, name))

    async def container(self, controller: UUID, name: str) -> tuple[Container, int, int]:
        """Return a container, the number of its objects, and their bytes.

        Raises:
            SwiftContainerUnknown: There is none.
        """
        found = await store.find_container(self._pool, controller, name)
        if found is None:
            raise SwiftContainerUnknown("there is no such container")
        return (found, *await store.count_objects(self._pool, controller, name))

    async def object(self, controller: UUID, container: str, name: str) -> Held:
        """Return an object.

        Raises:
            SwiftObjectUnknown: There is none.
        """
        found = await store.find_object(self._pool, controller, container, name)
        if found is None:
            raise SwiftObjectUnknown("there is no such object")
        return found

    async def describe_object(self, controller: UUID, container: str, name: str, metadata: Mapping[str, str]) -> None:
        """Replace what is said about an object.

        Raises:
            SwiftContainerUnknown, SwiftObjectUnknown: There is none.
            SwiftSealed: The recording is complete, and it was described otherwise.
        """
        stated = merge({}, metadata)
        async with self._pool.acquire() as conn, conn.transaction():
            found = await self._lock(conn, controller, container)
            held = await store.find_object(conn, controller, container, name)
            if held is None:
                raise SwiftObjectUnknown("there is no such object")
            if found.state in (ContainerState.SEALING, ContainerState.SEALED) and stated != held.metadata:
                raise SwiftSealed("the recording is complete and its object was described otherwise")
            await store.describe_object(conn, found, name, metadata=stated, at=self._clock())

    async def put(
        self, controller: UUID, container: str, name: str, *, metadata: Mapping[str, str], body: Body
    ) -> Held:
        """Take an object whole, and return it as it is held then.

        Raises:
            SwiftContainerUnknown: The container was not created.
            SwiftElsewhere: It was created on another host.
            SwiftTooLarge, UploadEmpty, SwiftMetadataInvalid: Never to be stored.
            SwiftEtagMismatch: The bytes are not what the sender says; they were dropped.
            SwiftSealed: The recording is sealed with other bytes; these are in quarantine if they are an original's.
            UploadBusy, UploadNoSpace, SpoolFailed, UploadStalled: By the way it took; nothing was changed.
        """
        found = (await self.container(controller, container))[0]
        kind = kind_of(container, name)
        stated = merge({}, metadata)
        if kind is ObjectKind.ORIGINAL:
            return await self._put_original(found, name, metadata=stated, body=body)
        data, meter = await self._read_small(kind, body)
        md5, sha256 = await self._settle(meter, body)
        held = Held(
            name=name,
            kind=kind,
            upload=None,
            body=data,
            sha256=sha256,
            md5=md5,
            size=len(data),
            metadata=stated,
            updated_at=self._clock(),
        )
        async with self._pool.acquire() as conn, conn.transaction():
            locked = await self._lock(conn, controller, container)
            former = await store.find_object(conn, controller, container, name)
            if locked.state in (ContainerState.REGISTER, ContainerState.TRANSFERRING):
                await self._put(conn, locked, held, former)
                return held
        return _again(locked, former, held)

    async def _put_original(self, container: Container, name: str, *, metadata: Mapping[str, str], body: Body) -> Held:
        if container.spool != self._uploads.spool.id:
            raise SwiftElsewhere("the bytes of this recording lie on another host")
        limit = self._uploads.settings.length_max_of(container.actor)
        if (body.announced_bytes or 0) > limit:
            raise SwiftTooLarge(f"{body.announced_bytes} bytes are more than the {limit} allowed")
        path = f"{container.name}/{name}".encode()
        view = await self._uploads.create(actor=container.actor, length=None, metadata={"filename": path})
        is_settled = False
        try:
            held = await self._receive(container, view.id, name, metadata=metadata, body=body)
            taken = await self._take(container, held)
            is_settled = taken.is_settled
        finally:
            if not is_settled:
                await to_the_end(self._give_up(container.actor, view.id))
        if taken.former is not None:
            # Crash here: two uploads of one object, of which the row names the newer; the older expires.
            await self._retire(container.actor, taken.former, held)
        if taken.held is None:
            raise SwiftSealed("the recording is sealed, and these bytes are not part of it")
        return taken.held

    async def _receive(
        self, container: Container, upload: UUID, name: str, *, metadata: Mapping[str, str], body: Body
    ) -> Held:
        meter = Metered(body.stream)
        await self._uploads.append(
            actor=container.actor, upload=upload, offset=0, stream=meter, announced_bytes=body.announced_bytes
        )
        md5, sha256 = await self._settle(meter, body)
        if meter.size == 0:
            raise UploadEmpty("a file without a byte cannot be evidence")
        return Held(
            name=name,
            kind=ObjectKind.ORIGINAL,
            upload=upload,
            body=None,
            sha256=sha256,
            md5=md5,
            size=meter.size,
            metadata=metadata,
            updated_at=self._clock(),
        )

    async def _take(self, container: Container, held: Held) -> _Taken:
        async with self._pool.acquire() as conn, conn.transaction():
            locked = await self._lock(conn, container.controller, container.name)
            former = await store.find_object(conn, container.controller, container.name, held.name)
            if locked.state is ContainerState.TRANSFERRING and not await self._is_sealed(conn, former):
                await self._put(conn, locked, held, former)
                return _Taken(held=held, former=former, is_settled=True)
        if locked.state is ContainerState.SEALING:
            raise UploadBusy("the recording is being sealed")
        if former is not None and _is_same(former, held):
            return _Taken(held=former, former=None, is_settled=False)
        await self._set_aside(held, SwiftSealed.code, "the recording is sealed, and these bytes are not part of it")
        return _Taken(held=None, former=None, is_settled=True)

    async def _is_sealed(self, conn: Connection, former: Held | None) -> bool:
        """Tell whether an object's bytes are sealed already, because its recording could only be sealed in part."""
        if former is None or former.upload is None:
            return False
        row = await uploads_store.find(conn, former.upload)
        return row is not None and row.clip is not None

    async def _put(self, conn: Connection, container: Container, held: Held, former: Held | None) -> None:
        count, _ = await store.count_objects(conn, container.controller, container.name)
        limit = REGISTERED_MAX if container.state is ContainerState.REGISTER else OBJECTS_MAX
        if former is None and count >= limit:
            raise SwiftTooLarge(f"a container has at most {limit} objects")
        await store.put_object(conn, container, held)

    async def _retire(self, actor: str, former: Held, held: Held) -> None:
        if _is_same(former, held):
            await self._give_up(actor, former.upload)
        else:
            await self._set_aside(former, REPLACED, "the controller sent other bytes under the same name")

    async def _give_up(self, actor: str, upload: UUID | None) -> None:
        if upload is None:
            return
        try:
            await self._uploads.terminate(actor=actor, upload=upload)
        except UploadFinished:
            # It is in quarantine already.
            return

    async def _set_aside(self, held: Held, code: str, reason: str) -> None:
        row = None if held.upload is None else await uploads_store.find(self._pool, held.upload)
        if row is not None and row.state is UploadState.OPEN:
            await self._quarantine.hold(row, code=code, reason=reason)

    async def _read_small(self, kind: ObjectKind, body: Body) -> tuple[bytes, Metered]:
        limit = REGISTERED_BYTES_MAX if kind is ObjectKind.REGISTERED else COMPANION_BYTES_MAX
        if (body.announced_bytes or 0) > limit:
            raise SwiftTooLarge(f"at most {limit} bytes are taken for such an object")
        settings = self._uploads.settings
        if self._uploads.spool.free_bytes() - (body.announced_bytes or 0) < settings.reserve_bytes:
            raise UploadNoSpace("the disk is full up to its reserve")
        meter, pieces = Metered(body.stream), list[bytes]()
        async for piece in meter:
            pieces.append(piece)
            if meter.size > limit:
                raise SwiftTooLarge(f"at most {limit} bytes are taken for such an object")
        return b"".join(pieces), meter

    async def _settle(self, meter: Metered, body: Body) -> tuple[str, bytes]:
        md5, sha256 = await meter.digests()
        if body.etag is not None and body.etag != md5:
            raise SwiftEtagMismatch("the bytes have another MD5 than the ETag says", md5=md5)
        return md5, sha256

    async def _lock(self, conn: Connection, controller: UUID, name: str) -> Container:
        found = await store.lock_container(conn, controller, name)
        if found is None:
            raise SwiftContainerUnknown("there is no such container")
        return found


def _again(container: Container, former: Held | None, held: Held) -> Held:
    """Answer for an object of a recording that is over: what is on record, if it is the same."""
    if container.state is ContainerState.SEALING:
        raise UploadBusy("the recording is being sealed")
    if former is None or not _is_same(former, held):
        raise SwiftSealed("the recording is sealed, and these bytes are not part of it")
    return former


def _is_same(one: Held, other: Held) -> bool:
    return (one.sha256, one.size) == (other.sha256, other.size)
