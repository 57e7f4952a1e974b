"""How long a clip is kept: the longest rule, the longer schedule, never below six months, and always a reason."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evidence.custody.retention_payloads import RetentionScheduled
from evidence.retention.rules import Facts, State, after_months, in_force_on, retention_of

SEALED = date(2026, 3, 2)


def rule(months: int | None, **changes: Any) -> dict[str, Any]:
    return {"item": None, "case_kind": None, "key_mark": None, "months": months, "citation": "规定"} | changes


def schedule(number: int, effective_from: str, months: int | None, *rules: dict[str, Any]) -> RetentionScheduled:
    return RetentionScheduled.model_validate(
        {
            "schedule": str(UUID(int=number)),
            "effective_from": effective_from,
            "rules": list(rules),
            "months": months,
            "citation": "目录",
        }
    )


def facts(**changes: Any) -> Facts:
    return Facts(**{"sealed_on": SEALED, "item": None, "key_mark": False, **changes})


BASIC = schedule(1, "2026-01-01", 6, rule(24, item="检查"), rule(None, item="查封"), rule(12, key_mark=True))


@pytest.mark.parametrize(
    ("about", "through"),
    [
        ({}, date(2026, 9, 2)),
        ({"item": "检查"}, date(2028, 3, 2)),
        ({"item": "查封"}, None),
        ({"key_mark": True}, date(2027, 3, 2)),
        ({"key_mark": True, "item": "检查"}, date(2028, 3, 2)),
        ({"item": "别的"}, date(2026, 9, 2)),
    ],
)
def test_the_longest_rule_that_fits_counts(about: dict[str, Any], through: date | None) -> None:
    judged = retention_of(facts(**about), [BASIC], today=SEALED)
    assert judged.kept_through == through
    assert judged.state is (State.PERMANENT if through is None else State.KEPT)
    assert judged.because
    assert judged.schedule == UUID(int=1)


def test_the_last_day_of_a_term_is_still_part_of_it() -> None:
    assert retention_of(facts(), [BASIC], today=date(2026, 9, 2)).state is State.KEPT
    assert retention_of(facts(), [BASIC], today=date(2026, 9, 3)).state is State.EXPIRED


def test_evidence_of_a_case_is_kept_for_ever_whatever_the_schedule_says() -> None:
    cited = schedule(2, "2026-01-01", 6, rule(6, case_kind="处罚", citation="处罚案卷 永久"))
    judged = retention_of(facts(cases=[("1号", "处罚")], holds=["复议"]), [cited], today=date(2090, 1, 1))
    assert judged.state is State.PERMANENT
    assert judged.because == ("evidence of case 1号 is kept for ever, 处罚案卷 永久", "held: 复议")


def test_a_hold_keeps_what_is_over_and_names_its_basis() -> None:
    judged = retention_of(facts(holds=["复议"]), [BASIC], today=date(2027, 1, 1))
    assert judged.state is State.HELD
    assert "held: 复议" in judged.because


def test_without_a_schedule_nothing_expires() -> None:
    assert retention_of(facts(), [], today=date(2090, 1, 1)).state is State.PERMANENT
    later = schedule(3, "2030-01-01", 6)
    assert retention_of(facts(), [later], today=date(2029, 12, 31)).state is State.PERMANENT


def test_a_new_schedule_lengthens_and_never_shortens() -> None:
    shorter, longer = schedule(2, "2026-06-01", 6), schedule(3, "2026-06-01", 60)
    year = schedule(1, "2026-01-01", 12)
    assert retention_of(facts(), [year, shorter], today=date(2026, 7, 1)).kept_through == date(2027, 3, 2)
    assert retention_of(facts(), [year, longer], today=date(2026, 7, 1)).kept_through == date(2031, 3, 2)
    # What is sealed under the new one has the new term.
    judged = retention_of(facts(sealed_on=date(2026, 6, 2)), [year, shorter], today=date(2026, 7, 1))
    assert judged.kept_through == date(2026, 12, 2)


def test_of_schedules_that_begin_together_the_last_stated_counts() -> None:
    first, second = schedule(1, "2026-01-01", 12), schedule(2, "2026-01-01", 24)
    assert in_force_on([first, second], SEALED) == second
    assert in_force_on([first, second], date(2025, 12, 31)) is None


@pytest.mark.parametrize(
    ("day", "months", "reached"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_months_end_on_the_corresponding_day_or_the_last_one(day: date, months: int, reached: date) -> None:
    assert after_months(day, months) == reached


@pytest.mark.parametrize("months", [5, 0, -6, 1201, 6.5, "6", True])
def test_no_schedule_keeps_anything_for_less_than_six_months(months: Any) -> None:
    with pytest.raises(ValidationError):
        schedule(1, "2026-01-01", months)
    with pytest.raises(ValidationError):
        schedule(1, "2026-01-01", 6, rule(months))


MONTHS = st.one_of(st.none(), st.integers(6, 1200))
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@given(sealed=DAYS, today=DAYS, begins=st.lists(st.tuples(DAYS, MONTHS), max_size=5))
def test_nothing_goes_before_six_months_are_over(
    sealed: date, today: date, begins: list[tuple[date, int | None]]
) -> None:
    known = [schedule(n + 1, day.isoformat(), months) for n, (day, months) in enumerate(begins)]
    judged = retention_of(facts(sealed_on=sealed), known, today=today)
    if judged.state is State.EXPIRED:
        assert today > after_months(sealed, 6)
        assert judged.kept_through is not None
        assert today > judged.kept_through
