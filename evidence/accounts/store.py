"""SQL of accounts and their credentials, and the projections that turn their ledger payloads into rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from evidence.custody.account_payloads import (
    AccountChanged,
    AccountCodeIssued,
    AccountCreated,
    AccountLinked,
    AccountPasswordSet,
    AccountTotpEnrolled,
    AccountTotpRemoved,
)
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.parties.roles import Role

_ACCOUNTS = """
SELECT a.staff, a.login, a.name, a.created_at, v.version, v.roles, v.enabled, v.reason, v.changed_at,
       p.kind IS NOT NULL AS has_password, coalesce(t.kind = 'totp', false) AS has_totp
FROM account a
JOIN LATERAL (
    SELECT * FROM account_version WHERE account_version.staff = a.staff ORDER BY version DESC LIMIT 1
) v ON true
LEFT JOIN LATERAL (
    SELECT kind FROM account_credential c WHERE c.staff = a.staff AND kind = 'password' LIMIT 1
) p ON true
LEFT JOIN LATERAL (
    SELECT kind FROM account_credential c
    WHERE c.staff = a.staff AND kind IN ('totp', 'totp_removed') ORDER BY number DESC LIMIT 1
) t ON true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account as it stands.

    Attributes:
        staff: Whose it is; the identity of a person all over the house.
        login: What the person signs in with, lower case.
        roles: What the person may act as, one at a time; the first is taken when nothing else is said.
        version: How often roles or state were changed.
    """

    staff: UUID
    login: str
    name: str
    roles: tuple[Role, ...]
    enabled: bool
    version: int
    reason: str | None
    has_password: bool
    has_totp: bool
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What was set last of one kind: `sha256` of the secret, None where it was removed."""

    number: int
    kind: str
    sha256: bytes | None
    recovery: tuple[bytes, ...]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What an account's credentials are checked with; passing state, held against the record before it counts."""

    password: str | None = None
    totp: bytes | None = None
    totp_step: int | None = None
    totp_pending: bytes | None = None
    pending_until: datetime | None = None


async def project_account_created(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `account.created`: the account, and its version 0."""
    body = AccountCreated.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO account (staff, login, name, created_at, created_by, entry_id) VALUES ($1, $2, $3, $4, $5, $6)",
        *(body.staff, body.login, body.name, event.at, event.actor, event.entry_id),
    )
    await _insert_version(conn, event, staff=body.staff, version=0, roles=body.roles, enabled=True, reason=None)


async def project_account_changed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `account.changed`."""
    body = AccountChanged.model_validate(event.payload)
    await _insert_version(
        conn,
        event,
        staff=body.staff,
        version=body.version,
        roles=body.roles,
        enabled=body.enabled,
        reason=body.reason,
    )


async def project_code_issued(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `account.code_issued`."""
    body = AccountCodeIssued.model_validate(event.payload)
    await _insert_credential(
        conn, event, body.staff, body.number, "code", sha256=body.code_sha256, expires_at=body.expires_at
    )


async def project_password_set(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `account.password_set`."""
    body = AccountPasswordSet.model_validate(event.payload)
    await _insert_credential(
        conn, event, body.staff, body.number, "password", sha256=body.verifier_sha256, cause=body.cause
    )


async def project_totp_enrolled(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `account.totp_enrolled`."""
    body = AccountTotpEnrolled.model_validate(event.payload)
    await _insert_credential(
        conn, event, body.staff, body.number, "totp", sha256=body.secret_sha256, recovery=body.recovery_sha256
    )


async def project_totp_removed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `account.totp_removed`."""
    body = AccountTotpRemoved.model_validate(event.payload)
    await _insert_credential(conn, event, body.staff, body.number, "totp_removed", cause=body.reason)


async def project_account_linked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `account.linked`."""
    body = AccountLinked.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO account_link (issuer, subject, staff, linked_at, entry_id) VALUES ($1, $2, $3, $4, $5)",
        *(body.issuer, body.subject, body.staff, event.at, event.entry_id),
    )


async def find_account(conn: Connection, staff: UUID) -> Account | None:
    """Return an account by whose it is."""
    row = await conn.fetchrow(f"{_ACCOUNTS} WHERE a.staff = $1", staff)
    return None if row is None else _account(row)


async def find_login(conn: Connection, login: str) -> Account | None:
    """Return an account by what its person signs in with."""
    row = await conn.fetchrow(f"{_ACCOUNTS} WHERE a.login = $1", login)
    return None if row is None else _account(row)


async def find_linked(conn: Connection, *, issuer: str, subject: str) -> UUID | None:
    """Return whose account a provider's subject belongs to."""
    staff: UUID | None = await conn.fetchval(
        "SELECT staff FROM account_link WHERE issuer = $1 AND subject = $2", issuer, subject
    )
    return staff


async def is_linked(conn: Connection, *, issuer: str, staff: UUID) -> bool:
    """Tell whether an account belongs to a subject of a provider already."""
    return bool(await conn.fetchval("SELECT true FROM account_link WHERE issuer = $1 AND staff = $2", issuer, staff))


async def list_accounts(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[Account]:
    """Return accounts in order of their people's ids, behind `after`."""
    rows = await conn.fetch(f"{_ACCOUNTS} WHERE a.staff > $1 ORDER BY a.staff LIMIT $2", after or FIRST_ID, limit)
    return [_account(row) for row in rows]


async def newest_credential(conn: Connection, staff: UUID, *kinds: str) -> Credential | None:
    """Return what was set last of any of some kinds."""
    row = await conn.fetchrow(
        """SELECT number, kind, sha256, recovery, expires_at FROM account_credential
           WHERE staff = $1 AND kind = ANY($2) ORDER BY number DESC LIMIT 1""",
        staff,
        list(kinds),
    )
    if row is None:
        return None
    return Credential(**{**dict(row), "recovery": tuple(row["recovery"] or ())})


async def next_number(conn: Connection, staff: UUID) -> int:
    """Return the number that the next credential of an account gets; the caller holds the account's lock."""
    number: int = await conn.fetchval(
        "SELECT coalesce(max(number), 0) + 1 FROM account_credential WHERE staff = $1", staff
    )
    return number


async def read_secrets(conn: Connection, staff: UUID) -> Secrets:
    """Return what an account's credentials are checked with."""
    row = await conn.fetchrow(
        "SELECT password, totp, totp_step, totp_pending, pending_until FROM account_secret WHERE staff = $1", staff
    )
    return Secrets() if row is None else Secrets(**dict(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """What is stored of an account's secrets, and the digests that its newest entries commit to."""

    staff: UUID
    password: str | None
    totp: bytes | None
    password_sha256: bytes | None
    totp_sha256: bytes | None


async def every_secret(conn: Connection) -> Sequence[StoredSecret]:
    """Return every account's secrets beside what is on record of them."""
    rows = await conn.fetch(
        """SELECT a.staff, s.password, s.totp, p.sha256 AS password_sha256, t.sha256 AS totp_sha256
           FROM account a
           LEFT JOIN account_secret s USING (staff)
           LEFT JOIN LATERAL (
               SELECT sha256 FROM account_credential c
               WHERE c.staff = a.staff AND kind = 'password' ORDER BY number DESC LIMIT 1
           ) p ON true
           LEFT JOIN LATERAL (
               SELECT sha256 FROM account_credential c
               WHERE c.staff = a.staff AND kind IN ('totp', 'totp_removed') ORDER BY number DESC LIMIT 1
           ) t ON true
           ORDER BY a.staff"""
    )
    return [StoredSecret(**dict(row)) for row in rows]


async def store_password(conn: Connection, staff: UUID, password: str) -> None:
    """Keep the hash of a password, a PHC string."""
    await conn.execute(
        """INSERT INTO account_secret (staff, password) VALUES ($1, $2)
           ON CONFLICT (staff) DO UPDATE SET password = excluded.password""",
        staff,
        password,
    )


async def store_pending(conn: Connection, staff: UUID, secret: bytes, *, until: datetime) -> None:
    """Keep the secret of one-time codes that a person has still to confirm."""
    await conn.execute(
        """INSERT INTO account_secret (staff, totp_pending, pending_until) VALUES ($1, $2, $3)
           ON CONFLICT (staff) DO UPDATE SET totp_pending = $2, pending_until = $3""",
        *(staff, secret, until),
    )


async def store_totp(conn: Connection, staff: UUID, secret: bytes | None, *, step: int | None) -> None:
    """Keep the confirmed secret of one-time codes, or none, and the step that was accepted last."""
    await conn.execute(
        """UPDATE account_secret SET totp = $2, totp_step = $3, totp_pending = NULL, pending_until = NULL
           WHERE staff = $1""",
        *(staff, secret, step),
    )


async def accept_step(conn: Connection, staff: UUID, step: int) -> bool:
    """Take note that the code of a step was used; False when it, or a later one, was used before."""
    status = await conn.execute(
        "UPDATE account_secret SET totp_step = $2 WHERE staff = $1 AND coalesce(totp_step, -1) < $2", staff, step
    )
    return not status.endswith(" 0")


async def _insert_version(
    conn: Connection,
    event: RecordedEvent,
    *,
    staff: UUID,
    version: int,
    roles: Iterable[str],
    enabled: bool,
    reason: str | None,
) -> None:
    await conn.execute(
        """INSERT INTO account_version (staff, version, roles, enabled, reason, changed_at, changed_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(staff, version, list(roles), enabled, reason, event.at, event.actor, event.entry_id),
    )


async def _insert_credential(
    conn: Connection,
    event: RecordedEvent,
    staff: UUID,
    number: int,
    kind: str,
    *,
    sha256: bytes | None = None,
    recovery: Sequence[bytes] | None = None,
    cause: str | None = None,
    expires_at: datetime | None = None,
) -> None:
    await conn.execute(
        """INSERT INTO account_credential
               (staff, number, kind, sha256, recovery, cause, expires_at, set_at, set_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        *(staff, number, kind, sha256, recovery, cause, expires_at, event.at, event.actor, event.entry_id),
    )


def _account(row: Record) -> Account:
    return Account(**{**dict(row), "roles": tuple(Role(role) for role in row["roles"])})
