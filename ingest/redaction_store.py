"""SQL of redacted copies that were asked for: who may make one, for how long, how it ended.

What people wrote (`content`) is kept only until the copy is made or refused: then it stands in the ledger's payload,
from where the law may have it erased, and nowhere else.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from evidence.db.leases import Executor, JobTable
from evidence.db.pool import Connection

State = Literal["waiting", "running", "done", "refused"]

TABLE = JobTable(name="redaction_job", key="redaction", given=("clip", "actor", "content"), cleared=("content",))


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


async def find(db: Executor, redaction: UUID) -> RedactionJob | None:
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


async def take(db: Executor, *, redaction: UUID, token: UUID, lease_seconds: float) -> RedactionLease | None:
    """Take the job of a copy; see `JobTable.take`."""
    row = await TABLE.take(db, redaction, token=token, lease_seconds=lease_seconds)
    return None if row is None else RedactionLease(**dict(row))


async def renew(db: Executor, lease: RedactionLease, *, lease_seconds: float) -> bool:
    """Move the end of a hold; see `JobTable.renew`."""
    return await TABLE.renew(db, lease.redaction, token=lease.token, lease_seconds=lease_seconds)


async def finish(conn: Connection, lease: RedactionLease, made: MadeCopy) -> None:
    """Close a job within the transaction that puts its copy on record; see `JobTable.holds`."""
    await TABLE.finish(conn, lease.redaction, token=lease.token, state="done", told={**asdict(made), "reason": None})


async def refuse(db: Executor, lease: RedactionLease, *, code: str, reason: str) -> bool:
    """Close a job without a copy; False when another worker has it."""
    told = {"code": code, "reason": reason}
    return await TABLE.finish(db, lease.redaction, token=lease.token, state="refused", told=told)
