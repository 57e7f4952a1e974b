"""When a case has to be archived (R22), and what is printed of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from evidence.cases.presets import preset
from evidence.cases.spans import Stretch, left_out, union
from evidence.deadlines.archiving import archive_due
from evidence.deadlines.rules import RuleBook, Version
from evidence.deadlines.rules import preset as deadline_preset
from tests.support.case_files import at, item, item_list

S2 = preset("zaozhuang-emergency-2019").content
DAY = date(2026, 3, 1)


def test_r22_day_thirty_is_in_time_and_day_thirty_one_is_not() -> None:
    due = archive_due(S2, action="penalty", concluded_on=DAY)
    assert due is not None
    assert (due.due_on, due.source) == (date(2026, 3, 31), "S2 三(三)")
    assert not due.is_overdue(DAY + timedelta(days=30))
    assert due.is_overdue(DAY + timedelta(days=31))


def test_r22_a_rule_for_one_action_is_honoured_with_its_citation() -> None:
    rules = [{"days": 30, "source": "总则"}, {"days": 90, "source": "许可档案办法第八条", "action": "license"}]
    content = item_list(item("visit"), archive=rules)
    for action, expected in (("license", (90, "许可档案办法第八条")), ("penalty", (30, "总则")), (None, (30, "总则"))):
        due = archive_due(content, action=action, concluded_on=DAY)
        assert due is not None
        assert (due.due_on, due.source) == (DAY + timedelta(days=expected[0]), expected[1])


def test_r22_the_agencys_table_wins_over_its_list_from_its_day_on() -> None:
    table = deadline_preset("zaozhuang-emergency-2019").table
    own = table.model_copy(update={"rules": [table.rules[1].model_copy(update={"days": 60, "citation": "本局办法"})]})
    book = RuleBook([Version(name="1", effective_from=DAY, table=own)])
    for concluded_on, due in ((DAY, (60, "本局办法")), (DAY - timedelta(days=1), (30, "S2 三(三)"))):
        found = archive_due(S2, action="penalty", concluded_on=concluded_on, book=book)
        assert found is not None
        assert (found.due_on, found.source) == (concluded_on + timedelta(days=due[0]), due[1])


def test_without_a_rule_or_a_conclusion_there_is_no_last_day() -> None:
    assert archive_due(S2, action="penalty", concluded_on=None) is None
    for content in (None, item_list(item("visit"))):
        due = archive_due(content, action="penalty", concluded_on=DAY)
        assert due is not None
        assert due.due_on is None
        assert not due.is_overdue(date(2099, 1, 1))


@pytest.mark.parametrize(
    ("covered", "holes"),
    [
        ([], [(0, 60)]),
        ([(0, 60)], []),
        ([(-5, 70)], []),
        ([(-5, -1), (61, 70)], [(0, 60)]),
        ([(10, 20), (15, 18)], [(0, 10), (20, 60)]),
        ([(50, 70), (0, 10)], [(10, 50)]),
    ],
)
def test_what_is_left_out(covered: list[tuple[int, int]], holes: list[tuple[int, int]]) -> None:
    stretches = [Stretch(at(start), at(end)) for start, end in covered]
    found = left_out(Stretch(at(0), at(60)), stretches, at_least=timedelta(seconds=1))
    assert found == [Stretch(at(start), at(end)) for start, end in holes]
    assert union(union(stretches)) == union(stretches)
