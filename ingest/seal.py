"""Seal: complete bytes become an original, or are found not to be what their dock said and go to quarantine.

A manifest is judged by the key that counts for its dock when the ledger entry is made, so step 4 looks once more. A
dock that changed its key in between hands the same manifest in again under the new key; until then the upload waits
with all its bytes. The manifest of a dock that was revoked in between is not sealed any more.

Order of effects:

1. the digests of what arrived are compared with the dock's signed manifest
2. intent: digests and manifest go into the upload's row     crash: recovery seals from the row, nobody is asked again
3. the spool file becomes the object of its digest           crash: an object without a clip; the intent names it
4. one transaction: entries (the clip; whose it is), rows, job  crash: all of it or nothing; before it, see 3
5. what is left of the spool is removed                      crash: recovery removes it

The same content may come again: from the same place (dock, recorder, path) it is the same clip and entry, from another
dock or place it is an event of its own (`clip.repeated`, with a receipt of its own), from staff it is refused by naming
the clip. Two uploads of one content decide one after the other, behind a lock on the digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID
from weakref import WeakValueDictionary

from evidence.clips.prefix_store import prefixes_of
from evidence.clips.store import SealedContent, find_clip, find_source, keep_leaves
from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.digest import CHUNK_BYTES, ClipDigest, leaf_hashes
from evidence.core.ids import uuid7
from evidence.core.wire.manifest import Manifest, open_manifest
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection, Pool
from evidence.errors import WireSignature
from evidence.objects.store import ObjectStore
from evidence.parties.docks import require_in_force
from evidence.parties.errors import DockNotInForce
from evidence.registers.attribution import attribute_sealed
from ingest import jobs, store
from ingest.digests import Digests
from ingest.errors import (
    ClipAlreadySealed,
    IngestError,
    ManifestDisagrees,
    ManifestMisplaced,
    SpoolDamaged,
    SpoolLost,
    UploadExpired,
    UploadFinished,
    UploadIncomplete,
    UploadTerminated,
    UploadUnknown,
)
from ingest.offload import on_disk, to_the_end
from ingest.prefixes import check_continues
from ingest.quarantine import Quarantine
from ingest.spool import Spool
from ingest.store import UploadRow, UploadState
from ledger.canonical import JsonValue
from ledger.note import Verifier, parse_note
from ledger.tree import root_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """How an upload ended well.

    Attributes:
        clip: The clip that holds its content.
        entry_id: The ledger entry that states this source of it; its receipt is the sender's.
        repeated: Whether the content had come from elsewhere before.
    """

    clip: UUID
    entry_id: UUID
    repeated: bool


class Sealer:
    """Seals uploads of one spool.

    Args:
        pool: One connection at a time.
        spool: Where the bytes are.
        objects: Where they go.
        digests: What they come to.
        clock: Gives times of rows and entries.
        entropy: Gives ids and salts.
        second_store: See `UploadSettings`; what is sealed states it, so that whoever clears a recorder knows.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        spool: Spool,
        objects: ObjectStore,
        digests: Digests,
        clock: Clock,
        entropy: Entropy,
        second_store: str | None = None,
    ) -> None:
        self._pool = pool
        self._spool = spool
        self._objects = objects
        self._digests = digests
        self._clock = clock
        self._entropy = entropy
        self._second_store = second_store
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self.quarantine = Quarantine(pool=pool, spool=spool, clock=clock, entropy=entropy)

    async def seal(
        self, upload: UUID, *, manifest: bytes | None = None, dock_verifiers: Sequence[Verifier] = ()
    ) -> Sealed:
        """Seal a complete upload; asked again, answer the same again.

        Args:
            upload: Which one.
            manifest: The dock's signed note. None for staff, and for an upload whose intent is on record already.
            dock_verifiers: Keys the note may be signed with.

        Raises:
            WireError: The note is no manifest or not signed by its dock; nothing was touched.
            DockNotInForce: The dock was revoked, or changed its key, before the seal; the bytes are kept.
            ManifestMisplaced: It is about another upload or dock; nothing was touched.
            ManifestDisagrees, SpoolDamaged, SpoolLost: The bytes are in quarantine.
            ClipAlreadySealed: Staff sent what is sealed already.
            UploadUnknown, UploadIncomplete, UploadTerminated, UploadFinished: There is nothing to seal.
        """
        # A sender that hangs up does not leave it half done: what is begun is ended, and found when it asks again.
        return await to_the_end(self._seal(upload, manifest, dock_verifiers))

    async def _seal(self, upload: UUID, manifest: bytes | None, dock_verifiers: Sequence[Verifier]) -> Sealed:
        lock = self._locks.setdefault(upload, asyncio.Lock())
        async with lock:
            row = await self._find(upload)
            stated = None if manifest is None else _open(manifest, row, dock_verifiers)
            leaves = None
            if row.state is UploadState.COMPLETE and row.sha256 is None:
                row, leaves = await self._intend(row, manifest, stated)
            if row.state is not UploadState.COMPLETE:
                return _answer_again(row, stated)
            if stated is not None:
                _require_agreement(row, stated)
                row = await self._sign_anew(row, manifest)
            await self._adopt(row)
            return await self._commit(row, leaves)

    async def _find(self, upload: UUID) -> UploadRow:
        row = await store.find(self._pool, upload)
        if row is None:
            raise UploadUnknown(f"there is no upload {upload}")
        return row

    async def _intend(
        self, row: UploadRow, note: bytes | None, stated: Manifest | None
    ) -> tuple[UploadRow, list[bytes] | None]:
        if row.source.dock is not None and stated is None:
            raise UploadIncomplete("the dock's manifest has not come yet")
        assert row.length is not None  # noqa: S101 - the schema lets no upload be complete without
        try:
            digest, leaves = await self._digests.finish(row.id, row.length)
            check_continues(await prefixes_of(self._pool, row.id), leaves)
        except (SpoolDamaged, SpoolLost) as error:
            current = await self._find(row.id)
            if current.state is UploadState.COMPLETE and current.sha256 is None:
                await self._refuse(row, error)
                raise
            # Another process seals the same upload and has just moved the bytes on.
            return current, None
        if stated is not None and (differences := disagreements(row, stated, digest)):
            refusal = ManifestDisagrees(f"the manifest states another {' and '.join(differences)}", **differences)
            await self._refuse(row, refusal)
            raise refusal
        await on_disk(self._spool.keep_leaves, row.id, leaves)
        text = None if note is None else note.decode()
        await store.intend_seal(
            self._pool, row.id, sha256=digest.sha256, root=digest.root, sm3=digest.sm3, manifest=text, at=self._clock()
        )
        return replace(row, sha256=digest.sha256, root=digest.root, sm3=digest.sm3, manifest=text), leaves

    async def _sign_anew(self, row: UploadRow, note: bytes | None) -> UploadRow:
        """Keep the manifest as it came now, when the dock has changed its key since it first came."""
        if note is None or row.manifest is None or row.sha256 is None or row.root is None:
            return row
        text = note.decode()
        if text == row.manifest or parse_note(note).text != parse_note(row.manifest.encode()).text:
            return row
        await store.intend_seal(
            self._pool, row.id, sha256=row.sha256, root=row.root, sm3=row.sm3, manifest=text, at=self._clock()
        )
        return replace(row, manifest=text)

    async def _refuse(self, row: UploadRow, error: IngestError) -> None:
        await self.quarantine.hold(row, code=error.code, reason=error.message, details=error.details)
        self._digests.forget(row.id)

    async def _adopt(self, row: UploadRow) -> None:
        assert row.sha256 is not None  # noqa: S101 - intended just before
        if self._spool.size(row.id) is not None:
            # No writer may hold the file any more: what it wrote late would go into the object.
            with self._spool.locked(row.id):
                await on_disk(self._objects.adopt, self._spool.bytes_path(row.id), row.sha256.hex())
        elif not await on_disk(self._objects.exists, row.sha256.hex()):
            refusal = SpoolLost("the bytes were complete, and are neither in the spool nor among the objects")
            await self._refuse(row, refusal)
            raise refusal

    async def _commit(self, row: UploadRow, leaves: list[bytes] | None) -> Sealed:
        # Crash here: the object is there, nothing in the database names it but the intent; recovery comes back here.
        leaves = leaves or await self._leaves(row)
        async with self._pool.acquire() as conn, conn.transaction():
            ended = await self._decide(conn, row, leaves)
        # Crash here: sealed; leaves of the spool stay behind until recovery removes them.
        await on_disk(self._spool.discard, row.id)
        self._digests.forget(row.id)
        if isinstance(ended, ClipAlreadySealed):
            raise ended
        return ended

    async def _leaves(self, row: UploadRow) -> list[bytes]:
        assert row.sha256 is not None  # noqa: S101
        leaves = await on_disk(self._spool.kept_leaves, row.id)
        if await on_disk(root_of, leaves) != row.root:
            path = await on_disk(self._objects.open_path, row.sha256.hex())
            leaves = await on_disk(leaf_hashes, path)
        return leaves

    async def _decide(self, conn: Connection, row: UploadRow, leaves: list[bytes]) -> Sealed | ClipAlreadySealed:
        """Make the one change that says what this upload became, in the caller's transaction."""
        assert row.sha256 is not None  # noqa: S101
        key = None if row.source.dock is None else await require_in_force(conn, row.source.dock)
        await lock_subject(conn, f"content:{row.sha256.hex()}")
        current = await store.lock(conn, row.id)
        if current is None or current.state is not UploadState.COMPLETE:
            return _answer_again(current or row, None)
        if key is not None:
            _require_signed(row, key)
        first = await find_clip(conn, sha256=row.sha256)
        if first is not None and row.source.dock is None:
            refusal = ClipAlreadySealed(f"these bytes are clip {first.clip} already", clip=str(first.clip))
            await store.finish_terminated(
                conn, row.id, code=refusal.code, reason=refusal.message, clip=first.clip, at=self._clock()
            )
            return refusal
        found = None if first is None else await _same_source(conn, row)
        if found is None:
            found = await self._record(conn, row, leaves, first)
        await store.finish_sealed(
            conn, row.id, clip=found.clip, entry=found.entry_id, repeated=found.repeated, at=self._clock()
        )
        return Sealed(clip=found.clip, entry_id=found.entry_id, repeated=found.repeated)

    async def _record(
        self, conn: Connection, row: UploadRow, leaves: list[bytes], first: SealedContent | None
    ) -> SealedContent:
        assert row.sha256 is not None  # noqa: S101
        clip = uuid7(clock=self._clock, entropy=self._entropy) if first is None else first.clip
        payload = _payload(row, clip=clip, chunks=len(leaves), received_at=format_time(self._clock()))
        # What is not stated leaves no trace: a payload without it is byte for byte what it was before there was any.
        if row.sm3 is not None:
            payload["sm3"] = row.sm3.hex()
        if self._second_store is not None:
            payload["second_store"] = self._second_store
        recorded = await record(
            conn,
            type="clip.sealed" if first is None else "clip.repeated",
            actor=row.actor,
            subject=f"clip:{clip}",
            payload=payload,
            clock=self._clock,
            entropy=self._entropy,
        )
        if first is None:
            await keep_leaves(conn, sha256=row.sha256, leaves=leaves)
            await jobs.enqueue(conn, clip=clip, sha256=row.sha256)
        await attribute_sealed(conn, clip, clock=self._clock, entropy=self._entropy)
        return SealedContent(clip=clip, entry_id=recorded.entry_id, repeated=first is not None)


def disagreements(row: UploadRow, stated: Manifest, found: ClipDigest) -> dict[str, dict[str, JsonValue]]:
    """Return every field in which a manifest and what arrived differ, with both values."""
    source = row.source
    pairs: dict[str, tuple[JsonValue, JsonValue]] = {
        "inventory": (str(stated.inventory), str(source.inventory)),
        "recorder": (stated.recorder, source.recorder),
        "path": (stated.path, source.path),
        "raw": (stated.raw, source.raw),
        "size": (stated.digest.size, found.size),
        "chunk_size": (stated.digest.chunk_bytes, found.chunk_bytes),
        "chunks": (stated.digest.chunks, found.chunks),
        "root": (stated.digest.root.hex(), found.root.hex()),
        "sha256": (stated.digest.sha256.hex(), found.sha256.hex()),
    }
    return {name: {"stated": left, "found": right} for name, (left, right) in pairs.items() if left != right}


def _open(note: bytes, row: UploadRow, verifiers: Sequence[Verifier]) -> Manifest:
    if row.source.dock is None:
        raise ManifestMisplaced("an upload of staff takes no manifest")
    stated = open_manifest(note, verifiers)
    if (stated.upload, stated.dock) != (row.id, row.source.dock):
        raise ManifestMisplaced(
            f"the manifest is about upload {stated.upload} of dock {stated.dock}", upload=str(stated.upload)
        )
    return stated


def _require_signed(row: UploadRow, key: Verifier) -> None:
    try:
        open_manifest((row.manifest or "").encode(), [key])
    except WireSignature as error:
        raise DockNotInForce("the key that signed the manifest was replaced; sign it with the present one") from error


def _answer_again(row: UploadRow, stated: Manifest | None) -> Sealed:
    """Answer for an upload that has ended, as it was answered when it did."""
    match row.state:
        case UploadState.SEALED:
            assert row.clip is not None and row.entry is not None and row.repeated is not None  # noqa: S101, PT018
            if stated is not None:
                _require_agreement(row, stated)
            return Sealed(clip=row.clip, entry_id=row.entry, repeated=row.repeated)
        case UploadState.QUARANTINED:
            error = {kind.code: kind for kind in (ManifestDisagrees, SpoolDamaged, SpoolLost, UploadExpired)}.get(
                row.code or ""
            )
            raise (error or UploadFinished)(row.reason or "the upload is in quarantine")
        case UploadState.TERMINATED if row.clip is not None:
            raise ClipAlreadySealed(row.reason or "", clip=str(row.clip))
        case UploadState.TERMINATED:
            raise UploadTerminated("the upload was given up")
        case UploadState.OPEN | UploadState.COMPLETE:
            raise UploadIncomplete(f"{row.offset} of {row.length or 'unknown'} bytes have arrived", offset=row.offset)


def _require_agreement(row: UploadRow, stated: Manifest) -> None:
    """Refuse a second, other manifest for bytes whose digests are settled; they stay what they are."""
    if (stated.digest.sha256, stated.digest.root) != (row.sha256, row.root):
        raise ManifestDisagrees("these bytes are settled already, and this manifest states others")


async def _same_source(conn: Connection, row: UploadRow) -> SealedContent | None:
    source = row.source
    if source.dock is None or source.recorder is None or row.sha256 is None:
        return None
    return await find_source(
        conn, dock=source.dock, recorder=source.recorder, path=source.path, raw=source.raw, sha256=row.sha256
    )


def _payload(row: UploadRow, *, clip: UUID, chunks: int, received_at: str) -> dict[str, JsonValue]:
    source = row.source
    assert row.sha256 is not None and row.root is not None  # noqa: S101, PT018
    return {
        "clip": str(clip),
        "upload": str(row.id),
        "name": source.name,
        "path": source.path,
        "raw": source.raw,
        "recorder": source.recorder,
        "dock": None if source.dock is None else str(source.dock),
        "inventory": None if source.inventory is None else str(source.inventory),
        "actor": row.actor,
        "size": row.length,
        "chunk_size": CHUNK_BYTES,
        "chunks": chunks,
        "root": row.root.hex(),
        "sha256": row.sha256.hex(),
        "manifest": row.manifest,
        "recorded_at": None if source.recorded_at is None else format_time(source.recorded_at),
        "officer": source.officer,
        "key_mark": source.key_mark,
        "received_at": received_at,
    }
