"""Clocks as a pure function over what is on record, so that none can be forgotten: nobody has to start them.

    case             立案 (case.opened)              -> the decision, else 执行终结, else the archive
    archive          执行终结 as stated last           -> case.archived
    review           review.submitted, each          -> review.opined; stands still between review.paused and resumed;
                                                        void when it is submitted anew before an opinion
    publication      case.decided, each              -> publication.published for that case
    withdrawal       decision.revoked, each          -> publication.withdrawn of all that was public of that case then
    withdrawal,task  deadline.started                -> publication.withdrawn for that case; deadline.fulfilled
    monthly_summary  the first day of each month     -> publicity.reported of that month
    annual_data      the first day of each year      -> publicity.reported of that year, made after it ended

What people say about a clock (`Said`) is laid over what is derived: pauses, extensions, reasons, voidance, and a
fulfilment that this house does not see. Types that nobody records yet simply begin no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from evidence.calendar.workdays import WorkCalendar, day_of
from evidence.cases.item_list import ItemList
from evidence.core.clock import parse_time
from evidence.deadlines.archiving import archive_clock, archive_rule
from evidence.deadlines.clocks import Clock, Extension, Fulfilment, Pause
from evidence.deadlines.rules import RuleBook

FACT_TYPES = (
    *("case.opened", "case.stated", "case.archived", "case.decided", "decision.revoked"),
    *("review.submitted", "review.paused", "review.resumed", "review.opined"),
    *("publication.published", "publication.withdrawn", "publicity.reported"),
)
"""Types of entries that clocks are derived from, those about recordings apart."""

_ENDS: Mapping[str, tuple[str, ...]] = {
    "publication": ("publication.published",),
    "withdrawal": ("publication.withdrawn",),
    "review": ("review.opined",),
    "case": ("case.decided",),
    "archive": ("case.archived",),
}
"""What ends clocks that somebody started by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An entry about a case or a period, at its place in the log."""

    entry_id: UUID
    index: int
    type: str
    actor: str
    at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something that was said about a clock; `verb` is the type without its first word."""

    entry_id: UUID
    clock: str
    verb: str
    content: Mapping[str, Any]
    stated_by: str
    stated_at: datetime
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case, as far as clocks care: its action type, its recording-item list, and what is on record of it."""

    case: UUID
    number: str
    action: str | None
    unit: UUID | None
    items: ItemList | None
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A clock and whose it is; `explained` is the newest reason that somebody gave."""

    clock: Clock
    kind: str
    name: str
    case: UUID | None = None
    clip: UUID | None = None
    unit: UUID | None = None
    explained: str | None = None


def clocks_of_case(view: CaseView, said: Sequence[Said], *, book: RuleBook, calendar: WorkCalendar) -> list[Derived]:
    """Return every clock of a case, those that ended included, in order of their names."""
    found = [
        *_case(view, book, calendar),
        *_archive(view, book, calendar),
        *_reviews(view, book, calendar),
        *_publications(view, book, calendar),
        *_withdrawals(view, book, calendar),
        *_started(view, said, book, calendar),
    ]
    whole = [_with_words(one, [word for word in said if word.clock == one.key]) for one in found]
    return [
        Derived(
            clock=clock,
            kind=clock.rule.kind,
            name=view.number,
            case=view.case,
            unit=view.unit,
            explained=explained,
        )
        for clock, explained in sorted(whole, key=lambda pair: pair[0].key)
    ]


def clocks_of_periods(
    facts: Sequence[Fact], said: Sequence[Said], *, since: date, today: date, book: RuleBook, calendar: WorkCalendar
) -> list[Derived]:
    """Return the clocks of months and years, from the one that `since` lies in to the present one."""
    found = [*_months(facts, since, today, book, calendar), *_years(facts, since, today, book, calendar)]
    whole = [_with_words(one, [word for word in said if word.clock == one.key]) for one in found]
    return [
        Derived(clock=clock, kind=clock.rule.kind, name=clock.key.partition("/")[2], explained=explained)
        for clock, explained in whole
    ]


def _case(view: CaseView, book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    opened = next((fact for fact in view.facts if fact.type == "case.opened"), None)
    if opened is None:
        return
    rule = book.rule("case", on=day_of(opened.at, calendar), action=view.action)
    if rule is not None:
        ends = [fact for fact in view.facts if fact.type in ("case.decided", "case.archived")]
        if (concluded := _conclusion(view.facts)) is not None:
            ends.append(concluded)
        yield Clock(key=f"case/{view.case}", rule=rule, started_at=opened.at, fulfilment=_first(ends))


def _archive(view: CaseView, book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    concluded = _conclusion(view.facts)
    if concluded is None:
        return
    on = date.fromisoformat(concluded.payload["statement"]["on"])
    rule = archive_rule(view.items, action=view.action, on=on, book=book)
    if rule is not None:
        clock = archive_clock(view.case, rule, concluded_on=on, calendar=calendar)
        yield replace(clock, fulfilment=_first(fact for fact in view.facts if fact.type == "case.archived"))


def _reviews(view: CaseView, book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    steps = [fact for fact in view.facts if fact.type.startswith("review.")]
    for place, step in enumerate(steps):
        rule = book.rule("review", on=day_of(step.at, calendar), action=view.action)
        if step.type != "review.submitted" or rule is None:
            continue
        following = steps[place + 1 :]
        until = next((n for n, one in enumerate(following) if one.type == "review.submitted"), len(following))
        own = following[:until]
        opined = _first(one for one in own if one.type == "review.opined")
        yield Clock(
            key=f"review/{step.entry_id}",
            rule=rule,
            started_at=step.at,
            pauses=_pauses((one.type.removeprefix("review."), one.at, "") for one in own),
            fulfilment=opined,
            void_because="submitted anew" if opined is None and until < len(following) else None,
        )


def _publications(view: CaseView, book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    for decided in view.facts:
        if decided.type != "case.decided":
            continue
        action = decided.payload.get("kind") or view.action
        rule = book.rule("publication", on=day_of(decided.at, calendar), action=action)
        if rule is not None:
            told = (one for one in view.facts if one.type == "publication.published" and one.index > decided.index)
            yield Clock(
                key=f"publication/{decided.entry_id}", rule=rule, started_at=decided.at, fulfilment=_first(told)
            )


def _withdrawals(view: CaseView, book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    for revoked in view.facts:
        if revoked.type != "decision.revoked":
            continue
        on = date.fromisoformat(revoked.payload["on"])
        rule = book.rule("withdrawal", on=on, action=view.action)
        told = {
            fact.payload["publication"]
            for fact in view.facts
            if fact.type == "publication.published" and fact.index < revoked.index
        }
        gone = {fact.payload["publication"]: fact for fact in view.facts if fact.type == "publication.withdrawn"}
        due = [gone.get(one) for one in told if one not in gone or gone[one].index > revoked.index]
        if rule is not None and due:
            ends = [one for one in due if one is not None]
            last = max(ends, key=lambda fact: fact.index) if len(ends) == len(due) else None
            yield Clock(
                key=f"withdrawal/{revoked.entry_id}",
                rule=rule,
                started_at=_midnight(on, calendar),
                fulfilment=_first([] if last is None else [last]),
            )


def _started(view: CaseView, said: Sequence[Said], book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    for word in said:
        if word.verb != "started":
            continue
        kind, started_at = word.content["kind"], parse_time(word.content["started_at"])
        rule = book.rule(kind, on=day_of(started_at, calendar), action=view.action)
        if rule is not None:
            ends = (one for one in view.facts if one.type in _ENDS.get(kind, ()) and one.at >= word.stated_at)
            yield Clock(key=word.clock, rule=rule, started_at=started_at, fulfilment=_first(ends))


def _months(facts: Sequence[Fact], since: date, today: date, book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    month = since.replace(day=1)
    while month <= today:
        after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        rule = book.rule("monthly_summary", on=month)
        if rule is not None:
            period = f"{month:%Y-%m}"
            yield Clock(
                key=f"monthly_summary/{period}",
                rule=rule,
                started_at=_midnight(month, calendar),
                period_ends_on=date.fromordinal(after.toordinal() - 1),
                fulfilment=_first(one for one in facts if one.payload.get("period") == period),
            )
        month = after


def _years(facts: Sequence[Fact], since: date, today: date, book: RuleBook, calendar: WorkCalendar) -> Iterator[Clock]:
    for year in range(since.year, today.year + 1):
        last = date(year, 12, 31)
        rule = book.rule("annual_data", on=last)
        if rule is not None:
            told = (one for one in facts if one.payload.get("period") == str(year) and day_of(one.at, calendar) > last)
            yield Clock(
                key=f"annual_data/{year}",
                rule=rule,
                started_at=_midnight(date(year, 1, 1), calendar),
                period_ends_on=last,
                fulfilment=_first(told),
            )


def _conclusion(facts: Sequence[Fact]) -> Fact | None:
    """Return the conclusion that was stated last and not withdrawn."""
    standing: dict[str, Fact] = {}
    for fact in facts:
        if fact.type == "case.stated":
            statement = fact.payload["statement"]
            if statement["kind"] == "conclusion":
                standing[str(fact.entry_id)] = fact
            elif statement["kind"] == "withdrawal":
                standing.pop(statement["entry"], None)
    return next(reversed(standing.values()), None)


def _with_words(clock: Clock, said: Sequence[Said]) -> tuple[Clock, str | None]:
    done = next((one for one in said if one.verb == "fulfilled"), None)
    fulfilment = clock.fulfilment
    if fulfilment is None and done is not None:
        fulfilment = Fulfilment(at=parse_time(done.content["done_at"]), entry_id=done.entry_id, index=done.index)
    voided = next((one.content["reason"] for one in said if one.verb == "voided"), None)
    reasons = [one.content["reason"] for one in said if one.verb == "explained"]
    whole = replace(
        clock,
        pauses=[
            *clock.pauses,
            *_pauses((one.verb, one.stated_at, str(one.content.get("reason", ""))) for one in said),
        ],
        extensions=[
            Extension(days=one.content["days"], at=one.stated_at, approver=one.stated_by, reason=one.content["reason"])
            for one in said
            if one.verb == "extended"
        ],
        fulfilment=fulfilment,
        void_because=clock.void_because or voided,
    )
    return whole, reasons[-1] if reasons else None


def _pauses(steps: Iterator[tuple[str, datetime, str]]) -> list[Pause]:
    """Pair what stops a clock with what lets it go on, in their order."""
    pauses: list[Pause] = []
    for verb, at, reason in steps:
        is_open = bool(pauses) and pauses[-1].until is None
        if verb == "paused" and not is_open:
            pauses.append(Pause(since=at, reason=reason))
        elif verb == "resumed" and is_open:
            pauses[-1] = replace(pauses[-1], until=at)
    return pauses


def _first(ends: Iterator[Fact] | Sequence[Fact]) -> Fulfilment | None:
    done = min(ends, key=lambda fact: fact.index, default=None)
    return None if done is None else Fulfilment(at=done.at, entry_id=done.entry_id, index=done.index)


def _midnight(day: date, calendar: WorkCalendar) -> datetime:
    return datetime.combine(day, time(), tzinfo=calendar.zone)
