"""Rules as data: what the presets say, which one is in force, and tables that are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from evidence.deadlines.errors import RulesInvalid, RulesUnknown
from evidence.deadlines.rules import (
    KINDS,
    PRESETS,
    RuleBook,
    RuleTable,
    Version,
    base_table,
    preset,
    read_draft,
    read_table,
)

GOOD: dict[str, Any] = {
    "key": "review",
    "kind": "review",
    "unit": "working_days",
    "days": 5,
    "citation": "本机关法制审核办法第九条",
    "source": "own",
}


def table(*rules: dict[str, Any]) -> RuleTable:
    """Read a table of rules."""
    return read_table({"title": "期限", "source": "例", "rules": [GOOD | rule for rule in rules]})


def test_every_preset_is_read_and_cites_every_rule() -> None:
    for name in PRESETS:
        draft = preset(name)
        assert all(rule.citation and rule.kind in KINDS for rule in draft.table.rules), name
        assert read_table(draft.table.as_json()) == draft.table
    with pytest.raises(RulesUnknown):
        preset("../base")


def test_the_terms_of_the_documents() -> None:
    def said(name: str, kind: str, action: str | None = None) -> tuple[int | None, str] | None:
        rule = preset(name).table.rule(kind, action)
        return None if rule is None else (rule.days, rule.unit)

    assert said("base", "storing") == (2, "working_days")
    assert said("base", "case", "penalty") == (90, "calendar_days")
    assert said("base", "case", "license") is None
    assert said("base", "withdrawal") == (3, "working_days")
    assert (
        said("base", "publication", "penalty")
        == said("ministry-ecology-2019", "publication", "license")
        == (7, "working_days")
    )
    assert said("base", "publication", "coercion") == (20, "working_days")
    assert said("base", "archive") is None
    assert said("zaozhuang-emergency-2019", "archive") == (30, "calendar_days")
    assert said("zaozhuang-emergency-2019", "publication") is None
    assert base_table().rule("monthly_summary") is None


def test_a_clock_keeps_the_rule_in_force_when_it_began() -> None:
    first = Version(name="1", effective_from=date(2026, 1, 1), table=table({"days": 6}))
    later = Version(
        name="2",
        effective_from=date(2026, 7, 1),
        table=table({"days": 8}, {"key": "hard", "days": 15, "actions": ["penalty"]}),
    )
    book = RuleBook([first, later])

    def days(on: date, action: str | None = None) -> int | None:
        rule = book.rule("review", on=on, action=action)
        return None if rule is None else rule.days

    assert [days(date(2025, 12, 31)), days(date(2026, 1, 1)), days(date(2026, 6, 30)), days(date(2026, 7, 1))] == [
        5,
        6,
        6,
        8,
    ]
    assert days(date(2026, 7, 1), "penalty") == 15
    # What an agency leaves out is the law's all the same.
    withdrawal = book.rule("withdrawal", on=date(2026, 7, 1))
    assert withdrawal is not None
    assert withdrawal.source == "law"


@pytest.mark.parametrize(
    "slip",
    [
        {"days": 0},
        {"days": 3651},
        {"days": "5"},
        {"days": 5.0},
        {"days": None},
        {"unit": "weeks"},
        {"unit": "by_date"},
        {"unit": "by_date", "days": None, "day": 25},
        {"kind": "monthly_summary"},
        {"kind": "monthly_summary", "unit": "by_date", "days": None, "day": 29},
        {"kind": "monthly_summary", "unit": "by_date", "days": None, "day": 25, "month": 3},
        {"kind": "annual_data", "unit": "by_date", "days": None, "day": 31},
        {"kind": "annual_data", "unit": "by_date", "days": None, "day": 31, "month": 4},
        {"kind": "annual_data", "unit": "by_date", "days": None, "day": 31, "month": 1, "extension_days_max": 1},
        {"kind": "nonsense"},
        {"key": "Review"},
        {"citation": " "},
        {"citation": "\u0000"},
        {"extension_days_max": -1},
        {"warn_days": 366},
        {"more": 1},
        # 三日 of the penalty law in calendar days: the slip that REQUIREMENTS.md warns of.
        {"unit": "calendar_days", "days": 3, "citation": "行政处罚法第四十八条"},
    ],
)
def test_slips_are_refused(slip: dict[str, Any]) -> None:
    with pytest.raises(RulesInvalid):
        table(slip)


def test_two_rules_for_one_thing_are_refused() -> None:
    for other in ({}, {"key": "other"}):
        with pytest.raises(RulesInvalid):
            table({}, other)
    with pytest.raises(RulesInvalid):
        read_table({"title": "期限", "source": "例", "rules": []})


@pytest.mark.parametrize("text", ["", "effective_from = '2026-01-01'", "x = [", "effective_from = 2026-01-01T00:00:00"])
def test_files_that_are_no_table(text: str) -> None:
    with pytest.raises(RulesInvalid):
        read_draft(text)
