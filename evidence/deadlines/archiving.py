"""By when a concluded case has to be archived (R22). Pure.

Days are calendar days, the day of 执行终结 itself not counted: concluded on 1 March with 30 days, the last day is 31
March. An agency's table of deadlines may state the term; else the recording-item list of the case does. A case for
which nobody states one has no last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from evidence.calendar.workdays import OFFICIAL, WorkCalendar
from evidence.cases.item_list import ItemList
from evidence.deadlines.clocks import Clock, standing
from evidence.deadlines.rules import Rule, RuleBook, rule_of_archive

BASE_BOOK = RuleBook()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDue:
    """The time of archiving: `due_on` is the last day, `source` where the time is written; None where it is nowhere."""

    concluded_on: date
    due_on: date | None = None
    source: str | None = None

    def is_overdue(self, today: date) -> bool:
        """Tell whether the last day is over."""
        return self.due_on is not None and today > self.due_on


def archive_rule(content: ItemList | None, *, action: str | None, on: date, book: RuleBook = BASE_BOOK) -> Rule | None:
    """Return the rule for a case of an action that was concluded on a day: the agency's table, else its item list."""
    if (own := book.rule("archive", on=on, action=action)) is not None:
        return own
    stated = None if content is None else content.archive_rule(action)
    return None if stated is None else rule_of_archive(stated)


def archive_clock(case: UUID, rule: Rule, *, concluded_on: date, calendar: WorkCalendar) -> Clock:
    """Return the clock of a case that was concluded on a day."""
    started_at = datetime.combine(concluded_on, time(), tzinfo=calendar.zone)
    return Clock(key=f"archive/{case}", rule=rule, started_at=started_at)


def archive_due(
    content: ItemList | None,
    *,
    action: str | None,
    concluded_on: date | None,
    book: RuleBook = BASE_BOOK,
    calendar: WorkCalendar = OFFICIAL,
) -> ArchiveDue | None:
    """Return when a case of an action has to be archived; None while it is not concluded."""
    if concluded_on is None:
        return None
    rule = archive_rule(content, action=action, on=concluded_on, book=book)
    if rule is None:
        return ArchiveDue(concluded_on=concluded_on)
    clock = archive_clock(UUID(int=0), rule, concluded_on=concluded_on, calendar=calendar)
    due_on = standing(clock, today=concluded_on, calendar=calendar).due_on
    return ArchiveDue(concluded_on=concluded_on, due_on=due_on, source=rule.citation)
