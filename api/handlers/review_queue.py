"""The queue of reviews: what waits for whom, and until when."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.errors import CursorInvalid
from api.models.review_queue import QueuedReview, QueuedReviews, ReviewCounts, ReviewDue, ReviewsQuery, WaitsFor
from evidence.access.policy import RIGHTS, Action
from evidence.calendar.loading import calendar_in_force
from evidence.calendar.workdays import WorkCalendar, day_of
from evidence.deadlines.clocks import standing
from evidence.deadlines.written import read_clock
from evidence.review.machine import State
from evidence.review.queue import Place, queue_page
from evidence.review.queue_store import Asker, QueueQuestion, QueueRow, count_reviews

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CURSOR = re.compile(rf"(?:(\d{{4}}-\d{{2}}-\d{{2}}) (review/{_ID})|({_ID}))")


async def list_all(call: Call[None, ReviewsQuery]) -> web.Response:
    """List reviews that wait for a step."""
    query, roles = call.query, call.person.roles
    asker = Asker(
        staff=call.person.staff,
        handles=any(Action.LINK in RIGHTS[role] for role in roles),
        reviews=any(Action.APPROVE in RIGHTS[role] for role in roles),
    )
    question = QueueQuestion(state=query.state, unit=query.unit, mine=asker if query.mine else None, late=query.late)
    after = _after(query.cursor)
    async with call.services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        calendar = await calendar_in_force(conn)
        today = day_of(call.services.clock(), calendar)
        scope = call.scope()
        page = await queue_page(conn, question, after=after, limit=query.limit, today=today, scope=scope)
        counts = None
        if after is None:
            states, mine, late = await count_reviews(conn, question, asker, today=today, scope=scope)
            counts = ReviewCounts(states=states, mine=mine, late=late)
    return json_answer(
        QueuedReviews(
            items=[_item(row, today=today, calendar=calendar) for row in page.rows],
            next=None if page.next is None else _cursor(page.next),
            counts=counts,
        )
    )


def _item(row: QueueRow, *, today: date, calendar: WorkCalendar) -> QueuedReview:
    due = _due(row, today=today, calendar=calendar)
    return QueuedReview(
        case=row.case_id,
        number=row.number,
        title=row.title,
        unit=row.unit,
        state=row.state,
        rounds=row.rounds,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        waits_for=_waits_for(row),
        due=due,
        late=due is not None and due.state == "overdue",
    )


def _waits_for(row: QueueRow) -> WaitsFor:
    match row.state:
        case State.UNDER_REVIEW:
            return WaitsFor(office="reviewer", person=None)
        case State.COORDINATING:
            return WaitsFor(office="coordinator", person=f"staff:{row.coordinator}")
        case _:
            return WaitsFor(office="handler", person=row.submitted_by or row.opened_by)


def _due(row: QueueRow, *, today: date, calendar: WorkCalendar) -> ReviewDue | None:
    if row.key is None or row.clock is None:
        return None
    clock = read_clock(row.key, row.clock)
    now = standing(clock, today=today, calendar=calendar)
    return ReviewDue(
        clock=row.key,
        due_on=now.due_on,
        provisional=now.provisional,
        state=now.state,
        remaining=now.remaining,
        citation=clock.rule.citation,
        source=clock.rule.source,
    )


def _cursor(place: Place) -> str:
    if place.clock is not None:
        return f"{place.clock[0].isoformat()} {place.clock[1]}"
    return str(place.case)


def _after(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise CursorInvalid("the cursor is not from this list")
    if match[3] is not None:
        return Place(case=UUID(match[3]))
    try:
        return Place(clock=(date.fromisoformat(match[1]), match[2]))
    except ValueError as error:
        raise CursorInvalid("the cursor is not from this list") from error
