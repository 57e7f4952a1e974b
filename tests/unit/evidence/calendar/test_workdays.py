"""Terms in working days over real calendars, day by day, and what they obey whatever the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.calendar.errors import CalendarInvalid
from evidence.calendar.workdays import (
    CHINA,
    OFFICIAL,
    TERM_DAYS_MAX,
    Due,
    Span,
    WorkCalendar,
    YearPlan,
    add_days,
    add_working_days,
    day_of,
    end_of,
    official_years,
    working_days_between,
)

FIRST_KNOWN, LAST_KNOWN = date(2004, 1, 1), date(2026, 12, 24)


def made_on(year: int, month: int, day: int, hour: int = 18, minute: int = 0) -> date:
    """Return the day that a recording of that local time belongs to."""
    return day_of(datetime(year, month, day, hour, minute, tzinfo=CHINA).astimezone(UTC), OFFICIAL)


@pytest.mark.parametrize(
    ("made", "due"),
    [
        # Spring Festival 2016: Sunday 7 to Saturday 13 February off, Saturday 6 and Sunday 14 worked.
        ((2016, 2, 5), date(2016, 2, 14)),
        # Spring Festival 2022: Monday 31 January to Sunday 6 February, Saturday 29 and Sunday 30 worked.
        ((2022, 1, 28), date(2022, 1, 30)),
        # Spring Festival 2026: 15 to 23 February, Saturdays 14 and 28 worked.
        ((2026, 2, 13), date(2026, 2, 24)),
        # National Day 2026: 1 to 7 October, Saturday 10 worked: Wednesday before, and Friday after.
        ((2026, 9, 30), date(2026, 10, 9)),
        ((2026, 10, 9), date(2026, 10, 12)),
        # An ordinary Friday, and a day off on which somebody recorded all the same.
        ((2026, 3, 6), date(2026, 3, 10)),
        ((2026, 3, 7), date(2026, 3, 10)),
        ((2026, 10, 3), date(2026, 10, 9)),
        # The turn of 2018: Saturday 29 December worked, 30 to 1 off, announced with 2019.
        ((2018, 12, 28), date(2019, 1, 2)),
    ],
)
def test_r20_two_working_days_over_holidays_and_make_up_days(made: tuple[int, int, int], due: date) -> None:
    """R20: a record of Friday 18:00 before a seven-day holiday with a make-up Saturday has this very due day."""
    assert add_working_days(made_on(*made), 2, OFFICIAL) == Due(due, provisional=False)


def test_r20_every_day_around_a_holiday_has_its_due_day() -> None:
    """The whole table around Spring Festival 2016, so that a slip by one day shows."""
    expected = {
        3: 5,  # Wednesday: Thursday, Friday
        4: 6,  # Thursday: Friday, Saturday worked
        5: 14,  # Friday: Saturday worked, Sunday 14 worked
        6: 15,  # Saturday worked: Sunday 14, Monday
        **dict.fromkeys(range(7, 14), 15),
        14: 16,
    }
    for day, due in expected.items():
        assert add_working_days(date(2016, 2, day), 2, OFFICIAL).day == date(2016, 2, due), day


def test_a_moment_belongs_to_the_day_it_has_at_the_agency() -> None:
    late = datetime(2026, 3, 6, 15, 59, 59, tzinfo=UTC)
    assert day_of(late, OFFICIAL) == date(2026, 3, 6)
    assert day_of(late + timedelta(seconds=1), OFFICIAL) == date(2026, 3, 7)
    assert end_of(date(2026, 3, 6), OFFICIAL) == late + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (date(2026, 12, 21), 2, Due(date(2026, 12, 23), provisional=False)),
        (date(2026, 12, 22), 2, Due(date(2026, 12, 24), provisional=False)),
        # 25 December may yet become a day worked in lieu or off: the plan of 2027 decides.
        (date(2026, 12, 23), 2, Due(date(2026, 12, 25), provisional=True)),
        (date(2026, 12, 31), 2, Due(date(2027, 1, 4), provisional=True)),
        (date(2031, 5, 1), 20, Due(date(2031, 5, 29), provisional=True)),
        (date(2003, 12, 30), 1, Due(date(2003, 12, 31), provisional=True)),
    ],
)
def test_what_nobody_announced_is_provisional(start: date, n: int, due: Due) -> None:
    assert add_working_days(start, n, OFFICIAL) == due


def test_a_loaded_year_is_not_provisional_and_reaches_into_december() -> None:
    plan = YearPlan(holidays=frozenset({date(2026, 12, 31), date(2027, 1, 1)}), make_up=frozenset({date(2026, 12, 26)}))
    calendar = WorkCalendar(years=MappingProxyType({2027: plan}))
    # Friday 25th: Saturday 26th is worked, then Monday.
    assert add_working_days(date(2026, 12, 25), 2, calendar) == Due(date(2026, 12, 28), provisional=False)
    assert add_working_days(date(2026, 12, 29), 2, calendar) == Due(date(2027, 1, 4), provisional=False)
    assert add_working_days(date(2027, 12, 24), 1, calendar).provisional


def test_a_day_of_the_agency_wins_over_everything() -> None:
    calendar = WorkCalendar(overrides=MappingProxyType({date(2026, 3, 9): False, date(2026, 3, 8): True}))
    assert add_working_days(date(2026, 3, 6), 2, calendar) == Due(date(2026, 3, 10), provisional=False)
    assert add_working_days(date(2026, 3, 6), 1, calendar) == Due(date(2026, 3, 8), provisional=False)


def test_calendar_days_and_an_end_on_a_day_off() -> None:
    assert add_days(date(2026, 9, 3), 30, OFFICIAL) == Due(date(2026, 10, 3), provisional=False)
    moved = add_days(date(2026, 9, 3), 30, OFFICIAL, to_working_day=True)
    assert moved == Due(date(2026, 10, 8), provisional=False)


@pytest.mark.parametrize("n", [0, -1, TERM_DAYS_MAX + 1, 10**9])
def test_terms_that_nobody_means_are_refused(n: int) -> None:
    for add in (add_working_days, add_days):
        with pytest.raises(CalendarInvalid):
            add(date(2026, 1, 1), n, OFFICIAL)


def test_the_end_of_the_calendar_is_no_endless_loop() -> None:
    with pytest.raises(CalendarInvalid):
        add_working_days(date(9999, 12, 30), 30, OFFICIAL)
    with pytest.raises(CalendarInvalid):
        working_days_between(date(1, 1, 1), date(9999, 1, 1), OFFICIAL)


DAYS = st.dates(FIRST_KNOWN, LAST_KNOWN - timedelta(days=60))
TERMS = st.integers(1, 30)


@given(day=DAYS, n=TERMS)
def test_a_term_ends_on_a_working_day_and_counts_back_to_itself(day: date, n: int) -> None:
    due = add_working_days(day, n, OFFICIAL)
    assert due.day > day
    assert OFFICIAL.look(due.day).is_working
    assert working_days_between(day, due.day, OFFICIAL) == Span(n, provisional=False)
    assert working_days_between(due.day, day, OFFICIAL).days == -n


@given(day=DAYS, other=DAYS, n=TERMS, m=TERMS)
def test_terms_are_monotone_and_add_up(day: date, other: date, n: int, m: int) -> None:
    first, last = sorted((day, other))
    assert add_working_days(first, n, OFFICIAL).day <= add_working_days(last, n, OFFICIAL).day
    assert add_working_days(day, n, OFFICIAL).day < add_working_days(day, n + 1, OFFICIAL).day
    in_two = add_working_days(add_working_days(day, n, OFFICIAL).day, m, OFFICIAL)
    assert add_working_days(day, n + m, OFFICIAL) == in_two


@given(day=DAYS, n=TERMS, closed=st.sets(st.integers(1, 60), max_size=10))
def test_days_off_never_bring_an_end_forward(day: date, n: int, closed: set[int]) -> None:
    calendar = WorkCalendar(overrides=MappingProxyType({day + timedelta(days=one): False for one in closed}))
    assert add_working_days(day, n, calendar).day >= add_working_days(day, n, OFFICIAL).day


def test_every_official_year_has_the_working_days_that_were_announced() -> None:
    """A year had 248 to 252 working days; five weeks of a wrong table would show here."""
    for year in official_years():
        days = working_days_between(date(year - 1, 12, 31), date(year, 12, 31), OFFICIAL).days
        assert 244 <= days <= 255, (year, days)
