"""Letting in whom the provider has named. Order of effects:

1. The provider's answer belongs to a sign-in of this browser (`flow`), the code was exchanged, the ID token judged
   (`id_token`): nothing is stored up to here, so strangers fill nothing.
2. In one transaction, under the lock of the person: the answer counts (it never does again), the link and the account
   are read, the session begins. Or the person is turned away by name, which an administrator finds (`store.strangers`).

Broken off before 2: the code is used up at the provider, and the person begins anew. Broken off behind 2: a session on
record that nobody holds; it ends by itself unused.

The second factor (ADR 35): the provider's counts where it is stated in the token. Where it is not, an account that has
one-time codes is not let in this way, and where the house demands a second factor the session may do nothing but enrol.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from evidence.accounts.accounts import account_of
from evidence.accounts.errors import AccountDisabled, LinkRefused
from evidence.accounts.pause_store import failures_of
from evidence.accounts.pauses import account_key
from evidence.accounts.sessions import BegunSession, begin_session, lock_person
from evidence.accounts.sign_in import SESSION_ONLY, chosen_role
from evidence.accounts.store import find_linked
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.db.pool import Connection, Pool
from evidence.federated.errors import FlowRefused, SecondFactorUnstated
from evidence.federated.flow import Flow
from evidence.federated.id_token import Claims
from evidence.federated.store import note_stranger, use_answer

ANSWERS_KEPT = timedelta(days=1)
"""How long it is remembered that an answer counted: far longer than a flow and an ID token live."""

STRANGERS_KEPT = timedelta(days=30)
STRANGERS_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom the provider has named, in which sign-in, from where.

    Attributes:
        has_second_factor: Whether the provider's second factor counts: it states one, or is trusted without.
        address: As `evidence.accounts.pauses.address_text` writes it.
    """

    issuer: str
    claims: Claims
    flow: Flow
    has_second_factor: bool
    address: str


async def let_in(
    pool: Pool,
    named: Named,
    *,
    lifetime: timedelta,
    second_factor_required: bool,
    clock: Clock,
    entropy: Entropy,
) -> BegunSession:
    """Begin a session for whom the provider has named.

    Raises:
        FlowRefused: The answer has counted before.
        LinkRefused: No account is linked with the subject.
        AccountDisabled: The account is disabled.
        SecondFactorUnstated: The account has one-time codes, and the provider states no second factor.
        RolesInvalid: The account does not hold the role that was asked for.
    """
    async with pool.acquire() as conn, conn.transaction():
        if not await use_answer(conn, sha256(named.flow.state.encode()).digest(), at=clock()):
            raise FlowRefused("the answer has come before; begin anew")
        staff = await find_linked(conn, issuer=named.issuer, subject=named.claims.subject)
        if staff is not None:
            return await _begin(
                conn,
                staff,
                named,
                lifetime=lifetime,
                second_factor_required=second_factor_required,
                clock=clock,
                entropy=entropy,
            )
        await note_stranger(
            conn,
            uuid7(clock=clock, entropy=entropy),
            issuer=named.issuer,
            subject=named.claims.subject,
            hint=named.claims.hint,
            at=clock(),
        )
    # Raised behind the transaction, which keeps who it was.
    raise LinkRefused(
        "no account here is linked with this person of the provider; an administrator can do it",
        issuer=named.issuer,
        subject=named.claims.subject,
    )


async def _begin(
    conn: Connection,
    staff: UUID,
    named: Named,
    *,
    lifetime: timedelta,
    second_factor_required: bool,
    clock: Clock,
    entropy: Entropy,
) -> BegunSession:
    await lock_person(conn, staff)
    account = await account_of(conn, staff)
    if not account.enabled:
        raise AccountDisabled("the account is disabled")
    if account.has_totp and not named.has_second_factor:
        raise SecondFactorUnstated("the account asks for a second factor, and the provider does not state one")
    return await begin_session(
        conn,
        staff=staff,
        role=chosen_role(account, named.flow.role),
        scopes=SESSION_ONLY if second_factor_required and not named.has_second_factor else None,
        method="oidc",
        recovery=None,
        failed_before=await failures_of(conn, [account_key(account.login)]),
        address=named.address,
        lifetime=lifetime,
        clock=clock,
        entropy=entropy,
    )
