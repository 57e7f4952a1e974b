"""By when a recording has to be stored (R20): working days after the day on which it ended. Pure.

The recording ends where its recorder's clock, corrected by the dock, says so. A recording that comes late is taken all
the same and marked; the search index (`late:yes`) and the figures both ask here, so there is one truth about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from evidence.calendar.workdays import OFFICIAL, Due, WorkCalendar, day_of, end_of
from evidence.deadlines.clocks import add_counted
from evidence.deadlines.rules import RuleBook

BASE_BOOK = RuleBook()

_BASE_DAYS = BASE_BOOK.stated("storing", on=date.max).days or 1
_REST_DAYS = 30
"""More days in a row than were ever off by what was announced."""

Span = tuple[datetime, datetime]
"""From a moment to before another."""


def store_by(ended_on: date, calendar: WorkCalendar, book: RuleBook = BASE_BOOK) -> Due:
    """Return the last day for storing what was recorded until a day.

    Raises:
        CalendarInvalid: The calendar of this world ends before.
    """
    rule = book.stated("storing", on=ended_on)
    return add_counted(ended_on, rule.days or 1, calendar, rule=rule, paused=())


@dataclass(frozen=True, slots=True)
class StoringTerm:
    """How long storing may take, by a calendar and rules; remembers what it counted."""

    calendar: WorkCalendar = OFFICIAL
    book: RuleBook = BASE_BOOK
    _over: dict[date, datetime] = field(default_factory=dict, compare=False, repr=False)

    def over_at(self, ended_on: date) -> datetime:
        """Return the first moment that is too late for what ended on a day.

        Raises:
            CalendarInvalid: See `store_by`.
        """
        if ended_on not in self._over:
            self._over[ended_on] = end_of(store_by(ended_on, self.calendar, self.book).day, self.calendar)
        return self._over[ended_on]

    @property
    def reach(self) -> timedelta:
        """How long after the day on which something ended its term may at most be over."""
        rules = [self.book.stated("storing", on=one.effective_from) for one in self.book.versions]
        counted = max((rule.days or 1 for rule in rules), default=_BASE_DAYS)
        plans = sum(len(plan.holidays) for plan in self.calendar.years.values())
        return timedelta(days=_REST_DAYS + 3 * max(counted, _BASE_DAYS) + plans + len(self.calendar.overrides))

    def is_late(self, ended_at: datetime, received_at: datetime) -> bool:
        """Say whether what ended at a moment was received too late.

        Raises:
            CalendarInvalid: See `store_by`.
        """
        return received_at >= self.over_at(day_of(ended_at, self.calendar))


def judged_otherwise(old: StoringTerm, new: StoringTerm, *, first: date, last: date) -> Iterator[Span]:
    """Tell when what ended from `first` to `last` was received, where two terms do not agree whether that was late.

    The spans are in order and apart from one another.
    """
    now: Span | None = None
    for ended_on in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        begins, ends = sorted((old.over_at(ended_on), new.over_at(ended_on)))
        if begins == ends:
            continue
        if now is not None and begins > now[1]:
            yield now
            now = None
        now = (begins, ends) if now is None else (min(begins, now[0]), max(ends, now[1]))
    if now is not None:
        yield now
