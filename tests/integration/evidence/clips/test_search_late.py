"""One truth about what came late (R20): search, figures and clocks count by the calendar that the agency loaded."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from api.housekeeping import sweep
from evidence.calendar.loading import load_calendar
from evidence.clips import search_store
from evidence.clips.query import ClipQuery
from evidence.clips.recounting import recount
from evidence.clips.search import list_clips
from evidence.db.pool import Pool
from evidence.deadlines.publishing import publish_rules
from evidence.deadlines.rules import read_table
from evidence.deadlines.term_store import Basis, basis_in_force
from tests.support.payloads import STAFF, Scribe

MONDAY = "2026-03-02T01:00:00.000Z"
THURSDAY = "2026-03-05T01:00:00.000Z"
LATER = datetime(2026, 4, 1, tzinfo=UTC)
NEXT_MONDAY = "2026-03-09T01:00:00.000Z"
OFF = {"day": "2026-03-04", "is_working": False, "reason": "本地假日"}
WORKED = {"day": "2026-03-07", "is_working": True, "reason": "调休"}


async def late(scribe: Scribe, word: str = "yes") -> set[UUID]:
    page = await list_clips(scribe.conn, ClipQuery(text=f"late:{word}"), limit=200)
    return {item.clip for item in page.items}


async def load(scribe: Scribe, *days: dict[str, Any]) -> None:
    async with scribe.conn.transaction():
        await load_calendar(
            scribe.conn,
            content={"years": [], "days": list(days)},
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def again(pool: Pool, scribe: Scribe) -> int:
    return await recount(asyncio.Event(), pool=pool, clock=lambda: LATER, pause_seconds=0.001)


@pytest.fixture
async def two(scribe: Scribe) -> tuple[UUID, UUID]:
    """One recorded on Monday and received on Thursday; one recorded on Thursday and received on the next Monday."""
    return (
        await scribe.seal(recorded_at=MONDAY, received_at=THURSDAY),
        await scribe.seal(recorded_at=THURSDAY, received_at=NEXT_MONDAY),
    )


async def test_r20_a_loaded_holiday_and_a_make_up_day_change_what_is_found_late(
    pool: Pool, scribe: Scribe, two: tuple[UUID, UUID]
) -> None:
    holiday, made_up = two
    in_time = await scribe.seal(recorded_at=MONDAY, received_at=MONDAY)
    assert (await late(scribe), await late(scribe, "no")) == ({holiday}, {made_up, in_time})
    await load(scribe, OFF, WORKED)
    assert await again(pool, scribe) == 2
    assert (await late(scribe), await late(scribe, "no")) == ({made_up}, {holiday, in_time})
    other = await scribe.seal(recorded_at=MONDAY, received_at="2026-03-05T16:00:00.000Z")
    assert await late(scribe) == {made_up, other}, "what comes from now on counts by it at once"
    await load(scribe)
    await again(pool, scribe)
    assert await late(scribe) == {holiday, other}, "what was loaded last replaces what was loaded before"
    assert await again(pool, scribe) == 0


async def test_a_term_of_the_agency_s_own_counts_in_searches(
    pool: Pool, scribe: Scribe, two: tuple[UUID, UUID]
) -> None:
    rule = {"key": "storing", "kind": "storing", "unit": "working_days", "days": 1, "citation": "办法", "source": "own"}
    async with scribe.conn.transaction():
        await publish_rules(
            scribe.conn,
            table=read_table({"title": "期限", "source": "own", "rules": [rule]}),
            effective_from=date(2026, 3, 1),
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )
    await again(pool, scribe)
    assert await late(scribe) == set(two)


async def test_what_was_written_meanwhile_by_the_calendar_before_is_written_again(
    pool: Pool, scribe: Scribe, two: tuple[UUID, UUID]
) -> None:
    """A transaction that has read the calendar commits its document after the new one counts."""
    held = asyncio.Event()
    async with pool.acquire() as conn:
        slow = Scribe(conn=conn, clock=scribe.clock, entropy=scribe.entropy)
        transaction = conn.transaction()
        await transaction.start()
        meanwhile = await slow.seal(recorded_at=MONDAY, received_at=THURSDAY)
        await load(scribe, OFF)
        going = asyncio.create_task(recount(held, pool=pool, clock=lambda: LATER, pause_seconds=0.001))
        done, _ = await asyncio.wait([going], timeout=0.3)
        assert not done, "it waits for whoever may still count by the calendar before"
        await transaction.commit()
    assert await going == 1
    assert await late(scribe) == set()
    assert meanwhile not in two


async def test_a_round_that_is_cut_off_is_gone_through_again(
    pool: Pool, scribe: Scribe, two: tuple[UUID, UUID]
) -> None:
    await load(scribe, OFF, WORKED)
    stop = asyncio.Event()
    stop.set()
    await recount(stop, pool=pool, clock=lambda: LATER)
    assert await search_store.counted_by(scribe.conn) == Basis()
    await again(pool, scribe)
    assert await late(scribe) == {two[1]}
    assert await search_store.counted_by(scribe.conn) == await basis_in_force(scribe.conn)


async def test_only_what_is_judged_otherwise_is_written_again(
    pool: Pool, scribe: Scribe, two: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    far = await scribe.seal(recorded_at="2026-03-10T01:00:00.000Z", received_at="2026-03-20T01:00:00.000Z")
    await scribe.conn.execute("UPDATE search_document SET haystack = 'unchanged'")
    await load(scribe, OFF)
    written: list[UUID] = []
    write = search_store._write_again

    async def told(conn: Any, clips: list[UUID]) -> None:
        written.extend(clips)
        await write(conn, clips)

    monkeypatch.setattr(search_store, "_write_again", told)
    await again(pool, scribe)
    assert written == [two[0]]
    assert far in await late(scribe)


async def test_a_service_sees_to_it_by_itself(pool: Pool, scribe: Scribe, two: tuple[UUID, UUID]) -> None:
    await load(scribe, OFF, WORKED)
    stop = asyncio.Event()
    sweeping = asyncio.create_task(sweep(stop, pool=pool, clock=lambda: LATER, entropy=scribe.entropy))
    async with asyncio.timeout(20):
        while await late(scribe) != {two[1]}:
            await asyncio.sleep(0.02)
    stop.set()
    await sweeping
