"""Questions to the search: read strictly, and pages that belong to one question only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from evidence.clips.clips import ClipState
from evidence.clips.query import ClipQuery
from evidence.clips.query_tree import Facets, leaves
from evidence.errors import SearchInvalid

PLACE = datetime(2026, 3, 2, 1, 30, 0, 123_000, tzinfo=UTC), UUID("0195a000-0000-7000-8000-00000000000a")


@pytest.mark.parametrize(
    "query",
    [
        ClipQuery(text="字" * 501),
        ClipQuery(text='"open'),
        ClipQuery(text="a\0b"),
        ClipQuery(sha256="A" * 64),
        ClipQuery(sha256="a" * 63),
        ClipQuery(sha256="%" * 64),
        ClipQuery(recorded_from=PLACE[0], recorded_to=PLACE[0]),
        ClipQuery(recorded_from=PLACE[0], recorded_to=PLACE[0] - timedelta(days=1)),
    ],
    ids=repr,
)
def test_a_question_that_makes_no_sense_is_refused(query: ClipQuery) -> None:
    with pytest.raises(SearchInvalid):
        query.condition(None)


def test_every_facet_reaches_the_index() -> None:
    query = ClipQuery(
        case=PLACE[1],
        recorder="Ａ100001",
        dock=PLACE[1],
        officer="000042",
        state=ClipState.REVIEWABLE,
        key_mark=False,
        sha256="a" * 64,
    )
    assert {one for leaf in leaves(query.tree()) if isinstance(leaf, Facets) for one in leaf.one_of} == {
        f"case:{PLACE[1]}",
        "recorder:a100001",
        f"dock:{PLACE[1]}",
        "officer:000042",
        "state:reviewable",
        "key_mark:no",
        f"sha256:{'a' * 64}",
    }


def test_a_cursor_leads_back_to_its_place() -> None:
    query = ClipQuery(text="查封", key_mark=True, recorded_from=PLACE[0])
    assert query.condition(query.cursor(PLACE)).before == PLACE


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "=", "AAAA", "é", "a b", "/" * 2_000, "MjAyNg", "\0", "AAAAAAAAAAAAAAAAIDIwMjYtMDMtMDI"],
    ids=repr,
)
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(SearchInvalid):
        ClipQuery().condition(cursor)


def test_a_cursor_of_another_question_is_refused() -> None:
    cursor = ClipQuery(text="查封").cursor(PLACE)
    for other in (ClipQuery(), ClipQuery(text="扣押"), ClipQuery(text="查封", key_mark=True)):
        with pytest.raises(SearchInvalid, match="another question"):
            other.condition(cursor)
    assert ClipQuery(text=" 查封 ").condition(cursor).before == PLACE
