"""Recording a step of a review: numbered within the case, never before the step it follows.

The caller holds the case's lock from reading the steps to the commit, so numbers have neither gap nor duplicate.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time, parse_time
from evidence.custody.record import Recorded, record
from evidence.db.pool import Connection
from evidence.review.errors import ClockBehind, DecisionMade, SamePerson
from evidence.review.standing import Standing
from evidence.review.store import find_decision, workers_of
from ledger.canonical import JsonObject


async def record_step(
    conn: Connection,
    standing: Standing,
    event: str,
    more: JsonObject,
    *,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Put the next step of a case's review on record, in the caller's transaction.

    Raises:
        ClockBehind: The clock stands before the last step: it was set back.
    """
    require_clock(standing, clock())
    case = str(standing.file.case.case_id)
    return await record(
        conn,
        type=event,
        actor=actor,
        subject=f"case:{case}",
        payload={"case": case, "step": standing.review.next_step, **more},
        clock=clock,
        entropy=entropy,
    )


def require_clock(standing: Standing, now: datetime) -> None:
    """Refuse to go on under a clock that was set back: validities are counted by it.

    Raises:
        ClockBehind: It stands before the last step.
    """
    last = standing.review.last
    if last is not None and parse_time(format_time(now)) < last.stated_at:
        raise ClockBehind(f"the last step is of {format_time(last.stated_at)}", last=format_time(last.stated_at))


async def require_undecided(conn: Connection, case_id: UUID) -> None:
    """Refuse to go on with a case that is decided.

    Raises:
        DecisionMade: It is; the details name the decision.
    """
    made = await find_decision(conn, case_id)
    if made is not None:
        raise DecisionMade(f"the case was decided by {made.number}", decision=str(made.decision), number=made.number)


async def require_uninvolved(conn: Connection, case_id: UUID, person: str) -> None:
    """Refuse somebody who worked on a case to judge it (R32).

    Args:
        person: `staff:<uuid>`.

    Raises:
        SamePerson: They opened it, said something about it, annotated or linked an exhibit, or submitted it.
    """
    if person in await workers_of(conn, case_id):
        raise SamePerson("whoever worked on a case does not judge it")


def staff_of(actor: str) -> UUID | None:
    """Return the person who acts; None for machines and the command line."""
    kind, _, name = actor.partition(":")
    return UUID(name) if kind == "staff" else None
