"""Docks: enrolment by a one-time code, revocation. Each enrolment and each revocation is an entry in the ledger.

An administrator makes a code and carries it to the dock. The dock makes its own key pair, chooses its own id (UUIDv7)
and hands in the code with its verifier key, named `dock.<id>`. The private key never leaves the dock. A code serves one
dock; the same dock may hand it in again, for its first answer can get lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.wire.fields import take_uuid
from evidence.core.wire.statement import dock_key_name
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import WireError
from evidence.parties.credentials import new_enrolment_code, parse_enrolment_code
from evidence.parties.errors import (
    DockAlreadyEnrolled,
    DockAlreadyRevoked,
    DockKeyInvalid,
    DockUnknown,
    EnrolmentCodeRefused,
    ExpiryInvalid,
)
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.parties.store import (
    Dock,
    dock_is_taken,
    find_dock,
    insert_enrolment_code,
    lock_enrolment_code,
    use_enrolment_code,
)
from ledger.errors import CodedError
from ledger.note import Verifier

CODE_HOURS_MAX = 24 * 14
"""Longest life of an enrolment code in hours."""


@dataclass(frozen=True, slots=True)
class DockKey:
    """A dock's verifier key and the id its name states."""

    dock: UUID
    verifier: Verifier


def parse_dock_key(vkey: str) -> DockKey:
    """Read the verifier key a dock hands in.

    Raises:
        DockKeyInvalid: It is no Ed25519 verifier key named `dock.<uuid in lower case>`.
    """
    try:
        verifier = Verifier.parse(vkey)
        dock = take_uuid(verifier.name.removeprefix("dock."), where="key name")
    except (CodedError, WireError) as error:
        raise DockKeyInvalid(f"not a dock's verifier key: {error.message}") from error
    if verifier.name != dock_key_name(dock) or verifier.vkey != vkey:
        raise DockKeyInvalid("a dock's verifier key is named dock.<uuid>")
    return DockKey(dock, verifier)


async def create_enrolment_code(
    conn: Connection, *, lifetime: timedelta, actor: str, clock: Clock, entropy: Entropy
) -> str:
    """Make a code that enrols one dock within its lifetime, and return its text, which is stored nowhere.

    Raises:
        ExpiryInvalid: The lifetime is not between a second and `CODE_HOURS_MAX`.
    """
    if not timedelta(seconds=1) <= lifetime <= timedelta(hours=CODE_HOURS_MAX):
        raise ExpiryInvalid(f"a code lives between a second and {CODE_HOURS_MAX} hours")
    code = new_enrolment_code(entropy=entropy)
    now = clock()
    await insert_enrolment_code(conn, digest=code.digest, created_at=now, created_by=actor, expires_at=now + lifetime)
    return code.text


async def enrol_dock(conn: Connection, *, code: str, name: str, vkey: str, clock: Clock, entropy: Entropy) -> Dock:
    """Enrol a dock by code, in the caller's transaction; the same dock with the same code gets the same answer again.

    Raises:
        EnrolmentCodeRefused: The code is unknown, expired, or used by another dock.
        DockKeyInvalid: See `parse_dock_key`.
        DockAlreadyEnrolled: The id or the key belongs to a dock that came with another code.
        NameInvalid: See `check_name`.
    """
    check_name(name)
    key = parse_dock_key(vkey)
    presented = parse_enrolment_code(code)
    known = None if presented is None else await lock_enrolment_code(conn, presented.digest)
    if presented is None or known is None:
        raise EnrolmentCodeRefused("the enrolment code is not known")
    if known.used_vkey == vkey:
        return await _dock(conn, key.dock)
    if known.used_vkey is not None:
        raise EnrolmentCodeRefused("the enrolment code has been used")
    if known.expires_at <= clock():
        raise EnrolmentCodeRefused("the enrolment code has expired", expired_at=format_time(known.expires_at))
    await lock_subject(conn, f"dock:{key.dock}")
    if await dock_is_taken(conn, dock=key.dock, vkey=vkey):
        raise DockAlreadyEnrolled("a dock with this id or key is enrolled already")
    await use_enrolment_code(conn, presented.digest, vkey=vkey, at=clock())
    await record(
        conn,
        type="dock.enrolled",
        actor=f"dock:{key.dock}",
        subject=f"dock:{key.dock}",
        payload={"dock": str(key.dock), "name": name, "vkey": vkey},
        clock=clock,
        entropy=entropy,
    )
    return await _dock(conn, key.dock)


async def revoke_dock(conn: Connection, *, dock: UUID, reason: str, actor: str, clock: Clock, entropy: Entropy) -> UUID:
    """Revoke a dock for good, in the caller's transaction; return the ledger entry's id.

    Raises:
        DockUnknown: There is none with this id.
        DockAlreadyRevoked: It was revoked before.
        NameInvalid: The reason is empty, too long or has control characters.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_subject(conn, f"dock:{dock}")
    found = await _dock(conn, dock)
    if found.revoked_at is not None:
        raise DockAlreadyRevoked("the dock is revoked already", revoked_at=format_time(found.revoked_at))
    recorded = await record(
        conn,
        type="dock.revoked",
        actor=actor,
        subject=f"dock:{dock}",
        payload={"dock": str(dock), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def _dock(conn: Connection, dock: UUID) -> Dock:
    found = await find_dock(conn, dock)
    if found is None:
        raise DockUnknown("there is no such dock")
    return found
