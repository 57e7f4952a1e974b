"""The queue that wakes workers: pgqueuer, with its entries written in the transaction of the row they speak of.

An entry of the queue says "look at this clip", or "at this redacted copy", and nothing more. It may be lost, doubled or
delivered to two workers at once without harm: the job's own row (`ingest.jobs_store`, `ingest.redaction_store`) decides
who works. What is lost is found by `sweep`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from uuid import UUID

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.domain.settings import DBSettings
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries
from pgqueuer.types import Channel

from evidence.db.pool import Connection, Pool
from ingest import jobs_store, redaction_store

ENTRYPOINT = "derive"
"""Entries that say: look at this clip's derivation."""

REDACT = "redact"
"""Entries that say: look at this redacted copy that was asked for."""

SWEEP_MAX = 500
"""Most lost entries put back in one sweep."""

LOG_DAYS = 7
"""How long the queue's own log is kept, for whoever looks why a clip was not derived."""

# Every name is stated: the library would otherwise take some of them from bare environment variables such as TRIGGER.
SETTINGS = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)


async def enqueue(conn: Connection, *, clip: UUID, sha256: bytes) -> None:
    """Create the derivation job of a clip and wake a worker, both when the caller's transaction commits."""
    await jobs_store.insert(conn, clip=clip, sha256=sha256)
    await wake(conn, ENTRYPOINT, clip)


async def wake(conn: Connection, entrypoint: str, subject: UUID) -> None:
    """Wake a worker when the caller's transaction commits."""
    await _wake(queries_on(conn), entrypoint, [subject])


async def sweep(pool: Pool, *, age_seconds: float) -> int:
    """Put queue entries back for jobs that nobody attends to; return how many were missing."""
    queries, count = queries_over(AsyncpgPoolDriver(pool)), 0
    for entrypoint, table in ((ENTRYPOINT, jobs_store.TABLE), (REDACT, redaction_store.TABLE)):
        if subjects := await table.unattended(pool, age_seconds=age_seconds, limit=SWEEP_MAX):
            count += await _wake(queries, entrypoint, subjects)
    return count


async def forget_old(pool: Pool) -> None:
    """Remove what the queue wrote down about entries that ended long ago; the jobs themselves stay on record."""
    await jobs_store.forget_queue_log(pool, days=LOG_DAYS, limit=SWEEP_MAX)


def queries_on(conn: Connection) -> Queries:
    """Return the queue as seen from one connection and its transaction."""
    return queries_over(AsyncpgDriver(cast("asyncpg.Connection[asyncpg.Record]", conn)))


def queries_over(driver: Driver) -> Queries:
    """Return the queue as seen through a driver."""
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


def subject_of(payload: bytes | None) -> UUID:
    """Return the clip, or the redacted copy, that an entry of the queue speaks of."""
    return UUID(bytes=payload)


async def _wake(queries: Queries, entrypoint: str, subjects: list[UUID]) -> int:
    count = len(subjects)
    ids = await queries.enqueue(
        [entrypoint] * count,
        [subject.bytes for subject in subjects],
        [0] * count,
        [timedelta(0)] * count,
        [f"{entrypoint}:{subject}" for subject in subjects],
        on_conflict="skip",
    )
    return sum(1 for job in ids if job is not None)
