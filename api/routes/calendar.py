"""Routes about the calendar of working days."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import calendar
from api.models.calendar import CalendarItem, CalendarMade, LoadCalendar
from api.route import Route, json_of
from api.routes.access import ADMINISTRATORS, STAFF
from api.routes.clips import IDEMPOTENCY

CALENDAR_ROUTES: tuple[Route, ...] = (
    Route(
        name="get_calendar",
        method="GET",
        path="/v1/calendar",
        summary="The calendar of working days that counts: years announced, years and days loaded here",
        roles=STAFF,
        handle=calendar.show,
        answers=(json_of(200, CalendarItem, "The calendar"),),
        tag="registers",
    ),
    Route(
        name="load_calendar",
        method="POST",
        path="/v1/calendar",
        summary="Put years and days on record that the package does not know; replaces what was loaded before",
        roles=ADMINISTRATORS,
        handle=calendar.load,
        body=JsonBody(LoadCalendar),
        answers=(json_of(201, CalendarMade, "On record"),),
        errors=("calendar.invalid", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="registers",
    ),
)
