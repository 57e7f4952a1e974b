"""SQL of passing state: view tickets and stored answers. Nothing here is evidence; rows past their time are removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewTicket:
    """What a ticket opens.

    Attributes:
        secret_sha256: 32 bytes, what the presented ticket must hash to.
        entry_id: The ledger entry of the view that it was made for.
        sha256: 32 bytes, the object it opens.
        media_type: What to call those bytes.
        expires_at: From when on it opens nothing.
        staff: Whose it is; None for tickets of an older program.
        by_cookie: Whether their session has to come along.
    """

    ticket: UUID
    secret_sha256: bytes
    entry_id: UUID
    sha256: bytes
    media_type: str
    expires_at: datetime
    staff: UUID | None = None
    by_cookie: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer that was given to a create with an Idempotency-Key; `request_sha256` has 32 bytes."""

    request_sha256: bytes
    status: int
    body: bytes


async def insert_ticket(conn: Connection, ticket: ViewTicket) -> None:
    """Store a ticket."""
    await conn.execute(
        """INSERT INTO view_ticket (ticket, secret_sha256, entry_id, sha256, media_type, expires_at, staff, by_cookie)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        ticket.ticket,
        ticket.secret_sha256,
        ticket.entry_id,
        ticket.sha256,
        ticket.media_type,
        ticket.expires_at,
        ticket.staff,
        ticket.by_cookie,
    )


async def find_ticket(conn: Connection, ticket: UUID) -> ViewTicket | None:
    """Return a ticket by its public id, expired or not."""
    row = await conn.fetchrow(
        """SELECT ticket, secret_sha256, entry_id, sha256, media_type, expires_at, staff, by_cookie
           FROM view_ticket WHERE ticket = $1""",
        ticket,
    )
    return None if row is None else ViewTicket(**dict(row))


async def find_beside(conn: Connection, ticket: ViewTicket, kind: str) -> tuple[bytes, str] | None:
    """Return digest and media type of the object of a kind that was made together with the one a ticket opens.

    Only what came of the same derivation of the same clip counts; beside an original there is nothing.
    """
    row = await conn.fetchrow(
        """SELECT beside.sha256, beside.media_type
             FROM custody_payload AS view
             JOIN clip_object AS shown ON shown.sha256 = $2 AND 'clip:' || shown.clip = view.subject
             JOIN clip_object AS beside ON beside.entry_id = shown.entry_id AND beside.kind = $3
            WHERE view.entry_id = $1
            ORDER BY shown.entry_id DESC LIMIT 1""",
        ticket.entry_id,
        ticket.sha256,
        kind,
    )
    return None if row is None else (row["sha256"], row["media_type"])


async def find_answer(conn: Connection, *, actor: str, route: str, key: str) -> StoredAnswer | None:
    """Return the stored answer to an actor's request, if it was made before."""
    row = await conn.fetchrow(
        "SELECT request_sha256, status, body FROM stored_answer WHERE actor = $1 AND route = $2 AND key = $3",
        actor,
        route,
        key,
    )
    return None if row is None else StoredAnswer(**dict(row))


async def insert_answer(
    conn: Connection, answer: StoredAnswer, *, actor: str, route: str, key: str, at: datetime
) -> None:
    """Store an answer, in the transaction of what it answers."""
    await conn.execute(
        """INSERT INTO stored_answer (actor, route, key, request_sha256, status, body, answered_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        actor,
        route,
        key,
        answer.request_sha256,
        answer.status,
        answer.body,
        at,
    )


async def remove_expired(conn: Connection, *, tickets_before: datetime, answers_before: datetime) -> int:
    """Remove tickets that expired and answers that were given before these instants; return how many rows that were."""
    tags = [
        await conn.execute("DELETE FROM view_ticket WHERE expires_at < $1", tickets_before),
        await conn.execute("DELETE FROM look_ticket WHERE expires_at < $1", tickets_before),
        await conn.execute("DELETE FROM stored_answer WHERE answered_at < $1", answers_before),
    ]
    return sum(int(tag.rpartition(" ")[2]) for tag in tags)
