"""Sessions: what a person works with after signing in. Opaque, kept here, on record from their beginning to their end.

A session is a credential like a token (`evidence.parties.credentials`), with the prefix `session_`: only its SHA-256 is
stored, and stands in the entry `session.begun`, so that the audit can say who could act when. It ends by an entry
`session.ended` (signed out, an account changed, too many at once), by its absolute expiry, which its beginning states,
or by idleness, which needs no entry: less is allowed than the record says, never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from evidence.accounts.errors import SessionUnknown
from evidence.accounts.session_store import StaffSession, find_staff_session, open_sessions, touch
from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.credentials import new_credential
from evidence.parties.roles import Role

SESSION_PREFIX = "session_"

SESSIONS_MAX = 10
"""Most open sessions of one person; the oldest ends when there is another."""

TOUCH_SECONDS = 60
"""How exact it is known when a credential was used last."""

Method = Literal["password", "totp", "recovery", "oidc"]
Cause = Literal["own", "other", "replaced", "password", "totp", "account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How long a session lives at most, and unused."""

    lifetime: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunSession:
    """A fresh session; `text` is the only copy of its secret."""

    session: UUID
    staff: UUID
    role: Role
    scopes: frozenset[str] | None
    expires_at: datetime
    text: str = field(repr=False)


async def begin_session(
    conn: Connection,
    *,
    staff: UUID,
    role: Role,
    scopes: frozenset[str] | None,
    method: Method,
    recovery: bytes | None,
    failed_before: int,
    address: str,
    lifetime: timedelta,
    clock: Clock,
    entropy: Entropy,
) -> BegunSession:
    """Begin a session, in the caller's transaction, which holds the lock of the person; see `lock_person`.

    Args:
        recovery: Digest of the recovery code that was used up; None when none was.
        failed_before: How many attempts had failed since the person last signed in.
    """
    now = clock()
    for session in (await open_sessions(conn, staff, now=now))[: -SESSIONS_MAX + 1]:
        await _end(conn, session.session, cause="replaced", actor=f"staff:{staff}", clock=clock, entropy=entropy)
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy, prefix=SESSION_PREFIX)
    expires_at = now + lifetime
    await record(
        conn,
        type="session.begun",
        actor=f"staff:{staff}",
        subject=f"session:{credential.id}",
        payload={
            "session": str(credential.id),
            "staff": str(staff),
            "role": role.value,
            "scopes": None if scopes is None else [*sorted(scopes)],
            "expires_at": format_time(expires_at),
            "token_sha256": credential.digest.hex(),
            "method": method,
            "recovery_sha256": None if recovery is None else recovery.hex(),
            "failed_before": failed_before,
        },
        clock=clock,
        entropy=entropy,
    )
    await touch(conn, credential.id, staff=staff, address=address, at=now)
    return BegunSession(
        session=credential.id, staff=staff, role=role, scopes=scopes, expires_at=expires_at, text=credential.text
    )


async def end_session(
    conn: Connection, session: UUID, *, staff: UUID, cause: Cause, clock: Clock, entropy: Entropy
) -> None:
    """End one of a person's own sessions, in the caller's transaction.

    Raises:
        SessionUnknown: It is not theirs, has ended or expired.
    """
    await lock_person(conn, staff)
    found = await find_staff_session(conn, session)
    if found is None or found.staff != staff or found.ended_at is not None or found.expires_at <= clock():
        raise SessionUnknown("there is no such session that is open")
    await _end(conn, session, cause=cause, actor=f"staff:{staff}", clock=clock, entropy=entropy)


async def end_sessions(
    conn: Connection,
    staff: UUID,
    *,
    cause: Cause,
    actor: str,
    clock: Clock,
    entropy: Entropy,
    keep: UUID | None = None,
) -> Sequence[StaffSession]:
    """End all open sessions of a person but one, in the caller's transaction, which holds the lock of the person."""
    ended = [one for one in await open_sessions(conn, staff, now=clock()) if one.session != keep]
    for session in ended:
        await _end(conn, session.session, cause=cause, actor=actor, clock=clock, entropy=entropy)
    return ended


async def note_use(
    conn: Connection, credential: UUID, *, staff: UUID, address: str, at: datetime, seen_at: datetime | None
) -> None:
    """Take note that a token or session was used, unless that is known to the minute already."""
    if seen_at is None or at >= seen_at + timedelta(seconds=TOUCH_SECONDS):
        await touch(conn, credential, staff=staff, address=address, at=at)


async def lock_person(conn: Connection, staff: UUID) -> None:
    """Decide alone about a person's account and sessions until the transaction ends."""
    await lock_subject(conn, f"staff:{staff}")


async def _end(conn: Connection, session: UUID, *, cause: Cause, actor: str, clock: Clock, entropy: Entropy) -> None:
    await record(
        conn,
        type="session.ended",
        actor=actor,
        subject=f"session:{session}",
        payload={"session": str(session), "cause": cause},
        clock=clock,
        entropy=entropy,
    )
