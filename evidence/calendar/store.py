"""SQL of calendars that were loaded: each is a version, the newest counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from evidence.calendar.workdays import CHINA, PACKAGE, WorkCalendar, YearPlan
from evidence.custody.calendar_payloads import CalendarLoaded
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRow:
    """A calendar as it was loaded."""

    calendar: UUID
    content: dict[str, Any]
    loaded_at: datetime
    loaded_by: str
    entry_id: UUID


async def project_calendar_loaded(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `calendar.loaded`."""
    body = CalendarLoaded.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO work_calendar (calendar, content, loaded_at, loaded_by, entry_id) VALUES ($1, $2, $3, $4, $5)",
        body.calendar,
        body.model_dump(mode="json", include={"years", "days"}),
        event.at,
        event.actor,
        event.entry_id,
    )


async def newest_loaded(conn: Connection, *, entries: int | None = None) -> LoadedRow | None:
    """Return the newest calendar, or the newest among the log's first `entries` entries."""
    row = await conn.fetchrow(
        """SELECT calendar, content, loaded_at, loaded_by, entry_id FROM work_calendar
           WHERE $1::bigint IS NULL
              OR EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = work_calendar.entry_id AND l.index < $1)
           ORDER BY entry_id DESC LIMIT 1""",
        entries,
    )
    return None if row is None else LoadedRow(**dict(row))


async def find_loaded(conn: Connection, calendar: UUID) -> LoadedRow | None:
    """Return a calendar by its id."""
    row = await conn.fetchrow(
        "SELECT calendar, content, loaded_at, loaded_by, entry_id FROM work_calendar WHERE calendar = $1", calendar
    )
    return None if row is None else LoadedRow(**dict(row))


def calendar_of(row: LoadedRow, *, zone: ZoneInfo = CHINA) -> WorkCalendar:
    """Make the calendar of what was loaded."""
    body = CalendarLoaded.model_validate({**row.content, "calendar": str(row.calendar)})
    years = {one.year: YearPlan(frozenset(one.holidays), frozenset(one.make_up)) for one in body.years}
    return WorkCalendar(
        version=f"{PACKAGE}, calendar {row.calendar}",
        zone=zone,
        years=MappingProxyType(years),
        overrides=MappingProxyType({one.day: one.is_working for one in body.days}),
    )
