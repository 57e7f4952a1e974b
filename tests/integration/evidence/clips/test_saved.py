"""Saved searches and counts: whose they are, what is new, and that counting ends in time."""

from __future__ import annotations

from uuid import UUID

import pytest

from evidence.access.scope import WHOLE, Scope
from evidence.clips import count_store
from evidence.clips.count_store import count_facets
from evidence.clips.query import ClipQuery
from evidence.clips.saved import SAVED_MAX, forget_search, run_search, save_search
from evidence.clips.saved_store import SavedSearch, saved_after
from evidence.errors import SearchInvalid, SearchNameTaken, SearchUnknown, TooManySearches
from tests.support.payloads import Scribe

ME, YOU, UNIT, OTHER = (UUID(int=number) for number in (1, 2, 3, 4))


async def save(scribe: Scribe, name: str = "未亮证", question: str = "缺:亮证", **more: UUID) -> SavedSearch:
    async with scribe.conn.transaction():
        return await save_search(
            scribe.conn,
            staff=more.get("staff", ME),
            name=name,
            question=question,
            unit=more.get("unit"),
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def test_a_saved_search_tells_what_is_new_to_whoever_asks(scribe: Scribe) -> None:
    clip = await scribe.seal()
    saved = await save(scribe, unit=UNIT)
    seen = []
    for staff, units in ((ME, ()), (ME, ()), (YOU, (UNIT,)), (YOU, None)):
        async with scribe.conn.transaction():
            run = await run_search(scribe.conn, saved.search, staff=staff, units=units, clock=scribe.clock)
        seen.append((run.new.clips, run.new.more, run.since is None))
    assert seen == [(1, False, True), (0, False, False), (1, False, True), (0, False, False)]
    await scribe.seal(received_at="2031-01-01T00:00:00.000Z")
    async with scribe.conn.transaction():
        run = await run_search(scribe.conn, saved.search, staff=ME, units=(), clock=scribe.clock)
        assert run.new.clips == 1
        nothing = Scope(units=frozenset(), classes=None)
        run = await run_search(scribe.conn, saved.search, staff=OTHER, units=(UNIT,), clock=scribe.clock, scope=nothing)
    assert run.new.clips == 0, f"who may not find {clip} is not told of it by a search that others share"


async def test_what_is_not_shared_is_not_there(scribe: Scribe) -> None:
    own, shared = await save(scribe), await save(scribe, name="共享", unit=UNIT)
    for search, units in ((own.search, None), (shared.search, (OTHER,)), (shared.search, ()), (OTHER, None)):
        with pytest.raises(SearchUnknown):
            await run_search(scribe.conn, search, staff=YOU, units=units, clock=scribe.clock)
    for search in (shared.search, own.search):
        with pytest.raises(SearchUnknown):
            await forget_search(scribe.conn, search, staff=YOU)
    listed = await saved_after(scribe.conn, staff=YOU, units=(UNIT,), after=None, limit=10)
    assert [one.search for one in listed] == [shared.search]
    assert await saved_after(scribe.conn, staff=YOU, units=(UNIT,), after=shared.search, limit=10) == []
    await forget_search(scribe.conn, shared.search, staff=ME)
    assert await saved_after(scribe.conn, staff=YOU, units=None, after=None, limit=10) == []
    assert await scribe.conn.fetchval("SELECT count(*) FROM saved_search_run") == 0


async def test_names_are_taken_once_and_searches_are_so_many(scribe: Scribe) -> None:
    await save(scribe, name="Ａ 甲")
    with pytest.raises(SearchNameTaken):
        await save(scribe, name="a  甲")
    await save(scribe, name="a 甲", staff=YOU)
    for name, question in (
        ("", "查封"),
        ("a\nb", "查封"),
        ("字" * 101, "查封"),
        ("b", "colour:red"),
        ("b", "字" * 501),
    ):
        with pytest.raises(SearchInvalid):
            await save(scribe, name=name, question=question)
    for number in range(SAVED_MAX - 1):
        await save(scribe, name=f"{number}")
    with pytest.raises(TooManySearches):
        await save(scribe, name="one more")


async def test_r16_counts_are_of_what_one_may_find(scribe: Scribe) -> None:
    clips = [await scribe.seal(recorder=f"A10000{number % 2}") for number in range(5)]
    await scribe.annotate(clips[0], remark="查封")
    await scribe.conn.execute("UPDATE search_document SET unit = $1 WHERE clip = ANY($2)", UNIT, clips[:3])
    for scope, expected in (
        (WHOLE, [("a100000", 3), ("a100001", 2)]),
        (Scope(units=frozenset((UNIT,)), classes=None), [("a100000", 2), ("a100001", 1)]),
        (Scope(units=frozenset(), classes=None), []),
    ):
        counted = await count_facets(scribe.conn, ClipQuery().condition(None, scope), names=["recorder"])
        assert [(one.value, one.clips) for one in counted.values] == expected
        assert (counted.clips, counted.more) == (sum(clips for _, clips in expected), False)
    counted = await count_facets(scribe.conn, ClipQuery(text="查封 -扣押").condition(None), names=["recorder", "state"])
    assert [(one.name, one.value, one.clips) for one in counted.values] == [
        ("recorder", "a100000", 1),
        ("state", "sealed", 1),
    ]


async def test_counts_end_at_a_bound_and_in_time(scribe: Scribe, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        await scribe.seal()
    condition = ClipQuery().condition(None)
    monkeypatch.setattr(count_store, "_ATTEMPTS", ((3, 500),))
    counted = await count_facets(scribe.conn, condition, names=["state"])
    assert (counted.clips, counted.more, counted.values[0].clips) == (3, True, 3)
    slow = count_store._COUNTS.replace("SELECT '' AS name", "SELECT pg_sleep(30)::text AS name")
    monkeypatch.setattr(count_store, "_COUNTS", slow)
    monkeypatch.setattr(count_store, "_ATTEMPTS", ((10, 20), (5, 20)))
    async with scribe.conn.transaction():
        counted = await count_facets(scribe.conn, condition, names=["state"])
        assert (counted.clips, counted.more, list(counted.values)) == (0, True, [])
        assert await scribe.conn.fetchval("SHOW statement_timeout") == "0", "the caller's transaction goes on"
