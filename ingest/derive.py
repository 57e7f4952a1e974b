"""One attempt at one clip: take the job, let a child process decode, publish what came of it exactly once.

Order of effects:

1. the job's row is taken under a token, the attempt counted   crash: the hold runs out and another worker takes it
2. all is made in a work folder                                crash: the same; the next attempt removes the folder
   (on the way a first still becomes an object, then a row     crash: an object that nothing names, or a first still
   that names it; neither is evidence)                         of a clip whose derivation is still to come
3. they become objects                                         crash: the same; objects that no clip names do no harm
4. one transaction: ledger entry, clip rows, end of the job,   crash: all or nothing
   if the token is still in force

A file that cannot be decoded is a result like any other (`undecodable`, with the reason): the original stays sealed.
An attempt that fails in another way is repeated; after the last one the clip is declared undecodable with what is
known, so that a file which takes every worker down with it does so a limited number of times. Attempts that failed for
want of disk space or of the original's bytes, or because the worker was stopped, say nothing about the file and do not
count.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import structlog

from evidence.clips.preview_store import insert_preview
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.holding import while_held
from evidence.db.pool import Pool
from evidence.errors import LeaseLost, ObjectDamaged, ObjectMissing
from evidence.objects.store import ObjectStore
from ingest import jobs_store
from ingest.errors import IngestError
from ingest.jobs_store import Lease
from ingest.media.errors import NoSpace, SourceUnreadable
from ingest.media.result import REASON_CHARACTERS_MAX, EarlyStill, MadeObject, MediaResult
from ingest.media.runner import OnEarly, derive_media
from ingest.offload import on_disk, to_the_end
from ingest.settings import WorkerSettings
from ledger.canonical import JsonValue
from ledger.errors import CodedError
from ledger.store import DATABASE_ERRORS

MediaMaker = Callable[[Path, Path, OnEarly], Awaitable[MediaResult]]
"""Makes what can be made of an original in a work folder, and hands over a first still on the way."""

_PUBLISH_PAUSE_SECONDS = 0.5

R = TypeVar("R")

_log = structlog.get_logger(__name__)


async def derive_in_child(source: Path, folder: Path, on_early: OnEarly) -> MediaResult:
    """Make what can be made of an original in a process of its own; see `ingest.media.runner.derive_media`."""
    return await derive_media(source, folder, on_early=on_early)


class Derivation:
    """Works on clips, one call at a time and clip.

    Args:
        pool: At least two connections per call at the same time.
        objects: Where originals lie and results go.
        workspace: Folder on the file system of the objects, shared by the workers of a host.
        media: Decodes; in a process of its own.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        objects: ObjectStore,
        workspace: Path,
        clock: Clock,
        entropy: Entropy,
        settings: WorkerSettings,
        media: MediaMaker = derive_in_child,
    ) -> None:
        self._pool = pool
        self._objects = objects
        self._workspace = workspace
        self._clock = clock
        self._entropy = entropy
        self._settings = settings
        self._media = media

    async def attempt(self, clip: UUID) -> float | None:
        """Work on a clip unless somebody does or nothing is left to do.

        Returns:
            Seconds after which it should be looked at again; None when it is done with.
        """
        token = uuid7(clock=self._clock, entropy=self._entropy)
        try:
            return await self._attempt(clip, token)
        except asyncio.CancelledError:
            # The worker is told to stop, perhaps in the middle of taking the job: that says nothing about the file.
            await to_the_end(self._give_back(clip, token, reason=None, counts=False, delay_seconds=0.0))
            raise

    async def _attempt(self, clip: UUID, token: UUID) -> float | None:
        lease = await jobs_store.take(self._pool, clip=clip, token=token, lease_seconds=self._settings.lease_seconds)
        if lease is None:
            held = await jobs_store.TABLE.seconds_held(self._pool, clip)
            return None if held is None else max(held, 0.0) + self._settings.retry_seconds
        try:
            await self._work(lease)
        except LeaseLost:
            _log.warning("derivation.lease_lost", clip=str(clip), attempt=lease.attempt)
        except CodedError as error:
            _log.warning("derivation.failed", clip=str(clip), attempt=lease.attempt, reason=str(error))
            return await self._after_failure(lease, error)
        return None

    async def _work(self, lease: Lease) -> None:
        if lease.attempt > self._settings.attempts_max:
            # Every worker that tried died without a word: nobody could give the last attempt back.
            reason = lease.reason or f"{self._settings.attempts_max} workers ended without a result"
            await self._publish(lease, _nothing(reason), [])
            return
        folder = self._workspace / f"{lease.clip}.{lease.token}"
        await on_disk(self._make_folder, folder, lease.clip)
        try:
            # It may have to be fetched from the second store: this host may not be the one that it came to.
            source = await self._while_held(lease, on_disk(self._objects.open_path, lease.sha256.hex()))
            result = await self._while_held(
                lease, self._media(source, folder, lambda still: self._show_early(lease.clip, still))
            )
            made = [await on_disk(self._keep, item) for item in result.objects]
            await self._while_held(lease, self._publish(lease, result, made))
        finally:
            await to_the_end(on_disk(shutil.rmtree, folder, ignore_errors=True))

    async def _show_early(self, clip: UUID, still: EarlyStill) -> None:
        """Let people see a first still while the rest is being made; that this fails must not cost the rest."""
        try:
            sha256 = await on_disk(self._objects.put, still.data)
            await insert_preview(
                self._pool,
                clip=clip,
                sha256=bytes.fromhex(sha256),
                size=len(still.data),
                media_type=still.media_type,
            )
        except (CodedError, OSError, *DATABASE_ERRORS) as error:
            _log.warning("derivation.no_preview", clip=str(clip), error=str(error))

    async def _while_held(self, lease: Lease, work: Awaitable[R]) -> R:
        """Do work while renewing the hold; the work is cancelled when another worker has taken over."""
        seconds = self._settings.lease_seconds
        return await while_held(
            work,
            renew=lambda: jobs_store.renew(self._pool, lease, lease_seconds=seconds),
            every_seconds=seconds / 3,
        )

    async def _publish(self, lease: Lease, result: MediaResult, made: list[dict[str, JsonValue]]) -> None:
        """Publish a result once, waiting for a database that is away no longer than the hold lasts."""
        deadline = asyncio.get_running_loop().time() + self._settings.lease_seconds
        while True:
            try:
                return await self._publish_now(lease, result, made)
            except DATABASE_ERRORS:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_PUBLISH_PAUSE_SECONDS)

    async def _publish_now(self, lease: Lease, result: MediaResult, made: list[dict[str, JsonValue]]) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if not await jobs_store.finish(conn, lease, outcome=result.outcome, reason=result.reason):
                raise LeaseLost("another worker has taken the clip over", clip=str(lease.clip))
            await record(
                conn,
                type="clip.derived",
                actor="service",
                subject=f"clip:{lease.clip}",
                payload={
                    "clip": str(lease.clip),
                    "attempt": lease.attempt,
                    "outcome": result.outcome,
                    "reason": result.reason,
                    "tools": result.tools,
                    "parameters": result.parameters,
                    "probe": result.probe,
                    "objects": made,
                },
                clock=self._clock,
                entropy=self._entropy,
            )
        # Crash before the commit: the job is still held and will be taken over; the objects are there and are kept.

    async def _after_failure(self, lease: Lease, error: CodedError) -> float | None:
        """Decide what a failed attempt means: again, without counting it; again; or never."""
        if not _says_something_about_the_file(error):
            pause = self._settings.blocked_seconds
            await self._give_back(lease.clip, lease.token, reason=str(error), counts=False, delay_seconds=pause)
            return pause
        pause = self._settings.retry_seconds
        if lease.attempt < self._settings.attempts_max:
            await self._give_back(lease.clip, lease.token, reason=str(error), counts=True, delay_seconds=pause)
            return pause
        try:
            await self._publish(lease, _nothing(str(error)), [])
        except LeaseLost:
            _log.warning("derivation.lease_lost", clip=str(lease.clip), attempt=lease.attempt)
        return None

    async def _give_back(
        self, clip: UUID, token: UUID, *, reason: str | None, counts: bool, delay_seconds: float
    ) -> None:
        try:
            await jobs_store.TABLE.give_back(
                self._pool, token, job=clip, reason=reason, counts=counts, delay_seconds=delay_seconds
            )
        except DATABASE_ERRORS as error:
            # The hold runs out by itself; then the attempt does count, which is the safe side.
            _log.warning("derivation.not_given_back", clip=str(clip), error=str(error))

    def _make_folder(self, folder: Path, clip: UUID) -> None:
        # Whoever worked on this clip before has lost it, or we would not hold it.
        for stale in self._workspace.glob(f"{clip}.*"):
            shutil.rmtree(stale, ignore_errors=True)
        folder.mkdir(parents=True)

    def _keep(self, made: MadeObject) -> dict[str, JsonValue]:
        """Put a made file among the objects and return how the payload states it."""
        with made.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = made.path.stat().st_size
        self._objects.adopt(made.path, sha256)
        return {"kind": made.kind, "sha256": sha256, "size": size, "media_type": made.media_type}


def _says_something_about_the_file(error: CodedError) -> bool:
    return not isinstance(error, NoSpace | SourceUnreadable | ObjectMissing | ObjectDamaged | IngestError)


def _nothing(reason: str) -> MediaResult:
    return MediaResult("undecodable", reason[:REASON_CHARACTERS_MAX], {}, (), {}, {})
