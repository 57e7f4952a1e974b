"""Redacted copies: a derivative of a clip with parts made unseen and unheard, linked to it by what was changed and why.

Somebody asks, a worker makes. Order of effects:

1. one transaction: the job's row, its entry in the queue        crash: nothing was asked
   (and the answer that an Idempotency-Key gets again)
2. the job's row is taken under a token, the attempt counted     crash: the hold runs out, another worker takes it
3. a child process makes the copy from the original, in a        crash: the same; the next attempt removes the folder
   work folder whose name is that of the job and the token
4. the copy becomes an object                                    crash: the same; an object that nobody names, harmless
5. one transaction: `clip.redacted` with the digests of both,    crash: all or nothing
   the list of changes and the reasons; the end of the job,
   if the token is still in force

The original stays as it is and stays the evidence. A copy is never changed either: another wish is another copy. What
cannot be made is refused with its reason, at once where the file is to blame, after some attempts where workers died.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from evidence.clips.redaction import RedactionContent
from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.holding import while_held
from evidence.db.pool import Connection, Pool
from evidence.errors import ClipUnknown, LeaseLost
from evidence.objects.store import ObjectStore
from evidence.retention.tombstones import keep_meanwhile
from ingest import jobs, redaction_store
from ingest.errors import IngestError, RedactionRefused, RedactionUnknown
from ingest.media.errors import ChildLost, MediaError, NoSpace, SourceUnreadable
from ingest.media.pieces import Piece, make_piece
from ingest.offload import on_disk, to_the_end
from ingest.redaction_store import MadeCopy, RedactionJob, RedactionLease
from ingest.settings import WorkerSettings
from ledger.canonical import JsonObject
from ledger.errors import CodedError
from ledger.store import DATABASE_ERRORS

REASON_CHARACTERS_MAX = 1000

_log = structlog.get_logger(__name__)


async def order_redaction(
    conn: Connection, *, clip: UUID, content: RedactionContent, actor: str, clock: Clock, entropy: Entropy
) -> RedactionJob:
    """Ask for a copy; a worker begins when the caller's transaction commits.

    Raises:
        ClipUnknown, ClipDisposed: There is no such clip, or not any more.
    """
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    await keep_meanwhile(conn, clip)
    redaction = uuid7(clock=clock, entropy=entropy)
    await redaction_store.insert(conn, redaction=redaction, clip=clip, content=content.model_dump_json(), actor=actor)
    await jobs.wake(conn, jobs.REDACT, redaction)
    return await find_redaction(conn, clip=clip, redaction=redaction)


async def find_redaction(db: Connection | Pool, *, clip: UUID, redaction: UUID) -> RedactionJob:
    """Return how far a copy is.

    Raises:
        RedactionUnknown: Nobody asked for it, or for one of another clip.
    """
    job = await redaction_store.find(db, redaction)
    if job is None or job.clip != clip:
        raise RedactionUnknown(f"clip {clip} has no redaction {redaction}", redaction=str(redaction))
    return job


@dataclass(frozen=True, slots=True, kw_only=True)
class Redactor:
    """Makes redacted copies, one call at a time and copy; `workspace` is a folder on the file system of the objects."""

    pool: Pool
    objects: ObjectStore
    workspace: Path
    clock: Clock
    entropy: Entropy
    settings: WorkerSettings

    async def attempt(self, redaction: UUID) -> float | None:
        """Make a copy unless somebody does or nothing is left to do.

        Returns:
            Seconds after which it should be looked at again; None when it is done with.
        """
        token = uuid7(clock=self.clock, entropy=self.entropy)
        try:
            return await self._attempt(redaction, token)
        except asyncio.CancelledError:
            # The worker is told to stop, perhaps in the middle of taking the job: that says nothing about the file.
            await to_the_end(self._give_back(redaction, token, reason=None, counts=False, delay_seconds=0.0))
            raise

    async def _attempt(self, redaction: UUID, token: UUID) -> float | None:
        seconds = self.settings.lease_seconds
        lease = await redaction_store.take(self.pool, redaction=redaction, token=token, lease_seconds=seconds)
        if lease is None:
            held = await redaction_store.TABLE.seconds_held(self.pool, redaction)
            return None if held is None else max(held, 0.0) + self.settings.retry_seconds
        try:
            await self._work(lease)
        except LeaseLost:
            _log.warning("redaction.lease_lost", redaction=str(redaction), attempt=lease.attempt)
        except CodedError as error:
            _log.warning("redaction.failed", redaction=str(redaction), attempt=lease.attempt, reason=str(error))
            return await self._after_failure(lease, error)
        return None

    async def _work(self, lease: RedactionLease) -> None:
        if lease.attempt > self.settings.attempts_max:
            raise RedactionRefused(lease.reason or f"{self.settings.attempts_max} workers ended without a result")
        async with self.pool.acquire() as conn:
            row = await clip_row(conn, lease.clip)
        if row is None:
            raise ClipUnknown(f"there is no clip {lease.clip}", clip=str(lease.clip))
        content = RedactionContent.model_validate_json(lease.content)
        folder = self.workspace / f"redaction-{lease.redaction}.{lease.token}"
        await on_disk(self._make_folder, folder, lease.redaction)
        try:
            piece = await self._while_held(lease, folder, row.sha256, content)
            sha256, size = await on_disk(_measured, piece.path)
            await on_disk(self.objects.adopt, piece.path, sha256.hex())
            async with self.pool.acquire() as conn, conn.transaction():
                await self._publish(conn, lease, row.sha256, content, piece, sha256=sha256, size=size)
        finally:
            await to_the_end(on_disk(shutil.rmtree, folder, ignore_errors=True))

    async def _while_held(
        self, lease: RedactionLease, folder: Path, original: bytes, content: RedactionContent
    ) -> Piece:
        async def make() -> Piece:
            # It may have to be fetched from the second store: this host may not be the one that it came to.
            path = await on_disk(self.objects.open_path, original.hex())
            return await make_piece(path, folder, {"task": "redact", "changes": _changes(content)})

        seconds = self.settings.lease_seconds
        return await while_held(
            make(),
            renew=lambda: redaction_store.renew(self.pool, lease, lease_seconds=seconds),
            every_seconds=seconds / 3,
        )

    async def _publish(
        self,
        conn: Connection,
        lease: RedactionLease,
        parent: bytes,
        content: RedactionContent,
        piece: Piece,
        *,
        sha256: bytes,
        size: int,
    ) -> None:
        if not await redaction_store.TABLE.holds(conn, lease.redaction, token=lease.token):
            raise LeaseLost("another worker has taken the copy over", redaction=str(lease.redaction))
        media_type = str(piece.facts.probe.get("media_type"))
        recorded = await record(
            conn,
            type="clip.redacted",
            actor=lease.actor,
            subject=f"clip:{lease.clip}",
            payload={
                "clip": str(lease.clip),
                "redaction": str(lease.redaction),
                "parent": parent.hex(),
                "sha256": sha256.hex(),
                "size": size,
                "media_type": media_type,
                "changes": content.as_json(),
                "tools": piece.facts.tools,
                "made": {name: value for name, value in piece.facts.probe.items() if name != "media_type"},
            },
            clock=self.clock,
            entropy=self.entropy,
        )
        made = MadeCopy(entry_id=recorded.entry_id, sha256=sha256, size=size, media_type=media_type)
        await redaction_store.finish(conn, lease, made)

    async def _after_failure(self, lease: RedactionLease, error: CodedError) -> float | None:
        """Decide what a failed attempt means: again, without counting it; again; or never."""
        if isinstance(error, ChildLost) and lease.attempt < self.settings.attempts_max:
            pause, counts = self.settings.retry_seconds, True
        elif _is_in_the_way(error):
            pause, counts = self.settings.blocked_seconds, False
        else:
            told = error if not isinstance(error, MediaError) else _refusal(error)
            reason = told.message[:REASON_CHARACTERS_MAX]
            await redaction_store.refuse(self.pool, lease, code=told.code, reason=reason)
            return None
        reason = str(error)[:REASON_CHARACTERS_MAX]
        await self._give_back(lease.redaction, lease.token, reason=reason, counts=counts, delay_seconds=pause)
        return pause

    async def _give_back(
        self, redaction: UUID, token: UUID, *, reason: str | None, counts: bool, delay_seconds: float
    ) -> None:
        try:
            await redaction_store.TABLE.give_back(
                self.pool, token, job=redaction, reason=reason, counts=counts, delay_seconds=delay_seconds
            )
        except DATABASE_ERRORS as error:
            # The hold runs out by itself; then the attempt does count, which is the safe side.
            _log.warning("redaction.not_given_back", redaction=str(redaction), error=str(error))

    def _make_folder(self, folder: Path, redaction: UUID) -> None:
        # Whoever worked on this copy before has lost it, or we would not hold it.
        for stale in self.workspace.glob(f"redaction-{redaction}.*"):
            shutil.rmtree(stale, ignore_errors=True)
        folder.mkdir(parents=True)


def _is_in_the_way(error: CodedError) -> bool:
    return isinstance(error, NoSpace | SourceUnreadable | IngestError) and not isinstance(error, RedactionRefused)


def _refusal(error: MediaError) -> RedactionRefused:
    return RedactionRefused(f"no redacted copy can be made of this file: {error}", why=error.code)


def _changes(content: RedactionContent) -> JsonObject:
    # Reasons are people's words and no business of a process that decodes hostile bytes.
    changes = content.model_dump(mode="json", exclude={"reason": True, "cover": {"__all__": {"why"}}})
    changes["mute"] = [{"from_ms": span.from_ms, "to_ms": span.to_ms} for span in content.mute]
    return changes


def _measured(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return digest, file.tell()
