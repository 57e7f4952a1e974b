"""By when a recording has to be stored (R20): working days after the day on which it ended. Pure.

The recording ends where its recorder's clock, corrected by the dock, says so. A recording that comes late is taken all
the same and marked; the search index (`late:yes`) and the figures both ask here, so there is one truth about it.
"""

from __future__ import annotations

from datetime import date

from evidence.calendar.workdays import Due, WorkCalendar
from evidence.deadlines.clocks import add_counted
from evidence.deadlines.rules import RuleBook

BASE_BOOK = RuleBook()


def store_by(ended_on: date, calendar: WorkCalendar, book: RuleBook = BASE_BOOK) -> Due:
    """Return the last day for storing what was recorded until a day.

    Raises:
        CalendarInvalid: The calendar of this world ends before.
    """
    rule = book.stated("storing", on=ended_on)
    return add_counted(ended_on, rule.days or 1, calendar, rule=rule, paused=())
