"""The queue of reviews: which cases wait for a step, whose step it is, and until when.

What was submitted stands in it until it is decided; what was not only when its facts bring it into scope of a review,
by the rules of today. Scope is judged by the facts, so a page reads on past what is out of scope: at most `LOOKED_MAX`
cases, however many there are, and may be shorter than it could be. Nothing is asked case by case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from evidence.access.scope import Scope
from evidence.cases.facts import CaseFacts
from evidence.cases.numbers import number_key
from evidence.db.pool import Connection
from evidence.review.facts import Correction, StatedFacts, facts_that_count
from evidence.review.machine import State
from evidence.review.queue_store import (
    QueueQuestion,
    QueueRow,
    clocked_after,
    corrections_of_cases,
    facts_of_cases,
    unclocked_after,
)
from evidence.review.rules import in_scope
from evidence.review.store import RulesRow, rules_on

LOOKED_MAX = 1_000
"""Cases that one page looks at at the most."""

_CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page ended: behind a clock of the first stretch, or behind a case of the second."""

    clock: tuple[date, str] | None = None
    case: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """A stretch of the queue; `next` is None on the last page."""

    rows: Sequence[QueueRow]
    next: Place | None


async def queue_page(
    conn: Connection, question: QueueQuestion, *, after: Place | None, limit: int, today: date, scope: Scope
) -> QueuePage:
    """Return reviews, those due first in front, behind a place; only what the scope lets be known."""
    rows: list[QueueRow] = []
    if after is None or after.clock is not None:
        start = None if after is None else after.clock
        clocked = await clocked_after(conn, question, after=start, limit=limit + 1, today=today, scope=scope)
        rows.extend(clocked[:limit])
        if len(clocked) > limit:
            return QueuePage(rows=rows, next=_place(rows[-1]))
    rules = await rules_on(conn, today)
    last = None if after is None else after.case
    for _ in range(LOOKED_MAX // _CHUNK):
        chunk = await unclocked_after(conn, question, after=last, limit=_CHUNK, scope=scope)
        for row in await _in_queue(conn, chunk, rules):
            if len(rows) == limit:
                return QueuePage(rows=rows, next=Place(case=last) if last else _place(rows[-1]))
            rows.append(row)
            last = row.case_id
        if len(chunk) < _CHUNK:
            return QueuePage(rows=rows, next=None)
        last = chunk[-1].case_id
    return QueuePage(rows=rows, next=Place(case=last))


async def _in_queue(conn: Connection, rows: Sequence[QueueRow], rules: Sequence[RulesRow]) -> Sequence[QueueRow]:
    """Return the rows that were submitted or have to be."""
    fresh = [row.case_id for row in rows if row.state is State.NOT_SUBMITTED]
    stated, corrected = defaultdict[UUID, list[StatedFacts]](list), defaultdict[UUID, list[Correction]](list)
    if fresh:
        for case, version, facts in await facts_of_cases(conn, fresh):
            stated[case].append(StatedFacts(version=version, facts=CaseFacts.model_validate(facts)))
        for case, content in await corrections_of_cases(conn, fresh):
            corrected[case].append(Correction(fact=content["fact"], upto=content["upto"], value=content["value"]))

    def has_to_be(row: QueueRow) -> bool:
        own = _rules_of(row, rules)
        facts = facts_that_count(stated[row.case_id], corrected[row.case_id])
        return own is not None and in_scope(own.content, facts, action=row.kind).in_scope

    return [row for row in rows if row.state is not State.NOT_SUBMITTED or has_to_be(row)]


def _rules_of(row: QueueRow, rules: Sequence[RulesRow]) -> RulesRow | None:
    """Return the rules that a case is judged by, as `adopting.rules_for` says; None where nobody can say."""
    own = [one for one in rules if row.agency_key in {None, number_key(one.agency)}]
    return own[0] if len(own) == 1 else None


def _place(row: QueueRow) -> Place:
    if row.due_on is None or row.key is None:
        return Place(case=row.case_id)
    return Place(clock=(row.due_on, row.key))
