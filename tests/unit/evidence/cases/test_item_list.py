"""Recording-item lists as values: presets, rules, what is refused (R1, R2, R11)."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from evidence.cases.errors import ItemListInvalid, ItemListUnknown
from evidence.cases.item_list import Item, read_list
from evidence.cases.presets import PRESETS, preset, read_draft

ITEM: dict[str, Any] = {
    "key": "service",
    "title": "送达",
    "stage": "送达",
    "means": ["video"],
    "mode": "partial",
    "starts": "出示文书",
    "ends": "签收",
    "retention": "permanent",
    "source": "第三条",
}
LIST: dict[str, Any] = {
    "agency": "某局",
    "title": "音像记录事项清单",
    "source": "某发〔2026〕1号",
    "action_types": [{"key": "penalty", "title": "行政处罚", "title_en": "penalty"}],
    "items": [ITEM],
}
LINKS = {"on_site_inspection", "random_check", "evidence_gathering", "evidence_preservation", "hearing", "service"}


@pytest.mark.parametrize("name", PRESETS)
def test_r1_every_item_of_a_preset_has_all_fields(name: str) -> None:
    for item in preset(name).content.items:
        stated = item.model_dump()
        assert all(stated[field] for field in Item.model_fields if field not in {"actions", "elements", "exemptible"})
        assert item.source.startswith(PRESETS[name].split(" ")[0])


def test_r2_presets_differ_as_their_documents_do() -> None:
    always = {
        name: {item.key for item in preset(name).content.items if item.mode == "partial" and item.when == "always"}
        for name in PRESETS
    }
    assert always["shuozhou-ecology-2017"] == always["panjin-forestry-2019"] == LINKS | {"coercion"}
    assert always["lingchuan-enforcement-2021"] == LINKS
    assert len(always["ministry-ecology-2019"]) == 4
    assert not always["zaozhuang-emergency-2019"]


def test_r11_five_presets_load_with_their_own_action_types() -> None:
    counts = [len(preset(name).content.action_types) for name in sorted(PRESETS)]
    assert counts == [2, 4, 7, 6, 5]
    reviewed = {one.key for one in preset("shuozhou-ecology-2017").content.action_types if one.review}
    assert reviewed == {"license", "penalty", "coercion", "levy"}


def test_only_the_document_that_states_a_time_of_archiving_has_one() -> None:
    rules = {name: preset(name).content.archive_rule("penalty") for name in PRESETS}
    stated = {name: rule for name, rule in rules.items() if rule is not None}
    assert {name: (rule.days, rule.source) for name, rule in stated.items()} == {
        "zaozhuang-emergency-2019": (30, "S2 三(三)")
    }


def test_an_item_is_found_by_key_and_by_title() -> None:
    content = read_list(LIST)
    assert content.item("service") == content.item(" 送达 ") == content.items[0]
    assert content.item(None) is None
    assert content.item("搜查") is None


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": [ITEM, ITEM]},
        {"items": [ITEM, {**ITEM, "key": "other"}]},
        {"items": [{**ITEM, "mode": "whole"}]},
        {"items": [{**ITEM, "mode": "full", "exemptible": True}]},
        {"items": [{**ITEM, "retention": 5}]},
        {"items": [{**ITEM, "retention": "forever"}]},
        {"items": [{**ITEM, "elements": ["marker:"]}]},
        {"items": [{**ITEM, "elements": ["__class__"]}]},
        {"items": [{**ITEM, "actions": ["levy"]}]},
        {"items": [{**ITEM, "means": []}]},
        {"items": [{**ITEM, "starts": " "}]},
        {"items": [{**ITEM, "ends": "a\x00b"}]},
        {"items": [{**ITEM, "title": "送" * 401}]},
        {"items": [{**ITEM, "key": "Service'; --"}]},
        {"items": [{key: value for key, value in ITEM.items() if key != "source"}]},
        {"items": [ITEM | {"key": f"k{number}", "title": str(number)} for number in range(501)]},
        {"items": "送达"},
        {"action_types": []},
        {"archive": [{"days": 0, "source": "x"}]},
        {"archive": [{"days": 30, "source": "x"}, {"days": 40, "source": "x"}]},
        {"archive": [{"days": 30, "source": "x", "action": "levy"}]},
        {"tolerance_seconds": -1},
        {"more": 1},
        {"agency": "\ud800"},
    ],
    ids=lambda change: repr(change)[:60],
)
def test_a_list_that_breaks_a_rule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ItemListInvalid) as caught:
        read_list(deepcopy(LIST) | change)
    assert caught.value.details["problems"]


@pytest.mark.parametrize("text", ["", "= 1", 'effective_from = "2026-01-01"', "effective_from = 2026-01-01T00:00:00"])
def test_a_file_that_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ItemListInvalid):
        read_draft(text)


def test_a_preset_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ItemListUnknown) as caught:
        preset("../presets/shuozhou-ecology-2017")
    assert caught.value.details["presets"] == sorted(PRESETS)
    assert preset("zaozhuang-emergency-2019").effective_from == date(2019, 7, 8)
