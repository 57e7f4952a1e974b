"""Loading calendars: versioned, whole or not at all, and the one in force at any place of the log."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from evidence.calendar.errors import CalendarInvalid
from evidence.calendar.loading import calendar_in_force, load_calendar
from evidence.calendar.workdays import OFFICIAL, add_working_days
from tests.support.payloads import STAFF, Scribe

YEAR: dict[str, Any] = {
    "year": 2027,
    "holidays": ["2027-01-01"],
    "make_up": ["2026-12-27"],
    "citation": "国办发明电〔2026〕7号",
}
DAY: dict[str, Any] = {"day": "2026-03-09", "is_working": False, "reason": "停电检修"}


async def load(scribe: Scribe, **content: object) -> None:
    async with scribe.conn.transaction():
        await load_calendar(scribe.conn, content=content, actor=STAFF, clock=scribe.clock, entropy=scribe.entropy)


async def test_the_newest_calendar_counts_as_a_whole(scribe: Scribe) -> None:
    assert await calendar_in_force(scribe.conn) == OFFICIAL
    await load(scribe, years=[YEAR], days=[DAY])
    first = await calendar_in_force(scribe.conn)
    assert not add_working_days(date(2026, 12, 25), 2, first).provisional
    assert add_working_days(date(2026, 3, 6), 1, first).day == date(2026, 3, 10)
    await load(scribe, years=[YEAR], days=[])
    second = await calendar_in_force(scribe.conn)
    assert add_working_days(date(2026, 3, 6), 1, second).day == date(2026, 3, 9)
    assert first.version != second.version
    # No entry has a place in the log yet: at a checkpoint none of them counts.
    assert await calendar_in_force(scribe.conn, entries=10) == OFFICIAL


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"years": [], "days": [], "more": 1},
        {"years": [YEAR, YEAR], "days": []},
        {"years": [YEAR | {"year": 2026}], "days": []},
        {"years": [YEAR | {"year": "2027"}], "days": []},
        {"years": [YEAR | {"holidays": []}], "days": []},
        {"years": [YEAR | {"holidays": ["2027-1-1"]}], "days": []},
        {"years": [YEAR | {"holidays": ["2027-02-30"]}], "days": []},
        {"years": [YEAR | {"holidays": ["2028-01-01"]}], "days": []},
        {"years": [YEAR | {"holidays": ["2026-12-24"]}], "days": []},
        {"years": [YEAR | {"make_up": ["2027-01-01"]}], "days": []},
        {"years": [YEAR | {"make_up": ["2027-01-04"]}], "days": []},
        {"years": [YEAR | {"citation": ""}], "days": []},
        {"years": [], "days": [DAY, DAY]},
        {"years": [], "days": [DAY | {"reason": "\0"}]},
        {"years": [], "days": [DAY | {"is_working": 1}]},
        {"years": [], "days": [DAY] * 2001},
    ],
)
async def test_a_calendar_that_contradicts_itself_is_refused(scribe: Scribe, content: dict[str, object]) -> None:
    with pytest.raises(CalendarInvalid):
        await load(scribe, **content)
    assert await calendar_in_force(scribe.conn) == OFFICIAL
