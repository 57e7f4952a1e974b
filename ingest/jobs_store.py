"""SQL of derivation jobs: who may work on a clip, for how long, how often it was tried, how it ended.

pgqueuer only wakes workers; the truth is this row. A worker holds a job by a token with an end. It renews the end while
it lives; when it is dead another worker takes the job under a new token, and the old token changes nothing any more.
All times are the database's, so workers on different hosts agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from evidence.db.pool import Connection, Pool

_Executor: TypeAlias = "Pool | Connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one clip.

    Attributes:
        clip: Whose original is to be derived.
        sha256: 32 bytes, the original's digest.
        token: Names this worker's hold.
        attempt: Number of this attempt, from 1.
        reason: Why the attempt before failed, if there was one that could say so.
    """

    clip: UUID
    sha256: bytes
    token: UUID
    attempt: int
    reason: str | None


async def insert(conn: Connection, *, clip: UUID, sha256: bytes) -> None:
    """Insert the job of a clip just sealed."""
    await conn.execute(
        """INSERT INTO derivation_job (clip, sha256, state, due_at, created_at, updated_at)
           VALUES ($1, $2, 'waiting', now(), now(), now())""",
        clip,
        sha256,
    )


async def take(db: _Executor, *, clip: UUID, token: UUID, lease_seconds: float) -> Lease | None:
    """Take a job that nobody alive holds, counting the attempt; None when it is done or held."""
    record = await db.fetchrow(
        """UPDATE derivation_job
           SET state = 'running', attempts = attempts + 1, lease = $2, updated_at = clock_timestamp(),
               lease_until = clock_timestamp() + make_interval(secs => $3)
           WHERE clip = $1 AND (state = 'waiting' OR state = 'running' AND lease_until < clock_timestamp())
           RETURNING sha256, attempts, reason""",
        clip,
        token,
        lease_seconds,
    )
    if record is None:
        return None
    return Lease(clip=clip, sha256=record["sha256"], token=token, attempt=record["attempts"], reason=record["reason"])


async def seconds_held(db: _Executor, clip: UUID) -> float | None:
    """Return for how long a job is still held by another worker; None when it is not held at all."""
    seconds: float | None = await db.fetchval(
        """SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 FROM derivation_job
           WHERE clip = $1 AND state = 'running'""",
        clip,
    )
    return seconds


async def renew(db: _Executor, lease: Lease, *, lease_seconds: float) -> bool:
    """Move the end of a hold; False when another worker has the job."""
    status = await db.execute(
        """UPDATE derivation_job SET lease_until = clock_timestamp() + make_interval(secs => $3)
           WHERE clip = $1 AND lease = $2""",
        lease.clip,
        lease.token,
        lease_seconds,
    )
    return not status.endswith(" 0")


async def give_back(
    db: _Executor, *, clip: UUID, token: UUID, reason: str | None, counts: bool, delay_seconds: float
) -> None:
    """Let a job go undone for a while; `counts` tells whether the attempt is one of the few there are."""
    await db.execute(
        """UPDATE derivation_job
           SET state = 'waiting', lease = NULL, lease_until = NULL, reason = coalesce($3, reason),
               attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END,
               due_at = now() + make_interval(secs => $5), updated_at = now()
           WHERE clip = $1 AND lease = $2""",
        clip,
        token,
        reason,
        counts,
        delay_seconds,
    )


async def finish(conn: Connection, lease: Lease, *, outcome: str, reason: str | None) -> bool:
    """Close a job within the transaction that publishes its result; False when another worker has it."""
    status = await conn.execute(
        """UPDATE derivation_job
           SET state = 'done', lease = NULL, lease_until = NULL, outcome = $3, reason = $4, updated_at = now()
           WHERE clip = $1 AND lease = $2""",
        lease.clip,
        lease.token,
        outcome,
        reason,
    )
    return not status.endswith(" 0")


async def unattended(db: _Executor, *, age_seconds: float, limit: int) -> list[UUID]:
    """Return clips whose job waits, or is held by a worker that must be dead, for longer than `age_seconds`."""
    records = await db.fetch(
        """SELECT clip FROM derivation_job
           WHERE state = 'waiting' AND due_at < now() - make_interval(secs => $1)
              OR state = 'running' AND lease_until < now() - make_interval(secs => $1)
           ORDER BY due_at LIMIT $2""",
        age_seconds,
        limit,
    )
    return [record["clip"] for record in records]


async def forget_queue_log(db: _Executor, *, days: int, limit: int) -> None:
    """Delete the oldest lines of the queue's log beyond an age, no more than `limit` at once."""
    await db.execute(
        """DELETE FROM pgqueuer_log WHERE id IN (
               SELECT id FROM pgqueuer_log WHERE created < now() - make_interval(days => $1) ORDER BY id LIMIT $2)""",
        days,
        limit,
    )
