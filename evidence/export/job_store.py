"""SQL of packages that were asked for: held as `evidence.db.leases` tells, with how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from evidence.db.leases import Executor, JobTable
from evidence.db.pool import Connection
from evidence.export.parts import Part
from ledger.canonical import JsonObject

State = Literal["waiting", "running", "done", "refused", "cancelled", "removed"]

TABLE = JobTable(
    name="export_job",
    key="export",
    given=(
        "actor",
        "purpose",
        "case_id",
        "clips",
        "excerpts",
        "note",
        "entry_id",
        "manifest_sha256",
        "trace",
        "created_at",
    ),
    cleared=("code", "reason"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLease:
    """The right to make one package.

    Attributes:
        note: The published checkpoint as of which the record is shown.
        entry_id: The entry that puts it on record, once there is one, for the manifest with `manifest_sha256`.
        trace: That entry's receipt, once it is in the package.
    """

    export: UUID
    actor: str
    purpose: str
    case_id: UUID | None
    clips: Sequence[UUID]
    excerpts: Sequence[JsonObject]
    note: bytes
    entry_id: UUID | None
    manifest_sha256: bytes | None
    trace: bytes | None
    created_at: datetime
    token: UUID
    attempt: int
    reason: str | None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Exhibits that are handed over as excerpts."""
        return tuple(map(Part.from_json, self.excerpts))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob:
    """A package that was asked for and how far it is; bytes of the archive, `size` once it is whole."""

    export: UUID
    actor: str
    purpose: str
    case_id: UUID | None
    clips: Sequence[UUID]
    excerpts: Sequence[JsonObject]
    note: bytes
    state: State
    code: str | None
    reason: str | None
    entry_id: UUID | None
    manifest_sha256: bytes | None
    bytes_done: int
    bytes_total: int | None
    size: int | None
    created_at: datetime
    updated_at: datetime

    @property
    def parts(self) -> tuple[Part, ...]:
        """Exhibits that are handed over as excerpts."""
        return tuple(map(Part.from_json, self.excerpts))


_JOBS = """
SELECT export, actor, purpose, case_id, clips, excerpts, note, state, code, reason, entry_id, manifest_sha256,
       bytes_done, bytes_total, size, created_at, updated_at
FROM export_job
"""


async def insert(
    conn: Connection,
    *,
    export: UUID,
    actor: str,
    purpose: str,
    case_id: UUID | None,
    clips: Sequence[UUID],
    parts: Sequence[Part] = (),
    note: bytes,
    at: datetime,
) -> None:
    """Insert the job of a package that somebody asks for."""
    await conn.execute(
        """INSERT INTO export_job (export, actor, purpose, case_id, clips, excerpts, note, state, due_at, created_at,
                                   updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', now(), $8, now())""",
        export,
        actor,
        purpose,
        case_id,
        list(clips),
        [part.as_json() for part in parts],
        note,
        at,
    )


async def find(db: Executor, export: UUID) -> ExportJob | None:
    """Return how far a package is; None when nobody asked for it."""
    row = await db.fetchrow(f"{_JOBS} WHERE export = $1", export)
    return None if row is None else ExportJob(**dict(row))


async def list_jobs(conn: Connection, *, before: UUID, limit: int) -> Sequence[ExportJob]:
    """Return packages, the one asked for last first, asked for before `before`."""
    rows = await conn.fetch(f"{_JOBS} WHERE export < $1 ORDER BY export DESC LIMIT $2", before, limit)
    return [ExportJob(**dict(row)) for row in rows]


async def take_next(db: Executor, *, token: UUID, lease_seconds: float) -> ExportLease | None:
    """Take the job that is due longest; see `JobTable.take_next`."""
    row = await TABLE.take_next(db, token=token, lease_seconds=lease_seconds)
    return None if row is None else ExportLease(**dict(row))


async def note_entry(conn: Connection, lease: ExportLease, *, entry_id: UUID, manifest_sha256: bytes) -> None:
    """Write down which entry puts the package on record, in that entry's transaction."""
    await conn.execute(
        """UPDATE export_job SET entry_id = $3, manifest_sha256 = $4, trace = NULL, updated_at = now()
           WHERE export = $1 AND lease = $2""",
        lease.export,
        lease.token,
        entry_id,
        manifest_sha256,
    )


async def note_trace(db: Executor, lease: ExportLease, trace: bytes) -> None:
    """Keep the receipt as it lies in the package: a later attempt has to write the same bytes."""
    await db.execute(
        "UPDATE export_job SET trace = $3, updated_at = now() WHERE export = $1 AND lease = $2",
        lease.export,
        lease.token,
        trace,
    )


async def end(db: Executor, export: UUID) -> State | None:
    """Give a package up: one that is being made is cancelled, one that is there removed; return what it was.

    Whoever makes it notices at the next heartbeat. None when there is no such package, or it is over already.
    """
    state: State | None = await db.fetchval(
        """UPDATE export_job j
           SET state = CASE WHEN was.state = 'done' THEN 'removed' ELSE 'cancelled' END,
               lease = NULL, lease_until = NULL, updated_at = now()
           FROM (SELECT export, state FROM export_job WHERE export = $1 FOR UPDATE) was
           WHERE j.export = was.export AND was.state IN ('waiting', 'running', 'done')
           RETURNING was.state""",
        export,
    )
    return state


async def done_before(db: Executor, *, at: datetime, limit: int) -> list[UUID]:
    """Return packages that have been there since before an instant."""
    rows = await db.fetch(
        "SELECT export FROM export_job WHERE state = 'done' AND updated_at < $1 ORDER BY export LIMIT $2", at, limit
    )
    return [row["export"] for row in rows]


async def states_of(db: Executor, exports: Sequence[UUID]) -> dict[UUID, State]:
    """Return the states of those of the given packages that there are."""
    rows = await db.fetch("SELECT export, state FROM export_job WHERE export = ANY ($1::uuid[])", list(exports))
    return {row["export"]: row["state"] for row in rows}
