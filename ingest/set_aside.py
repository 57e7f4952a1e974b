"""What lies in quarantine, for an operator who has to decide what to do about it: see it listed, take a copy out.

Nothing here changes what is kept. Whoever takes a copy leaves a trace first:

1. the kept bytes are hashed, the proof of their beginning     nothing has happened yet
   is put together
2. `upload.copied_out` is committed, with digest and purpose   crash: a trace without a copy, harmless
3. the folder is written (`evidence.export.folder`)            crash: the same; asking again is safe

A recorder that never came back leaves a file whose beginning may be on record (`clip.prefix`, see `prefixes`). Then the
receipt of the longest sealed beginning lies beside the copy, and `shilu-verify FOLDER` tells a stranger which bytes it
proves and which it does not. Whether the kept bytes are still those is the verifier's to say: a copy that was damaged
here is evidence of that, too, and is not withheld.

A file that turns out to be good is uploaded again, by a person, as any file is: quarantine has no way back of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from evidence.clips.prefix_store import prefixes_of
from evidence.core.clock import Clock, Entropy
from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.custody.record import record
from evidence.db.pool import Pool
from evidence.errors import ReceiptPending
from evidence.export.folder import require_free, write_evidence_folder
from evidence.export.names import safe_name
from evidence.export.showing import Showing
from evidence.verify.hashing import hash_file
from evidence.verify.package import LEAVES_SUFFIX
from ingest import store
from ingest.errors import UploadNotQuarantined
from ingest.offload import on_disk
from ingest.spool import Spool
from ingest.store import UploadRow, UploadState
from ledger.tree import root_of

REASON_NAME = "reason.json"
"""The file beside a copy that says why its bytes were set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """One upload in quarantine.

    Attributes:
        upload: Names it.
        actor: Who sent it.
        recorder: Of a dock's upload, else None.
        path: The file's path as the sender had it.
        code, reason: Why it is here.
        at: Since when.
        kept_bytes: What of it lies on this host's disk; None when nothing does, or it is another host's.
        length: Announced bytes, None if never said.
    """

    upload: UUID
    actor: str
    recorder: str | None
    path: str
    code: str
    reason: str
    at: datetime
    kept_bytes: int | None
    length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedOut:
    """A copy that was taken: where it is, what it is, and the entry that says so.

    `sealed_bytes` counts the first bytes that the receipt beside it speaks for; 0 when there is none.
    """

    file: Path
    size: int
    sha256: bytes
    entry_id: UUID
    sealed_bytes: int


class QuarantineRoom:
    """The quarantine of one host, and the rows of all; `showing` proves the beginnings that are on record."""

    def __init__(
        self, *, pool: Pool, spool: Spool, clock: Clock, entropy: Entropy, showing: Showing | None = None
    ) -> None:
        self._pool = pool
        self._showing = showing
        self._spool = spool
        self._clock = clock
        self._entropy = entropy

    async def listed(self, *, after: UUID | None = None, limit: int = 100) -> Sequence[SetAside]:
        """Return what is in quarantine, in the order of ids, behind the upload `after`."""
        return [self._seen(row) for row in await store.quarantined(self._pool, after=after, limit=limit)]

    async def find(self, upload: UUID) -> SetAside:
        """Return one upload in quarantine.

        Raises:
            UploadNotQuarantined: There is no such upload, or it is not there.
        """
        row = await store.find(self._pool, upload)
        if row is None or row.state is not UploadState.QUARANTINED:
            raise UploadNotQuarantined(f"upload {upload} is not in quarantine", upload=str(upload))
        return self._seen(row)

    async def copy_out(self, upload: UUID, *, target: Path, actor: str, purpose: str) -> CopiedOut:
        """Write a folder with the kept bytes and the reason.

        Args:
            upload: Which one.
            target: The folder to make; it must not exist, its parent must.
            actor: On whose behalf, as the ledger writes it.
            purpose: A key of `evidence.parties.purposes.PURPOSES`.

        Raises:
            UploadNotQuarantined: It is not in quarantine, or nothing of it is kept on this host.
            EvidenceDamaged, StorageUnreadable: Its beginning is on record, and the record of it is damaged.
            ExportTargetTaken, ExportTargetUnusable, EvidenceDamaged: See `write_evidence_folder`.
        """
        require_free(target)
        seen = await self.find(upload)
        kept = self._spool.quarantined_path(upload)
        digest, leaves = await on_disk(_digest, kept, upload)
        reason = await on_disk(self._spool.reason_path(upload).read_bytes)
        name = safe_name(Path(seen.path).name, fallback=str(upload))
        if name.casefold() == REASON_NAME:
            name = str(upload)
        proof, sealed_bytes = await self._prove_beginning(upload, name, leaves)
        async with self._pool.acquire() as conn, conn.transaction():
            recorded = await record(
                conn,
                type="upload.copied_out",
                actor=actor,
                subject=f"upload:{upload}",
                payload={
                    "upload": str(upload),
                    "purpose": purpose,
                    "size": digest.size,
                    "sha256": digest.sha256.hex(),
                },
                clock=self._clock,
                entropy=self._entropy,
            )
        stop = threading.Event()
        write = partial(write_evidence_folder, target, original=kept, name=name, digest=digest, leaves=leaves)
        try:
            await asyncio.to_thread(write, small_files={REASON_NAME: reason, **proof}, stop=stop)
        finally:
            stop.set()
        return CopiedOut(
            file=target / name,
            size=digest.size,
            sha256=digest.sha256,
            entry_id=recorded.entry_id,
            sealed_bytes=sealed_bytes,
        )

    async def _prove_beginning(self, upload: UUID, name: str, leaves: Sequence[bytes]) -> tuple[dict[str, bytes], int]:
        """Return the files that prove the longest beginning in a published checkpoint, and its bytes; ({}, 0): none."""
        if self._showing is None:
            return {}, 0
        async with self._pool.acquire() as conn:
            for prefix in reversed(await prefixes_of(conn, upload)):
                try:
                    shown = await self._showing.show(conn, prefix.entry_id)
                except ReceiptPending:
                    continue
                return {**self._showing.files(name, shown), f"{name}{LEAVES_SUFFIX}": b"".join(leaves)}, prefix.size
        return {}, 0

    def _seen(self, row: UploadRow) -> SetAside:
        try:
            kept = self._spool.quarantined_path(row.id).stat().st_size
        except FileNotFoundError:
            kept = None
        return SetAside(
            upload=row.id,
            actor=row.actor,
            recorder=row.source.recorder,
            path=row.source.path,
            code=row.code or "",
            reason=row.reason or "",
            at=row.updated_at or row.created_at,
            kept_bytes=kept,
            length=row.length,
        )


def _digest(kept: Path, upload: UUID) -> tuple[ClipDigest, list[bytes]]:
    if not kept.exists() or not kept.stat().st_size:
        raise UploadNotQuarantined(f"nothing of upload {upload} is kept on this host", upload=str(upload))
    hashes = hash_file(kept)
    leaves = list(hashes.leaves)
    digest = ClipDigest(
        size=hashes.size,
        chunk_bytes=CHUNK_BYTES,
        chunks=len(leaves),
        root=root_of(leaves),
        sha256=hashes.sha256,
    )
    return digest, leaves
