"""A clock and where it stands: due day, state, days left. Pure: a clock and a day in, a standing out.

    start        the day on which it began is not counted (民法典 201)
    end          its last day is whole, until midnight where the agency is (行政处罚法 85 with 民法典 203)
    pauses       whole days: from the day on which it was stopped up to the day before it goes on. So each half day is
                 given back once: the day of stopping does not count, the day of going on does, stopping and going on
                 within a day changes nothing. No text says what half a day is; this reading is the one by which a
                 clock stopped on its last day leaves one day to act, and by which nobody gains days by stopping often
    extensions   days of the rule's own unit, added to the term; one granted after the last day does not count
    fulfilment   on or before the last day, in time; after it, late, and late for ever

A pause that is still open is counted as if the clock went on today: its due day is the earliest one possible. A pause
that begins after the last day cures nothing.

    state   running · paused · in_time · late · overdue · void

Time that was set back only ever makes a clock younger: nothing here asks that today is after the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from evidence.calendar.errors import CalendarInvalid
from evidence.calendar.workdays import TERM_DAYS_MAX, Due, Span, WorkCalendar, day_of, working_days_between
from evidence.deadlines.rules import Rule

State: TypeAlias = Literal["running", "paused", "in_time", "late", "overdue", "void"]

STATES: tuple[State, ...] = ("running", "paused", "in_time", "late", "overdue", "void")
OPEN_STATES: tuple[State, ...] = ("running", "paused", "overdue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The clock stood still from a moment on; `until` is None while it still does."""

    since: datetime
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Days that were added, by whom and why."""

    days: int
    at: datetime
    approver: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """What was due was done: when, and which entry of the log proves it (`index`: its place, None until it has one)."""

    at: datetime
    entry_id: UUID
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A clock.

    Attributes:
        key: `<kind>/<what it is about>`; names it for ever.
        rule: The rule in force on the day it began.
        period_ends_on: The last day of the period that a `by_date` rule is about; None for others.
        void_because: Why it does not count any more; None while it does.
    """

    key: str
    rule: Rule
    started_at: datetime
    pauses: Sequence[Pause] = ()
    extensions: Sequence[Extension] = ()
    fulfilment: Fulfilment | None = None
    period_ends_on: date | None = None
    void_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a clock stands on a day.

    Attributes:
        due_on: The last day.
        provisional: Whether it was counted over days that nobody has announced yet.
        remaining: Days of the rule's unit from today, or from the fulfilment, to the last day; 0 on it.
        extended_by: Days that count of those that were added.
    """

    due_on: date
    provisional: bool
    state: State
    remaining: int
    extended_by: int = 0


def standing(clock: Clock, *, today: date, calendar: WorkCalendar) -> Standing:
    """Say where a clock stands on a day.

    Raises:
        CalendarInvalid: The term reaches beyond what anybody waits for, or beyond the calendar of this world.
    """
    seen_on = today if clock.fulfilment is None else day_of(clock.fulfilment.at, calendar)
    due, extended_by = _due(clock, seen_on, calendar)
    return Standing(
        due_on=due.day,
        provisional=due.provisional,
        state=_state(clock, due.day, seen_on, calendar),
        remaining=_left(clock.rule, seen_on, due.day, calendar).days,
        extended_by=extended_by,
    )


def warn_on(due_on: date, rule: Rule) -> date:
    """Return the day from which on somebody is told that a last day comes near."""
    return due_on - timedelta(days=rule.warn_days)


def add_counted(first: date, n: int, calendar: WorkCalendar, *, rule: Rule, paused: Sequence[tuple[date, date]]) -> Due:
    """Return the n-th day after a day that counts under a rule and in none of the stretches `[from, to)`.

    Raises:
        CalendarInvalid: `n` is no number of days, or the calendar of this world ends before.
    """
    if not 1 <= n <= TERM_DAYS_MAX:
        raise CalendarInvalid(f"a term has between 1 and {TERM_DAYS_MAX} days, not {n}")
    provisional, reached, left = False, first, n
    while left:
        reached = _next(reached, paused)
        if rule.unit == "working_days":
            seen = calendar.look(reached)
            provisional |= seen.is_provisional
            left -= seen.is_working
        else:
            left -= 1
    return Due(reached, provisional)


def _next(day: date, paused: Sequence[tuple[date, date]]) -> date:
    try:
        day += timedelta(days=1)
        while (over := next((end for start, end in paused if start <= day < end), None)) is not None:
            day = over
    except OverflowError as error:
        raise CalendarInvalid(f"there is no day after {day}") from error
    return day


def _due(clock: Clock, today: date, calendar: WorkCalendar) -> tuple[Due, int]:
    if clock.period_ends_on is not None:
        return Due(_by_date(clock.rule, clock.period_ends_on), provisional=False), 0
    start, extended_by = day_of(clock.started_at, calendar), 0
    days = clock.rule.days or 1
    for one in sorted(clock.extensions, key=lambda extension: extension.at):
        granted_on = day_of(one.at, calendar)
        known = _stretches([pause for pause in clock.pauses if pause.since <= one.at], granted_on, calendar)
        if granted_on <= add_counted(start, days + extended_by, calendar, rule=clock.rule, paused=known).day:
            extended_by += one.days
    stretches = _stretches(clock.pauses, today, calendar)
    return add_counted(start, days + extended_by, calendar, rule=clock.rule, paused=stretches), extended_by


def _by_date(rule: Rule, period_ends_on: date) -> date:
    """Return the day of a month for that month, and the day of a year for the year after it."""
    day = rule.day or 1
    if rule.month is None:
        return period_ends_on.replace(day=day)
    return date(period_ends_on.year + 1, rule.month, day)


def _stretches(pauses: Sequence[Pause], today: date, calendar: WorkCalendar) -> list[tuple[date, date]]:
    ends = [today if pause.until is None else min(day_of(pause.until, calendar), today) for pause in pauses]
    return [(day_of(pause.since, calendar), end) for pause, end in zip(pauses, ends, strict=True)]


def _state(clock: Clock, due_on: date, seen_on: date, calendar: WorkCalendar) -> State:
    if clock.void_because is not None:
        return "void"
    if clock.fulfilment is not None:
        return "in_time" if seen_on <= due_on else "late"
    if any(pause.until is None and day_of(pause.since, calendar) <= due_on for pause in clock.pauses):
        return "paused"
    return "running" if seen_on <= due_on else "overdue"


def _left(rule: Rule, today: date, due_on: date, calendar: WorkCalendar) -> Span:
    if rule.unit == "working_days":
        return working_days_between(today, due_on, calendar)
    return Span((due_on - today).days, provisional=False)
