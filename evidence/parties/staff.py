"""People's tokens: issue, rotate, revoke, list. Each issue and each revocation is an entry in the ledger.

The token's text is returned once and never stored; the ledger payload holds its SHA-256, so that later it can be shown
which token a person held without anybody being able to use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.credentials import STAFF_PREFIX, new_credential
from evidence.parties.errors import ExpiryInvalid, RoleInvalid, TokenAlreadyRevoked, TokenExpired, TokenUnknown
from evidence.parties.lookalikes import KnownNames
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.parties.roles import STAFF_ROLES, Role
from evidence.parties.store import StaffToken, find_staff_token, names_of_people
from ledger.canonical import JsonObject

TOKEN_DAYS_MAX = 366
"""Longest life of a staff token in days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A fresh token; `text` is the only copy of the secret."""

    token: UUID
    staff: UUID
    expires_at: datetime
    entry_id: UUID
    text: str = field(repr=False)


async def issue_token(
    conn: Connection,
    *,
    name: str,
    role: Role,
    lifetime: timedelta,
    actor: str,
    clock: Clock,
    entropy: Entropy,
    staff: UUID | None = None,
    scopes: Iterable[str] | None = None,
) -> IssuedToken:
    """Issue a token to a person, in the caller's transaction.

    Args:
        staff: The person's id when they had a token before; None makes a new person.
        actor: Who issues it, for example `staff:<uuid>` or `service`.
        scopes: Groups of routes that it opens, as the boundary names them; None for everything that the role may.

    Raises:
        NameInvalid: See `check_name`.
        RoleInvalid: The role is a dock's.
        ExpiryInvalid: The lifetime is not between a second and `TOKEN_DAYS_MAX`.
        NameLookalike: The name looks like somebody else's and is written otherwise.
    """
    check_name(name)
    staff = staff or uuid7(clock=clock, entropy=entropy)
    await require_own_name(conn, staff, name)
    return await _issue(
        conn,
        name=name,
        role=role,
        lifetime=lifetime,
        actor=actor,
        clock=clock,
        entropy=entropy,
        staff=staff,
        scopes=scopes,
    )


async def require_own_name(conn: Connection, staff: UUID, name: str) -> None:
    """Refuse a name for a person that looks like somebody else's, in the caller's transaction.

    Raises:
        NameLookalike: It looks like the name of another account or token, and is written otherwise.
    """
    # One lock for all names: of two that look alike and come at once, the second sees the first.
    await lock_subject(conn, "names-of-people")
    KnownNames.of(await names_of_people(conn)).require_distinct(staff, name)


async def _issue(
    conn: Connection,
    *,
    name: str,
    role: Role,
    lifetime: timedelta,
    actor: str,
    clock: Clock,
    entropy: Entropy,
    staff: UUID,
    scopes: Iterable[str] | None,
) -> IssuedToken:
    if role not in STAFF_ROLES:
        raise RoleInvalid(f"a person cannot be a {role.value}")
    if not timedelta(seconds=1) <= lifetime <= timedelta(days=TOKEN_DAYS_MAX):
        raise ExpiryInvalid(f"a token lives between a second and {TOKEN_DAYS_MAX} days")
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy, prefix=STAFF_PREFIX)
    expires_at = clock() + lifetime
    payload: JsonObject = {
        "token": str(credential.id),
        "staff": str(staff),
        "name": name,
        "role": role.value,
        "expires_at": format_time(expires_at),
        "token_sha256": credential.digest.hex(),
    }
    recorded = await record(
        conn,
        type="staff.token_issued",
        actor=actor,
        subject=f"token:{credential.id}",
        # Left out where there are none, as in every payload that was written before there were scopes.
        payload=payload if scopes is None else {**payload, "scopes": [*sorted(set(scopes))]},
        clock=clock,
        entropy=entropy,
    )
    return IssuedToken(
        token=credential.id, staff=staff, expires_at=expires_at, entry_id=recorded.entry_id, text=credential.text
    )


async def rotate_token(
    conn: Connection,
    *,
    token: UUID,
    lifetime: timedelta | None,
    by_holder: bool,
    reason: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> IssuedToken:
    """Issue a person a new token in the place of one that is revoked by it, in the caller's transaction.

    Name, role, scopes and person stay as they are. Both happen or neither: a person whose answer got lost has a new
    token that nobody knows, and an administrator rotates or issues again. Of two rotations at once one is refused.

    Args:
        token: The one to replace, still in force.
        lifetime: Life of the new one; None for as long as the old one was issued for.
        by_holder: Whether its holder asks, who may not give himself a longer life than he was given.
        reason: Why the old one ends; goes on record.

    Raises:
        TokenUnknown: There is none with this id.
        TokenAlreadyRevoked, TokenExpired: It is not in force, so there is nothing to go over from.
        ExpiryInvalid, NameInvalid: See `issue_token` and `revoke_token`.
    """
    found = await _lock_valid(conn, token)
    if found.expires_at <= clock():
        raise TokenExpired("the token has expired; a new one is issued", expired_at=format_time(found.expires_at))
    given = found.expires_at - found.issued_at
    if by_holder and lifetime is not None and lifetime > given:
        raise ExpiryInvalid(f"a holder rotates for at most as long as before: {given}")
    # The name is on record: a person who was called so before names were held against one another keeps it.
    issued = await _issue(
        conn,
        name=found.name,
        role=found.role,
        lifetime=lifetime or given,
        actor=actor,
        clock=clock,
        entropy=entropy,
        staff=found.staff,
        scopes=found.scopes,
    )
    await revoke_token(conn, token=token, reason=reason, actor=actor, clock=clock, entropy=entropy)
    return issued


async def revoke_token(
    conn: Connection, *, token: UUID, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Revoke a token for good, in the caller's transaction; return the ledger entry's id.

    Raises:
        TokenUnknown: There is none with this id.
        TokenAlreadyRevoked: It was revoked before.
        NameInvalid: The reason is empty, too long or has control characters.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await _lock_valid(conn, token)
    recorded = await record(
        conn,
        type="staff.token_revoked",
        actor=actor,
        subject=f"token:{token}",
        payload={"token": str(token), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def _lock_valid(conn: Connection, token: UUID) -> StaffToken:
    await lock_subject(conn, f"token:{token}")
    found = await find_staff_token(conn, token)
    if found is None:
        raise TokenUnknown("there is no such token")
    if found.revoked_at is not None:
        raise TokenAlreadyRevoked("the token is revoked already", revoked_at=format_time(found.revoked_at))
    return found
