"""Calendars that the agency loads: years that the package does not know yet, single days that are different here.

What is loaded is versioned data: an entry of the ledger (`calendar.loaded`) states it whole, the newest one counts, and
a figure computed at a checkpoint uses the newest one that stands before it. A year that the package knows is not loaded
again; a day of it that was changed afterwards, as the State Council does now and then, is a day with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from evidence.calendar.errors import CalendarInvalid
from evidence.calendar.store import calendar_of, newest_loaded
from evidence.calendar.workdays import CHINA, WorkCalendar, official_years
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.calendar_payloads import CalendarLoaded, LoadedYear
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection

_SATURDAY = 5
_REACHES_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A calendar on record and the entry that states it."""

    calendar: UUID
    entry_id: UUID


async def load_calendar(
    conn: Connection, *, content: Mapping[str, object], actor: str, clock: Clock, entropy: Entropy
) -> Loaded:
    """Put a calendar on record, in the caller's transaction; it replaces what was loaded before as a whole.

    Args:
        content: `years` (each `year`, `holidays`, `make_up`, `citation`) and `days` (each `day`, `is_working`,
            `reason`); days are written YYYY-MM-DD.

    Raises:
        CalendarInvalid: It breaks its form or contradicts itself; nothing of it is taken.
    """
    calendar = uuid7(clock=clock, entropy=entropy)
    try:
        body = CalendarLoaded.model_validate({**content, "calendar": str(calendar)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise CalendarInvalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    _check(body)
    await lock_subject(conn, "calendar")
    recorded = await record(
        conn,
        type="calendar.loaded",
        actor=actor,
        subject=f"calendar:{calendar}",
        payload=body.model_dump(mode="json"),
        clock=clock,
        entropy=entropy,
    )
    return Loaded(calendar, recorded.entry_id)


async def calendar_in_force(conn: Connection, *, entries: int | None = None, zone: ZoneInfo = CHINA) -> WorkCalendar:
    """Return the calendar that counts: what the package knows and what was loaded last.

    Args:
        entries: What was loaded last among so many entries of the log, for figures at a checkpoint; None for now.
    """
    row = await newest_loaded(conn, entries=entries)
    return WorkCalendar(zone=zone) if row is None else calendar_of(row, zone=zone)


def _check(body: CalendarLoaded) -> None:
    _once("year", [one.year for one in body.years])
    _once("day", [one.day for one in body.days])
    for one in body.years:
        _check_year(one)


def _check_year(one: LoadedYear) -> None:
    if one.year in official_years():
        raise CalendarInvalid(f"the year {one.year} is known; what was changed of it is stated as single days")
    first, last = date(one.year, 1, 1) - _REACHES_BACK, date(one.year, 12, 31)
    _once("day", [*one.holidays, *one.make_up])
    if not one.holidays:
        raise CalendarInvalid(f"the year {one.year} has no holiday")
    for day in (*one.holidays, *one.make_up):
        if not first <= day <= last:
            raise CalendarInvalid(f"{day} is no day that the plan of {one.year} decides about")
    for day in one.make_up:
        if day.weekday() < _SATURDAY:
            raise CalendarInvalid(f"{day} is worked in lieu and is no Saturday or Sunday")


def _once(what: str, given: Sequence[object]) -> None:
    if len(set(given)) != len(given):
        twice = next(one for one in given if given.count(one) > 1)
        raise CalendarInvalid(f"the {what} {twice} is stated twice")
