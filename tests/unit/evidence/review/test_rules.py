"""Scope of review (R26), its sticky facts, and the presets (R27): pure."""

from __future__ import annotations

from typing import Any

import pytest

from evidence.cases.facts import CaseFacts
from evidence.cases.presets import PRESETS, preset
from evidence.review.errors import RulesInvalid, RulesUnknown
from evidence.review.facts import FACT_NAMES, Correction, StatedFacts, facts_that_count
from evidence.review.presets import read_rules_draft, rules_preset
from evidence.review.rules import ReviewRules, Trigger, in_scope, read_rules
from tests.support.reviews import HEARING, rules

CHECKLIST_ROWS = {
    "shuozhou-ecology-2017": 6,
    "ministry-ecology-2019": 7,
    "zaozhuang-emergency-2019": 10,
    "lingchuan-enforcement-2021": 11,
    "panjin-forestry-2019": 10,
}


def value_for(trigger: Trigger) -> bool | int | str:
    if trigger.at_least is not None:
        return trigger.at_least
    return trigger.among[0] if trigger.among else True


def just_short_of(trigger: Trigger) -> bool | int | str:
    if trigger.at_least is not None:
        return trigger.at_least - 1
    return "某级" if trigger.among else False


@pytest.mark.parametrize("name", PRESETS)
def test_r26_each_trigger_alone_flips_scope(name: str) -> None:
    content = rules_preset(name).rules
    action = content.actions[0] if content.actions else None
    assert not in_scope(content, {}, action=action).in_scope
    assert {"hearing_held", "complex", "several_legal_relations", "public_interest", "amount_fen"} <= {
        trigger.fact for trigger in content.triggers
    }
    for trigger in content.triggers:
        scope = in_scope(content, {trigger.fact: (value_for(trigger),)}, action=action)
        assert (scope.in_scope, scope.rule, scope.source) == (True, trigger.key, trigger.source)
        assert not in_scope(content, {trigger.fact: (just_short_of(trigger),)}, action=action).in_scope


def test_r26_only_four_kinds_of_action_are_reviewed_where_the_document_says_so() -> None:
    content = rules_preset("shuozhou-ecology-2017").rules
    facts = {"hearing_held": (True,)}
    assert [in_scope(content, facts, action=kind).in_scope for kind in ("levy", "fee", "supervision", None)] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_r27_presets_have_their_documents_rows_and_the_same_agency(name: str) -> None:
    draft = rules_preset(name)
    assert len(draft.rules.rows(covert=False)) == CHECKLIST_ROWS[name]
    assert [row.key for row in draft.rules.rows(covert=True)][-1] == "covert_recording"
    assert (draft.rules.agency, draft.effective_from) == (preset(name).content.agency, preset(name).effective_from)
    assert "不得作出决定" in draft.rules.quote
    assert all(row.quote and row.source for row in draft.rules.checklist)
    known = {action.key for action in preset(name).content.action_types}
    assert set(draft.rules.actions) <= known
    assert read_rules(draft.rules.as_json()) == draft.rules


def test_r27_what_a_document_leaves_open_is_marked() -> None:
    for name in PRESETS:
        for trigger in rules_preset(name).rules.triggers:
            assert trigger.assumed is (trigger.at_least is not None or bool(trigger.among)), (name, trigger.key)
        assert all(material.assumed for material in rules_preset(name).rules.materials)


@pytest.mark.parametrize(
    "broken",
    [
        {"triggers": []},
        {"triggers": [HEARING, HEARING]},
        {"triggers": [{**HEARING, "at_least": 3}]},
        {"triggers": [{**HEARING, "fact": "amount_fen"}]},
        {"triggers": [{**HEARING, "fact": "level"}]},
        {"triggers": [{**HEARING, "fact": "weather"}]},
        {"triggers": [{**HEARING, "among": ["市级"]}]},
        {"checklist": []},
        {"limit_working_days": 0},
        {"quote": " "},
        {"more": 1},
    ],
)
def test_rules_of_a_broken_form_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(RulesInvalid) as caught:
        read_rules({**rules().as_json(), **broken})
    assert caught.value.details["problems"]


@pytest.mark.parametrize("text", ["[", "effective_from = '2026-01-01'", "agency = 'x'"])
def test_a_file_that_holds_no_rules_is_refused(text: str) -> None:
    with pytest.raises(RulesInvalid):
        read_rules_draft(text)
    with pytest.raises(RulesUnknown):
        rules_preset(text)


def stated(*versions: dict[str, Any]) -> list[StatedFacts]:
    return [StatedFacts(version=at, facts=CaseFacts.model_validate(one)) for at, one in enumerate(versions, 1)]


def test_r26_a_fact_once_stated_cannot_be_talked_away() -> None:
    found = facts_that_count(stated({"hearing_held": True}, {"hearing_held": False}, {}), [])
    assert found["hearing_held"] == (True, False)
    assert in_scope(rules(), found, action=None).in_scope
    amounts = facts_that_count(stated({"amount_fen": 9_000_000}, {"amount_fen": 1}), [])
    assert in_scope(rules_preset("ministry-ecology-2019").rules, amounts, action=None).rule == "amount_fen"


def test_r26_a_correction_counts_for_what_was_stated_before_it_and_for_no_other_fact() -> None:
    said = stated({"hearing_held": True, "complex": True}, {"hearing_held": True})
    corrected = [Correction(fact="hearing_held", upto=2, value=False)]
    assert facts_that_count(said, corrected) == {"hearing_held": (False,), "complex": (True,)}
    again = [*said, StatedFacts(version=3, facts=CaseFacts(hearing_held=True))]
    assert facts_that_count(again, corrected)["hearing_held"] == (False, True)
    assert "hearing_held" not in facts_that_count(said, [Correction(fact="hearing_held", upto=2, value=None)])


def test_one_is_not_true() -> None:
    found = facts_that_count(stated({"amount_fen": 1}, {"amount_fen": 0}), [])
    assert found["amount_fen"] == (1, 0)


def test_every_fact_of_a_case_can_be_a_trigger() -> None:
    wanted: dict[str, dict[str, Any]] = {
        "level": {"among": ["市级"]},
        "field": {"among": ["矿山"]},
        "amount_fen": {"at_least": 0},
    }
    for name in FACT_NAMES:
        Trigger.model_validate({**HEARING, "fact": name, **wanted.get(name, {})})
    assert ReviewRules.model_validate(rules().as_json()) == rules()
