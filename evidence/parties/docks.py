"""Docks: enrolment by a one-time code, change of key, revocation. Each of them is an entry in the ledger.

An administrator makes a code and carries it to the dock. The dock makes its own key pair, chooses its own id (UUIDv7)
and hands in the code with its verifier key, named `dock.<id>`. The private key never leaves the dock. A code serves one
dock; the same dock may hand it in again, for its first answer can get lost.

A change of key is signed by the old key and the new (`evidence.core.wire.dock_key`) and counts from its entry on. What
a dock states is judged by the key that counts when the entry is made: `require_in_force` looks once more inside the
transaction that records it, and no change or revocation can come in between. So the ledger never holds a statement
behind the entry that ended its key, and an audit may demand that. Keys never come back, not even another dock's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.wire.dock_key import open_dock_key
from evidence.core.wire.fields import take_uuid
from evidence.core.wire.statement import dock_key_name
from evidence.custody.record import record
from evidence.db.locks import lock_subject, share_subject
from evidence.db.pool import Connection
from evidence.errors import WireError, WireSignature
from evidence.parties.credentials import new_enrolment_code, parse_enrolment_code
from evidence.parties.errors import (
    DockAlreadyEnrolled,
    DockAlreadyRevoked,
    DockKeyInvalid,
    DockKeyReused,
    DockKeySuperseded,
    DockNotInForce,
    DockUnknown,
    EnrolmentCodeRefused,
    ExpiryInvalid,
)
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.parties.store import (
    Dock,
    dock_is_taken,
    find_dock,
    find_key_change,
    insert_enrolment_code,
    key_was_used,
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
    await lock_subject(conn, f"dock-key:{vkey}")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedKey:
    """A change of key on record: its number, the key that counts now, the ledger entry."""

    dock: UUID
    sequence: int
    vkey: str
    entry_id: UUID


async def rotate_dock_key(conn: Connection, *, dock: UUID, note: bytes, clock: Clock, entropy: Entropy) -> RotatedKey:
    """Record a change of a dock's key, in the caller's transaction; the change that counts already is answered again.

    Args:
        dock: Who hands it in; by its old key, or by the new one when the first answer was lost.
        note: The change, signed by both keys.

    Raises:
        WireError: It is no such change, or about another dock; see the subclasses.
        DockUnknown, DockNotInForce: There is no such dock, or it is revoked.
        DockKeySuperseded: It starts from another key or number than the present one.
        DockKeyReused: The new key was a dock's before.
    """
    change = open_dock_key(note)
    if change.dock != dock:
        raise WireSignature(f"the change speaks for dock {change.dock}, and dock {dock} hands it in")
    # Before the first write: see `share_subject`.
    await lock_subject(conn, f"dock:{dock}")
    found = await _dock(conn, dock)
    if found.revoked_at is not None:
        raise DockNotInForce("the dock is revoked; its key is not changed any more")
    known = await find_key_change(conn, dock=dock, sequence=change.sequence)
    if known is not None and known.note == note.decode() and found.key_sequence == change.sequence:
        return RotatedKey(dock=dock, sequence=change.sequence, vkey=change.new.vkey, entry_id=known.entry_id)
    if (found.vkey, found.key_sequence + 1) != (change.old.vkey, change.sequence):
        message = f"the present key is number {found.key_sequence}; this change would make number {change.sequence}"
        raise DockKeySuperseded(message, vkey=found.vkey, sequence=found.key_sequence)
    # Two docks that come with one new key at once are decided one after the other.
    await lock_subject(conn, f"dock-key:{change.new.vkey}")
    if await key_was_used(conn, change.new.vkey):
        raise DockKeyReused("the new key is, or once was, a dock's key")
    recorded = await record(
        conn,
        type="dock.key_rotated",
        actor=f"dock:{dock}",
        subject=f"dock:{dock}",
        payload={"dock": str(dock), "sequence": change.sequence, "vkey": change.new.vkey, "note": note.decode()},
        clock=clock,
        entropy=entropy,
    )
    return RotatedKey(dock=dock, sequence=change.sequence, vkey=change.new.vkey, entry_id=recorded.entry_id)


async def demand_key(conn: Connection, *, dock: UUID, reason: str, actor: str, clock: Clock, entropy: Entropy) -> UUID:
    """Ask a dock for another key, in the caller's transaction; return the ledger entry's id.

    The demand stands until the dock has changed its key. What it signs with the present one is taken all the same.

    Raises:
        DockUnknown: There is none with this id.
        DockAlreadyRevoked: It was revoked, and changes its key no more.
        NameInvalid: The reason is empty, too long or has control characters.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_subject(conn, f"dock:{dock}")
    found = await _dock(conn, dock)
    if found.revoked_at is not None:
        raise DockAlreadyRevoked("the dock is revoked", revoked_at=format_time(found.revoked_at))
    recorded = await record(
        conn,
        type="dock.key_demanded",
        actor=actor,
        subject=f"dock:{dock}",
        payload={"dock": str(dock), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def require_in_force(conn: Connection, dock: UUID, verifier: Verifier | None = None) -> Verifier:
    """Return the key that counts for a dock until the transaction ends; to be called before its first write.

    Args:
        verifier: The key that the caller has judged a statement by; None to be told which one counts.

    Raises:
        DockUnknown: There is no such dock.
        DockNotInForce: It is revoked, or another key counts by now.
    """
    await share_subject(conn, f"dock:{dock}")
    found = await _dock(conn, dock)
    if found.revoked_at is not None:
        raise DockNotInForce("the dock was revoked", revoked_at=format_time(found.revoked_at))
    if verifier is not None and found.vkey != verifier.vkey:
        raise DockNotInForce("the key that signed this was replaced by another", sequence=found.key_sequence)
    return Verifier.parse(found.vkey)


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
