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
from evidence.errors import EventInvalid
from ledger.errors import CodedError
from ledger.key_statement import Retirement, Statement, Succession, open_statement

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


async def payloads_of(conn: Connection, *, type: str, subject: str) -> Sequence[StoredPayload]:  # noqa: A002 - the ledger's own word
    """Return all payloads of one type about one subject, oldest first."""
    rows = await conn.fetch(f"{_PAYLOADS} WHERE subject = $1 AND type = $2 ORDER BY entry_id", subject, type)
    return [_stored(row) for row in rows]


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


async def entries_of_looks(conn: Connection, clip: UUID, *, after: UUID | None, limit: int) -> list[UUID]:
    """Return the entries of looks at many clips of which this was one, oldest first, behind `after`.

    Searches that showed it are not among them: what somebody asked for is told by custody reports alone.
    """
    rows = await conn.fetch(
        """SELECT entry_id FROM clip_shown JOIN custody_payload USING (entry_id)
           WHERE clip = $1 AND entry_id > $2 AND type = 'clips.viewed' ORDER BY entry_id LIMIT $3""",
        clip,
        after or FIRST_ID,
        limit,
    )
    return [row["entry_id"] for row in rows]


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


async def project_log_key_rotated(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `log.key_rotated`; its signed statement has to say what the payload says.

    Raises:
        EventInvalid: It says something else, or is not signed by both keys.
    """
    said = event.payload
    statement = _opened(said["statement"])
    if not isinstance(statement, Succession) or (
        (statement.number, statement.old.vkey, statement.new.vkey, statement.size)
        != (said["number"], said["old"], said["new"], said["size"])
    ):
        raise EventInvalid("the signed statement is not about this change of keys")
    await _insert_statement(conn, event, kind="rotated", vkey=statement.new.vkey)


async def project_log_key_retired(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `log.key_retired`; its signed statement has to say what the payload says.

    Raises:
        EventInvalid: It says something else, or is not signed by the key that stays.
    """
    said = event.payload
    statement = _opened(said["statement"])
    if not isinstance(statement, Retirement) or (
        (statement.number, statement.retired.vkey, statement.size) != (said["number"], said["vkey"], said["size"])
    ):
        raise EventInvalid("the signed statement is not about this end of a key")
    await _insert_statement(conn, event, kind="retired", vkey=statement.retired.vkey)


async def log_key_statements(conn: Connection) -> list[bytes]:
    """Return the signed statements about the log's keys, in the order of their chain."""
    rows = await conn.fetch("SELECT statement FROM log_key_statement ORDER BY number, kind = 'retired'")
    return [row["statement"].encode() for row in rows]


async def _insert_statement(conn: Connection, event: RecordedEvent, *, kind: str, vkey: str) -> None:
    await conn.execute(
        """INSERT INTO log_key_statement (number, kind, vkey, size, statement, at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        event.payload["number"],
        kind,
        vkey,
        event.payload["size"],
        event.payload["statement"],
        event.at,
        event.entry_id,
    )


def _opened(note: object) -> Statement:
    try:
        return open_statement(str(note).encode())
    except CodedError as error:
        raise EventInvalid(f"the statement about the log's key is not good: {error.message}") from error


def _stored(row: Record) -> StoredPayload:
    return StoredPayload(**dict(row))
