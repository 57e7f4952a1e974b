"""Working days (工作日) of China, holidays and make-up days (调休) included, and terms that are counted in them.

Pure: days in, days out. What the State Council announced comes from the package `chinesecalendar`, year by year; what
it does not know comes from plans that the agency loaded (`evidence.calendar.loading`). Where neither speaks, Monday to
Friday count, and everything that was counted over such a day is **provisional**: said, never silently assumed. The
announcement for a year is made in the autumn before and reaches into the last days of December, so those are also
provisional as long as the following year is unknown (in 2018 and 2023 they were days off or make-up days by its plan).

The rules of counting (民法典 201, 203; 行政处罚法 85): the day on which a term begins is not counted, the term ends at
the end of its last day, in the agency's time zone. Where a law speaks of working days (工作日) only those are counted;
where it speaks of days, calendar days are, and an end on a day off moves on only if the caller says so.

    add_working_days(d, n)           the n-th working day after d
    working_days_between(a, b)       working days after a, up to and including b: n exactly if b = add(a, n)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from zoneinfo import ZoneInfo

from chinese_calendar import constants

from evidence.calendar.errors import CalendarInvalid

CHINA = ZoneInfo("Asia/Shanghai")

PACKAGE = f"chinesecalendar {version('chinesecalendar')}"

TERM_DAYS_MAX = 36_525
"""Nobody waits longer than a hundred years; more is a slip of the pen."""

_SPILL_FIRST = (12, 25)
"""From this day of December on the plan of the next year may have its say. The earliest so far was 29 December."""

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What was announced for one year: days off that would be working days or are holidays, and days worked in lieu.

    Days of the last week of the December before belong to it as well.
    """

    holidays: frozenset[date]
    make_up: frozenset[date]


@dataclass(frozen=True, slots=True)
class DayOf:
    """What a day is: `is_working`, and whether nobody has announced it yet."""

    is_working: bool
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a term. `provisional` when it was counted over days that nobody has announced yet."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A number of working days; `provisional` as in `Due`."""

    days: int
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """A calendar in force.

    Attributes:
        version: Names the data it is made of, for whoever counts again later.
        zone: The agency's; a moment belongs to the day it has there.
        years: Plans that the agency loaded; they win over the package's.
        overrides: Single days that are different for this agency, True for a working day; they win over everything.
    """

    version: str = PACKAGE
    zone: ZoneInfo = CHINA
    years: Mapping[int, YearPlan] = field(default_factory=lambda: MappingProxyType({}))
    overrides: Mapping[date, bool] = field(default_factory=lambda: MappingProxyType({}))

    def look(self, day: date) -> DayOf:
        """Say what a day is."""
        if (override := self.overrides.get(day)) is not None:
            return DayOf(override, is_provisional=False)
        is_spill = (day.month, day.day) >= _SPILL_FIRST
        following = self._plan(day.year + 1) if is_spill else None
        plan = self._plan(day.year)
        is_provisional = plan is None or (is_spill and following is None)
        for one in (following, plan):
            if one is not None and day in one.make_up:
                return DayOf(is_working=True, is_provisional=is_provisional)
            if one is not None and day in one.holidays:
                return DayOf(is_working=False, is_provisional=is_provisional)
        return DayOf(is_working=day.weekday() < _SATURDAY, is_provisional=is_provisional)

    def _plan(self, year: int) -> YearPlan | None:
        return self.years.get(year) or official_years().get(year)


OFFICIAL = WorkCalendar()
"""What the State Council announced, as far as the package knows it, and nothing else."""


@cache
def official_years() -> Mapping[int, YearPlan]:
    """Return the plans that the package knows, by year."""
    holidays, make_up = constants.holidays, constants.workdays
    years = range(min(holidays).year, max(holidays).year + 1)
    return MappingProxyType(
        {
            year: YearPlan(
                holidays=frozenset(day for day in holidays if day.year == year),
                make_up=frozenset(day for day in make_up if day.year == year),
            )
            for year in years
        }
    )


def day_of(instant: datetime, calendar: WorkCalendar) -> date:
    """Return the day that a moment belongs to, where the agency is."""
    return instant.astimezone(calendar.zone).date()


def end_of(day: date, calendar: WorkCalendar) -> datetime:
    """Return the moment at which a day is over where the agency is, in UTC: the first one that is too late."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=calendar.zone).astimezone(UTC)


def add_working_days(day: date, n: int, calendar: WorkCalendar) -> Due:
    """Return the n-th working day after a day; the day itself is not counted, whatever it is.

    Raises:
        CalendarInvalid: `n` is below 1 or above `TERM_DAYS_MAX`, or the calendar of this world ends before.
    """
    _require_term(n)
    provisional = False
    reached = day
    while n:
        reached = _after(reached, 1)
        seen = calendar.look(reached)
        provisional |= seen.is_provisional
        n -= seen.is_working
    return Due(reached, provisional)


def add_days(day: date, n: int, calendar: WorkCalendar, *, to_working_day: bool = False) -> Due:
    """Return the n-th calendar day after a day.

    Args:
        to_working_day: Whether an end on a day off moves to the next working day (民法典 203).

    Raises:
        CalendarInvalid: As `add_working_days`.
    """
    _require_term(n)
    reached = _after(day, n)
    if not to_working_day:
        return Due(reached, provisional=False)
    provisional = False
    while True:
        seen = calendar.look(reached)
        provisional |= seen.is_provisional
        if seen.is_working:
            return Due(reached, provisional)
        reached = _after(reached, 1)


def working_days_between(first: date, last: date, calendar: WorkCalendar) -> Span:
    """Count the working days after `first` up to and including `last`; negative when `last` is before `first`.

    Raises:
        CalendarInvalid: The two lie further apart than `TERM_DAYS_MAX`.
    """
    if last < first:
        back = working_days_between(last, first, calendar)
        return Span(-back.days, back.provisional)
    apart = (last - first).days
    if apart > TERM_DAYS_MAX:
        raise CalendarInvalid(f"{first} and {last} lie more than {TERM_DAYS_MAX} days apart")
    seen = [calendar.look(first + timedelta(days=n)) for n in range(1, apart + 1)]
    return Span(sum(one.is_working for one in seen), any(one.is_provisional for one in seen))


def _require_term(n: int) -> None:
    if not 1 <= n <= TERM_DAYS_MAX:
        raise CalendarInvalid(f"a term has between 1 and {TERM_DAYS_MAX} days, not {n}")


def _after(day: date, n: int) -> date:
    try:
        return day + timedelta(days=n)
    except OverflowError as error:
        raise CalendarInvalid(f"there is no day {n} days after {day}") from error
