"""The calendar of working days: what counts, and loading what the package does not know."""

from __future__ import annotations

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.calendar import CalendarItem, CalendarMade, LoadCalendar
from api.preconditions import once
from api.route import NoQuery
from evidence.calendar.loading import load_calendar
from evidence.calendar.store import calendar_of, newest_loaded
from evidence.calendar.workdays import WorkCalendar, official_years
from evidence.db.pool import Connection


async def show(call: Call[None, NoQuery]) -> web.Response:
    """Say which calendar counts."""
    async with call.services.pool.acquire() as conn:
        row = await newest_loaded(conn)
    known = WorkCalendar() if row is None else calendar_of(row)
    item = CalendarItem.model_validate(
        {
            "version": known.version,
            "zone": known.zone.key,
            "official_years": sorted(official_years()),
            "years": [] if row is None else row.content["years"],
            "days": [] if row is None else row.content["days"],
            "calendar": None if row is None else row.calendar,
            "loaded_at": None if row is None else row.loaded_at,
            "loaded_by": None if row is None else row.loaded_by,
            "entry": None if row is None else row.entry_id,
        }
    )
    return json_answer(item)


async def load(call: Call[LoadCalendar, NoQuery]) -> web.Response:
    """Put a calendar on record."""
    services = call.services

    async def work(conn: Connection) -> CalendarMade:
        loaded = await load_calendar(
            conn,
            content=call.body.model_dump(mode="json"),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return CalendarMade(calendar=loaded.calendar, entry=loaded.entry_id)

    return await once(call, route="load_calendar", work=work)
