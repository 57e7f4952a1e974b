"""Publishing recording-item lists: versions, days, and what a case keeps (R1, R11)."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from evidence.cases.cases import Opening, get_case, open_case
from evidence.cases.errors import CaseKindUnknown, ItemListAmbiguous, ItemListBackdated, ItemListUnknown
from evidence.cases.item_list import ItemList
from evidence.cases.items import get_list, list_in_force, publish_list, row_in_force
from evidence.cases.presets import PRESETS, preset
from evidence.db.pool import open_pool
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import STAFF, Scribe

S0 = preset("shuozhou-ecology-2017").content


async def publish(scribe: Scribe, content: ItemList = S0, *, since: date = date(2017, 8, 25)) -> int:
    async with scribe.conn.transaction():
        published = await publish_list(
            scribe.conn,
            content=content,
            effective_from=since,
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )
    return published.version


async def opened(scribe: Scribe, number: str, opening: Opening) -> None:
    async with scribe.conn.transaction():
        await open_case(
            scribe.conn,
            number=number,
            title="案",
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
            more=opening,
        )


async def test_r1_a_case_keeps_the_version_it_was_opened_under(scribe: Scribe) -> None:
    await publish(scribe)
    case = await get_case(scribe.conn, await scribe.open_case())
    shorter = S0.model_copy(update={"items": S0.items[:3]})
    assert await publish(scribe, shorter) == 2
    later = await get_case(scribe.conn, await scribe.open_case("2号"))
    assert case.items is not None
    assert later.items is not None
    assert [(await get_list(scribe.conn, items)).version for items in (case.items, later.items)] == [1, 2]
    assert (await get_list(scribe.conn, case.items)).content == S0
    assert (await get_list(scribe.conn, later.items)).content == shorter


async def test_a_version_is_in_force_from_its_day_in_beijing_on(scribe: Scribe) -> None:
    await publish(scribe, since=date(2026, 1, 1))
    await publish(scribe, S0.model_copy(update={"items": S0.items[:1]}), since=date(2026, 6, 1))
    last_second = datetime(2026, 5, 31, 15, 59, 59, tzinfo=UTC)
    for at, count in (
        (datetime(2025, 12, 31, 15, 59, tzinfo=UTC), None),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), len(S0.items)),
        (last_second, len(S0.items)),
        (last_second + timedelta(seconds=1), 1),
        (date(2026, 6, 1), 1),
    ):
        found = await list_in_force(scribe.conn, at)
        assert (None if found is None else len(found.items)) == count, at


async def test_no_version_changes_a_day_that_has_its_list(scribe: Scribe) -> None:
    await publish(scribe, since=date(2026, 6, 1))
    with pytest.raises(ItemListBackdated):
        await publish(scribe, since=date(2026, 5, 31))
    assert await publish(scribe, since=date(2026, 6, 1)) == 2


async def test_lists_of_several_agencies_are_told_apart(scribe: Scribe) -> None:
    for name in PRESETS:
        assert await publish(scribe, preset(name).content, since=preset(name).effective_from) == 1
    with pytest.raises(ItemListAmbiguous):
        await scribe.open_case()
    with pytest.raises(ItemListUnknown):
        await row_in_force(scribe.conn, scribe.clock(), agency="某局")
    row = await row_in_force(scribe.conn, scribe.clock(), agency="盘锦市林业和 湿地保护局")
    assert row is not None
    assert row.content == preset("panjin-forestry-2019").content


async def test_r11_an_action_type_that_the_list_does_not_know_is_refused(scribe: Scribe) -> None:
    with pytest.raises(CaseKindUnknown):
        await opened(scribe, "1号", Opening(kind="penalty"))
    lingchuan = preset("lingchuan-enforcement-2021").content
    await publish(scribe, lingchuan)
    await opened(scribe, "1号", Opening(kind="penalty"))
    with pytest.raises(CaseKindUnknown) as caught:
        await opened(scribe, "2号", Opening(kind="levy"))
    assert caught.value.details["known"] == ["penalty", "inspection"]


async def test_versions_published_at_once_are_numbered_without_gap(
    database: str, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    async with open_pool(database, size_max=8) as pool:

        async def one() -> int:
            async with pool.acquire() as conn, conn.transaction():
                done = await publish_list(
                    conn, content=S0, effective_from=date(2026, 1, 1), actor=STAFF, clock=clock, entropy=entropy
                )
                return done.version

        assert sorted(await asyncio.gather(*(one() for _ in range(12)))) == list(range(1, 13))
