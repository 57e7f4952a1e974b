"""Days on which something is in force: both ends inside, in China, and the newest version that had begun."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.registers.errors import ValidityInvalid
from evidence.registers.validity import ALWAYS, Validity, counting, day_of, format_day, parse_day

FIRST, LAST = date(2024, 2, 29), date(2026, 3, 2)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Said:
    name: str
    validity: Validity = ALWAYS


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (FIRST - DAY, False),
        (FIRST, True),
        (FIRST + DAY, True),
        (LAST - DAY, True),
        (LAST, True),
        (LAST + DAY, False),
    ],
)
def test_both_ends_are_inside_day_by_day(day: date, holds: bool) -> None:
    assert Validity(first=FIRST, last=LAST).holds(day) is holds
    assert Validity(first=FIRST).holds(day) is (day >= FIRST)
    assert Validity(last=LAST).holds(day) is (day <= LAST)
    assert ALWAYS.holds(day)


def test_a_day_begins_at_midnight_in_china() -> None:
    assert day_of(datetime(2026, 3, 1, 15, 59, 59, 999000, tzinfo=UTC)) == date(2026, 3, 1)
    assert day_of(datetime(2026, 3, 1, 16, 0, tzinfo=UTC)) == date(2026, 3, 2)


def test_an_interval_of_one_day_and_none_that_ends_before_it_begins() -> None:
    assert Validity(first=LAST, last=LAST).holds(LAST)
    with pytest.raises(ValidityInvalid):
        Validity(first=LAST, last=LAST - DAY)


def test_a_renewal_leaves_the_days_before_it_and_a_withdrawal_ends_what_was_to_come() -> None:
    first = Said("first", Validity(first=date(2020, 1, 1), last=date(2024, 12, 31)))
    renewed = Said("renewed", Validity(first=date(2025, 1, 1), last=date(2029, 12, 31)))
    withdrawn = Said("withdrawn", Validity(first=date(2025, 1, 1), last=date(2026, 4, 30)))
    told = [first, renewed, withdrawn]
    assert counting(told[:2], date(2024, 12, 31)) == first
    assert counting(told[:2], date(2025, 1, 1)) == renewed
    assert counting(told, date(2024, 6, 1)) == first
    counted = counting(told, date(2026, 5, 1))
    assert counted == withdrawn
    assert not counted.validity.holds(date(2026, 5, 1))
    assert counting(told, date(2019, 12, 31)) is None


@given(st.lists(st.tuples(st.none() | st.dates(), st.integers(0, 5))), st.dates())
def test_the_newest_that_had_begun_counts(stated: list[tuple[date | None, int]], day: date) -> None:
    versions = [Said(str(place), Validity(first=first)) for place, (first, _) in enumerate(stated)]
    begun = [one for one in versions if one.validity.first is None or one.validity.first <= day]
    assert counting(versions, day) == (begun[-1] if begun else None)


@given(st.dates())
def test_days_are_written_and_read(day: date) -> None:
    assert parse_day(format_day(day)) == day


@pytest.mark.parametrize("text", ["", "20260302", "2026-W10-1", "2026-3-2", "2026-02-29", "2026-03-02 ", "二〇二六"])
def test_no_other_spelling_is_a_day(text: str) -> None:
    with pytest.raises(ValidityInvalid):
        parse_day(text)
