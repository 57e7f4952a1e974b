"""SQL of derivation jobs: who may work on a clip, for how long, how often it was tried, how it ended.

pgqueuer only wakes workers; the truth is this row, held as `evidence.db.leases` tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evidence.db.leases import Executor, JobTable
from evidence.db.pool import Connection

TABLE = JobTable(name="derivation_job", key="clip", given=("sha256",))


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


async def take(db: Executor, *, clip: UUID, token: UUID, lease_seconds: float) -> Lease | None:
    """Take the job of a clip; see `JobTable.take`."""
    row = await TABLE.take(db, clip, token=token, lease_seconds=lease_seconds)
    return None if row is None else Lease(**dict(row))


async def renew(db: Executor, lease: Lease, *, lease_seconds: float) -> bool:
    """Move the end of a hold; see `JobTable.renew`."""
    return await TABLE.renew(db, lease.clip, token=lease.token, lease_seconds=lease_seconds)


async def finish(conn: Connection, lease: Lease, *, outcome: str, reason: str | None) -> bool:
    """Close a job within the transaction that publishes its result; False when another worker has it."""
    told = {"outcome": outcome, "reason": reason}
    return await TABLE.finish(conn, lease.clip, token=lease.token, state="done", told=told)


async def forget_queue_log(db: Executor, *, days: int, limit: int) -> None:
    """Delete the oldest lines of the queue's log beyond an age, no more than `limit` at once."""
    await db.execute(
        """DELETE FROM pgqueuer_log WHERE id IN (
               SELECT id FROM pgqueuer_log WHERE created < now() - make_interval(days => $1) ORDER BY id LIMIT $2)""",
        days,
        limit,
    )
