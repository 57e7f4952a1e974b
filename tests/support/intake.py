"""An intake for tests: real PostgreSQL, real files, a dock that can sign; streams that end as networks end."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.digest import CHUNK_BYTES, ClipDigest, ClipHasher
from evidence.core.wire.inventory import Inventory
from evidence.core.wire.manifest import Manifest
from evidence.db.pool import Pool
from evidence.objects.local import LocalObjects
from evidence.parties.statements import take_inventory
from ingest.seal import Sealed
from ingest.settings import UploadSettings
from ingest.spool import Disk, Spool
from ingest.upload import UploadService, UploadView
from tests.support.clock import SeededEntropy
from tests.support.parties import PaperDock, enrol, file_of

STAFF = "staff:0195a000-0000-7000-8000-000000000001"
OTHER_STAFF = "staff:0195a000-0000-7000-8000-000000000002"

IMPATIENT = UploadSettings(
    reserve_bytes=0, acknowledge_seconds=0.05, idle_seconds=30.0, takeover_seconds=5.0, retry_seconds=0.05
)
"""The same rules as in production, with less waiting."""


class Disconnected(ConnectionResetError):
    """The sender's connection broke, as the HTTP server reports it."""


@dataclass(kw_only=True)
class Intake:
    """One process's intake and what it stands on."""

    pool: Pool
    service: UploadService
    spool: Spool
    objects: LocalObjects
    folder: Path
    clock: Clock
    entropy: Entropy
    inventories: dict[UUID, Inventory] = field(default_factory=dict)

    async def staff_upload(self, data: bytes, *, name: str = "现场.mp4", actor: str = STAFF) -> UploadView:
        """Announce a file that a person sends."""
        return await self.service.create(actor=actor, length=len(data), metadata={"filename": name.encode()})

    async def dock_upload(
        self,
        dock: PaperDock,
        data: bytes,
        *,
        path: str = "DCIM/A.mp4",
        raw: bool = False,
        recorded_at: datetime | None = None,
        officer: str | None = None,
    ) -> UploadView:
        """Take a dock's inventory of one file and announce that file."""
        listed = file_of(path, size=len(data), raw=raw, recorded_at=recorded_at, officer=officer)
        inventory = dock.inventory(listed)
        async with self.pool.acquire() as conn, conn.transaction():
            await take_inventory(
                conn,
                note=dock.inventory_note(inventory),
                verifier=dock.signer.verifier,
                clock=self.clock,
                entropy=self.entropy,
            )
        metadata = {"inventory": str(inventory.id).encode(), "path": path.encode(), "recorder": dock.recorder.encode()}
        if raw:
            metadata["raw"] = b"true"
        view = await self.service.create(actor=actor_of(dock), length=len(data), metadata=metadata)
        self.inventories[view.id] = inventory
        return view

    async def send(self, view: UploadView, data: bytes, *, offset: int = 0, piece: int = 100_000) -> int:
        """Send everything from an offset on in one request."""
        stream = pieces(data[offset:], piece=piece)
        return await self.service.append(actor=view.actor, upload=view.id, offset=offset, stream=stream)

    async def state(self, view: UploadView) -> UploadView:
        """Ask for an upload."""
        return await self.service.status(actor=view.actor, upload=view.id)

    def manifest(self, dock: PaperDock, view: UploadView, data: bytes, **changes: object) -> Manifest:
        """State what a dock read; `changes` replace fields, those of the digest included."""
        digest = digest_of(data)
        names = set(ClipDigest.__dataclass_fields__)
        digest = replace(digest, **{key: value for key, value in changes.items() if key in names})  # type: ignore[arg-type]
        inventory = self.inventories[view.id]
        manifest = Manifest(
            upload=view.id,
            dock=dock.dock,
            inventory=inventory.id,
            recorder=dock.recorder,
            path=view.metadata["path"],
            raw=view.metadata.get("raw") == "true",
            digest=digest,
        )
        return replace(manifest, **{key: value for key, value in changes.items() if key not in names})  # type: ignore[arg-type]

    async def seal(self, dock: PaperDock, view: UploadView, manifest: Manifest) -> Sealed:
        """Hand in a signed manifest."""
        return await self.service.seal(
            actor=view.actor,
            upload=view.id,
            manifest=dock.manifest_note(manifest),
            dock_verifiers=[dock.signer.verifier],
        )

    async def dock_sealed(
        self,
        dock: PaperDock,
        data: bytes,
        *,
        path: str = "DCIM/A.mp4",
        recorded_at: datetime | None = None,
        officer: str | None = None,
    ) -> tuple[UploadView, Sealed]:
        """Bring one file of a dock all the way."""
        view = await self.dock_upload(dock, data, path=path, recorded_at=recorded_at, officer=officer)
        await self.send(view, data)
        return view, await self.seal(dock, view, self.manifest(dock, view, data))

    async def events(self) -> list[str]:
        """Return the types of all entries in the ledger, in order."""
        return [row["type"] for row in await self.pool.fetch("SELECT type FROM custody_payload ORDER BY entry_id")]

    def leftovers(self) -> set[str]:
        """Return the names of all files of uploads in the spool."""
        return {path.name for path in self.spool.folder.iterdir()} - {"spool-id"}

    def object_bytes(self, data: bytes) -> bytes:
        """Return what lies under the digest of some bytes."""
        return self.objects.open_path(hashlib.sha256(data).hexdigest()).read_bytes()


@asynccontextmanager
async def open_intake(
    pool: Pool,
    folder: Path,
    *,
    clock: Clock,
    entropy: Entropy,
    settings: UploadSettings = IMPATIENT,
    disk: Disk | None = None,
) -> AsyncIterator[Intake]:
    """Open an intake on a folder, as a process that has just started does."""
    spool = Spool.open(folder / "spool", folder / "quarantine", disk=disk)
    objects = LocalObjects(folder / "objects")
    service = UploadService(
        pool=pool, spool=spool, objects=objects, clock=clock, entropy=entropy, settings=settings
    )  # fmt: skip
    async with service:
        yield Intake(
            pool=pool, service=service, spool=spool, objects=objects, folder=folder, clock=clock, entropy=entropy
        )


async def enrolled(intake: Intake, dock: PaperDock) -> PaperDock:
    """Enrol a dock and return it."""
    await enrol(intake.pool, dock, entropy=SeededEntropy(dock.dock.int & 0xFFFF))
    return dock


def actor_of(dock: PaperDock) -> str:
    """Return the actor that a dock's requests carry."""
    return f"dock:{dock.dock}"


def footage(size: int, *, seed: int = 1) -> bytes:
    """Return bytes that repeat nowhere, the same in every run."""
    return SeededEntropy(seed)(size)


def digest_of(data: bytes) -> ClipDigest:
    """Return the digests of bytes by the reference that reads them in one go."""
    hasher = ClipHasher()
    hasher.update(data)
    return hasher.digest()


async def pieces(data: bytes, *, piece: int = 100_000) -> AsyncIterator[bytes]:
    """Yield bytes as a network does."""
    for start in range(0, len(data), piece):
        yield data[start : start + piece]


async def breaking(data: bytes, *, piece: int = 100_000) -> AsyncIterator[bytes]:
    """Yield bytes and then fail as a broken connection does."""
    async for part in pieces(data, piece=piece):
        yield part
    raise Disconnected("the sender is gone")


def chunks_of(size: int) -> int:
    """Return how many chunks a file of `size` bytes has."""
    return -(-size // CHUNK_BYTES)
