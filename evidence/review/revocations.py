"""A decision that stands no more: revoked, changed, found unlawful or void, or to be made again (R36).

The decision stays on record as it was made; what became of it is an entry of its own. From that entry follow, without
anybody starting them, the clock of withdrawal (`evidence.deadlines.derive`) and the list of publications that have to
go (`evidence.publicity.store`). An archived case is no obstacle: reconsideration and litigation take longer than
archiving does, and nothing of the case's evidence changes. What is decided anew (重新作出) is a case of its own.

    crash before the commit   nothing happened
    crash after it            on record; the clock follows from the log
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.custody.record import Recorded, record
from evidence.custody.review_payloads import Basis, Effect
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.registers.validity import CHINA
from evidence.review.decisions import get_decision
from evidence.review.errors import RevocationRefused
from evidence.review.revocation_store import revocations_of

REVOCATIONS_MAX = 100
"""Most that one decision bears: a bound of what a page has to show."""


async def revoke_decision(
    conn: Connection,
    case_id: UUID,
    *,
    effect: Effect,
    basis: Basis,
    document: str,
    authority: str,
    on: date,
    reason: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Put on record what became of a case's decision, in the caller's transaction.

    Args:
        document: 文书号 of what says so.
        authority: Who issued that.
        on: The day it took effect, in China; the term of withdrawal runs from it, however late somebody says so.

    Raises:
        DecisionUnknown: The case has no decision.
        RevocationRefused: The day lies ahead or before the decision, or the decision is gone already.
    """
    await lock_subject(conn, f"case:{case_id}")
    made = await get_decision(conn, case_id)
    before = await revocations_of(conn, case_id)
    if on > clock().astimezone(CHINA).date():
        raise RevocationRefused("the day lies ahead", problem="in_future")
    if on < made.decided_at.astimezone(CHINA).date():
        raise RevocationRefused("the day lies before the decision", problem="before_decision")
    if any(one.effect != "changed" for one in before):
        raise RevocationRefused("the decision does not stand any more", problem="gone")
    if len(before) >= REVOCATIONS_MAX:
        raise RevocationRefused(f"a decision is changed {REVOCATIONS_MAX} times at most", problem="too_many")
    return await record(
        conn,
        type="decision.revoked",
        actor=actor,
        subject=f"case:{case_id}",
        payload={
            "case": str(case_id),
            "decision": str(made.decision),
            "number": len(before) + 1,
            "effect": effect,
            "basis": basis,
            "document": document,
            "authority": authority,
            "on": on.isoformat(),
            "reason": reason,
        },
        clock=clock,
        entropy=entropy,
    )
