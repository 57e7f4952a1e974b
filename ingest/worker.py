"""A worker: takes jobs (derivations, redacted copies) from the queue, as many at a time as it is set to, until told to
stop.

Any number of workers on any hosts share the jobs. A worker that is stopped gives back what it holds at once; one that
is killed is noticed when its hold runs out. A database that goes away is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from pgqueuer.errors import FailingListenerError, RetryRequested
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager

from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Pool
from evidence.objects.store import ObjectStore
from ingest import jobs
from ingest.derive import Derivation, MediaMaker, derive_in_child
from ingest.queue_driver import listening
from ingest.redactions import Redactor
from ingest.settings import WorkerSettings
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

Attempt = Callable[[UUID], Coroutine[None, None, float | None]]
"""Works on a job; says after how many seconds it should be looked at again, None when it is done with."""

_RESTART_PAUSE_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs.

    Args:
        pool: Room for two connections per job, one to listen and one to look after the queue.
        objects: Where originals lie and results go.
        workspace: Folder for work in progress, on the file system of the objects.
        clock: Gives times of entries.
        entropy: Gives ids, tokens and salts.
        settings: How many, how long, how often.
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
        self._settings = settings
        self._places = asyncio.Semaphore(settings.concurrency)
        self._derivation = Derivation(
            pool=pool,
            objects=objects,
            workspace=workspace,
            clock=clock,
            entropy=entropy,
            settings=settings,
            media=media,
        )
        self._redactor = Redactor(
            pool=pool, objects=objects, workspace=workspace, clock=clock, entropy=entropy, settings=settings
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; returns when nothing is held any more."""
        sweeper = asyncio.create_task(self._sweep(stop))
        try:
            while not stop.is_set():
                try:
                    await self._serve(stop)
                except (*DATABASE_ERRORS, FailingListenerError) as error:
                    _log.warning("worker.database_away", error=str(error))
                    await happens(stop, _RESTART_PAUSE_SECONDS)
        finally:
            sweeper.cancel()
            await asyncio.wait({sweeper})

    async def _serve(self, stop: asyncio.Event) -> None:
        async def derive(job: Job) -> None:
            await self._handle(self._derivation.attempt, job, stop)

        async def redact(job: Job) -> None:
            await self._handle(self._redactor.attempt, job, stop)

        async with listening(self._pool) as driver:
            manager = QueueManager(jobs.queries_over(driver), channel=jobs.SETTINGS.channel)
            manager.entrypoint(jobs.ENTRYPOINT)(derive)
            manager.entrypoint(jobs.REDACT)(redact)
            watcher = asyncio.create_task(_pass_on(stop, manager.shutdown))
            try:
                await manager.run(
                    # Nothing rings when another worker dies: its entries are only found by looking.
                    dequeue_timeout=timedelta(seconds=self._settings.lease_seconds),
                    batch_size=1,
                    # The library wants room for two; the places below keep to the setting.
                    max_concurrent_tasks=max(2, self._settings.concurrency),
                    heartbeat_timeout=timedelta(seconds=self._settings.lease_seconds),
                    shutdown_on_listener_failure=True,
                    # Nobody reads the library's statistics, and its loop that makes them swallows the cancellation that
                    # should end it when that meets a connection which breaks at the same moment.
                    log_aggregation_interval=timedelta(0),
                )
            finally:
                watcher.cancel()
                await asyncio.wait({watcher})

    async def _handle(self, attempt: Attempt, job: Job, stop: asyncio.Event) -> None:
        """Attend to one entry of the queue; ask for another look when there is a reason to."""
        async with self._places:
            again = 0.0 if stop.is_set() else await _unless(stop, attempt(jobs.subject_of(job.payload)))
        if again is not None:
            raise RetryRequested(timedelta(seconds=again), "to be looked at again")

    async def _sweep(self, stop: asyncio.Event) -> None:
        """Put back entries of the queue that were lost; the jobs themselves cannot be."""
        while not stop.is_set():
            try:
                if count := await jobs.sweep(self._pool, age_seconds=self._settings.sweep_seconds):
                    _log.warning("worker.queue_entries_put_back", count=count)
                await jobs.forget_old(self._pool)
            except DATABASE_ERRORS as error:
                _log.warning("worker.sweep_failed", error=str(error))
            await happens(stop, self._settings.sweep_seconds)


async def _unless(stop: asyncio.Event, attempt: Coroutine[None, None, float | None]) -> float | None:
    """Run an attempt; when `stop` is set meanwhile, have it give the job back and ask for another look at once."""
    task = asyncio.create_task(attempt)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        task.cancel()
        await asyncio.wait({task, stopped})
    return 0.0 if task.cancelled() else task.result()


async def _pass_on(stop: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stop.wait()
    shutdown.set()
