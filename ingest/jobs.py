"""The queue that wakes workers: pgqueuer, with its entries written in the transaction of the row they speak of.

An entry of the queue says "look at this clip" and nothing more. It may be lost, doubled or delivered to two workers at
once without harm: the job's own row (`ingest.jobs_store`) decides who works. What is lost is found by `sweep`.
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
from ingest import jobs_store

ENTRYPOINT = "derive"

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
    await _wake(queries_on(conn), [clip])


async def sweep(pool: Pool, *, age_seconds: float) -> int:
    """Put queue entries back for jobs that nobody attends to; return how many were missing."""
    clips = await jobs_store.unattended(pool, age_seconds=age_seconds, limit=SWEEP_MAX)
    return await _wake(queries_over(AsyncpgPoolDriver(pool)), clips) if clips else 0


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


def clip_of(payload: bytes | None) -> UUID:
    """Return the clip an entry of the queue speaks of."""
    return UUID(bytes=payload)


async def _wake(queries: Queries, clips: list[UUID]) -> int:
    count = len(clips)
    ids = await queries.enqueue(
        [ENTRYPOINT] * count,
        [clip.bytes for clip in clips],
        [0] * count,
        [timedelta(0)] * count,
        [f"{ENTRYPOINT}:{clip}" for clip in clips],
        on_conflict="skip",
    )
    return sum(1 for job in ids if job is not None)
