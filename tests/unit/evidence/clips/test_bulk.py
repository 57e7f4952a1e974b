"""Adding to a content: what is there stays, a repeat changes nothing, the order of two does not matter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.clips.bulk import Addition, add_to
from evidence.clips.content import MARKERS_MAX
from evidence.errors import AnnotationInvalid
from ledger.canonical import JsonObject
from tests.support.annotations import contents

MARK = {"kind": "signature", "at_ms": 5}


def adding(**fields: Any) -> Addition:
    return Addition.model_validate(fields)


@st.composite
def additions(draw: st.DrawFn) -> Addition:
    content = draw(contents())
    content.pop("speakers", None)
    content.pop("dialogue", None)
    return adding(**(content or {"place": "朔州"}))


@settings(max_examples=30)
@given(contents(), additions())
def test_what_is_there_stays_and_a_repeat_changes_nothing(before: dict[str, Any], addition: Addition) -> None:
    content, kept = add_to(before, addition)
    after = content.as_json()
    for name, value in before.items():
        if isinstance(value, list):
            assert after[name][: len(value)] == value  # type: ignore[index]
        else:
            assert after[name] == value
    again, kept_again = add_to(after, addition)
    assert (again, kept_again) == (content, kept)


@settings(max_examples=30)
@given(contents(), additions())
def test_all_that_is_added_is_there_or_said_to_be_kept(before: dict[str, Any], addition: Addition) -> None:
    content, kept = add_to(before, addition)
    after = content.as_json()
    for name, value in addition.as_json().items():
        if name in {"markers", "documents"}:
            assert all(part in after[name] for part in value)  # type: ignore[union-attr, operator]
        elif name != "item_from":
            assert (after[name] != value) <= (name in kept)


@settings(max_examples=30)
@given(contents(), additions(), additions())
def test_the_order_of_two_additions_does_not_matter_for_lists(
    before: dict[str, Any], first: Addition, second: Addition
) -> None:
    one = add_to(add_to(before, first)[0].as_json(), second)[0]
    other = add_to(add_to(before, second)[0].as_json(), first)[0]
    assert sorted(map(repr, one.markers)) == sorted(map(repr, other.markers))
    assert sorted(map(repr, one.documents)) == sorted(map(repr, other.documents))


def test_an_item_is_filled_in_with_where_it_is_from() -> None:
    listed = adding(item="site_inspection", item_from="list")
    assert add_to({}, listed)[0].as_json() == {"item": "site_inspection", "item_from": "list"}
    in_words: JsonObject = {"item": "site_inspection"}
    content, kept = add_to(in_words, listed)
    assert (content.as_json(), kept) == (in_words, ("item",))


def test_the_same_mark_twice_in_one_addition_is_one() -> None:
    assert len(add_to({}, adding(markers=[MARK, MARK]))[0].markers) == 1


def test_there_is_no_room_for_more() -> None:
    full: JsonObject = {"markers": [{"kind": "other", "at_ms": number} for number in range(MARKERS_MAX)]}
    with pytest.raises(AnnotationInvalid):
        add_to(full, adding(markers=[MARK]))


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"item_from": "words"},
        {"remark": " "},
        {"speakers": [{"key": "s", "role": "party"}]},
        {"markers": [MARK] * (MARKERS_MAX + 1)},
        {"covert": {"approver": "王"}},
    ],
)
def test_an_addition_that_breaks_a_rule(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        adding(**broken)
