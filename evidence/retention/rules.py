"""How long a clip is kept: a pure function of what is on record of it, with the reasons. Never stored.

1. Evidence of a case is kept for ever, whether the case is archived or open.
2. A legal hold keeps a clip for as long as it stands; it changes nothing about the term.
3. Otherwise the schedule speaks: of all rules that fit, the longest. Two schedules are asked, the one in force on the
   day the clip was sealed and the one in force today, and the longer term counts: a new schedule may lengthen what was
   promised, and shortens nothing that is there already.
4. No schedule in force: nobody has decided, so nothing expires.

A term begins on the day of the seal, where the agency is: the service's own clock, not a recorder's. It is counted in
calendar months and ends on the corresponding day, or the last one of a shorter month (民法典 202); what ends on a day
is kept through that day. Whatever a schedule says, nothing is kept for less than six months.
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from evidence.custody.retention_payloads import MONTHS_MIN, RetentionRule, RetentionScheduled


class State(StrEnum):
    """What may become of a clip."""

    PERMANENT = "permanent"
    KEPT = "kept"
    HELD = "held"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is on record of a clip that decides how long it is kept.

    Attributes:
        sealed_on: The day of its seal where the agency is.
        item: Key of its recording item, as annotated last.
        key_mark: Whether a recorder marked it.
        cases: Number and kind of every case it is evidence of.
        holds: Basis of every hold that stands.
    """

    sealed_on: date
    item: str | None
    key_mark: bool
    cases: Sequence[tuple[str, str | None]] = ()
    holds: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long a clip is kept.

    Attributes:
        kept_through: The last day of its term; None when it is kept for ever.
        because: The reasons, one sentence each.
        schedule: The schedule whose term counts; None where none does.
    """

    state: State
    kept_through: date | None
    because: tuple[str, ...]
    schedule: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Term:
    through: date | None
    because: str
    schedule: UUID


def retention_of(facts: Facts, schedules: Iterable[RetentionScheduled], *, today: date) -> Retention:
    """Say how long a clip is kept, as of a day.

    Args:
        schedules: All there are, in the order in which they were stated.
    """
    known = list(schedules)
    held = tuple(f"held: {basis}" for basis in facts.holds)
    if facts.cases:
        schedule = in_force_on(known, today)
        bound = tuple(_bound(number, kind, schedule) for number, kind in facts.cases)
        return Retention(state=State.PERMANENT, kept_through=None, because=(*bound, *held))
    in_force = [one for day in (facts.sealed_on, today) if (one := in_force_on(known, day)) is not None]
    if not in_force:
        return Retention(state=State.PERMANENT, kept_through=None, because=("no schedule is in force", *held))
    term = max((_term(facts, one) for one in in_force), key=lambda one: one.through or date.max)
    because = (term.because, *held)
    if term.through is None:
        return Retention(state=State.PERMANENT, kept_through=None, because=because, schedule=term.schedule)
    state = _state(term.through, is_held=bool(held), today=today)
    return Retention(state=state, kept_through=term.through, because=because, schedule=term.schedule)


def in_force_on(schedules: Sequence[RetentionScheduled], day: date) -> RetentionScheduled | None:
    """Return the schedule in force on a day: the one that began last; of those that began together, the last stated."""
    begun = [one for one in schedules if one.effective_from <= day]
    latest = max((one.effective_from for one in begun), default=None)
    return next((one for one in reversed(begun) if one.effective_from == latest), None)


def after_months(day: date, months: int) -> date:
    """Return the corresponding day so many months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def may_go(state: State) -> bool:
    """Tell whether a clip may be disposed of."""
    match state:
        case State.EXPIRED:
            return True
        case State.PERMANENT | State.KEPT | State.HELD:
            return False
        case other:
            assert_never(other)


def _state(through: date, *, is_held: bool, today: date) -> State:
    if today <= through:
        return State.KEPT
    return State.HELD if is_held else State.EXPIRED


def _term(facts: Facts, schedule: RetentionScheduled) -> _Term:
    fitting = [rule for rule in schedule.rules if _fits(rule, facts)]
    words = [(rule.months, f"{_subject(rule)}, {rule.citation}") for rule in fitting]
    months, why = max(words or [(schedule.months, schedule.citation)], key=lambda one: (one[0] is None, one[0] or 0))
    if months is None:
        return _Term(None, f"kept for ever: {why}", schedule.schedule)
    through = after_months(facts.sealed_on, max(months, MONTHS_MIN))
    return _Term(through, f"kept for {months} months from {facts.sealed_on}: {why}", schedule.schedule)


def _bound(number: str, kind: str | None, schedule: RetentionScheduled | None) -> str:
    """Say why evidence of a case is kept, with what the schedule cites for cases of its kind."""
    rules = () if schedule is None or kind is None else schedule.rules
    cited = [rule.citation for rule in rules if rule.case_kind == kind]
    return ", ".join([f"evidence of case {number} is kept for ever", *cited])


def _fits(rule: RetentionRule, facts: Facts) -> bool:
    # A rule for a kind of case never fits here: evidence of a case is kept for ever whatever its kind.
    return (
        rule.case_kind is None
        and rule.item in (None, facts.item)
        and (rule.key_mark is None or rule.key_mark == facts.key_mark)
    )


def _subject(rule: RetentionRule) -> str:
    parts = (rule.item, None if rule.key_mark is None else f"key mark {'yes' if rule.key_mark else 'no'}")
    return ", ".join(part for part in parts if part) or "any recording"
