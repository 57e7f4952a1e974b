"""SQL of the queue of reviews: cases that may need a step, those with a day to keep first.

A case stands in one of two stretches. The first are those whose last submission has a clock that is not done, in the
order of their last days; the second all others, in the order in which they were opened. Each stretch is read in the
order of an index and stops when the page is full, so neither is sorted as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from evidence.access.scope import Scope
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.review.machine import State

_STATE = """
CASE m.kind WHEN 'submitted' THEN 'under_review' WHEN 'resumed' THEN 'under_review' WHEN 'paused' THEN 'paused'
            WHEN 'disagreed' THEN 'coordinating'
            WHEN 'opined' THEN CASE m.said WHEN 'approve' THEN 'approved' ELSE 'returned' END
            WHEN 'coordinated' THEN CASE m.said WHEN 'reopen' THEN 'reopened' ELSE 'returned' END
            ELSE 'not_submitted' END
"""
"""Where a review stands, by its last step that moved it; a test holds it against `machine.fold_review`."""

_LAST = """
LEFT JOIN LATERAL (
    SELECT s.kind, CASE s.kind WHEN 'opined' THEN s.content #>> '{statement,conclusion}'
                               WHEN 'coordinated' THEN s.content ->> 'outcome'
                               WHEN 'disagreed' THEN s.content ->> 'coordinator' END AS said
    FROM review_step s
    WHERE s.case_id = c.case_id
      AND s.kind IN ('submitted', 'paused', 'resumed', 'opined', 'disagreed', 'coordinated')
    ORDER BY s.step DESC LIMIT 1) m ON true
"""
_SUBMITTED = """
LATERAL (
    SELECT s.entry_id, s.stated_by, s.stated_at FROM review_step s
    WHERE s.case_id = c.case_id AND s.kind = 'submitted' ORDER BY s.step DESC LIMIT 1) r
"""
_ITEM = f"""
SELECT c.case_id, c.number, c.title_now AS title, c.unit, c.kind, c.opened_by, r.stated_by AS submitted_by,
       r.stated_at AS submitted_at,
       (SELECT count(*) FROM review_step n WHERE n.case_id = c.case_id AND n.kind = 'submitted') AS rounds,
       {_STATE} AS state, CASE m.kind WHEN 'disagreed' THEN m.said END AS coordinator,
       (SELECT l.agency_key FROM item_list l WHERE l.items = c.items) AS agency_key
"""  # noqa: S608 - parts of this module
_CLOCKED = f"""
FROM deadline_clock k JOIN case_now c USING (case_id)
     JOIN review_step r ON r.entry_id = CASE k.kind WHEN 'review' THEN substr(k.clock, 8)::uuid END {_LAST}
"""
"""The clock of a submission is named by its entry; written so that the planner knows it to be one row a clock."""

_NEWEST = """NOT EXISTS (SELECT FROM review_step n
                WHERE n.case_id = r.case_id AND n.kind = 'submitted' AND n.step > r.step)"""
_UNCLOCKED = f"""
FROM case_now c LEFT JOIN {_SUBMITTED} ON true {_LAST}
"""
_UNDECIDED = """NOT EXISTS (SELECT FROM decision d WHERE d.case_id = c.case_id)
            AND NOT EXISTS (SELECT FROM case_statement a WHERE a.case_id = c.case_id AND a.kind = 'archived')"""
_OPEN = "k.status IN ('open', 'paused')"
_WORKED = """(c.opened_by = {me}
     OR EXISTS (SELECT FROM case_clip l WHERE l.case_id = c.case_id AND l.linked_by = {me})
     OR EXISTS (SELECT FROM case_statement s WHERE s.case_id = c.case_id AND s.stated_by = {me})
     OR EXISTS (SELECT FROM review_step s WHERE s.case_id = c.case_id AND s.stated_by = {me}
                  AND s.kind IN ('submitted', 'resumed', 'disagreed'))
     OR EXISTS (SELECT FROM case_exhibit l JOIN clip_annotation n USING (clip)
                WHERE l.case_id = c.case_id AND n.annotated_by = {me}))"""
"""Whether a person worked on the case, as `store.workers_of` says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """For whom something waits.

    Attributes:
        handles, reviews: Whether their roles take a handler's steps, and a reviewer's.
    """

    staff: UUID
    handles: bool
    reviews: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueQuestion:
    """Which reviews: None for all.

    Attributes:
        mine: Only those whose next step is this person's to take.
        late: Only those whose last day is over, on `today`.
    """

    state: State | None = None
    unit: UUID | None = None
    mine: Asker | None = None
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A case in the queue.

    Attributes:
        rounds: How often it was submitted.
        submitted_by, submitted_at: Of the last submission; None before the first.
        coordinator: The person named to settle a disagreement, while one is open.
        agency_key: Whose list of recording items it keeps; None when it keeps none.
        clock: Its clock as JSON (`evidence.deadlines.written`); None when none runs.
    """

    case_id: UUID
    number: str
    title: str
    unit: UUID | None
    kind: str | None
    opened_by: str
    state: State
    rounds: int
    submitted_by: str | None
    submitted_at: datetime | None
    coordinator: UUID | None
    agency_key: str | None
    key: str | None = None
    clock: dict[str, Any] | None = None
    due_on: date | None = None


async def clocked_after(
    conn: Connection,
    question: QueueQuestion,
    *,
    after: tuple[date, str] | None,
    limit: int,
    today: date,
    scope: Scope,
) -> Sequence[QueueRow]:
    """Return reviews with a clock in the order of their last days, behind a place."""
    return [_row(row) for row in await conn.fetch(*clocked_statement(question, after, limit, today, scope))]


async def unclocked_after(
    conn: Connection, question: QueueQuestion, *, after: UUID | None, limit: int, scope: Scope
) -> Sequence[QueueRow]:
    """Return all others in the order in which their cases were opened, behind a case; none of them can be late."""
    if question.late:
        return []
    return [_row(row) for row in await conn.fetch(*unclocked_statement(question, after, limit, scope))]


def clocked_statement(
    question: QueueQuestion, after: tuple[date, str] | None, limit: int, today: date, scope: Scope
) -> tuple[str, *tuple[object, ...]]:
    """Return the statement of the first stretch, and its values."""
    values: list[object] = [limit]
    wheres = ["k.kind = 'review'", _OPEN, _NEWEST, *_wheres(question, scope, values)]
    if after is not None:
        wheres.append(f"(k.due_on, k.clock) > ({_bound(values, after[0])}, {_bound(values, after[1])})")
    if question.late:
        wheres.append(f"k.status = 'open' AND k.due_on < {_bound(values, today)}")
    text = f"""{_ITEM}, k.clock AS key, k.content AS clock, k.due_on {_CLOCKED}
               WHERE {" AND ".join(wheres)} ORDER BY k.due_on, k.clock LIMIT $1"""
    return (text, *values)


def unclocked_statement(
    question: QueueQuestion, after: UUID | None, limit: int, scope: Scope
) -> tuple[str, *tuple[object, ...]]:
    """Return the statement of the second stretch, and its values."""
    values: list[object] = [limit]
    wheres = [
        f"c.case_id > {_bound(values, after or FIRST_ID)}",
        # A scalar subquery is looked up row by row; NOT EXISTS would be joined with all clocks before the limit.
        """coalesce((SELECT k.status FROM deadline_clock k WHERE k.clock = 'review/' || r.entry_id), '')
           NOT IN ('open', 'paused')""",
        *_wheres(question, scope, values),
    ]
    return (f"{_ITEM} {_UNCLOCKED} WHERE {' AND '.join(wheres)} ORDER BY c.case_id LIMIT $1", *values)


async def count_reviews(
    conn: Connection, question: QueueQuestion, asker: Asker, *, today: date, scope: Scope
) -> tuple[dict[str, int], int, int]:
    """Count cases that were submitted and are not decided: by state, those that wait for somebody, those that are late.

    Args:
        question: Only its unit is looked at.
    """
    values: list[object] = [today]
    wheres = _wheres(QueueQuestion(unit=question.unit), scope, values)
    rows = await conn.fetch(
        f"""SELECT state, count(*) AS reviews, count(*) FILTER (WHERE mine) AS mine,
                   count(*) FILTER (WHERE late) AS late
            FROM (SELECT {_STATE} AS state, {_waits_for(asker, values)} AS mine,
                         EXISTS (SELECT FROM deadline_clock k WHERE k.clock = 'review/' || r.entry_id
                                   AND k.status = 'open' AND k.due_on < $1) AS late
                  FROM case_now c JOIN {_SUBMITTED} ON true {_LAST}
                  WHERE {" AND ".join(wheres)}) AS found
            GROUP BY state""",  # noqa: S608 - parts of this module
        *values,
    )
    by_state = {row["state"]: row["reviews"] for row in rows}
    return by_state, sum(row["mine"] for row in rows), sum(row["late"] for row in rows)


def _wheres(question: QueueQuestion, scope: Scope, values: list[object]) -> list[str]:
    wheres = [_UNDECIDED]
    if question.unit is not None:
        wheres.append(f"c.unit = {_bound(values, question.unit)}")
    if question.state is not None:
        wheres.append(f"{_STATE} = {_bound(values, str(question.state))}")
    if question.mine is not None:
        wheres.append(_waits_for(question.mine, values))
    if scope.units is not None:
        wheres.append(
            f"""(c.unit = ANY({_bound(values, list(scope.units))}::uuid[])
                 OR c.case_id = ANY({_bound(values, list(scope.cases))}::uuid[])
                 OR c.opened_by = {_bound(values, f"staff:{scope.staff}")})"""
        )
    return wheres


def _waits_for(asker: Asker, values: list[object]) -> str:
    """Return the condition that a case's next step is a person's: whoever worked on it hands in, others judge."""
    mine = [f"(m.kind = 'disagreed' AND m.said = {_bound(values, str(asker.staff))})"]
    if asker.handles or asker.reviews:
        worked = _WORKED.format(me=_bound(values, f"staff:{asker.staff}"))
    if asker.handles:
        mine.append(f"(coalesce(m.kind, '') NOT IN ('submitted', 'resumed', 'disagreed') AND {worked})")
    if asker.reviews:
        mine.append(f"(m.kind IN ('submitted', 'resumed') AND NOT {worked})")
    return f"({' OR '.join(mine)})"


def _bound(values: list[object], value: object) -> str:
    values.append(value)
    return f"${len(values)}"


def _row(row: Any) -> QueueRow:
    said = dict(row)
    coordinator = said.pop("coordinator")
    return QueueRow(
        **said
        | {
            "state": State(said["state"]),
            "rounds": said["rounds"],
            "coordinator": None if coordinator is None else UUID(coordinator),
        }
    )


async def facts_of_cases(conn: Connection, cases: Sequence[UUID]) -> Sequence[tuple[UUID, int, dict[str, Any]]]:
    """Return what was stated of the facts of some cases: the case, its version, the facts; in the order of versions."""
    rows = await conn.fetch(
        """SELECT case_id, 1 AS version, facts FROM case_file WHERE case_id = ANY($1)
           UNION ALL SELECT case_id, (content ->> 'version')::integer, content -> 'facts' FROM case_statement
                 WHERE case_id = ANY($1) AND kind = 'amended' AND jsonb_typeof(content -> 'facts') = 'object'
           ORDER BY version""",
        list(cases),
    )
    return [(row["case_id"], row["version"], row["facts"]) for row in rows]


async def corrections_of_cases(conn: Connection, cases: Sequence[UUID]) -> Sequence[tuple[UUID, dict[str, Any]]]:
    """Return the corrections of facts of some cases, in their order."""
    rows = await conn.fetch(
        """SELECT case_id, content FROM review_step WHERE case_id = ANY($1) AND kind = 'corrected'
           ORDER BY case_id, step""",
        list(cases),
    )
    return [(row["case_id"], row["content"]) for row in rows]
