"""Coverage of cases (R2 to R5, R10, R12): what is recorded, exempted, missing; gaps to the second."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.cases.coverage import Coverage, coverage
from evidence.cases.footage import ExhibitFootage
from evidence.cases.item_list import ItemList
from evidence.cases.presets import preset
from tests.support.case_files import activity, at, dossier, exemption, gap, item, item_list, shot, text

SEVEN = ["on_site_inspection", "random_check", "evidence_gathering", "evidence_preservation", "hearing", "coercion"]
SEVEN += ["service"]
FULL = item_list(item("seizure", mode="full", when="stated"), item("visit"))


def judged(content: ItemList | None, *footage: ExhibitFootage, said: list[dict[str, Any]] | None = None) -> Coverage:
    return coverage(content, action="penalty", footage=footage, dossier=dossier(*(said or [])))


@pytest.mark.parametrize("left_out", SEVEN)
def test_r2_six_of_seven_links_return_exactly_the_missing_one(left_out: str) -> None:
    shots = [shot(number, key) for number, key in enumerate(SEVEN, 1) if key != left_out]
    found = judged(preset("shuozhou-ecology-2017").content, *shots)
    assert found.missing == [left_out]
    assert found.in_state("recorded") == [key for key in SEVEN if key != left_out]


def test_r2_the_same_footage_lacks_other_links_under_another_agencys_list() -> None:
    shots = [shot(number, key) for number, key in enumerate(SEVEN, 1) if key not in {"coercion", "hearing"}]
    lacking = {
        name: coverage(preset(name).content, action=None, footage=shots, dossier=dossier()).missing
        for name in ("shuozhou-ecology-2017", "lingchuan-enforcement-2021", "zaozhuang-emergency-2019")
    }
    assert list(lacking.values()) == [["hearing", "coercion"], ["hearing"], []]


def test_r3_a_missing_middle_segment_is_a_gap_to_the_second() -> None:
    shots = [shot(1, "seizure", 0, 10), shot(2, "seizure", 10, 20.5), shot(4, "seizure", 31 + 5 / 60, 60)]
    found = judged(FULL, *shots, said=[activity("seizure", 0, 60)])
    (seizure,) = [one for one in found.items if one.item.key == "seizure"]
    assert [(one.time.start, one.time.end) for one in seizure.gaps] == [(at(20.5), at(31) + timedelta(seconds=5))]
    assert (seizure.state, found.gap_seconds) == ("gaps", 635)
    whole = judged(FULL, *shots, shot(3, "seizure", 20.5, 31.5), said=[activity("seizure", 0, 60)])
    assert (whole.in_state("recorded"), whole.gap_seconds) == (["seizure"], 0)


def test_r3_gaps_at_both_ends_and_reasons_that_hold_only_within() -> None:
    said = [activity("seizure", 0, 60), gap("seizure", 0, 5), gap("seizure", 56, 60), gap("visit", 50, 60)]
    (seizure, _) = judged(FULL, shot(1, "seizure", 5, 55), said=said).items
    assert [(one.time.start, one.time.end, one.reason) for one in seizure.gaps] == [
        (at(0), at(5), "电池更换"),
        (at(55), at(60), None),
    ]
    assert seizure.state == "gaps"
    (seizure, _) = judged(FULL, shot(1, "seizure", 5, 55), said=[*said, gap("seizure", 55, 60)]).items
    assert seizure.state == "recorded"


def test_holes_below_a_second_are_none_and_only_footage_of_the_item_covers_it() -> None:
    almost = 1 / 60 - 0.0001
    found = judged(
        FULL, shot(1, "seizure", 0, 30), shot(2, "seizure", 30 + almost, 60), said=[activity("seizure", 0, 60)]
    )
    assert found.gap_seconds == 0
    other = judged(FULL, shot(1, "seizure", 0, 30), shot(2, "visit", 30, 60), said=[activity("seizure", 0, 60)])
    assert other.gap_seconds == 1800


def test_what_is_recorded_in_full_needs_its_start_and_end_stated() -> None:
    assert judged(FULL, shot(1, "seizure", 0, 10)).in_state("unstated") == ["seizure"]
    assert judged(FULL, said=[activity("seizure", 0, 10)]).missing == ["seizure", "visit"]
    assert judged(FULL, shot(1, "visit")).in_state("open") == ["seizure"]


def test_footage_without_a_time_covers_nothing_and_is_named() -> None:
    found = judged(FULL, shot(1, "seizure"), said=[activity("seizure", 0, 1)])
    assert (found.undated, found.gap_seconds) == ([1], 60)


def test_r4_a_written_record_is_never_counted_as_recorded() -> None:
    content = item_list(item("visit", exemptible=True), item("talk", exemptible=True), item("hearing"))
    found = judged(
        content, shot(1, "talk"), said=[exemption("visit"), exemption("talk"), exemption("hearing", "not_held")]
    )
    assert found.in_state("exempted") == ["visit"]
    assert found.in_state("recorded") == ["talk"]
    assert found.in_state("not_held") == ["hearing"]
    assert found.missing == []


def test_r4_an_exemption_on_record_for_what_is_recorded_in_full_counts_for_nothing() -> None:
    found = judged(FULL, said=[exemption("seizure"), activity("seizure", 0, 5), exemption("visit", "not_held")])
    assert found.missing == ["seizure"]
    always = item_list(item("seizure", mode="full"))
    assert judged(always, said=[exemption("seizure")]).missing == ["seizure"]


def test_r5_footage_off_the_list_needs_its_argument() -> None:
    argument = {"kind": "argument", "clip": "00000000-0000-0000-0000-000000000002", "reference": "论证意见3号"}
    argument |= {"reason": "防止证据灭失", "approver": "法制科"}
    found = judged(FULL, shot(1, "夜间巡查"), shot(2, "航拍"), shot(3, None), shot(4, "事项visit"), said=[argument])
    assert [(one.exhibit, one.item, one.argument) for one in found.off_list] == [
        (1, "夜间巡查", None),
        (2, "航拍", "论证意见3号"),
    ]
    assert found.unclassified == [3]


def test_r10_times_of_a_document_and_its_footage_differ_by_both_deltas() -> None:
    content = item_list(item("talk"))
    document = {"kind": "document", "document": "00000000-0000-0000-0000-00000000000a", "name": "询问笔录"}
    document |= {"title": "王某", "number": "1", "item": "talk", "starts_at": text(0), "ends_at": text(40)}
    (differ,) = judged(content, shot(1, "talk", 5, 30), said=[document]).times
    assert (differ.start_seconds, differ.end_seconds, differ.exhibits) == (300, -600, [1])
    named = {"kind": "询问笔录", "number": "1", "from": "2026-03-02T09:00:00+08:00", "to": "2026-03-02T09:40:00+08:00"}
    (differ,) = judged(content, shot(1, "talk", 5, 30, documents=[named])).times
    assert (differ.start_seconds, differ.end_seconds) == (300, -600)
    # Written to the minute, it is as exact as it can be.
    assert not judged(content, shot(1, "talk", 0.9, 39.5), said=[document]).times
    # A second talk on another day is not this one's.
    assert not judged(content, shot(1, "talk", 0, 40), shot(2, "talk", 2000, 2040), said=[document]).times


def test_r12_missing_elements_are_listed_by_name() -> None:
    content = item_list(item("talk", elements=["remark", "place", "dialogue", "marker:credentials_shown"]))
    shown: dict[str, Any] = {"markers": [{"kind": "credentials_shown", "at_ms": 0}], "place": "厂区"}
    found = judged(content, shot(1, "talk", not_needed_because="无人讲话", **shown), shot(2, "talk"))
    lacking = [(one.element, list(one.exhibits)) for one in found.items[0].elements_missing]
    assert lacking == [("place", [2]), ("dialogue", [2])]
    assert [one.element for one in judged(content, shot(1, "talk")).items[0].elements_missing] == [
        "place",
        "dialogue",
        "marker:credentials_shown",
    ]


def test_items_of_other_actions_are_not_asked_for_and_a_case_without_a_list_owes_nothing() -> None:
    content = item_list(item("visit", actions=["license"]), item("talk", mode="optional"))
    assert [one.item.key for one in judged(content).items] == ["talk"]
    assert judged(content).missing == []
    assert judged(None, shot(1, "x")) == Coverage(undated=[1])


MINUTES = st.tuples(st.integers(0, 89), st.integers(1, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
SPANS = st.lists(MINUTES, max_size=6)


@settings(max_examples=150)
@given(SPANS, MINUTES)
def test_footage_more_never_opens_a_gap(spans: list[tuple[int, int]], more: tuple[int, int]) -> None:
    said = [activity("seizure", 10, 80)]
    shots = [shot(number, "seizure", *span) for number, span in enumerate(spans, 1)]
    before = judged(FULL, *shots, said=said)
    after = judged(FULL, *shots, shot(99, "seizure", *more), said=said)
    assert after.gap_seconds <= before.gap_seconds
    holes = [one.time for one in before.items[0].gaps]
    assert all(any(hole.holds(one.time) for hole in holes) for one in after.items[0].gaps)
    # Minute by minute, counted in the simplest way there is.
    bare = sum(not any(start <= minute < end for start, end in spans) for minute in range(10, 80))
    assert before.gap_seconds == bare * 60
