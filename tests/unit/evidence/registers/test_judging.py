"""Whose a clip is, flag by flag: each has a case that raises it, and only it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from evidence.registers.judging import BLOCKING, FLAGS, Known, Origin, is_blocking, judge, record_time
from evidence.registers.officer_store import Officer

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
UNIT, OTHER_UNIT = UUID(int=1), UUID(int=2)
ORIGIN = Origin(
    recorder="A1",
    stated="1001",
    named_at=AT,
    modified_at=AT + timedelta(minutes=5),
    offset_ms=0,
    received_at=AT + timedelta(hours=8),
    before_register=False,
)


def officer(
    place: int, *, unit: UUID | None = UNIT, since: date | None = None, until: date | None = None, version: int = 1
) -> Officer:
    return Officer(
        officer=UUID(int=place),
        number=str(place),
        name="王五",
        unit="一中队",
        registered_at=AT,
        unit_id=unit,
        valid_from=since,
        valid_until=until,
        version=version,
    )


HELD = Known(unit=OTHER_UNIT, holder=[officer(1001)], named=[officer(1001)])

CASES: list[tuple[str, Origin, Known]] = [
    ("officer_unknown", ORIGIN, replace(HELD, named=())),
    ("officer_expired", ORIGIN, replace(HELD, holder=[officer(1001, until=date(2026, 3, 1))])),
    ("recorder_unassigned", ORIGIN, replace(HELD, holder=())),
    ("officers_disagree", ORIGIN, replace(HELD, named=[officer(1002)])),
    ("time_unknown", replace(ORIGIN, named_at=None, modified_at=None), HELD),
    ("register_empty", replace(ORIGIN, before_register=True), HELD),
    ("no_recorder", replace(ORIGIN, recorder=None, stated=None), Known()),
]


def test_every_flag_has_a_case() -> None:
    assert {flag for flag, _, _ in CASES} == set(FLAGS)
    assert set(FLAGS) > BLOCKING


@pytest.mark.parametrize(("flag", "origin", "known"), CASES)
def test_a_flag_and_only_it(flag: str, origin: Origin, known: Known) -> None:
    verdict = judge(origin, known, record_time(origin).at)
    assert verdict.flags == (flag,)
    assert verdict.blocked is (flag in BLOCKING)


def test_in_order() -> None:
    verdict = judge(ORIGIN, HELD, AT)
    assert (verdict.officer, verdict.unit, verdict.flags) == (UUID(int=1001), UNIT, ())
    assert judge(ORIGIN, replace(HELD, holder=[officer(1001, unit=None)]), AT).unit == OTHER_UNIT


def test_before_the_register_nothing_is_blocked() -> None:
    verdict = judge(replace(ORIGIN, before_register=True), Known(), AT)
    assert verdict.flags == ("register_empty", "recorder_unassigned", "officer_unknown")
    assert not verdict.blocked
    assert is_blocking(verdict.flags[1:])


@pytest.mark.parametrize(
    ("day", "flags"),
    [
        (date(2024, 12, 31), ("officer_expired",)),
        (date(2025, 1, 1), ()),
        (date(2026, 3, 1), ()),
        (date(2026, 3, 2), ()),
        (date(2026, 3, 3), ("officer_expired",)),
    ],
)
def test_a_certificate_day_by_day(day: date, flags: tuple[str, ...]) -> None:
    """Valid on the very day it begins, and on the very day it expires, from midnight to midnight in China."""
    holder = [officer(1001, since=date(2025, 1, 1), until=date(2026, 3, 2))]
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    for at in (midnight, midnight + timedelta(hours=23, minutes=59, seconds=59)):
        assert judge(ORIGIN, replace(HELD, holder=holder), at).flags == flags


@pytest.mark.parametrize("stated", [None, "", "000000", "0", " 00 "])
def test_a_number_that_was_never_set_says_nothing(stated: str | None) -> None:
    assert judge(replace(ORIGIN, stated=stated), replace(HELD, named=()), AT).flags == ()


def test_who_is_named_on_a_recorder_of_nobody_is_but_a_proposal() -> None:
    verdict = judge(ORIGIN, replace(HELD, holder=()), AT)
    assert (verdict.officer, verdict.blocked) == (UUID(int=1001), True)


def test_a_fixed_camera_is_its_units() -> None:
    verdict = judge(ORIGIN, Known(is_fixed=True, unit=UNIT), AT)
    assert (verdict.officer, verdict.unit, verdict.flags) == (None, UNIT, ())


@pytest.mark.parametrize(
    ("changes", "at", "basis"),
    [
        ({}, AT, "name"),
        ({"offset_ms": 90_000}, AT - timedelta(seconds=90), "name"),
        ({"offset_ms": -90_000}, AT + timedelta(seconds=90), "name"),
        ({"named_at": None}, AT + timedelta(minutes=5), "file_time"),
        ({"named_at": datetime(1980, 1, 1, tzinfo=UTC)}, AT + timedelta(minutes=5), "file_time"),
        ({"named_at": AT + timedelta(days=3), "modified_at": None}, None, None),
        ({"named_at": datetime(1970, 1, 1, tzinfo=UTC), "modified_at": datetime(1980, 1, 1, tzinfo=UTC)}, None, None),
        ({"named_at": datetime(9999, 12, 31, tzinfo=UTC), "offset_ms": -(10**13)}, AT + timedelta(minutes=5), None),
    ],
)
def test_when(changes: dict[str, object], at: datetime | None, basis: str | None) -> None:
    found = record_time(replace(ORIGIN, **changes))  # type: ignore[arg-type]
    if changes.get("offset_ms") == -(10**13):
        assert found.at is None
        return
    assert (found.at, found.basis) == (at, basis)
