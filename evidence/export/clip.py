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
from uuid import UUID

from evidence.clips.store import clip_row, read_leaves
from evidence.core.clock import Clock, Entropy
from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.core.wire.sealed import SealedClip
from evidence.custody.record import Recorded, record
from evidence.custody.timestamp_store import TimestampRow
from evidence.db.pool import Connection, Pool
from evidence.errors import ClipUnknown, EvidenceDamaged, ObjectMissing, ReceiptPending
from evidence.export.folder import require_free, write_evidence_folder
from evidence.export.names import safe_name
from evidence.objects.store import ObjectStore
from evidence.receipts import build_dock_receipts, build_receipt, stamps_of
from evidence.verify.docks import judge_dock
from evidence.verify.hashing import FileUnreadable, Progress, hash_file
from evidence.verify.judge import Reading, judge_receipt
from evidence.verify.package import (
    CHECKPOINT_SUFFIX,
    DOCK_SUFFIX,
    KEYS_NAME,
    LEAVES_SUFFIX,
    PAGE_NAME,
    POLICY_NAME,
    README_NAME,
    RECEIPT_SUFFIX,
    STAMP_SUFFIX,
)
from evidence.verify.page.page import page_bytes
from evidence.verify.readme import readme_text
from ledger.canonical import JsonObject
from ledger.findings import Severity, is_clean
from ledger.key_history import KeyHistory
from ledger.policy import Policy
from ledger.reader import LogReader
from ledger.tree import root_of


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
    """

    pool: Pool
    reader: LogReader
    objects: ObjectStore
    policy: Policy
    clock: Clock
    entropy: Entropy
    keys: KeyHistory | None = None

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
            ReceiptPending: It is sealed and not yet in a published checkpoint; ask again.
            EvidenceDamaged: What is stored is not what was sealed; nothing is exported.
            ExportTargetTaken, ExportTargetUnusable: See `write_evidence_folder`.
        """
        require_free(target)
        async with self.pool.acquire() as conn:
            proven = await self._prove(conn, clip)
            kept = await read_leaves(conn, sha256=proven.sealed.digest.sha256)
        original = await asyncio.to_thread(_locate, self.objects, proven.sealed)
        leaves = await asyncio.to_thread(_prove_leaves, kept, original, proven.sealed)
        name = safe_name(proven.sealed.name, fallback=str(clip))
        small_files = {
            f"{name}{LEAVES_SUFFIX}": b"".join(leaves),
            POLICY_NAME: self.policy.format(),
            **({KEYS_NAME: self.keys.format()} if self.keys and self.keys.statements else {}),
            README_NAME: readme_text(
                proven.sealed,
                file_name=name,
                dock=proven.dock is not None,
                authorities=[row.authority for row in proven.stamps],
            ),
            PAGE_NAME: page_bytes(),
            f"{name}{RECEIPT_SUFFIX}": format_receipt(proven.receipt),
            **({} if proven.dock is None else {f"{name}{DOCK_SUFFIX}": proven.dock}),
            **{f"{name}.{row.authority}{STAMP_SUFFIX}": row.response for row in proven.stamps},
            **{f"{name}{CHECKPOINT_SUFFIX}": row.checkpoint for row in proven.stamps[:1]},
        }
        files: list[JsonObject] = [
            {"name": name, "sha256": proven.sealed.digest.sha256.hex(), "size": proven.sealed.digest.size},
            *(_listed(small, content) for small, content in small_files.items()),
        ]
        recorded = await self._announce({"clip": str(clip), "purpose": purpose, "files": files}, actor=actor)
        write = partial(write_evidence_folder, target, original=original, name=name, digest=proven.sealed.digest)
        await _in_thread(partial(write, leaves=leaves, small_files=small_files, progress=progress))
        return Exported(target, target / name, clip, proven.index, recorded.entry_id)

    @property
    def _believed(self) -> Policy:
        return self.policy if self.keys is None else self.policy.with_keys(self.keys)

    async def _prove(self, conn: Connection, clip: UUID) -> _Proven:
        """Return the receipt of a clip and what it proves, or refuse."""
        row = await clip_row(conn, clip)
        if row is None:
            raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
        # Against the earliest stamped checkpoint, so that strangers' clocks speak for the entry as early as they can.
        # One that does not meet the policy of today is left alone: what leaves the house verifies by that policy.
        stamps = await stamps_of(conn, row.entry_id)
        receipt, reading = await self._judged(conn, row.entry_id, note=stamps[0].checkpoint if stamps else None)
        if stamps and not is_clean(reading.findings):
            stamps = []
            receipt, reading = await self._judged(conn, row.entry_id, note=None)
        if reading.sealed is None or reading.index is None or not is_clean(reading.findings):
            codes = [found.code for found in reading.findings if found.severity is Severity.ERROR]
            raise EvidenceDamaged(f"the receipt of clip {clip} does not verify: {', '.join(codes)}", codes=codes)
        if (reading.sealed.clip, reading.sealed.digest.sha256) != (clip, row.sha256):
            raise EvidenceDamaged(f"the row of clip {clip} is not what its entry states", clip=str(clip))
        dock = await build_dock_receipts(conn, self.reader, receipt, before=reading.index)
        signed = judge_dock(receipt, reading, dock, policy=self._believed, subject=f"clip:{clip}")
        if not is_clean(signed):
            codes = [found.code for found in signed]
            raise EvidenceDamaged(f"the dock's signature of clip {clip} does not verify: {codes}", codes=codes)
        return _Proven(receipt, reading.sealed, reading.index, dock, tuple(stamps))

    async def _judged(self, conn: Connection, entry_id: UUID, *, note: bytes | None) -> tuple[Receipt, Reading]:
        """Build a receipt against a published checkpoint, None for the newest, and have it judged."""
        receipt = await build_receipt(conn, self.reader, entry_id, note=note)
        if receipt is None:
            raise ReceiptPending(f"entry {entry_id} is not yet in a published checkpoint", entry=str(entry_id))
        return receipt, judge_receipt(receipt, policy=self._believed, subject=f"entry:{entry_id}")

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
class _Proven:
    """A receipt that was judged, what it proves, and the time stamps over its checkpoint."""

    receipt: Receipt
    sealed: SealedClip
    index: int
    dock: bytes | None
    stamps: tuple[TimestampRow, ...]


async def _in_thread(write: Callable[..., None]) -> None:
    stop = threading.Event()
    try:
        await asyncio.to_thread(write, stop=stop)
    finally:
        # A thread outlives its cancelled task: without this the copy would go on behind the caller's back.
        stop.set()


def _locate(objects: ObjectStore, sealed: SealedClip) -> Path:
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


def _prove_leaves(kept: list[bytes] | None, original: Path, sealed: SealedClip) -> list[bytes]:
    """Return the leaf hashes that lead to the clip's root: the kept ones, else those of the original itself."""
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
