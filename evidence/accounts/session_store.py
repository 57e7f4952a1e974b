"""SQL of people's sessions, of when credentials were used last, and the projections of the sessions' payloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from evidence.custody.account_payloads import SessionBegun, SessionEnded
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.parties.roles import Role

_SESSIONS = """
SELECT s.session, s.staff, a.name, s.role, s.scopes, s.token_sha256, s.expires_at, s.method, s.signed_in_at,
       e.ended_at, e.cause, c.seen_at, c.address
FROM staff_session s
JOIN account a USING (staff)
LEFT JOIN staff_session_end e USING (session)
LEFT JOIN credential_seen c ON c.credential = s.session
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffSession:
    """One session as it stands.

    Attributes:
        role: What the person acts as in it.
        scopes: Groups of routes it opens; None for everything that the role may.
        ended_at: When it was ended; None while nobody did.
        seen_at: When it was used last, to the minute; None when that is not known any more.
    """

    session: UUID
    staff: UUID
    name: str
    role: Role
    scopes: frozenset[str] | None
    token_sha256: bytes
    expires_at: datetime
    method: str
    signed_in_at: datetime
    ended_at: datetime | None
    cause: str | None
    seen_at: datetime | None
    address: str | None

    def last_used(self) -> datetime:
        """Return when it was used last, or begun."""
        return self.seen_at or self.signed_in_at


async def project_session_begun(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `session.begun`."""
    body = SessionBegun.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO staff_session
               (session, staff, role, scopes, token_sha256, expires_at, method, recovery_sha256, failed_before,
                signed_in_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        *(body.session, body.staff, body.role, body.scopes, body.token_sha256, body.expires_at, body.method),
        *(body.recovery_sha256, body.failed_before, event.at, event.entry_id),
    )


async def project_session_ended(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `session.ended`."""
    body = SessionEnded.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO staff_session_end (session, cause, ended_at, ended_by, entry_id) VALUES ($1, $2, $3, $4, $5)",
        *(body.session, body.cause, event.at, event.actor, event.entry_id),
    )


async def find_staff_session(conn: Connection, session: UUID) -> StaffSession | None:
    """Return a session by its public id."""
    row = await conn.fetchrow(f"{_SESSIONS} WHERE s.session = $1", session)
    return None if row is None else _session(row)


async def sessions_of(conn: Connection, staff: UUID, *, after: UUID | None, limit: int) -> Sequence[StaffSession]:
    """Return a person's sessions in the order they began in, behind `after`; ended ones included."""
    rows = await conn.fetch(
        f"{_SESSIONS} WHERE s.staff = $1 AND s.session > $2 ORDER BY s.session LIMIT $3",
        *(staff, after or FIRST_ID, limit),
    )
    return [_session(row) for row in rows]


async def open_sessions(conn: Connection, staff: UUID, *, now: datetime) -> Sequence[StaffSession]:
    """Return a person's sessions that have neither ended nor expired, oldest first."""
    rows = await conn.fetch(
        f"{_SESSIONS} WHERE s.staff = $1 AND e.session IS NULL AND s.expires_at > $2 ORDER BY s.session", staff, now
    )
    return [_session(row) for row in rows]


async def recovery_is_used(conn: Connection, digest: bytes) -> bool:
    """Tell whether somebody has signed in with a recovery code."""
    return bool(await conn.fetchval("SELECT true FROM staff_session WHERE recovery_sha256 = $1", digest))


async def touch(conn: Connection, credential: UUID, *, staff: UUID, address: str, at: datetime) -> None:
    """Take note that a credential was used."""
    await conn.execute(
        """INSERT INTO credential_seen (credential, staff, address, seen_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (credential) DO UPDATE SET address = $3, seen_at = greatest(credential_seen.seen_at, $4)""",
        *(credential, staff, address, at),
    )


async def knows_address(conn: Connection, *, staff: UUID, address: str, since: datetime) -> bool:
    """Tell whether a person has used an address since an instant."""
    return bool(
        await conn.fetchval(
            "SELECT true FROM credential_seen WHERE staff = $1 AND address = $2 AND seen_at >= $3 LIMIT 1",
            *(staff, address, since),
        )
    )


async def last_used(conn: Connection, credentials: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when credentials were used last, as far as that is known."""
    rows = await conn.fetch("SELECT credential, seen_at FROM credential_seen WHERE credential = ANY($1)", credentials)
    return {row["credential"]: row["seen_at"] for row in rows}


async def sweep_seen(conn: Connection, *, before: datetime) -> None:
    """Remove what was used last before an instant."""
    await conn.execute("DELETE FROM credential_seen WHERE seen_at < $1", before)


def _session(row: Record) -> StaffSession:
    scopes = None if row["scopes"] is None else frozenset(row["scopes"])
    return StaffSession(**{**dict(row), "role": Role(row["role"]), "scopes": scopes})
