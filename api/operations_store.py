"""SQL of what operators are shown: jobs by kind, the newest published checkpoint, messages that did not go out."""

# ruff: noqa: S608 - names of tables and conditions are constants of the program

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from evidence.db.pool import Connection

JobKind: TypeAlias = Literal["derivation", "transcription", "redaction", "export"]

_FAILED: Mapping[JobKind, tuple[str, str]] = MappingProxyType(
    {
        "derivation": ("derivation_job", "state = 'done' AND outcome NOT IN ('reviewable', 'still', 'audio')"),
        "transcription": ("transcription_job", "state = 'done' AND outcome = 'failed'"),
        "redaction": ("redaction_job", "state = 'refused'"),
        "export": ("export_job", "state = 'refused'"),
    }
)
"""Kind of work -> its table, and what counts there as given up: the condition of its partial index, word for word."""

_UNFINISHED = "state IN ('waiting', 'running')"


JOBS_STATEMENT: Final = " UNION ALL ".join(
    f"""SELECT '{kind}' AS kind, unfinished.*, given_up.*,
               (SELECT reason FROM {table} WHERE {failed} ORDER BY updated_at DESC LIMIT 1) AS reason
        FROM (SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
                     count(*) FILTER (WHERE state = 'running') AS running,
                     min(created_at) FILTER (WHERE state = 'waiting') AS oldest_at
              FROM {table} WHERE {_UNFINISHED}) unfinished,
             (SELECT count(*) AS failed,
                     count(*) FILTER (WHERE updated_at > now() - interval '7 days') AS failed_recently
              FROM {table} WHERE {failed}) given_up"""
    for kind, (table, failed) in _FAILED.items()
)
"""Jobs of every kind, from the indexes of what is unfinished or given up: most jobs are neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """Jobs of one kind; `failed_recently` within seven days, `reason` of the last that failed."""

    kind: JobKind
    waiting: int
    running: int
    failed: int
    failed_recently: int
    oldest_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCounts:
    """Subscriptions that were not ended, and messages that were given up."""

    subscriptions: int
    paused: int
    failing: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The newest published checkpoint."""

    size: int
    root: bytes
    published_at: datetime


async def count_jobs(conn: Connection) -> Sequence[JobCounts]:
    """Count the jobs of every kind."""
    return [JobCounts(**dict(row)) for row in await conn.fetch(JOBS_STATEMENT)]


async def count_outbox(conn: Connection) -> OutboxCounts:
    """Count subscriptions and what did not go out."""
    row = await conn.fetchrow(
        """SELECT count(*) AS subscriptions,
                  count(*) FILTER (WHERE c.paused_at IS NOT NULL) AS paused,
                  count(*) FILTER (WHERE c.attempts > 0) AS failing,
                  (SELECT count(*) FROM outbox_dead WHERE again_at IS NULL) AS dead
           FROM outbox_subscription s JOIN outbox_cursor c USING (subscription)
           WHERE NOT EXISTS (SELECT FROM outbox_end e WHERE e.subscription = s.subscription)"""
    )
    assert row is not None  # noqa: S101 - an aggregate without GROUP BY has one row
    return OutboxCounts(**dict(row))


async def newest_published(conn: Connection) -> Published | None:
    """Return the newest published checkpoint; None before the first."""
    row = await conn.fetchrow(
        """SELECT p.size, c.root, p.published_at FROM ledger_publication p JOIN ledger_checkpoint c USING (size)
           ORDER BY p.size DESC LIMIT 1"""
    )
    return None if row is None else Published(**dict(row))
