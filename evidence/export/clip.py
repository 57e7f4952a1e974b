"""Export of one clip: everything a stranger needs to verify it offline, in one folder.

The order of effects is the promise "nobody looks without leaving a trace":

1. receipt, payload, leaf hashes and object are held against each other      nothing has happened yet
2. `clip.exported` is committed to the ledger, naming every file             crash: a trace without an export, harmless
3. the folder is written (`evidence.export.folder`)                          crash: the same; asking again is safe

What cannot be verified is not exported: the receipt goes through the same judge as it will at the reader's.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from evidence.clips.store import clip_row, read_leaves
from evidence.core.clock import Clock, Entropy
from evidence.core.wire.sealed import SealedClip
from evidence.custody.record import Recorded, record
from evidence.db.pool import Connection, Pool
from evidence.errors import ClipUnknown, EvidenceDamaged, ObjectMissing
from evidence.export.folder import require_free, write_evidence_folder
from evidence.export.names import safe_name
from evidence.export.showing import Showing, Shown
from evidence.objects.store import ObjectStore
from evidence.receipts import build_dock_receipts
from evidence.registers.attribution import require_usable
from evidence.retention.tombstones import require_kept
from evidence.verify.docks import judge_dock
from evidence.verify.hashing import FileUnreadable, Progress, hash_file
from evidence.verify.package import DOCK_SUFFIX, LEAVES_SUFFIX, README_NAME
from evidence.verify.readme import readme_text
from ledger.canonical import JsonObject
from ledger.findings import is_clean
from ledger.key_history import KeyHistory
from ledger.policy import Policy
from ledger.reader import LogReader
from ledger.tree import root_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        folder: The evidence folder.
        file: The original in it.
        clip: The clip.
        index: Place of its sealing entry in the log.
        entry_id: The entry that says it was exported.
    """

    folder: Path
    file: Path
    clip: UUID
    index: int
    entry_id: UUID


@dataclass(frozen=True, slots=True)
class Exporter:
    """Makes evidence folders.

    Attributes:
        pool: The database.
        reader: The published log.
        objects: Where originals lie.
        policy: The log's key and witnesses; it goes into every folder.
        clock: Time of ledger entries.
        entropy: Their salts and ids.
        keys: The keys the log had, whose statements go into every folder; None or without any: the policy's alone.
        asof: The published checkpoint as of which everything is shown; None for the newest.
    """

    pool: Pool
    reader: LogReader
    objects: ObjectStore
    policy: Policy
    clock: Clock
    entropy: Entropy
    keys: KeyHistory | None = None
    asof: bytes | None = None

    async def export_clip(
        self, *, clip: UUID, target: Path, actor: str, purpose: str, progress: Progress | None = None
    ) -> Exported:
        """Write an evidence folder for a clip.

        Args:
            clip: The clip.
            target: The folder to make; it must not exist, its parent must.
            actor: On whose behalf, as the ledger writes it.
            purpose: A key of `evidence.parties.purposes.PURPOSES`.
            progress: Called with bytes done and bytes in all, from another thread.

        Raises:
            ClipUnknown: There is no such clip.
            ClipBlocked: Whose the clip is, is not settled.
            ReceiptPending: It is sealed and not yet in a published checkpoint; ask again.
            EvidenceDamaged: What is stored is not what was sealed; nothing is exported.
            ExportTargetTaken, ExportTargetUnusable: See `write_evidence_folder`.
        """
        require_free(target)
        async with self.pool.acquire() as conn:
            proven = await self.prove(conn, clip)
            kept = await read_leaves(conn, sha256=proven.sealed.digest.sha256)
        original = await asyncio.to_thread(locate_original, self.objects, proven.sealed)
        leaves = await asyncio.to_thread(prove_kept_leaves, kept, original, proven.sealed)
        name = safe_name(proven.sealed.name, fallback=str(clip))
        small_files = {
            f"{name}{LEAVES_SUFFIX}": b"".join(leaves),
            README_NAME: readme_text(
                proven.sealed,
                file_name=name,
                dock=proven.dock is not None,
                authorities=proven.shown.authorities,
            ),
            **({} if proven.dock is None else {f"{name}{DOCK_SUFFIX}": proven.dock}),
            **self.showing.files(name, proven.shown),
        }
        files: list[JsonObject] = [
            {"name": name, "sha256": proven.sealed.digest.sha256.hex(), "size": proven.sealed.digest.size},
            *(_listed(small, content) for small, content in small_files.items()),
        ]
        recorded = await self._announce({"clip": str(clip), "purpose": purpose, "files": files}, actor=actor)
        write = partial(write_evidence_folder, target, original=original, name=name, digest=proven.sealed.digest)
        write = partial(write, leaves=leaves, small_files=small_files, progress=progress)
        await in_thread(lambda stop: write(stop=stop))
        return Exported(target, target / name, clip, proven.index, recorded.entry_id)

    @property
    def showing(self) -> Showing:
        """Shows entries of this log."""
        return Showing(self.reader, self.policy, self.keys, self.asof)

    async def prove(self, conn: Connection, clip: UUID) -> Proven:
        """Return the receipt of a clip and what it proves, or refuse.

        Raises:
            ClipUnknown, ClipBlocked, ReceiptPending, EvidenceDamaged: See `export_clip`.
        """
        row = await clip_row(conn, clip)
        if row is None:
            raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
        await require_kept(conn, clip)
        await require_usable(conn, clip)
        shown = await self.showing.show(conn, row.entry_id)
        receipt, reading = shown.receipt, shown.reading
        sealed = reading.clip
        if sealed is None or reading.index is None or not shown.holds:
            codes = shown.faults
            raise EvidenceDamaged(f"the receipt of clip {clip} does not verify: {', '.join(codes)}", codes=codes)
        if (sealed.clip, sealed.digest.sha256) != (clip, row.sha256):
            raise EvidenceDamaged(f"the row of clip {clip} is not what its entry states", clip=str(clip))
        dock = await build_dock_receipts(conn, self.reader, receipt, before=reading.index)
        signed = judge_dock(receipt, reading, dock, policy=self.showing.believed, subject=f"clip:{clip}")
        if not is_clean(signed):
            codes = [found.code for found in signed]
            raise EvidenceDamaged(f"the dock's signature of clip {clip} does not verify: {codes}", codes=codes)
        return Proven(shown, sealed, reading.index, dock)

    async def _announce(self, payload: JsonObject, *, actor: str) -> Recorded:
        """Commit the trace of an export before a byte leaves."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await record(
                conn,
                type="clip.exported",
                actor=actor,
                subject=f"clip:{payload['clip']}",
                payload=payload,
                clock=self.clock,
                entropy=self.entropy,
            )


@dataclass(frozen=True, slots=True)
class Proven:
    """A receipt that was judged, the clip that it proves, its place in the log, and receipts of its dock's keys."""

    shown: Shown
    sealed: SealedClip
    index: int
    dock: bytes | None


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """Do blocking work in a thread; the event tells it that nobody waits for it any more."""
    stop = threading.Event()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        # A thread outlives its cancelled task: without this the copy would go on behind the caller's back.
        stop.set()


def locate_original(objects: ObjectStore, sealed: SealedClip) -> Path:
    """Return where the original of a clip lies.

    Raises:
        EvidenceDamaged: It is gone, or has another size than was sealed.
    """
    sha256 = sealed.digest.sha256.hex()
    try:
        size = objects.size(sha256)
        path = objects.open_path(sha256)
    except ObjectMissing as error:
        raise EvidenceDamaged(f"the original of clip {sealed.clip} is gone", sha256=sha256) from error
    if size != sealed.digest.size:
        raise EvidenceDamaged(
            f"the original of clip {sealed.clip} has {size} bytes instead of {sealed.digest.size}", sha256=sha256
        )
    return path


def prove_kept_leaves(kept: list[bytes] | None, original: Path, sealed: SealedClip) -> list[bytes]:
    """Return the leaf hashes that lead to the clip's root: the kept ones, else those of the original itself.

    Raises:
        EvidenceDamaged: Neither do.
    """
    if kept is not None and root_of(kept) == sealed.digest.root:
        return kept
    try:
        leaves = list(hash_file(original).leaves)
    except FileUnreadable as error:
        raise EvidenceDamaged(f"the original of clip {sealed.clip} cannot be read: {error}") from error
    if root_of(leaves) != sealed.digest.root:
        raise EvidenceDamaged(f"the original of clip {sealed.clip} is not what was sealed", clip=str(sealed.clip))
    return leaves


def _listed(name: str, content: bytes) -> JsonObject:
    return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
