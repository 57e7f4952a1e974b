"""A small service state, all of it real: PostgreSQL, objects on disk, a published log, and the steps that made them.

One dock with a signed inventory, three sealed clips (one of several chunks, one sent twice), derivatives of one,
an annotation, a case with an exhibit, a view. Tests read it, export from it, and tamper with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from evidence.clips.store import keep_leaves
from evidence.core.clock import format_time
from evidence.core.digest import digest_file, leaf_hashes
from evidence.core.ids import uuid7
from evidence.core.wire.clip_digest import digest_body
from evidence.core.wire.inventory import Inventory, InventoryFile, sign_inventory
from evidence.core.wire.manifest import Manifest, sign_manifest
from evidence.core.wire.statement import dock_key_name
from evidence.custody.record import Recorded, record
from evidence.db.pool import Connection, Pool, connect, set_up
from evidence.objects.local import LocalObjects
from ledger.canonical import JsonObject
from ledger.note import Signer
from ledger.policy import Policy
from ledger.publish import LogFolder
from ledger.reader import LogReader
from ledger.sequencer import Sequencer
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.evidence_folder import content_of
from tests.support.payloads import STAFF, Scribe

ORIGIN = "shilu.test/log"
RECORDER = "4A00123"
CONTENTS = {
    "DCAM_4A00123_013579_20260302_093000.mp4": content_of(chunks=3),
    "现场 检查.mp4": content_of(chunks=1, tail_bytes=77),
    "still.jpg": b"a small still picture",
}


@dataclass(kw_only=True)
class SmallHouse:
    """Handles to every part of the state.

    Attributes:
        pool: The database.
        dsn: Its address.
        root: Folder of everything on disk.
        clips: File name -> clip.
        entries: Every recorded entry by what it was recorded for.
    """

    pool: Pool
    dsn: str
    root: Path
    clock: SteppingClock
    entropy: SeededEntropy
    signer: Signer = field(init=False)
    dock_signer: Signer = field(init=False)
    dock: UUID = field(init=False)
    inventory: UUID = field(init=False)
    objects: LocalObjects = field(init=False)
    storage: LogFolder = field(init=False)
    reader: LogReader = field(init=False)
    sequencer: Sequencer = field(init=False)
    clips: dict[str, UUID] = field(default_factory=dict)
    entries: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signer = Signer.generate(ORIGIN, self.entropy)
        self.dock, self.inventory = self.new_id(), self.new_id()
        self.dock_signer = Signer.generate(dock_key_name(self.dock), self.entropy)
        self.objects = LocalObjects(self.root / "objects")
        self.storage = LogFolder(self.root / "log")
        self.reader = LogReader(self.storage)
        self.sequencer = Sequencer(lambda: connect(self.dsn), self.storage, self.signer, self.clock)

    @property
    def policy(self) -> Policy:
        """What a reader who trusts this log believes."""
        return Policy.parse(f"log {self.signer.verifier.vkey}\nquorum none\n")

    def object_path(self, name: str) -> Path:
        """Return where the original of that name lies."""
        return self.objects.open_path(self.object_digest(CONTENTS[name]))

    def object_digest(self, content: bytes) -> str:
        """Return the name of the object with that content."""
        return hashlib.sha256(content).hexdigest()

    async def publish(self) -> None:
        """Let the sequencer give every waiting entry its place and publish the checkpoint."""
        await self.sequencer.step()

    async def write(self, event_type: str, subject: str, payload: JsonObject, *, key: str | None = None) -> Recorded:
        """Record an event in a transaction of its own."""
        async with self.pool.acquire() as conn, conn.transaction():
            recorded = await self.write_on(conn, event_type, subject, payload)
        self.entries[key or event_type] = recorded.entry_id
        return recorded

    async def write_on(self, conn: Connection, event_type: str, subject: str, payload: JsonObject) -> Recorded:
        """Record an event in the caller's transaction."""
        return await record(
            conn,
            type=event_type,
            actor="service",
            subject=subject,
            payload=payload,
            clock=self.clock,
            entropy=self.entropy,
        )

    async def seal(
        self,
        name: str,
        content: bytes,
        *,
        repeated_of: UUID | None = None,
        with_manifest: bool = True,
        sm3: str | None = None,
    ) -> UUID:
        """Seal a content as the service does: object first, then one transaction; `sm3` is stated as it is given."""
        source = self.root / "incoming"
        source.write_bytes(content)
        digest, leaves = digest_file(source), leaf_hashes(source)
        self.objects.adopt(source, digest.sha256.hex())
        clip, upload = repeated_of or self.new_id(), self.new_id()
        path = f"DCIM/{name}" if repeated_of is None else f"BACKUP/{name}"
        manifest = Manifest(
            upload=upload, dock=self.dock, inventory=self.inventory, recorder=RECORDER, path=path, digest=digest
        )
        payload: JsonObject = {
            "clip": str(clip),
            "upload": str(upload),
            "name": name,
            "path": path,
            "raw": False,
            "recorder": RECORDER,
            "dock": str(self.dock),
            "inventory": str(self.inventory),
            "actor": f"dock:{self.dock}",
            "manifest": sign_manifest(manifest, self.dock_signer).decode() if with_manifest else None,
            "recorded_at": format_time(self.clock()),
            "officer": "013579",
            "key_mark": False,
            "received_at": format_time(self.clock()),
            **digest_body(digest),
            **({} if sm3 is None else {"sm3": sm3}),
        }
        event_type = "clip.repeated" if repeated_of else "clip.sealed"
        async with self.pool.acquire() as conn, conn.transaction():
            recorded = await self.write_on(conn, event_type, f"clip:{clip}", payload)
            await keep_leaves(conn, sha256=digest.sha256, leaves=leaves)
        self.entries[f"{event_type}:{name}"] = recorded.entry_id
        return clip

    async def furnish(self) -> None:
        """Make the whole state and publish it."""
        await self.sequencer.recover()
        vkey = self.signer.verifier.vkey
        await self.write("log.created", "log", {"origin": ORIGIN, "vkey": vkey})
        await self._greet_dock()
        await self._let_in(STAFF.removeprefix("staff:"))
        for name, content in CONTENTS.items():
            self.clips[name] = await self.seal(name, content)
        first = next(iter(CONTENTS))
        await self.seal(first, CONTENTS[first], repeated_of=self.clips[first])
        await self._derive(self.clips[first])
        await self.publish()
        async with self.pool.acquire() as conn:
            scribe = Scribe(conn=conn, clock=self.clock, entropy=self.entropy)
            annotated = await scribe.annotate(self.clips[first], remark="亮证后检查排污口")
            self.entries["clip.annotated"] = annotated.entry_id
            case = await scribe.open_case()
            await scribe.link(case, self.clips[first])
        await self._view(self.clips[first])
        await self.publish()

    async def _greet_dock(self) -> None:
        enrolled = {"dock": str(self.dock), "name": "一楼采集站", "vkey": self.dock_signer.verifier.vkey}
        await self.write("dock.enrolled", f"dock:{self.dock}", enrolled)
        files = tuple(
            InventoryFile(path=f"DCIM/{name}", size=len(content), modified_at=self.clock(), order=order)
            for order, (name, content) in enumerate(CONTENTS.items())
        )
        inventory = Inventory(
            id=self.inventory,
            dock=self.dock,
            recorder=RECORDER,
            seen_at=self.clock(),
            dock_clock=self.clock(),
            profile="generic-dcim",
            files=files,
        )
        note = sign_inventory(inventory, self.dock_signer).decode()
        stated = {"inventory": str(self.inventory), "dock": str(self.dock), "recorder": RECORDER, "note": note}
        await self.write("dock.inventory", f"dock:{self.dock}", stated)

    async def _let_in(self, staff: str) -> None:
        token = self.new_id()
        issued: JsonObject = {
            "token": str(token),
            "staff": staff,
            "name": "调查员",
            "role": "investigator",
            "expires_at": format_time(self.clock() + timedelta(days=30)),
            "token_sha256": hashlib.sha256(token.bytes).hexdigest(),
        }
        await self.write("staff.token_issued", f"token:{token}", issued)

    async def _view(self, clip: UUID) -> None:
        viewed: JsonObject = {
            "clip": str(clip),
            "rendition": "proxy",
            "purpose": "legal_review",
            "staff": str(self.new_id()),
            "ticket": str(self.new_id()),
        }
        await self.write("clip.viewed", f"clip:{clip}", viewed)
        looked: JsonObject = {
            "clips": sorted(map(str, self.clips.values())),
            "renditions": ["poster"],
            "pictures": hashlib.sha256(b"a list").hexdigest(),
            **{name: viewed[name] for name in ("purpose", "staff")},
            "ticket": str(self.new_id()),
        }
        await self.write("clips.viewed", f"staff:{looked['staff']}", looked)

    async def _derive(self, clip: UUID) -> None:
        proxy, poster = b"a proxy, a derivative", b"a poster"
        derived: JsonObject = {
            "clip": str(clip),
            "attempt": 1,
            "outcome": "reviewable",
            "reason": None,
            "tools": {"ffmpeg": "8.1.2"},
            "parameters": {"height": 720},
            "probe": {"duration_ms": 6000},
            "objects": [
                {"kind": "proxy", "sha256": self.objects.put(proxy), "size": len(proxy), "media_type": "video/mp4"},
                {"kind": "poster", "sha256": self.objects.put(poster), "size": len(poster), "media_type": "image/jpeg"},
            ],
        }
        await self.write("clip.derived", f"clip:{clip}", derived)

    def new_id(self) -> UUID:
        """Return an id that nobody had before."""
        return uuid7(clock=self.clock, entropy=self.entropy)


@asynccontextmanager
async def open_small_house(
    pool: Pool, dsn: str, root: Path, *, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    """Give a furnished small house and close its sequencer afterwards."""
    house = SmallHouse(pool=pool, dsn=dsn, root=root, clock=clock, entropy=entropy)
    await house.furnish()
    try:
        yield house
    finally:
        await house.sequencer.close()


@asynccontextmanager
async def superuser(dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Give a connection on which no trigger fires: what a database administrator can do to rows."""
    conn = await asyncpg.connect(dsn)
    try:
        await set_up(conn)
        await conn.execute("SET session_replication_role = replica")
        yield conn
    finally:
        await conn.close()
