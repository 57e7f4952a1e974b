"""SQL of controllers and their sessions, and the projections that make rows of their ledger payloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.recording_payloads import ControllerConnected, ControllerRevoked
from evidence.db.pool import Connection

_CONTROLLERS = """
SELECT c.controller, c.name, c.key_sha256, c.connected_at, c.entry_id, r.revoked_at, r.reason
FROM controller c LEFT JOIN controller_revocation r USING (controller)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One controller as it stands; `key_sha256` has 32 bytes, `revoked_at` is None while it was not revoked."""

    controller: UUID
    name: str
    key_sha256: bytes
    connected_at: datetime
    entry_id: UUID
    revoked_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a controller works with for a while; `token_sha256` is what the presented token must hash to."""

    session: UUID
    controller: UUID
    token_sha256: bytes
    expires_at: datetime


async def project_controller_connected(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `controller.connected`."""
    body = ControllerConnected.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO controller (controller, name, key_sha256, connected_at, connected_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        body.controller,
        body.name,
        body.key_sha256,
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_controller_revoked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `controller.revoked`."""
    body = ControllerRevoked.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO controller_revocation (controller, reason, revoked_at, revoked_by, entry_id)
           VALUES ($1, $2, $3, $4, $5)""",
        body.controller,
        body.reason,
        event.at,
        event.actor,
        event.entry_id,
    )


async def find_controller(conn: Connection, controller: UUID) -> Controller | None:
    """Return a controller by its id."""
    row = await conn.fetchrow(f"{_CONTROLLERS} WHERE c.controller = $1", controller)
    return None if row is None else Controller(**dict(row))


async def list_controllers(conn: Connection, *, limit: int) -> Sequence[Controller]:
    """Return controllers in order of their ids."""
    rows = await conn.fetch(f"{_CONTROLLERS} ORDER BY c.controller LIMIT $1", limit)
    return [Controller(**dict(row)) for row in rows]


async def insert_session(conn: Connection, session: Session, *, now: datetime) -> None:
    """Store a session; those of the same controller that have expired go."""
    await conn.execute(
        "DELETE FROM controller_session WHERE controller = $1 AND expires_at < $2", session.controller, now
    )
    await conn.execute(
        "INSERT INTO controller_session (session, controller, token_sha256, expires_at) VALUES ($1, $2, $3, $4)",
        session.session,
        session.controller,
        session.token_sha256,
        session.expires_at,
    )


async def find_session(conn: Connection, session: UUID) -> Session | None:
    """Return a session by its public id, expired or not."""
    row = await conn.fetchrow(
        "SELECT session, controller, token_sha256, expires_at FROM controller_session WHERE session = $1", session
    )
    return None if row is None else Session(**dict(row))
