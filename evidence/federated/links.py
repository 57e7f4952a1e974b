"""Linking a provider's subject to an account: an administrator's act, on record, for good.

No account comes into being because the provider knows somebody, and none is found by a name or an e-mail address, which
providers hand on to the next person. A link is never taken back or moved: whose sign-in it was stays one question with
one answer. Whoever is linked wrongly gets the account disabled, and another one.
"""

from __future__ import annotations

from uuid import UUID

from evidence.accounts.accounts import account_of
from evidence.accounts.sessions import lock_person
from evidence.accounts.store import find_linked, is_linked
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.federated.errors import LinkTaken, SubjectInvalid
from evidence.federated.id_token import is_subject
from evidence.federated.store import forget_stranger


async def link_account(
    conn: Connection,
    staff: UUID,
    *,
    issuer: str,
    subject: str,
    asked: str | None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> UUID:
    """Link a subject to an account, in the caller's transaction; return the entry.

    Args:
        issuer: The provider, as its ID tokens name it.
        asked: The provider that this house asks; None where it asks none.

    Raises:
        SubjectInvalid: The issuer is another, or the subject is none.
        AccountUnknown: There is no such account.
        LinkTaken: One of the two is linked already.
    """
    if issuer != asked:
        raise SubjectInvalid("the issuer is not the provider in the setting OIDC_ISSUER")
    if not is_subject(subject):
        raise SubjectInvalid("a subject has 1 to 255 visible ASCII characters")
    await lock_person(conn, staff)
    await lock_subject(conn, f"federated:{issuer} {subject}")
    await account_of(conn, staff)
    if await find_linked(conn, issuer=issuer, subject=subject) is not None:
        raise LinkTaken("the subject belongs to an account already")
    if await is_linked(conn, issuer=issuer, staff=staff):
        raise LinkTaken("the account belongs to a subject of this provider already")
    await forget_stranger(conn, issuer=issuer, subject=subject)
    linked = await record(
        conn,
        type="account.linked",
        actor=actor,
        subject=f"staff:{staff}",
        payload={"staff": str(staff), "issuer": issuer, "subject": subject},
        clock=clock,
        entropy=entropy,
    )
    return linked.entry_id
