"""Units: a tree in time, without circles, each version on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID

import pytest

from evidence.db.pool import Pool
from evidence.parties.errors import NameInvalid
from evidence.registers.errors import RegisterStale, UnitCodeTaken, UnitInvalid, UnitUnknown
from evidence.registers.units import ancestors, get_unit, subtree, unit_called
from evidence.registers.validity import day_of
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.registry import Registry

CODE = "140000000001"


@pytest.fixture
async def registry(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> AsyncIterator[Registry]:
    async with pool.acquire() as conn:
        yield Registry(conn=conn, clock=clock, entropy=entropy)


async def test_a_tree_of_three_levels(registry: Registry) -> None:
    bureau = (await registry.unit("省局", code=CODE)).unit
    city = (await registry.unit("市局", parent=bureau)).unit
    squads = [(await registry.unit(name, parent=city)).unit for name in ("一中队", "二中队")]
    other = (await registry.unit("另一市局", parent=bureau)).unit
    conn = registry.conn
    assert await subtree(conn, bureau) == {bureau, city, other, *squads}
    assert await subtree(conn, city) == {city, *squads}
    assert await subtree(conn, squads[0]) == {squads[0]}
    assert await ancestors(conn, squads[1]) == (city, bureau)
    assert await ancestors(conn, bureau) == ()
    assert await subtree(conn, UUID(int=7)) == frozenset()
    for name in (CODE, "省局"):
        found = await unit_called(conn, name)
        assert found is not None
        assert found.unit == bureau


async def test_a_moved_unit_was_elsewhere_before(registry: Registry) -> None:
    north, south = (await registry.unit("北区")).unit, (await registry.unit("南区")).unit
    squad = (await registry.unit("一中队", parent=north)).unit
    moved = date(2026, 2, 1)
    await registry.unit("一中队", parent=south, unit=squad, version=1, since=moved)
    conn = registry.conn
    assert await ancestors(conn, squad) == (south,)
    assert await subtree(conn, north) == {north}
    for day, where in ((moved - timedelta(days=1), north), (moved, south)):
        assert await ancestors(conn, squad, on=day) == (where,)
        assert squad in await subtree(conn, where, on=day)
    assert (await get_unit(conn, squad)).version == 2


async def test_no_unit_is_below_itself_on_any_day(registry: Registry) -> None:
    top = (await registry.unit("甲")).unit
    middle = (await registry.unit("乙", parent=top)).unit
    low = (await registry.unit("丙", parent=middle)).unit
    for parent in (top, middle, low):
        with pytest.raises(UnitInvalid, match="below itself"):
            await registry.unit("甲", parent=parent, unit=top, version=1)
    # From February on the middle stands alone: then the top may move below it, but not from January on.
    await registry.unit("乙", unit=middle, version=1, since=date(2026, 2, 1))
    with pytest.raises(UnitInvalid, match="below itself"):
        await registry.unit("甲", parent=middle, unit=top, version=1, since=date(2026, 1, 1))
    await registry.unit("甲", parent=middle, unit=top, version=1, since=date(2026, 2, 1))
    assert await subtree(registry.conn, middle) == {middle, low, top}


async def test_what_is_refused_leaves_no_trace(registry: Registry) -> None:
    unit = (await registry.unit("甲", code=CODE)).unit
    tomorrow = day_of(registry.clock()) + timedelta(days=1)
    with pytest.raises(UnitCodeTaken):
        await registry.unit("乙", code=CODE)
    for code in ("1", "14000000000x", "1" * 13, "１４００００００００００"):
        with pytest.raises(UnitInvalid):
            await registry.unit("乙", code=code)
    with pytest.raises(UnitInvalid):
        await registry.unit("乙", since=tomorrow)
    for name in ("", " 乙", "乙\u202e", "乙" * 101):
        with pytest.raises(NameInvalid):
            await registry.unit(name)
    with pytest.raises(UnitUnknown):
        await registry.unit("乙", parent=UUID(int=9))
    with pytest.raises(UnitUnknown):
        await registry.unit("乙", unit=UUID(int=9))
    for version in (0, 2):
        with pytest.raises(RegisterStale):
            await registry.unit("甲二", unit=unit, version=version)
    assert await registry.conn.fetchval("SELECT count(*) FROM custody_payload") == 1


async def test_a_name_that_two_units_bear_names_neither(registry: Registry) -> None:
    assert await unit_called(registry.conn, "一中队") is None
    await registry.unit("一中队")
    await registry.unit("一中队", code=CODE)
    with pytest.raises(UnitUnknown, match="2 units"):
        await unit_called(registry.conn, "一中队")
    with pytest.raises(UnitUnknown):
        await unit_called(registry.conn, "二中队")
    assert await unit_called(registry.conn, CODE) is not None
