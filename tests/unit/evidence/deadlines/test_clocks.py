"""Where clocks stand: boundary days over real calendars, pauses, extensions, and what holds whatever the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.calendar.errors import CalendarInvalid
from evidence.calendar.workdays import CHINA, OFFICIAL, working_days_between
from evidence.deadlines.clocks import Clock, Extension, Fulfilment, Pause, Standing, add_counted, standing, warn_on
from evidence.deadlines.rules import Rule, RuleBook, base_table, preset, rule_of_archive
from tests.support.case_files import item, item_list

ENTRY = UUID("01900000-0000-7000-8000-000000000001")
BOOK = RuleBook()
DAYS = st.dates(date(2019, 1, 1), date(2026, 6, 30))


def moment(day: date, hour: int = 18) -> datetime:
    """Return a local hour of a day, in UTC."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=CHINA).astimezone(UTC)


def rule_of(kind: str, *, action: str | None = None) -> Rule:
    """Return the base table's rule."""
    rule = base_table().rule(kind, action)
    assert rule is not None
    return rule


def term(days: int, *, unit: str = "working_days", kind: str = "task", extendable: int = 0) -> Rule:
    """Make a rule."""
    return Rule.model_validate(
        {
            "key": "made",
            "kind": kind,
            "unit": unit,
            "days": days,
            "citation": "例",
            "source": "例",
            "extension_days_max": extendable,
        }
    )


def clock(rule: Rule, start: date, **more: object) -> Clock:
    """Make a clock that began at 18:00 of a day."""
    return Clock(key="task:1", rule=rule, started_at=moment(start), **more)  # type: ignore[arg-type]


def seen(one: Clock, today: date) -> Standing:
    """Look at a clock under the announced calendar."""
    return standing(one, today=today, calendar=OFFICIAL)


@pytest.mark.parametrize(
    ("made", "due"),
    [
        # National Day 2017: 1 to 8 October off, Saturday 30 September worked.
        (date(2017, 9, 29), date(2017, 10, 9)),
        # Spring Festival 2016: Saturday 6 and Sunday 14 February worked.
        (date(2016, 2, 5), date(2016, 2, 14)),
        # Spring Festival 2025: 28 January to 4 February off, Sunday 26 January and Saturday 8 February worked.
        (date(2025, 1, 24), date(2025, 1, 27)),
        (date(2025, 1, 27), date(2025, 2, 6)),
        # National Day 2019: Sunday 29 September and Saturday 12 October worked.
        (date(2019, 9, 27), date(2019, 9, 30)),
        # National Day 2026: 1 to 7 October off, Sunday 20 September and Saturday 10 October worked.
        (date(2026, 9, 30), date(2026, 10, 9)),
    ],
)
def test_r20_a_friday_before_a_seven_day_holiday_has_this_very_day(made: date, due: date) -> None:
    """Written by hand from the announcements; the last day is whole, and the day behind it is late."""
    one = clock(rule_of("storing"), made)
    assert seen(one, made).due_on == due
    assert not seen(one, made).provisional
    assert seen(one, due).state == "running"
    assert seen(one, due + timedelta(days=1)).state == "overdue"
    last_second = datetime(due.year, due.month, due.day, 23, 59, 59, tzinfo=CHINA)
    for at, state in ((last_second, "in_time"), (last_second + timedelta(seconds=1), "late")):
        kept = clock(rule_of("storing"), made, fulfilment=Fulfilment(at=at.astimezone(UTC), entry_id=ENTRY, index=7))
        assert seen(kept, date(2030, 1, 1)).state == state


def test_r22_day_thirty_is_in_time_and_day_thirty_one_is_overdue_in_calendar_days() -> None:
    rules = [{"days": 30, "source": "总则"}, {"days": 90, "source": "许可档案办法第八条", "action": "license"}]
    content = item_list(item("visit"), archive=rules)
    concluded = date(2026, 9, 10)
    for action, days, citation in (("penalty", 30, "总则"), ("license", 90, "许可档案办法第八条")):
        stated = content.archive_rule(action)
        assert stated is not None
        one = clock(rule_of_archive(stated), concluded)
        assert one.rule.citation == citation
        assert seen(one, concluded + timedelta(days=days)).state == "running"
        assert seen(one, concluded + timedelta(days=days)).remaining == 0
        assert seen(one, concluded + timedelta(days=days + 1)).state == "overdue"


@pytest.mark.parametrize(
    ("action", "decided", "due"),
    [
        # Seven working days over National Day 2025: 1 to 8 October off, Sunday 28 September and Saturday 11 worked.
        ("penalty", date(2025, 9, 26), date(2025, 10, 13)),
        ("license", date(2025, 9, 30), date(2025, 10, 16)),
        # Twenty working days over the same.
        ("inspection", date(2025, 9, 26), date(2025, 10, 30)),
        # Spring Festival 2024: 10 to 17 February off, Sundays 4 and 18 worked.
        ("penalty", date(2024, 2, 2), date(2024, 2, 18)),
        # May Day 2023: 29 April to 3 May off, Sunday 23 April and Saturday 6 May worked.
        ("penalty", date(2023, 4, 21), date(2023, 5, 4)),
        ("penalty", date(2023, 4, 24), date(2023, 5, 6)),
    ],
)
def test_r34_boundary_days_with_holiday_and_make_up_days(action: str, decided: date, due: date) -> None:
    one = clock(rule_of("publication", action=action), decided)
    assert seen(one, decided).due_on == due
    for away, state in ((-1, "running"), (0, "running"), (1, "overdue")):
        assert seen(one, due + timedelta(days=away)).state == state
    for away, state in ((-1, "in_time"), (0, "in_time"), (1, "late")):
        told = Fulfilment(at=moment(due + timedelta(days=away)), entry_id=ENTRY, index=1)
        assert seen(clock(one.rule, decided, fulfilment=told), date(2030, 1, 1)).state == state


def test_r36_three_days_of_the_penalty_law_are_working_days() -> None:
    one = clock(rule_of("withdrawal"), date(2026, 4, 30))
    # May Day 2026: 1 to 5 May off, Saturday 9 May worked.
    assert seen(one, date(2026, 4, 30)).due_on == date(2026, 5, 8)
    assert "第八十五条" in one.rule.citation


def test_r31_a_pause_gives_back_exactly_its_days_and_an_extension_adds_its_own() -> None:
    start = date(2026, 3, 2)  # Monday; five working days end on Monday 9
    rule = term(5, kind="review", extendable=5)
    assert seen(clock(rule, start), start).due_on == date(2026, 3, 9)
    stopped = Pause(since=moment(date(2026, 3, 4), 10))
    # Still stopped: as if it went on today.
    for today, due in ((date(2026, 3, 4), date(2026, 3, 9)), (date(2026, 3, 11), date(2026, 3, 16))):
        standing_now = seen(clock(rule, start, pauses=[stopped]), today)
        assert (standing_now.state, standing_now.due_on) == ("paused", due)
    # Wednesday to Wednesday: five working days.
    went_on = Pause(since=stopped.since, until=moment(date(2026, 3, 11), 15))
    one = clock(rule, start, pauses=[went_on])
    assert seen(one, date(2026, 3, 11)) == Standing(
        due_on=date(2026, 3, 16), provisional=False, state="running", remaining=3
    )
    assert seen(one, date(2026, 3, 17)).state == "overdue"
    longer = Extension(days=3, at=moment(date(2026, 3, 13)), approver="staff:chief", reason="重大复杂")
    extended = clock(rule, start, pauses=[went_on], extensions=[longer])
    assert seen(extended, date(2026, 3, 17)).due_on == date(2026, 3, 19)
    assert seen(extended, date(2026, 3, 17)).extended_by == 3


def test_half_days_are_given_back_once() -> None:
    rule, start = term(5), date(2026, 3, 2)
    within = Pause(since=moment(date(2026, 3, 4), 9), until=moment(date(2026, 3, 4), 17))
    assert seen(clock(rule, start, pauses=[within]), start).due_on == date(2026, 3, 9)
    over_night = Pause(since=moment(date(2026, 3, 4), 12), until=moment(date(2026, 3, 5), 12))
    assert seen(clock(rule, start, pauses=[over_night]), date(2026, 3, 6)).due_on == date(2026, 3, 10)
    on_the_last_day = Pause(since=moment(date(2026, 3, 9), 12), until=moment(date(2026, 3, 18), 12))
    assert seen(clock(rule, start, pauses=[on_the_last_day]), date(2026, 3, 18)).due_on == date(2026, 3, 18)


def test_what_comes_after_the_last_day_cures_nothing() -> None:
    rule, start = term(5, extendable=9), date(2026, 3, 2)
    after = date(2026, 3, 10)
    stopped = clock(rule, start, pauses=[Pause(since=moment(after))])
    granted = clock(rule, start, extensions=[Extension(days=9, at=moment(after), approver="a", reason="r")])
    for one in (stopped, granted):
        assert seen(one, date(2026, 3, 20)).state == "overdue"
        assert seen(one, date(2026, 3, 20)).due_on == date(2026, 3, 9)
    granted_in_time = Extension(days=9, at=moment(date(2026, 3, 9), 23), approver="a", reason="r")
    assert seen(clock(rule, start, extensions=[granted_in_time]), after).due_on == date(2026, 3, 20)


def test_a_clock_that_is_void_is_neither_overdue_nor_done() -> None:
    assert seen(clock(term(1), date(2026, 3, 2), void_because="撤案"), date(2027, 1, 1)).state == "void"


def test_r41_days_of_periods() -> None:
    monthly = preset("shuozhou-ecology-2017").table.rule("monthly_summary")
    assert monthly is not None
    for ends, due in ((date(2026, 2, 28), date(2026, 2, 25)), (date(2026, 12, 31), date(2026, 12, 25))):
        one = clock(monthly, ends.replace(day=1), period_ends_on=ends)
        assert [seen(one, due + timedelta(days=away)).state for away in (0, 1)] == ["running", "overdue"]
        assert seen(one, due).due_on == due
    yearly = clock(rule_of("annual_data"), date(2025, 1, 1), period_ends_on=date(2025, 12, 31))
    assert seen(yearly, date(2026, 1, 31)).state == "running"
    assert seen(yearly, date(2026, 2, 1)).state == "overdue"


def test_a_clock_set_back_only_makes_clocks_younger() -> None:
    one = clock(term(2), date(2026, 3, 6), pauses=[Pause(since=moment(date(2026, 3, 9)))])
    back = seen(one, date(2026, 1, 1))
    assert (back.state, back.due_on) == ("paused", date(2026, 3, 10))
    assert seen(clock(term(2), date(2026, 3, 6)), date(2026, 1, 1)).state == "running"


def test_days_that_nobody_announced_are_provisional() -> None:
    assert seen(clock(term(20), date(2026, 12, 10)), date(2026, 12, 10)).provisional
    assert not seen(clock(term(90, unit="calendar_days"), date(2026, 12, 10)), date(2026, 12, 10)).provisional


@pytest.mark.parametrize("n", [0, -1, 10**9])
def test_absurd_terms_are_refused(n: int) -> None:
    with pytest.raises(CalendarInvalid):
        add_counted(date(2026, 1, 1), n, OFFICIAL, rule=term(1), paused=())
    with pytest.raises(CalendarInvalid):
        add_counted(date(9999, 12, 30), 30, OFFICIAL, rule=term(1), paused=())


def test_warnings_come_days_ahead() -> None:
    assert warn_on(date(2026, 3, 9), rule_of("case", action="penalty")) == date(2026, 2, 27)


def test_every_day_of_eight_years_agrees_with_the_announced_calendar() -> None:
    """Two, three, seven and twenty working days from every day of 2019 to 2026, against another way of counting."""
    first, last = date(2019, 1, 1), date(2026, 12, 24)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    working = [day for day in every if chinese_calendar.is_workday(day)]
    behind, place = {}, 0
    for day in every:
        while place < len(working) and working[place] <= day:
            place += 1
        behind[day] = place
    for n in (2, 3, 7, 20):
        rule = term(n)
        for day in every:
            if behind[day] + n <= len(working):
                due = add_counted(day, n, OFFICIAL, rule=rule, paused=())
                assert due.day == working[behind[day] + n - 1], (day, n)


@given(DAYS, DAYS, st.integers(1, 60))
def test_later_starts_and_longer_terms_end_no_earlier(one: date, other: date, n: int) -> None:
    first, last = sorted((one, other))
    for unit in ("working_days", "calendar_days"):
        due = seen(clock(term(n, unit=unit), first), first).due_on
        assert due <= seen(clock(term(n, unit=unit), last), last).due_on
        assert due < seen(clock(term(n + 1, unit=unit), first), first).due_on


@given(DAYS, st.integers(1, 40), st.integers(1, 40))
def test_terms_add_up_and_end_on_working_days(start: date, n: int, m: int) -> None:
    first = seen(clock(term(n), start), start).due_on
    assert OFFICIAL.look(first).is_working
    assert seen(clock(term(n + m), start), start).due_on == seen(clock(term(m), first), first).due_on
    granted = Extension(days=m, at=moment(start), approver="a", reason="r")
    assert (
        seen(clock(term(n), start, extensions=[granted]), start).due_on == seen(clock(term(n + m), start), start).due_on
    )


@given(DAYS, st.integers(1, 40), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=4))
def test_a_pause_moves_the_last_day_by_exactly_its_own_days(start: date, n: int, stops: list[tuple[int, int]]) -> None:
    """Whatever overlaps: between start and last day lie n days that count and are in no pause."""
    pauses = [
        Pause(since=moment(start + timedelta(days=a), 9), until=moment(start + timedelta(days=a + length), 15))
        for a, length in stops
    ]
    far = start + timedelta(days=400)
    for unit in ("working_days", "calendar_days"):
        due = seen(clock(term(n, unit=unit), start, pauses=pauses), far).due_on
        stopped = {start + timedelta(days=a + k) for a, length in stops for k in range(length)}
        counted = [start + timedelta(days=k) for k in range(1, (due - start).days + 1)]
        free = [
            day for day in counted if day not in stopped and (unit != "working_days" or OFFICIAL.look(day).is_working)
        ]
        assert len(free) == n
        assert due == free[-1]


@given(DAYS, st.integers(1, 40), st.integers(-30, 90))
def test_days_left_and_state_agree(start: date, n: int, away: int) -> None:
    today = start + timedelta(days=away)
    now = seen(clock(term(n), start), today)
    assert now.remaining == working_days_between(today, now.due_on, OFFICIAL).days
    assert (now.state == "overdue") is (today > now.due_on)
