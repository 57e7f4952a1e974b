"""Accounts: created, changed, given a code to set a password with. Each change is an entry, each secret a digest there.

An account is a person's (`staff`, the id that all of the house knows people by), who may have had tokens before. Nobody
but the person ever knows the password: whoever creates an account hands over a one-time code, and the person sets it.

**Roles.** A person may hold several and acts in one at a time, chosen on signing in. Whoever is an administrator is
nothing else, for an administrator manages and sees no footage. Rules that ask for two people compare `staff`.

A change of roles or state ends the person's open sessions, and revokes the tokens of roles that are gone: in the same
transaction, so that nobody works on with what was taken away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from evidence.accounts.errors import (
    AccountDisabled,
    AccountStale,
    AccountTaken,
    AccountUnknown,
    LoginInvalid,
    RolesInvalid,
)
from evidence.accounts.sessions import end_sessions, lock_person
from evidence.accounts.store import Account, find_account, find_login, next_number
from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.credentials import new_enrolment_code
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.parties.roles import STAFF_ROLES, Role
from evidence.parties.staff import require_own_name, revoke_token
from evidence.parties.store import tokens_of

CODE_LIFETIME_MAX = timedelta(days=14)

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A one-time code to set a password with; `text` is its only copy."""

    staff: UUID
    expires_at: datetime
    text: str = field(repr=False)


def check_login(typed: str) -> str:
    """Return a name to sign in with as it is stored: lower case, a-z, 0-9 and few signs, so that no two look alike.

    Raises:
        LoginInvalid: It is something else.
    """
    login = typed.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise LoginInvalid("a name to sign in with has 2 to 64 of a-z, 0-9, '.', '_', '-', '@'")
    return login


def check_roles(roles: Sequence[Role]) -> tuple[Role, ...]:
    """Return the roles of an account as given.

    Raises:
        RolesInvalid: See the class.
    """
    given = tuple(roles)
    if not given or len(set(given)) != len(given) or not set(given) <= STAFF_ROLES:
        raise RolesInvalid("an account holds one or more of the roles of people, each once")
    if Role.ADMINISTRATOR in given and len(given) > 1:
        raise RolesInvalid("whoever is an administrator holds no other role")
    return given


async def create_account(
    conn: Connection,
    *,
    login: str,
    name: str,
    roles: Sequence[Role],
    actor: str,
    clock: Clock,
    entropy: Entropy,
    staff: UUID | None = None,
) -> Account:
    """Create an account without a password, in the caller's transaction.

    Args:
        staff: The person's id when they had a token before; None makes a new person.

    Raises:
        LoginInvalid, RolesInvalid, NameInvalid: What is given is not usable.
        AccountTaken: The name to sign in with, or the person, has an account.
        NameLookalike: The name looks like somebody else's and is written otherwise.
    """
    login, roles = check_login(login), check_roles(roles)
    check_name(name)
    staff = staff or uuid7(clock=clock, entropy=entropy)
    await lock_subject(conn, f"login:{login}")
    await lock_person(conn, staff)
    if await find_login(conn, login) is not None or await find_account(conn, staff) is not None:
        raise AccountTaken("there is an account with this name, or of this person")
    await require_own_name(conn, staff, name)
    await record(
        conn,
        type="account.created",
        actor=actor,
        subject=f"staff:{staff}",
        payload={"staff": str(staff), "login": login, "name": name, "roles": [role.value for role in roles]},
        clock=clock,
        entropy=entropy,
    )
    return await account_of(conn, staff)


async def change_account(
    conn: Connection,
    staff: UUID,
    *,
    version: int,
    roles: Sequence[Role],
    enabled: bool,
    reason: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Account:
    """Change what an account may do, in the caller's transaction; changes nothing when it is so already.

    Args:
        version: The version that the change is based on.

    Raises:
        AccountUnknown: There is none.
        AccountStale: Somebody was faster.
        RolesInvalid, NameInvalid: What is given is not usable.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    roles = check_roles(roles)
    await lock_person(conn, staff)
    account = await account_of(conn, staff)
    if account.version != version:
        raise AccountStale("the account was changed meanwhile", version=account.version)
    if (account.roles, account.enabled) == (roles, enabled):
        return account
    await record(
        conn,
        type="account.changed",
        actor=actor,
        subject=f"staff:{staff}",
        payload={
            "staff": str(staff),
            "version": version + 1,
            "roles": [role.value for role in roles],
            "enabled": enabled,
            "reason": reason,
        },
        clock=clock,
        entropy=entropy,
    )
    await end_sessions(conn, staff, cause="account", actor=actor, clock=clock, entropy=entropy)
    for token in await tokens_of(conn, staff, now=clock()):
        if not enabled or token.role not in roles:
            await revoke_token(conn, token=token.token, reason=reason, actor=actor, clock=clock, entropy=entropy)
    return await account_of(conn, staff)


async def issue_code(
    conn: Connection, staff: UUID, *, lifetime: timedelta, actor: str, clock: Clock, entropy: Entropy
) -> IssuedCode:
    """Make a one-time code with which the person sets a password, in the caller's transaction; ends an older one.

    Raises:
        AccountUnknown: There is none.
        AccountDisabled: Nobody signs in with it.
    """
    await lock_person(conn, staff)
    if not (await account_of(conn, staff)).enabled:
        raise AccountDisabled("the account is disabled")
    code = new_enrolment_code(entropy=entropy)
    expires_at = clock() + min(lifetime, CODE_LIFETIME_MAX)
    await record(
        conn,
        type="account.code_issued",
        actor=actor,
        subject=f"staff:{staff}",
        payload={
            "staff": str(staff),
            "number": await next_number(conn, staff),
            "code_sha256": code.digest.hex(),
            "expires_at": format_time(expires_at),
        },
        clock=clock,
        entropy=entropy,
    )
    return IssuedCode(staff=staff, expires_at=expires_at, text=code.text)


async def account_of(conn: Connection, staff: UUID) -> Account:
    """Return an account by whose it is.

    Raises:
        AccountUnknown: There is none.
    """
    found = await find_account(conn, staff)
    if found is None:
        raise AccountUnknown("there is no such account")
    return found
