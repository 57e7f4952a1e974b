"""Deadlines: clocks as they stand, what people say about them, tables of rules."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.errors import CursorInvalid
from api.models.common import Recorded
from api.models.deadlines import (
    CLOCK_PATTERN,
    DeadlineItem,
    DeadlinePage,
    DeadlineQuery,
    DeadlineStarted,
    ExtendDeadline,
    ExtensionItem,
    FulfilmentItem,
    PauseItem,
    PublishRules,
    RulesItem,
    RulesItems,
    RulesPublished,
    StartDeadline,
    StateDeadline,
)
from api.preconditions import once
from api.route import NoQuery
from evidence.access.scope import Scope
from evidence.calendar.loading import calendar_in_force
from evidence.calendar.workdays import WorkCalendar, day_of
from evidence.core.clock import Clock
from evidence.db.pool import Connection
from evidence.deadlines import statements
from evidence.deadlines.clock_store import ClockRow, Question, clocks_after, read_cursor
from evidence.deadlines.clocks import standing
from evidence.deadlines.errors import ClockStatementInvalid
from evidence.deadlines.publishing import publish_rules
from evidence.deadlines.rules import base_table
from evidence.deadlines.store import RulesRow, all_rules
from evidence.deadlines.written import read_clock

_CURSOR = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}}) ({CLOCK_PATTERN.strip('^$')})")


async def list_all(call: Call[None, DeadlineQuery]) -> web.Response:
    """List clocks."""
    query = call.query
    question = Question(
        state=query.state,
        kind=query.kind,
        unit=query.unit,
        case=query.case,
        due_before=query.due_before,
        unexplained=query.unexplained,
    )
    async with call.services.pool.acquire() as conn:
        page = await deadline_page(
            conn,
            question,
            cursor=query.cursor,
            limit=query.limit,
            clock=call.services.clock,
            scope=call.scope(),
        )
    return json_answer(page)


async def start(call: Call[StartDeadline, NoQuery]) -> web.Response:
    """Begin a clock by hand."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> DeadlineStarted:
        key, recorded = await statements.start(
            conn,
            case=body.case,
            kind=body.kind,
            started_at=_with_zone(body.started_at),
            note=body.note,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return DeadlineStarted(clock=key, entry=recorded.entry_id)

    return await once(call, route="start_deadline", work=work)


async def state(call: Call[StateDeadline, NoQuery]) -> web.Response:
    """Stop a clock, let it go on, end it, or say why it is late."""

    async def work(conn: Connection) -> Recorded:
        return await _state(conn, call)

    return await once(call, route="state_deadline", work=work)


async def extend(call: Call[ExtendDeadline, NoQuery]) -> web.Response:
    """Grant more days."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> Recorded:
        recorded = await statements.extend(
            conn,
            key=body.clock,
            case=body.case,
            days=body.days,
            reason=body.reason,
            asked_by=body.asked_by,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=recorded.entry_id)

    return await once(call, route="extend_deadline", work=work)


async def publish(call: Call[PublishRules, NoQuery]) -> web.Response:
    """Publish the next version of the agency's deadlines."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> RulesPublished:
        published = await publish_rules(
            conn,
            table=body.table,
            effective_from=body.effective_from,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return RulesPublished(rules=published.rules, version=published.version, entry=published.entry_id)

    return await once(call, route="publish_deadline_rules", work=work)


async def rules(call: Call[None, NoQuery]) -> web.Response:
    """List every version of the agency's deadlines, and the base table."""
    async with call.services.pool.acquire() as conn:
        rows = await all_rules(conn)
    return json_answer(RulesItems(items=[_rules(row) for row in rows], base=base_table().as_json()))


async def deadline_page(
    conn: Connection, question: Question, *, cursor: str | None, limit: int, clock: Clock, scope: Scope
) -> DeadlinePage:
    """Return a page of clocks as they stand today.

    Args:
        cursor: `next` of the page before: the last day and the name of the clock that it ended with.

    Raises:
        CursorInvalid: The cursor is not from this list.
    """
    calendar = await calendar_in_force(conn)
    today = day_of(clock(), calendar)
    rows = await clocks_after(conn, question, after=_after(cursor), limit=limit + 1, today=today, scope=scope)
    read = await read_cursor(conn)
    last = rows[limit - 1] if len(rows) > limit else None
    return DeadlinePage(
        items=[deadline_item(row, today=today, calendar=calendar) for row in rows[:limit]],
        next=None if last is None else f"{last.due_on.isoformat()} {last.clock}",
        read=0 if read is None else read.next_index,
    )


def deadline_item(row: ClockRow, *, today: date, calendar: WorkCalendar) -> DeadlineItem:
    """Show a clock and where it stands."""
    clock = read_clock(row.clock, row.content)
    now = standing(clock, today=today, calendar=calendar)
    done = clock.fulfilment
    return DeadlineItem(
        clock=row.clock,
        kind=row.kind,
        case=row.case_id,
        clip=row.clip,
        unit=row.unit,
        name=row.name,
        started_at=clock.started_at,
        due_on=now.due_on,
        provisional=now.provisional,
        state=now.state,
        remaining=now.remaining,
        extended_by=now.extended_by,
        days=clock.rule.days,
        days_are=clock.rule.unit,
        citation=clock.rule.citation,
        source=clock.rule.source,
        pauses=[PauseItem(since=one.since, until=one.until, reason=one.reason) for one in clock.pauses],
        extensions=[
            ExtensionItem(days=one.days, at=one.at, approver=one.approver, reason=one.reason)
            for one in clock.extensions
        ],
        fulfilment=None if done is None else FulfilmentItem(at=done.at, entry=done.entry_id, index=done.index),
        void_because=clock.void_because,
        explained=row.content["explained"],
    )


async def _state(conn: Connection, call: Call[StateDeadline, NoQuery]) -> Recorded:
    body, actor = call.body, call.actor
    clock, entropy = call.services.clock, call.services.entropy
    if body.verb == "explain":
        done = await statements.explain(
            conn, key=body.clock, case=body.case, reason=body.reason, actor=actor, clock=clock, entropy=entropy
        )
        return Recorded(entry=done.entry_id)
    if body.case is None:
        raise ClockStatementInvalid("name the case of the clock")
    if body.verb == "fulfil":
        if body.done_at is None:
            raise ClockStatementInvalid("say when it was done")
        done = await statements.fulfil(
            conn,
            key=body.clock,
            case=body.case,
            done_at=_with_zone(body.done_at),
            reference=body.reason,
            actor=actor,
            clock=clock,
            entropy=entropy,
        )
        return Recorded(entry=done.entry_id)
    act = {"pause": statements.pause, "resume": statements.resume, "void": statements.void}[body.verb]
    done = await act(
        conn, key=body.clock, case=body.case, reason=body.reason, actor=actor, clock=clock, entropy=entropy
    )
    return Recorded(entry=done.entry_id)


def _with_zone(at: datetime) -> datetime:
    """Return a moment cut to milliseconds; one without a zone is nobody's.

    Raises:
        ClockStatementInvalid: It names no zone.
    """
    if at.tzinfo is None:
        raise ClockStatementInvalid("a time names its zone, such as 2026-11-20T02:00:00.000Z")
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def _after(cursor: str | None) -> tuple[date, str] | None:
    if cursor is None:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise CursorInvalid("the cursor is not from this list")
    try:
        return date.fromisoformat(match[1]), match[2]
    except ValueError as error:
        raise CursorInvalid("the cursor is not from this list") from error


def _rules(row: RulesRow) -> RulesItem:
    return RulesItem(
        rules=row.rules,
        version=row.version,
        effective_from=row.effective_from,
        published_by=row.published_by,
        published_at=row.published_at,
        entry=row.entry_id,
        table=row.content.as_json(),
    )
