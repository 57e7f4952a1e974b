"""Deciding a case (R25): atomic with the look at everything that stands against it.

1. every lock that lets the case's evidence change (`standing.hold_still`)
2. the rules in force today say whether the case is in scope
3. the gate judges the last approval against the evidence root computed now (`gate.judge`)
4. `case.decided` with the root, the scope with its rules, and the approval it rests on

Whoever changes the evidence either committed before 1, and then 3 sees it, or waits until the decision is on record. So
in every order of approval, change and decision the decision rests on an approval of just what there is, or is refused.

    crash in 1 to 3     nothing happened
    crash after 4       the case is decided; asked again the answer is that it is
"""

from __future__ import annotations

from uuid import UUID

from evidence.cases.cases import NUMBER_CHARS_MAX, check_words, require_open
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.pool import Connection
from evidence.review.errors import DecisionRefused, DecisionUnknown, SamePerson
from evidence.review.standing import hold_still
from evidence.review.steps import require_clock, require_undecided
from evidence.review.store import Decision, find_decision

_CHANGES_SHOWN = 500


async def decide(
    conn: Connection, *, case_id: UUID, number: str, summary: str, actor: str, clock: Clock, entropy: Entropy
) -> Decision:
    """Decide a case, in the caller's transaction.

    Args:
        number: 文号 of the decision.
        summary: What was decided, in words.

    Raises:
        CaseUnknown, CaseIsArchived: There is no such case, or it changes no more.
        CaseInvalid: The number is empty, too long or holds control characters.
        RulesUnknown: No rules are in force, so nobody can say that it needs no review.
        DecisionMade: It is decided already.
        DecisionRefused: It is in scope and not approved as it stands; `details` has the reasons and what changed.
        SamePerson: Whoever approved does not decide.
        ClockBehind: The clock was set back.
    """
    check_words(number, what="number", chars_max=NUMBER_CHARS_MAX)
    standing = await hold_still(conn, case_id, clock())
    await require_open(conn, case_id)
    await require_undecided(conn, case_id)
    require_clock(standing, clock())
    verdict = standing.verdict
    if not verdict.is_open:
        raise DecisionRefused(
            f"the case is in scope of review ({standing.scope.because}): {verdict.obstacles[0]['means']}",
            scope=standing.scope.as_json(),
            reasons=list(verdict.obstacles),
            changes=list(verdict.changes)[:_CHANGES_SHOWN],
        )
    opinion = None if verdict.approval is None else verdict.approval.opinion
    if opinion is not None and opinion.stated_by == actor:
        raise SamePerson("whoever approved a case does not decide it")
    decision = uuid7(clock=clock, entropy=entropy)
    await record(
        conn,
        type="case.decided",
        actor=actor,
        subject=f"case:{case_id}",
        payload={
            "case": str(case_id),
            "decision": str(decision),
            "number": number,
            "kind": standing.file.case.kind,
            "summary": summary,
            "rules": str(standing.rules.rules),
            "scope": standing.scope.as_json(),
            "root": standing.root.hex(),
            "approval": None if opinion is None else str(opinion.entry_id),
        },
        clock=clock,
        entropy=entropy,
    )
    return await get_decision(conn, case_id)


async def decision_of(conn: Connection, case_id: UUID) -> Decision | None:
    """Return the decision of a case; None while there is none."""
    return await find_decision(conn, case_id)


async def get_decision(conn: Connection, case_id: UUID) -> Decision:
    """Return the decision of a case.

    Raises:
        DecisionUnknown: There is none.
    """
    made = await find_decision(conn, case_id)
    if made is None:
        raise DecisionUnknown("the case is not decided", case=str(case_id))
    return made
