"""SQL of redacted copies that were asked for: who may make one, for how long, how it ended; as `jobs_store` for clips.

What people wrote (`content`) is kept only until the copy is made or refused: then it stands in the ledger's payload,
from where the law may have it erased, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from evidence.db.pool import Connection, Pool

State = Literal["waiting", "running", "done", "refused"]

_Executor: TypeAlias = "Pool | Connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionLease:
    """The right to make one copy; `content` is JSON, `token` names the worker's hold, `attempt` counts from 1."""

    redaction: UUID
    clip: UUID
    actor: str
    content: str
    token: UUID
    attempt: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCopy:
    """A copy on record: its entry, its bytes' SHA-256 and size, its media type."""

    entry_id: UUID
    sha256: bytes
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionJob:
    """What was asked for and how far it is.

    Attributes:
        state: `waiting`, `running`, `done` or `refused`.
        code, reason: Why it was refused; the reason alone also says why the last attempt failed.
        made: The copy, once there is one.
    """

    redaction: UUID
    clip: UUID
    state: State
    code: str | None
    reason: str | None
    asked_at: datetime
    made: MadeCopy | None


async def insert(conn: Connection, *, redaction: UUID, clip: UUID, content: str, actor: str) -> None:
    """Insert the job of a copy that somebody asks for."""
    await conn.execute(
        """INSERT INTO redaction_job (redaction, clip, actor, content, state, due_at, created_at, updated_at)
           VALUES ($1, $2, $3, $4, 'waiting', now(), now(), now())""",
        redaction,
        clip,
        actor,
        content,
    )


async def find(db: _Executor, redaction: UUID) -> RedactionJob | None:
    """Return how far a copy is; None when nobody asked for it."""
    row = await db.fetchrow(
        """SELECT clip, state, code, reason, created_at, entry_id, sha256, size, media_type FROM redaction_job
           WHERE redaction = $1""",
        redaction,
    )
    if row is None:
        return None
    made = None
    if row["state"] == "done":
        made = MadeCopy(entry_id=row["entry_id"], sha256=row["sha256"], size=row["size"], media_type=row["media_type"])
    return RedactionJob(
        redaction=redaction,
        clip=row["clip"],
        state=row["state"],
        code=row["code"],
        reason=row["reason"],
        asked_at=row["created_at"],
        made=made,
    )


async def take(db: _Executor, *, redaction: UUID, token: UUID, lease_seconds: float) -> RedactionLease | None:
    """Take a job that nobody alive holds, counting the attempt; None when it is done or held."""
    row = await db.fetchrow(
        """UPDATE redaction_job
           SET state = 'running', attempts = attempts + 1, lease = $2, updated_at = clock_timestamp(),
               lease_until = clock_timestamp() + make_interval(secs => $3)
           WHERE redaction = $1 AND (state = 'waiting' OR state = 'running' AND lease_until < clock_timestamp())
           RETURNING clip, actor, content, attempts, reason""",
        redaction,
        token,
        lease_seconds,
    )
    if row is None:
        return None
    return RedactionLease(
        redaction=redaction,
        clip=row["clip"],
        actor=row["actor"],
        content=row["content"],
        token=token,
        attempt=row["attempts"],
        reason=row["reason"],
    )


async def seconds_held(db: _Executor, redaction: UUID) -> float | None:
    """Return for how long a job is still held by another worker; None when it is not held at all."""
    seconds: float | None = await db.fetchval(
        """SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 FROM redaction_job
           WHERE redaction = $1 AND state = 'running'""",
        redaction,
    )
    return seconds


async def renew(db: _Executor, lease: RedactionLease, *, lease_seconds: float) -> bool:
    """Move the end of a hold; False when another worker has the job."""
    status = await db.execute(
        """UPDATE redaction_job SET lease_until = clock_timestamp() + make_interval(secs => $3)
           WHERE redaction = $1 AND lease = $2""",
        lease.redaction,
        lease.token,
        lease_seconds,
    )
    return not status.endswith(" 0")


async def give_back(
    db: _Executor, *, redaction: UUID, token: UUID, reason: str | None, counts: bool, delay_seconds: float
) -> None:
    """Let a job go undone for a while; `counts` tells whether the attempt is one of the few there are."""
    await db.execute(
        """UPDATE redaction_job
           SET state = 'waiting', lease = NULL, lease_until = NULL, reason = coalesce($3, reason),
               attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END,
               due_at = now() + make_interval(secs => $5), updated_at = now()
           WHERE redaction = $1 AND lease = $2""",
        redaction,
        token,
        reason,
        counts,
        delay_seconds,
    )


async def finish(conn: Connection, lease: RedactionLease, made: MadeCopy) -> None:
    """Close a job within the transaction that puts its copy on record; see `holds`."""
    await conn.execute(
        """UPDATE redaction_job
           SET state = 'done', lease = NULL, lease_until = NULL, content = NULL, reason = NULL, entry_id = $3,
               sha256 = $4, size = $5, media_type = $6, updated_at = now()
           WHERE redaction = $1 AND lease = $2""",
        lease.redaction,
        lease.token,
        made.entry_id,
        made.sha256,
        made.size,
        made.media_type,
    )


async def holds(conn: Connection, lease: RedactionLease) -> bool:
    """Tell whether the job is still this worker's, and keep it so until the transaction ends."""
    found = await conn.fetchval(
        "SELECT 1 FROM redaction_job WHERE redaction = $1 AND lease = $2 FOR UPDATE", lease.redaction, lease.token
    )
    return found is not None


async def refuse(db: _Executor, lease: RedactionLease, *, code: str, reason: str) -> bool:
    """Close a job without a copy; False when another worker has it."""
    status = await db.execute(
        """UPDATE redaction_job
           SET state = 'refused', lease = NULL, lease_until = NULL, content = NULL, code = $3, reason = $4,
               updated_at = now()
           WHERE redaction = $1 AND lease = $2""",
        lease.redaction,
        lease.token,
        code,
        reason,
    )
    return not status.endswith(" 0")


async def unattended(db: _Executor, *, age_seconds: float, limit: int) -> list[UUID]:
    """Return jobs that wait, or are held by a worker that must be dead, for longer than `age_seconds`."""
    rows = await db.fetch(
        """SELECT redaction FROM redaction_job
           WHERE state = 'waiting' AND due_at < now() - make_interval(secs => $1)
              OR state = 'running' AND lease_until < now() - make_interval(secs => $1)
           ORDER BY due_at LIMIT $2""",
        age_seconds,
        limit,
    )
    return [row["redaction"] for row in rows]
