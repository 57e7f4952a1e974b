"""SQL of staff tokens and docks, and the projections that turn their ledger payloads into rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from evidence.core.clock import parse_time
from evidence.core.wire.dock_key import parse_dock_key
from evidence.core.wire.fields import take_digest, take_text, take_uuid
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.parties.roles import Role
from ledger.note import parse_note

_TOKENS = """
SELECT t.token, t.staff, t.name, t.role, t.expires_at, t.token_sha256, t.scopes, t.issued_at, r.revoked_at, r.reason,
       s.seen_at
FROM staff_token t LEFT JOIN staff_token_revocation r USING (token) LEFT JOIN credential_seen s ON s.credential = token
"""
_DOCKS = """
SELECT d.dock, d.name, coalesce(k.vkey, d.vkey) AS vkey, coalesce(k.sequence, 0) AS key_sequence,
       coalesce(k.rotated_at, d.enrolled_at) AS key_since, d.enrolled_at, d.entry_id, r.revoked_at, r.reason,
       (SELECT max(demanded_at) FROM dock_key_demand m
        WHERE m.dock = d.dock AND m.demanded_at > coalesce(k.rotated_at, d.enrolled_at)) AS key_demanded_at
FROM dock d LEFT JOIN dock_revocation r USING (dock)
LEFT JOIN LATERAL (
    SELECT vkey, sequence, rotated_at FROM dock_key WHERE dock_key.dock = d.dock ORDER BY sequence DESC LIMIT 1
) k ON true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffToken:
    """One person's token as it stands.

    Attributes:
        token_sha256: 32 bytes, what the presented token must hash to.
        scopes: Groups of routes it opens; None for everything that the role may.
        revoked_at: When it was revoked; None while it was not.
        seen_at: When it was used last, to the minute; None when that is not known.
    """

    token: UUID
    staff: UUID
    name: str
    role: Role
    expires_at: datetime
    token_sha256: bytes
    scopes: frozenset[str] | None
    issued_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dock:
    """One enrolled dock as it stands.

    Attributes:
        vkey: Text of the verifier key that counts now.
        key_sequence: How often its key was changed.
        key_since: When the present key began to count.
        key_demanded_at: When an administrator asked for another key than the present one; None when nobody did.
    """

    dock: UUID
    name: str
    vkey: str
    key_sequence: int
    key_since: datetime
    enrolled_at: datetime
    entry_id: UUID
    revoked_at: datetime | None
    revoked_reason: str | None
    key_demanded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A change of a dock's key on record: the signed note and the ledger entry that holds it."""

    note: str
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentCode:
    """What is known about an enrolment code; the code itself is not."""

    expires_at: datetime
    used_vkey: str | None


async def project_staff_token_issued(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `staff.token_issued`."""
    body = event.payload
    await conn.execute(
        """INSERT INTO staff_token
               (token, staff, name, role, expires_at, token_sha256, issued_at, issued_by, entry_id, scopes)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        take_uuid(body["token"], where="token"),
        take_uuid(body["staff"], where="staff"),
        take_text(body["name"], where="name"),
        take_text(body["role"], where="role"),
        parse_time(take_text(body["expires_at"], where="expires_at")),
        take_digest(body["token_sha256"], where="token_sha256"),
        event.at,
        event.actor,
        event.entry_id,
        body.get("scopes"),
    )


async def project_staff_token_revoked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `staff.token_revoked`."""
    await conn.execute(
        """INSERT INTO staff_token_revocation (token, reason, revoked_at, revoked_by, entry_id)
           VALUES ($1, $2, $3, $4, $5)""",
        take_uuid(event.payload["token"], where="token"),
        take_text(event.payload["reason"], where="reason"),
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_dock_enrolled(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `dock.enrolled`."""
    await conn.execute(
        "INSERT INTO dock (dock, name, vkey, enrolled_at, entry_id) VALUES ($1, $2, $3, $4, $5)",
        take_uuid(event.payload["dock"], where="dock"),
        take_text(event.payload["name"], where="name"),
        take_text(event.payload["vkey"], where="vkey"),
        event.at,
        event.entry_id,
    )


async def project_dock_key_rotated(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `dock.key_rotated`, read out of the signed change and nothing else."""
    note = take_text(event.payload["note"], where="note")
    change = parse_dock_key(parse_note(note.encode()).text)
    await conn.execute(
        "INSERT INTO dock_key (dock, sequence, vkey, note, rotated_at, entry_id) VALUES ($1, $2, $3, $4, $5, $6)",
        change.dock,
        change.sequence,
        change.new.vkey,
        note,
        event.at,
        event.entry_id,
    )


async def project_dock_revoked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `dock.revoked`."""
    await conn.execute(
        "INSERT INTO dock_revocation (dock, reason, revoked_at, revoked_by, entry_id) VALUES ($1, $2, $3, $4, $5)",
        take_uuid(event.payload["dock"], where="dock"),
        take_text(event.payload["reason"], where="reason"),
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_dock_key_demanded(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `dock.key_demanded`."""
    await conn.execute(
        "INSERT INTO dock_key_demand (entry_id, dock, reason, demanded_at, demanded_by) VALUES ($1, $2, $3, $4, $5)",
        event.entry_id,
        take_uuid(event.payload["dock"], where="dock"),
        take_text(event.payload["reason"], where="reason"),
        event.at,
        event.actor,
    )


async def find_staff_token(conn: Connection, token: UUID) -> StaffToken | None:
    """Return a token by its public id."""
    row = await conn.fetchrow(f"{_TOKENS} WHERE t.token = $1", token)
    return None if row is None else _staff_token(row)


async def list_staff_tokens(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[StaffToken]:
    """Return tokens in order of their ids, which is the order they were issued in, beginning behind `after`."""
    rows = await conn.fetch(
        f"{_TOKENS} WHERE t.token > $1 ORDER BY t.token LIMIT $2",
        after or FIRST_ID,
        limit,
    )
    return [_staff_token(row) for row in rows]


async def tokens_of(conn: Connection, staff: UUID, *, now: datetime) -> Sequence[StaffToken]:
    """Return a person's tokens that count, in the order they were issued in."""
    rows = await conn.fetch(
        f"{_TOKENS} WHERE t.staff = $1 AND t.expires_at > $2 AND r.token IS NULL ORDER BY t.token", staff, now
    )
    return [_staff_token(row) for row in rows]


async def names_of_people(conn: Connection) -> Sequence[tuple[UUID, str]]:
    """Return what people with an account or a token are called, or were, each with whose name it is."""
    rows = await conn.fetch("SELECT staff, name FROM account UNION SELECT staff, name FROM staff_token")
    return [(row["staff"], row["name"]) for row in rows]


async def find_dock(conn: Connection, dock: UUID) -> Dock | None:
    """Return a dock by its id."""
    row = await conn.fetchrow(f"{_DOCKS} WHERE d.dock = $1", dock)
    return None if row is None else _dock(row)


async def dock_is_taken(conn: Connection, *, dock: UUID, vkey: str) -> bool:
    """Tell whether the id or the key belongs to an enrolled dock, or the key ever did."""
    taken = bool(await conn.fetchval("SELECT true FROM dock WHERE dock = $1 LIMIT 1", dock))
    return taken or await key_was_used(conn, vkey)


async def key_was_used(conn: Connection, vkey: str) -> bool:
    """Tell whether a key is or ever was a dock's."""
    return bool(
        await conn.fetchval(
            "SELECT EXISTS (SELECT FROM dock WHERE vkey = $1) OR EXISTS (SELECT FROM dock_key WHERE vkey = $1)", vkey
        )
    )


async def find_key_change(conn: Connection, *, dock: UUID, sequence: int) -> KeyChange | None:
    """Return a recorded change of a dock's key by its number."""
    row = await conn.fetchrow("SELECT note, entry_id FROM dock_key WHERE dock = $1 AND sequence = $2", dock, sequence)
    return None if row is None else KeyChange(note=row["note"], entry_id=row["entry_id"])


async def key_entries(conn: Connection, dock: UUID) -> Sequence[UUID]:
    """Return the entries a dock's keys come from: its enrolment, then every change in order."""
    rows = await conn.fetch(
        """SELECT entry_id FROM (
               SELECT 0 AS sequence, entry_id FROM dock WHERE dock = $1
               UNION ALL SELECT sequence, entry_id FROM dock_key WHERE dock = $1
           ) k ORDER BY sequence""",
        dock,
    )
    return [row["entry_id"] for row in rows]


async def list_docks(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[Dock]:
    """Return docks in order of their ids, beginning behind `after`."""
    rows = await conn.fetch(
        f"{_DOCKS} WHERE d.dock > $1 ORDER BY d.dock LIMIT $2",
        after or FIRST_ID,
        limit,
    )
    return [_dock(row) for row in rows]


async def insert_enrolment_code(
    conn: Connection, *, digest: bytes, created_at: datetime, created_by: str, expires_at: datetime
) -> None:
    """Store the digest of a new enrolment code."""
    await conn.execute(
        "INSERT INTO dock_enrolment_code (code_sha256, created_at, created_by, expires_at) VALUES ($1, $2, $3, $4)",
        digest,
        created_at,
        created_by,
        expires_at,
    )


async def lock_enrolment_code(conn: Connection, digest: bytes) -> EnrolmentCode | None:
    """Return what is known about a code and keep others from using it until the transaction ends."""
    row = await conn.fetchrow(
        "SELECT expires_at, used_vkey FROM dock_enrolment_code WHERE code_sha256 = $1 FOR UPDATE",
        digest,
    )
    return None if row is None else EnrolmentCode(expires_at=row["expires_at"], used_vkey=row["used_vkey"])


async def use_enrolment_code(conn: Connection, digest: bytes, *, vkey: str, at: datetime) -> None:
    """Mark a code as used up by the dock with this key."""
    await conn.execute(
        "UPDATE dock_enrolment_code SET used_at = $2, used_vkey = $3 WHERE code_sha256 = $1",
        digest,
        at,
        vkey,
    )


def _staff_token(row: Record) -> StaffToken:
    return StaffToken(
        token=row["token"],
        staff=row["staff"],
        name=row["name"],
        role=Role(row["role"]),
        expires_at=row["expires_at"],
        token_sha256=row["token_sha256"],
        scopes=None if row["scopes"] is None else frozenset(row["scopes"]),
        issued_at=row["issued_at"],
        revoked_at=row["revoked_at"],
        revoked_reason=row["reason"],
        seen_at=row["seen_at"],
    )


def _dock(row: Record) -> Dock:
    return Dock(
        dock=row["dock"],
        name=row["name"],
        vkey=row["vkey"],
        key_sequence=row["key_sequence"],
        key_since=row["key_since"],
        enrolled_at=row["enrolled_at"],
        entry_id=row["entry_id"],
        revoked_at=row["revoked_at"],
        revoked_reason=row["reason"],
        key_demanded_at=row["key_demanded_at"],
    )
