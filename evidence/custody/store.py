"""SQL of the payloads that the ledger's entries commit to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection

_PAYLOADS = "SELECT entry_id, type, actor, subject, at, payload, salt FROM custody_payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPayload:
    """One row of `custody_payload`: what an entry commits to, in its canonical bytes, with its 32-byte salt."""

    entry_id: UUID
    type: str
    actor: str
    subject: str
    at: datetime
    payload: bytes
    salt: bytes


async def insert_payload(conn: Connection, stored: StoredPayload) -> None:
    """Keep the payload and salt of a new entry."""
    await conn.execute(
        """INSERT INTO custody_payload (entry_id, type, actor, subject, at, payload, salt)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        stored.entry_id,
        stored.type,
        stored.actor,
        stored.subject,
        stored.at,
        stored.payload,
        stored.salt,
    )


async def find_payload(conn: Connection, entry_id: UUID) -> StoredPayload | None:
    """Return the payload of an entry."""
    row = await conn.fetchrow(f"{_PAYLOADS} WHERE entry_id = $1", entry_id)
    return None if row is None else _stored(row)


async def payloads_after(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[StoredPayload]:
    """Return payloads in order of their entries' ids, which is the order they were recorded in, behind `after`."""
    rows = await conn.fetch(f"{_PAYLOADS} WHERE entry_id > $1 ORDER BY entry_id LIMIT $2", after or FIRST_ID, limit)
    return [_stored(row) for row in rows]


async def payloads_about(
    conn: Connection, *, subjects: Sequence[str], others: Sequence[UUID], after: UUID | None, limit: int
) -> Sequence[StoredPayload]:
    """Return payloads about any of the subjects, and the `others`, in the order they were recorded, behind `after`."""
    rows = await conn.fetch(
        f"{_PAYLOADS} WHERE (subject = ANY($1) OR entry_id = ANY($2)) AND entry_id > $3 ORDER BY entry_id LIMIT $4",
        list(subjects),
        list(others),
        after or FIRST_ID,
        limit,
    )
    return [_stored(row) for row in rows]


async def project_log_created(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `log.created`."""
    await conn.execute(
        "INSERT INTO log_identity (origin, vkey, created_at, entry_id) VALUES ($1, $2, $3, $4)",
        event.payload["origin"],
        event.payload["vkey"],
        event.at,
        event.entry_id,
    )


async def log_identity(conn: Connection) -> tuple[str, str] | None:
    """Return origin and verifier key of the log this database belongs to, or None before it was created."""
    row = await conn.fetchrow("SELECT origin, vkey FROM log_identity ORDER BY created_at LIMIT 1")
    return None if row is None else (row["origin"], row["vkey"])


def _stored(row: Record) -> StoredPayload:
    return StoredPayload(**dict(row))
