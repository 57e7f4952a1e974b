"""How long clips are kept: schedules, holds, and what is due."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.common import PageQuery, Recorded
from api.models.retention import (
    DueItem,
    DueItems,
    HoldItem,
    HoldItems,
    HoldMade,
    HoldsQuery,
    PlaceHold,
    Reasoned,
    RetentionItem,
    ScheduleItem,
    ScheduleItems,
    ScheduleMade,
    StateSchedule,
)
from api.preconditions import once
from api.route import NoQuery
from evidence.access.masking import without
from evidence.access.sight import known_cases, known_clips, known_numbers
from evidence.cases.store import links_of_clip
from evidence.core.clock import parse_time
from evidence.db.pool import Connection
from evidence.retention.holds import place_hold, release_hold
from evidence.retention.rules import in_force_on
from evidence.retention.schedules import Keeper, clip_retention, state_schedule
from evidence.retention.store import Hold, holds_after, schedules


async def schedule(call: Call[StateSchedule, NoQuery]) -> web.Response:
    """State how long recordings are kept."""

    async def work(conn: Connection) -> ScheduleMade:
        made, recorded = await state_schedule(
            conn,
            content=call.body.model_dump(mode="json"),
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
        return ScheduleMade(schedule=made, entry=recorded.entry_id)

    return await once(call, route="state_schedule", work=work)


async def list_schedules(call: Call[None, NoQuery]) -> web.Response:
    """List schedules."""
    async with call.services.pool.acquire() as conn:
        rows = await schedules(conn)
        today = (await Keeper.read(conn, clock=call.services.clock)).today
    now = in_force_on([row.content for row in rows], today)
    items = [
        ScheduleItem(
            schedule=row.content.schedule,
            effective_from=row.content.effective_from,
            rules=[rule.model_dump(mode="json") for rule in row.content.rules],
            months=row.content.months,
            citation=row.content.citation,
            in_force=now is not None and row.content.schedule == now.schedule,
            stated_at=row.stated_at,
            stated_by=row.stated_by,
            entry=row.entry_id,
        )
        for row in rows
    ]
    return json_answer(ScheduleItems(items=items))


async def of_clip(call: Call[None, NoQuery]) -> web.Response:
    """Say how long a clip is kept."""
    clip = call.id("clip")
    async with call.services.pool.acquire() as conn:
        judged = await clip_retention(conn, clip, clock=call.services.clock)
        numbers = {link.number for link in await links_of_clip(conn, clip)}
        hidden = numbers - await known_numbers(conn, call.person, numbers)
    return json_answer(
        RetentionItem(
            clip=clip,
            state=judged.state,
            kept_through=judged.kept_through,
            because=[without(reason, hidden) for reason in judged.because],
            schedule=judged.schedule,
        )
    )


async def due(call: Call[None, PageQuery]) -> web.Response:
    """List clips that may be disposed of."""
    async with call.services.pool.acquire() as conn:
        keeper = await Keeper.read(conn, clock=call.services.clock)
        found, more = await keeper.due(conn, after=call.query.after_id(), limit=call.query.limit)
        known = await known_clips(conn, call.person, [facts.clip for facts, _ in found])
    items = [
        DueItem(
            clip=facts.clip,
            sha256=facts.sha256,
            size=facts.size,
            sealed_at=facts.sealed_at,
            expired_on=judged.kept_through or keeper.today,
            because=list(judged.because),
        )
        for facts, judged in found
        if facts.clip in known
    ]
    return json_answer(DueItems(items=items, next=None if more is None else str(more)))


async def hold(call: Call[PlaceHold, NoQuery]) -> web.Response:
    """Hold a clip, a case or a recorder."""
    body = call.body

    async def work(conn: Connection) -> HoldMade:
        placed, recorded = await place_hold(
            conn,
            clip=body.clip,
            case=body.case,
            recorder=body.recorder,
            since=_time(body.since),
            until=_time(body.until),
            basis=body.basis,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
        return HoldMade(hold=placed, entry=recorded.entry_id)

    return await once(call, route="place_hold", work=work)


async def release(call: Call[Reasoned, NoQuery]) -> web.Response:
    """Release a hold."""
    async with call.services.pool.acquire() as conn, conn.transaction():
        recorded = await release_hold(
            conn,
            hold=call.id("hold"),
            reason=call.body.reason,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
    return json_answer(Recorded(entry=recorded.entry_id), status=201)


async def list_holds(call: Call[None, HoldsQuery]) -> web.Response:
    """List holds."""
    limit, query = call.query.limit, call.query
    async with call.services.pool.acquire() as conn:
        rows = await holds_after(conn, after=query.after_id(), standing=query.standing, limit=limit + 1)
        known = await known_clips(conn, call.person, {row.clip for row in rows if row.clip})
        known |= await known_cases(conn, call.person, {row.case_id for row in rows if row.case_id})
    items = [_item(row) for row in rows[:limit] if {row.clip, row.case_id} - {None} <= known]
    return json_answer(HoldItems(items=items, next=str(rows[limit - 1].hold) if len(rows) > limit else None))


def _item(row: Hold) -> HoldItem:
    return HoldItem(
        hold=row.hold,
        clip=row.clip,
        case=row.case_id,
        recorder=row.recorder,
        since=row.since,
        until=row.until,
        basis=row.basis,
        placed_at=row.placed_at,
        placed_by=row.placed_by,
        released_at=row.released_at,
        released_by=row.released_by,
        reason=row.reason,
        entry=row.entry_id,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)
