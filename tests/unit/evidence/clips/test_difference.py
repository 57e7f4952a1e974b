"""What two versions differ in: nothing if and only if they are equal, and every change by the name people use."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from evidence.clips.difference import Change, differences
from ledger.canonical import JsonObject
from tests.support.annotations import contents

MARK: JsonObject = {"kind": "key_moment", "at_ms": 2_000}


@settings(max_examples=50)
@given(contents(), contents())
def test_there_is_no_difference_if_and_only_if_they_are_equal(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert differences(before, before) == []
    assert bool(differences(before, after)) == (before != after)


@settings(max_examples=50)
@given(contents(), contents())
def test_backwards_everything_is_the_other_way_round(before: dict[str, Any], after: dict[str, Any]) -> None:
    forth, back = differences(before, after), differences(after, before)
    turned = {"added": "removed", "removed": "added", "changed": "changed", "reordered": "reordered"}
    assert sorted((one.where, turned[one.change]) for one in forth) == sorted((one.where, one.change) for one in back)


def test_a_field_is_added_changed_removed() -> None:
    assert differences({}, {"remark": "检查"}) == [Change(where="remark", change="added", after="检查")]
    assert differences({"remark": "检查"}, {}) == [Change(where="remark", change="removed", before="检查")]
    (changed,) = differences(
        {"covert": {"basis": "甲", "approver": "乙"}}, {"covert": {"basis": "丙", "approver": "乙"}}
    )
    assert (changed.where, changed.change, changed.fields) == ("covert", "changed", ("basis",))


def test_parts_of_lists_have_the_names_people_give_them() -> None:
    before: JsonObject = {
        "markers": [MARK],
        "speakers": [{"key": "s1", "role": "party"}],
        "dialogue": [{"from_ms": 0, "to_ms": 900, "text": "排狗"}],
        "documents": [{"kind": "笔录", "number": "9号"}],
    }
    after: JsonObject = {
        "markers": [{**MARK, "note": "排污口"}],
        "speakers": [],
        "dialogue": [{"from_ms": 0, "to_ms": 900, "text": "排口"}, {"from_ms": 0, "to_ms": 900, "text": "是"}],
        "documents": [{"kind": "笔录"}],
    }
    assert [(one.where, one.change, one.fields) for one in differences(before, after)] == [
        ("dialogue[0-900]", "changed", ("text",)),
        ("dialogue[0-900 #2]", "added", ()),
        ("documents[笔录 9号]", "removed", ()),
        ("documents[笔录]", "added", ()),
        ("markers[key_moment@2000]", "changed", ("note",)),
        ("speakers[s1]", "removed", ()),
    ]


def test_another_order_is_a_change() -> None:
    other: JsonObject = {"kind": "other", "at_ms": 1}
    assert differences({"markers": [MARK, other]}, {"markers": [other, MARK]}) == [
        Change(where="markers", change="reordered")
    ]
