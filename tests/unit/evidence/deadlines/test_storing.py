"""What came late by a calendar and rules, and when was received what another calendar judges otherwise (R20)."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from evidence.calendar.workdays import CHINA, WorkCalendar, day_of
from evidence.deadlines.rules import RuleBook, Version, read_table
from evidence.deadlines.storing import StoringTerm, judged_otherwise

MONDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 4)
FIRST, LAST = date(2026, 1, 1), date(2026, 4, 30)


def at(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=CHINA).astimezone(UTC)


def differing(**days: bool) -> StoringTerm:
    return StoringTerm(WorkCalendar(overrides={date.fromisoformat(day): working for day, working in days.items()}))


def within(days: int) -> RuleBook:
    rule = {
        "key": "storing",
        "kind": "storing",
        "unit": "working_days",
        "days": days,
        "citation": "办法",
        "source": "own",
    }
    table = read_table({"title": "期限", "source": "own", "rules": [rule]})
    return RuleBook([Version(name="deadlines 1", effective_from=MONDAY, table=table)])


def test_r20_a_day_off_of_the_agency_s_own_moves_the_last_day() -> None:
    usual, own = StoringTerm(), differing(**{"2026-03-04": False})
    assert usual.over_at(MONDAY) == at(WEDNESDAY + timedelta(days=1))
    assert own.over_at(MONDAY) == at(WEDNESDAY + timedelta(days=2))
    ended, received = at(MONDAY, 23), at(WEDNESDAY + timedelta(days=1))
    assert (usual.is_late(ended, received), own.is_late(ended, received)) == (True, False)
    assert not usual.is_late(ended, received - timedelta(microseconds=1))
    # Monday's and Tuesday's terms end a day later, and so does what they reach.
    assert list(judged_otherwise(usual, own, first=FIRST, last=LAST)) == [
        (at(WEDNESDAY + timedelta(days=1)), at(WEDNESDAY + timedelta(days=3)))
    ]


def test_a_term_of_the_agency_s_own_counts() -> None:
    own = StoringTerm(book=within(3))
    assert own.over_at(MONDAY) == at(WEDNESDAY + timedelta(days=2))
    assert own.over_at(MONDAY - timedelta(days=3)) == StoringTerm().over_at(MONDAY - timedelta(days=3))
    (span,) = judged_otherwise(StoringTerm(), own, first=FIRST, last=MONDAY + timedelta(days=1))
    assert span[0] == StoringTerm().over_at(MONDAY)


def test_the_same_days_are_judged_alike() -> None:
    assert list(judged_otherwise(StoringTerm(), differing(**{"2026-03-04": True}), first=FIRST, last=LAST)) == []


def test_whatever_is_judged_otherwise_was_received_in_a_span_and_its_term_reaches_no_further_than_it_says() -> None:
    for seed in range(40):
        chance = random.Random(seed)
        some = [FIRST + timedelta(days=chance.randrange(110)) for _ in range(chance.randrange(1, 12))]
        old, new = (
            StoringTerm(
                WorkCalendar(overrides={day: chance.random() < 0.4 for day in some}), within(chance.randrange(1, 9))
            )
            for _ in range(2)
        )
        spans = list(judged_otherwise(old, new, first=FIRST, last=LAST))
        assert spans == sorted(spans)
        assert all(one[1] < other[0] for one, other in pairwise(spans))
        for ended in (at(FIRST + timedelta(days=n), 12) for n in range(110)):
            ended_on = day_of(ended, old.calendar)
            assert max(old.over_at(ended_on), new.over_at(ended_on)) - ended <= max(old.reach, new.reach)
            for received in (ended + timedelta(hours=8 * n) for n in range(60)):
                otherwise = old.is_late(ended, received) != new.is_late(ended, received)
                assert not otherwise or any(begins <= received < ends for begins, ends in spans), (
                    seed,
                    ended,
                    received,
                )
