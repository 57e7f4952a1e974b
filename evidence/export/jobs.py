"""Packages as jobs: somebody asks, this makes the archive, going on wherever an attempt before it stopped.

1. one transaction: the job's row with the checkpoint as of       crash: nothing was asked
   which the record is shown (and the answer to its key)
2. the row is taken under a token, the attempt counted            crash: the hold runs out, it is taken again
3. every exhibit is proved and read, the lists are made           crash: the same; nothing has left
4. one transaction: `case.exported` or `clips.exported`, with     crash: a trace without a package, and the next attempt
   the digest of the list; the row names the entry                finds it in the row
5. the entry is published, its receipt kept in the row            crash: the same
6. the archive grows, then has its name (`archive`)               crash: the next one goes on behind what was synced
7. the row says that it is there                                  crash: the next attempt finds the archive

Nothing leaves before 4 is committed, and only `downloads` hands it out, on record once more. Packages are copies: a
package that is given up, or older than `keep_days`, is removed, the record of it stays. A package lies in the data
folder of the host that made it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.db.holding import while_held
from evidence.db.pool import Pool
from evidence.errors import (
    CaseUnknown,
    ClipUnknown,
    EvidenceDamaged,
    ExportEmpty,
    ExportNoSpace,
    ExportRefused,
    ExportTooLarge,
    LeaseLost,
    ReceiptPending,
)
from evidence.export import job_store
from evidence.export.archive import forget_archive, write_archive
from evidence.export.clip import Exporter, in_thread
from evidence.export.folder import blaming_target
from evidence.export.job_store import TABLE, ExportLease
from evidence.export.packages import Observe, Package, announce, read_package, trace_of
from evidence.export.packing import plan_of
from evidence.export.spool import Spool, spooling
from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

REASON_CHARACTERS_MAX: Final = 1000
ARCHIVE_SUFFIX: Final = ".zip"

_OURS_TO_REFUSE = (EvidenceDamaged, ExportRefused, CaseUnknown, ClipUnknown, ExportEmpty, ExportTooLarge)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """How packages are made.

    Attributes:
        attempts_max: Workers that may die over one package before it is refused.
        lease_seconds: Silence after which a worker is taken for dead; it renews three times as often.
        blocked_seconds: Pause after an attempt that failed for want of disk space, publication or the objects.
        look_seconds: How often new jobs are looked for.
        publication_seconds: How long the entry's publication is waited for before the job is put off.
        keep_days: How long a package is kept.
    """

    attempts_max: int = 5
    lease_seconds: float = 30.0
    blocked_seconds: float = 30.0
    look_seconds: float = 2.0
    publication_seconds: float = 60.0
    keep_days: int = 30


@dataclass(slots=True)
class _Progress:
    done: int = 0
    total: int | None = None

    def told(self) -> dict[str, Any]:
        """Return what the job's row says of it: bytes written, and bytes in all once that is known."""
        return {"bytes_done": self.done, **({} if self.total is None else {"bytes_total": self.total})}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMaker:
    """Makes packages.

    Attributes:
        folder: Where archives lie; made if it is missing.
        exporter: Returns what proves clips by the log's keys of now.
        observe: Tells what is to be noted about a clip.
        publish_wait: Waits until an entry is published, for at most so many seconds; False when it is not.
    """

    pool: Pool
    folder: Path
    exporter: Callable[[], Awaitable[Exporter]]
    observe: Observe
    publish_wait: Callable[[UUID, float], Awaitable[bool]]
    clock: Clock
    entropy: Entropy
    settings: ExportSettings

    def archive_of(self, export: UUID) -> Path:
        """Return where the archive of a package lies once it is there."""
        return self.folder / f"{export}{ARCHIVE_SUFFIX}"

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what is held then is given back."""
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        while not stop.is_set():
            try:
                await self.tidy()
                while not stop.is_set() and await self._one(stop):
                    pass
            except DATABASE_ERRORS as error:
                _log.warning("export.database_away", error=str(error))
            await happens(stop, self.settings.look_seconds)

    async def attempt(self) -> bool:
        """Take one job and do it; False when there is none."""
        token = uuid7(clock=self.clock, entropy=self.entropy)
        try:
            return await self._attempt(token)
        except asyncio.CancelledError:
            with suppress(*DATABASE_ERRORS):
                await asyncio.shield(TABLE.give_back(self.pool, token, reason=None, counts=False, delay_seconds=0.0))
            raise

    async def tidy(self) -> None:
        """Remove packages past their time, and what is left of those that were given up."""
        for export in await job_store.done_before(
            self.pool, at=self.clock() - timedelta(days=self.settings.keep_days), limit=100
        ):
            await job_store.end(self.pool, export)
        found = await asyncio.to_thread(_archives_in, self.folder)
        states = await job_store.states_of(self.pool, list(found))
        for export in found:
            if states.get(export) not in {"waiting", "running", "done"}:
                await asyncio.to_thread(forget_archive, self.archive_of(export))

    async def _one(self, stop: asyncio.Event) -> bool:
        task, stopped = asyncio.create_task(self.attempt()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            task.cancel()
            await asyncio.wait({task, stopped})
        return not task.cancelled() and task.result()

    async def _attempt(self, token: UUID) -> bool:
        seconds = self.settings.lease_seconds
        lease = await job_store.take_next(self.pool, token=token, lease_seconds=seconds)
        if lease is None:
            return False
        progress = _Progress()
        try:
            if lease.attempt > self.settings.attempts_max:
                raise ExportRefused(lease.reason or f"{self.settings.attempts_max} workers ended without a result")
            await while_held(
                self._work(lease, progress),
                renew=lambda: TABLE.renew(
                    self.pool, lease.export, token=token, lease_seconds=seconds, told=progress.told()
                ),
                every_seconds=min(seconds / 3, 1.0),
            )
        except LeaseLost:
            _log.warning("export.lease_lost", export=str(lease.export), attempt=lease.attempt)
        except CodedError as error:
            _log.warning("export.failed", export=str(lease.export), attempt=lease.attempt, reason=str(error))
            await self._after_failure(lease, error)
        return True

    async def _work(self, lease: ExportLease, progress: _Progress) -> None:
        exporter = replace(await self.exporter(), asof=lease.note)
        with blaming_target(self.folder), spooling(self.folder) as spool:
            size = await self._write(lease, exporter, spool, progress)
        told = {"size": size, "bytes_done": size, "bytes_total": size}
        async with self.pool.acquire() as conn:
            if not await TABLE.finish(conn, lease.export, token=lease.token, state="done", told=told):
                raise LeaseLost("the package was given up, or another worker has it", export=str(lease.export))

    async def _write(self, lease: ExportLease, exporter: Exporter, spool: Spool, progress: _Progress) -> int:
        """Write the archive; return its bytes."""
        package = await read_package(
            exporter,
            pool=self.pool,
            case=lease.case_id,
            clips=lease.clips,
            parts=lease.parts,
            observe=self.observe,
            spool=spool,
        )
        trace = await self._trace(exporter, lease, package)
        plan = plan_of(
            exporter.showing,
            package.subject,
            package.payload,
            export=str(lease.export),
            purpose=lease.purpose,
            at=lease.created_at,
            trace=trace,
        )
        await asyncio.to_thread(require_room, self.folder, plan.bytes)

        def tell(done: int, total: int) -> None:
            progress.done, progress.total = done, total

        return await in_thread(
            lambda stop: write_archive(
                plan,
                self.archive_of(lease.export),
                locate=lambda sha256: exporter.objects.open_path(sha256.hex()),
                stop=stop,
                progress=tell,
            )
        )

    async def _trace(self, exporter: Exporter, lease: ExportLease, package: Package) -> bytes:
        """Put the package on record unless its very list is; return the entry's receipt, the same in every attempt."""
        entry_id, trace = lease.entry_id, lease.trace
        if entry_id is None or lease.manifest_sha256 != package.payload.manifest_sha256:
            # Whatever was written before is of another list.
            await asyncio.to_thread(forget_archive, self.archive_of(lease.export))
            async with self.pool.acquire() as conn, conn.transaction():
                if not await TABLE.holds(conn, lease.export, token=lease.token):
                    raise LeaseLost("the package was given up, or another worker has it", export=str(lease.export))
                entry_id, trace = (
                    await announce(
                        conn,
                        exporter,
                        package,
                        export=lease.export,
                        purpose=lease.purpose,
                        actor=lease.actor,
                    ),
                    None,
                )
                manifest = package.payload.manifest_sha256
                await job_store.note_entry(conn, lease, entry_id=entry_id, manifest_sha256=manifest)
        if trace is None:
            if not await self.publish_wait(entry_id, self.settings.publication_seconds):
                raise ReceiptPending("the entry of the package is not yet in a published checkpoint")
            trace = await trace_of(exporter, entry_id, pool=self.pool)
            await job_store.note_trace(self.pool, lease, trace)
        return trace

    async def _after_failure(self, lease: ExportLease, error: CodedError) -> None:
        reason = str(error)[:REASON_CHARACTERS_MAX]
        if isinstance(error, _OURS_TO_REFUSE):
            told = {"code": error.code, "reason": reason}
            await TABLE.finish(self.pool, lease.export, token=lease.token, state="refused", told=told)
            await asyncio.to_thread(forget_archive, self.archive_of(lease.export))
            return
        with suppress(*DATABASE_ERRORS):
            # Else the hold runs out by itself, and the attempt does count, which is the safe side.
            await TABLE.give_back(
                self.pool,
                lease.token,
                job=lease.export,
                reason=reason,
                counts=False,
                delay_seconds=self.settings.blocked_seconds,
            )


def _archives_in(folder: Path) -> set[UUID]:
    """Return the packages that anything lies there of."""
    found = set[UUID]()
    for path in folder.glob(f"*{ARCHIVE_SUFFIX}*"):
        with suppress(ValueError):
            found.add(UUID(path.name.partition(".")[0]))
    return found


def require_room(folder: Path, size: int) -> None:
    """Refuse a package that the disk has no room for.

    Raises:
        ExportNoSpace: It has not.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        message = f"a package of {size} bytes has no room, {free} bytes are free"
        raise ExportNoSpace(message, bytes=size, free_bytes=free)
