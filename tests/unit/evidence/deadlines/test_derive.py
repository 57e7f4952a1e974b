"""Clocks as a function of what is on record: which entries begin, stop and end them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from evidence.calendar.workdays import CHINA, OFFICIAL
from evidence.cases.presets import preset as item_preset
from evidence.core.clock import format_time
from evidence.deadlines.clocks import State, standing
from evidence.deadlines.derive import CaseView, Derived, Fact, Said, clocks_of_case, clocks_of_periods
from evidence.deadlines.rules import RuleBook, Version, preset
from evidence.deadlines.written import read_clock, written

Told: TypeAlias = tuple[str, datetime, dict[str, Any]]

CASE = UUID(int=7)
TODAY = date(2026, 6, 30)


def at(month: int, day: int) -> datetime:
    """Return noon of a day of 2026 in Beijing."""
    return datetime(2026, month, day, 12, tzinfo=CHINA).astimezone(UTC)


def facts(*told: Told) -> list[Fact]:
    """Put entries into the log, one after the other."""
    return [
        Fact(entry_id=UUID(int=100 + n), index=n, type=kind, actor="staff:1", at=when, payload=payload)
        for n, (kind, when, payload) in enumerate(told)
    ]


def said(verb: str, clock: str, when: datetime, **content: object) -> Said:
    """Say something about a clock."""
    return Said(
        entry_id=UUID(int=900), clock=clock, verb=verb, content=content, stated_by="staff:9", stated_at=when, index=99
    )


def clocks(told: Sequence[Fact], *words: Said, action: str = "penalty") -> dict[str, Derived]:
    """Derive the clocks of a case by their names."""
    view = CaseView(
        case=CASE,
        number="罚1号",
        action=action,
        unit=None,
        items=item_preset("zaozhuang-emergency-2019").content,
        facts=told,
    )
    return {one.clock.key: one for one in clocks_of_case(view, words, book=RuleBook(), calendar=OFFICIAL)}


def where(one: Derived) -> tuple[date, State]:
    """Say until when a clock runs and where it stands."""
    now = standing(one.clock, today=TODAY, calendar=OFFICIAL)
    return now.due_on, now.state


OPENED = ("case.opened", at(3, 2), {"case": str(CASE)})


def test_a_review_stands_still_between_request_and_answer() -> None:
    told = facts(
        OPENED,
        ("review.submitted", at(3, 2), {"case": str(CASE)}),
        ("review.paused", at(3, 4), {}),
        ("review.resumed", at(3, 11), {}),
        ("review.opined", at(3, 16), {}),
    )
    one = clocks(told)[f"review/{told[1].entry_id}"]
    assert where(one) == (date(2026, 3, 16), "in_time")
    assert one.clock.fulfilment is not None
    assert one.clock.fulfilment.index == 4
    assert where(clocks(told[:3])[f"review/{told[1].entry_id}"])[1] == "paused"


def test_each_submission_has_a_clock_and_one_taken_back_is_void() -> None:
    told = facts(
        OPENED,
        ("review.submitted", at(3, 2), {}),
        ("review.submitted", at(3, 5), {}),
        ("review.opined", at(3, 6), {}),
        ("review.submitted", at(6, 30), {}),
    )
    found = clocks(told)
    assert [where(found[f"review/{told[n].entry_id}"])[1] for n in (1, 2, 4)] == ["void", "in_time", "running"]


def test_r34_a_decision_starts_the_clock_of_its_publication_by_its_kind() -> None:
    decided = ("case.decided", at(4, 30), {"case": str(CASE), "kind": "penalty"})
    told = facts(OPENED, decided)
    (publication,) = [one for name, one in clocks(told).items() if name.startswith("publication/")]
    # 1 to 5 May off, Saturday 9 worked: 6, 7, 8, 9, 11, 12, 13.
    assert where(publication) == (date(2026, 5, 13), "overdue")
    for day, state in ((13, "in_time"), (14, "late")):
        more = facts(OPENED, decided, ("publication.published", at(5, day), {"case": str(CASE)}))
        (publication,) = [one for name, one in clocks(more).items() if name.startswith("publication/")]
        assert where(publication)[1] == state
    earlier = facts(("publication.published", at(4, 1), {}), OPENED, decided)
    (publication,) = [one for name, one in clocks(earlier).items() if name.startswith("publication/")]
    assert where(publication)[1] == "overdue"
    assert where(clocks(told)[f"case/{CASE}"])[1] == "in_time"


def test_r36_a_withdrawal_ends_with_the_publication_that_went() -> None:
    word = said("started", "withdrawal/0000", at(5, 6), kind="withdrawal", started_at=format_time(at(5, 6)))
    before: Told = ("publication.withdrawn", at(5, 5), {})
    assert where(clocks(facts(OPENED, before), word)["withdrawal/0000"]) == (date(2026, 5, 9), "overdue")
    after: Told = ("publication.withdrawn", at(5, 9), {})
    assert where(clocks(facts(OPENED, before, after), word)["withdrawal/0000"])[1] == "in_time"


def test_r36_a_revoked_decision_starts_the_clock_of_withdrawal_by_itself() -> None:
    """Revoked on Thursday 30 April 2026: 1 to 5 May off, so 6, 7 and Friday 8 May, however late somebody says so."""
    first, second = {"publication": "a", "case": str(CASE)}, {"publication": "b", "case": str(CASE)}
    revoked: Told = ("decision.revoked", at(5, 7), {"case": str(CASE), "on": "2026-04-30"})
    told: list[Told] = [
        OPENED,
        ("publication.published", at(4, 1), first),
        ("publication.published", at(4, 2), second),
        ("publication.published", at(4, 3), first | {"version": 2}),
    ]

    def clock(*more: Told) -> tuple[date, State] | None:
        found = facts(*told, *more)
        names = [name for name in clocks(found) if name.startswith("withdrawal/")]
        assert names in ([], [f"withdrawal/{one.entry_id}" for one in found if one.type == "decision.revoked"])
        return where(clocks(found)[names[0]]) if names else None

    def gone(which: dict[str, Any], day: int) -> Told:
        return ("publication.withdrawn", at(5, day), {"publication": which["publication"]})

    assert clock() is None
    assert clock(revoked) == (date(2026, 5, 8), "overdue")
    assert clock(revoked, gone(first, 8)) == (date(2026, 5, 8), "overdue"), "all that is public has to go"
    assert clock(revoked, gone(first, 8), gone(second, 8)) == (date(2026, 5, 8), "in_time")
    assert clock(revoked, gone(second, 8), gone(first, 9)) == (date(2026, 5, 8), "late")
    assert clock(gone(first, 1), revoked, gone(second, 8)) == (date(2026, 5, 8), "in_time")
    assert clock(gone(first, 1), gone(second, 1), revoked) is None, "nothing is public any more"
    after: Told = ("publication.published", at(5, 8), {"publication": "c", "case": str(CASE)})
    assert clock(gone(first, 1), gone(second, 1), revoked, after) is None, "what is told later tells of the revocation"


def test_r22_a_conclusion_that_was_withdrawn_begins_nothing() -> None:
    def conclusion(day: str) -> dict[str, Any]:
        return {"statement": {"kind": "conclusion", "on": day}}

    told = facts(OPENED, ("case.stated", at(5, 1), conclusion("2026-05-01")))
    assert where(clocks(told)[f"archive/{CASE}"]) == (date(2026, 5, 31), "overdue")
    back = {"statement": {"kind": "withdrawal", "entry": str(told[1].entry_id)}}
    undone = facts(OPENED, ("case.stated", at(5, 1), conclusion("2026-05-01")), ("case.stated", at(5, 2), back))
    assert f"archive/{CASE}" not in clocks(undone)
    assert where(clocks(undone)[f"case/{CASE}"])[1] == "overdue"
    again = facts(
        *((one.type, one.at, dict(one.payload)) for one in undone), ("case.stated", at(6, 2), conclusion("2026-06-01"))
    )
    assert where(clocks(again)[f"archive/{CASE}"]) == (date(2026, 7, 1), "running")


def test_periods_are_fulfilled_by_their_own_report() -> None:
    book = RuleBook([Version(name="1", effective_from=date(2017, 8, 25), table=preset("shuozhou-ecology-2017").table)])
    told = facts(
        ("publicity.reported", at(3, 25), {"period": "2026-03"}),
        ("publicity.reported", at(4, 26), {"period": "2026-04"}),
        ("publicity.reported", at(4, 26), {"period": "2026"}),
    )
    found = clocks_of_periods(told, (), since=date(2026, 3, 9), today=TODAY, book=book, calendar=OFFICIAL)
    assert {one.name: where(one)[1] for one in found} == {
        "2026-03": "in_time",
        "2026-04": "late",
        "2026-05": "overdue",
        "2026-06": "overdue",
        "2026": "running",  # a report made before the year was over is none of the whole year
    }


def test_what_is_written_is_read_back_the_same() -> None:
    told = facts(OPENED, ("review.submitted", at(3, 2), {}), ("review.paused", at(3, 3), {}))
    key = f"review/{told[1].entry_id}"
    words = [
        said("extended", key, at(3, 3), days=3, reason="重大"),
        said("fulfilled", key, at(3, 9), done_at=format_time(at(3, 9))),
        said("voided", key, at(3, 10), reason="撤案"),
        said("explained", key, at(3, 10), reason="停电"),
    ]
    for one in clocks(told, *words).values():
        back = read_clock(one.clock.key, written(one.clock, explained=one.explained))
        assert back == one.clock
        assert standing(back, today=TODAY + timedelta(days=9), calendar=OFFICIAL).state == (
            "void" if one.clock.key == key else "overdue"
        )
