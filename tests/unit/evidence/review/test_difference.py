"""What changed between two manifests (R29): equal ones have no difference, different ones at least one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evidence.core.wire.case_manifest import FORMAT, LISTS, manifest_root
from evidence.review.difference import manifest_difference

EMPTY: dict[str, Any] = {"format": FORMAT, "number": "1号", "title": "案", **{name: [] for name in LISTS}}


def manifest(**changes: Any) -> dict[str, Any]:
    return {**EMPTY, **changes}


def test_r29_what_joined_left_and_changed_is_named() -> None:
    before = manifest(
        exhibits=[{"exhibit": 1, "version": 1, "remark": "甲"}, {"exhibit": 2, "version": 1}],
        statements=[{"entry": "e1", "kind": "activity"}],
    )
    after = manifest(
        title="更名案",
        exhibits=[{"exhibit": 1, "version": 2, "remark": "乙"}, {"exhibit": 3, "version": 0}],
        statements=[{"entry": "e1", "kind": "activity"}, {"entry": "e2", "kind": "document"}],
        documents=[{"clip": "d1"}],
    )
    assert manifest_difference(before, after) == [
        {"what": "case", "key": "1号", "change": "changed", "fields": ["title"]},
        {"what": "exhibits", "key": "1", "change": "changed", "fields": ["remark", "version"]},
        {"what": "exhibits", "key": "2", "change": "removed"},
        {"what": "exhibits", "key": "3", "change": "added"},
        {"what": "documents", "key": "d1", "change": "added"},
        {"what": "statements", "key": "e2", "change": "added"},
    ]


def test_order_is_part_of_the_evidence() -> None:
    one, other = {"title": "证据", "places": []}, {"title": "文书", "places": []}
    before, after = manifest(sections=[one, other]), manifest(sections=[other, one])
    assert manifest_difference(before, after) == [{"what": "sections", "key": "", "change": "reordered"}]


MEMBERS = st.lists(st.fixed_dictionaries({"exhibit": st.integers(1, 3), "remark": st.sampled_from("甲乙")}), max_size=3)
MANIFESTS = st.builds(lambda title, members: manifest(title=title, exhibits=members), st.sampled_from("案件"), MEMBERS)


@given(before=MANIFESTS, after=MANIFESTS)
def test_there_is_a_difference_exactly_where_roots_differ(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert bool(manifest_difference(before, after)) is (manifest_root(before) != manifest_root(after))
