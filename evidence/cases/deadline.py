"""When a concluded case has to be archived (R22). Pure.

Days are calendar days, the day of conclusion itself not counted: concluded on 1 March with 30 days, the last day is 31
March. The time and where it is written come from the recording-item list of the case; a list that states none gives no
last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from evidence.cases.item_list import ItemList


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveDue:
    """The time of archiving: `due_on` is the last day, `source` where the time is written; None where it is nowhere."""

    concluded_on: date
    due_on: date | None = None
    source: str | None = None

    def is_overdue(self, today: date) -> bool:
        """Tell whether the last day is over."""
        return self.due_on is not None and today > self.due_on


def archive_due(content: ItemList | None, *, action: str | None, concluded_on: date | None) -> ArchiveDue | None:
    """Return when a case of an action has to be archived; None while it is not concluded."""
    if concluded_on is None:
        return None
    rule = None if content is None else content.archive_rule(action)
    if rule is None:
        return ArchiveDue(concluded_on=concluded_on)
    return ArchiveDue(concluded_on=concluded_on, due_on=concluded_on + timedelta(days=rule.days), source=rule.source)
