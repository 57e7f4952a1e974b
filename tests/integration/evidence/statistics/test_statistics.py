"""Figures at a checkpoint, and samples drawn at one: the same ever after, whatever is recorded later."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from evidence.core.clock import format_time
from evidence.db.pool import Pool
from evidence.statistics.errors import (
    CheckpointUnknown,
    SampleInvalid,
    SampleNotReady,
    SampleSeedWrong,
    SampleUnknown,
)
from evidence.statistics.figures import Statement, as_csv, state_price, statement_at
from evidence.statistics.figures_store import GROUPS
from evidence.statistics.sample_store import checkpoint_at, scores_of
from evidence.statistics.samples import commit_sample, draw_sample, get_sample, score
from evidence.statistics.sampling import commitment_of, drawn
from tests.support.auditing import differences
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import STAFF, Scribe
from tests.support.retention import dispose
from tests.support.small_house import CONTENTS, SmallHouse, open_small_house

FIRST, SECOND, STILL = CONTENTS
SEED = bytes(range(32))


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    """Three clips, the first of them derived, annotated and in a case."""
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as opened:
        yield opened


async def statement(house: SmallHouse, by: str = "recorder", size: int | None = None) -> Statement:
    async with house.pool.acquire() as conn:
        return await statement_at(conn, by=by, size=size)


async def test_r42_groups_add_up_to_the_total_and_figures_recompute_at_their_checkpoint(house: SmallHouse) -> None:
    """R42: the sum of departments is the total; and what comes later changes nothing of it."""
    before = {by: await statement(house, by) for by in GROUPS}
    for one in before.values():
        for name, whole in asdict(one.total).items():
            assert sum(asdict(group)[name] for group in one.groups.values()) == whole, (one.by, name)
    total = before["unit"].total
    assert (total.clips, total.bytes) == (3, sum(len(content) for content in CONTENTS.values()))
    assert (total.on_time, total.late, total.undated, total.uncovered) == (3, 0, 0, 2)
    assert (total.milliseconds, total.made_bytes) == (6000, len(b"a proxy, a derivative") + len(b"a poster"))
    assert total.verified == 0
    await _go_on(house)
    for by, one in before.items():
        assert await statement(house, by, one.size) == one
    after = await statement(house)
    assert after.total.clips == 3, "one more came, one was disposed of"
    assert after.total.late == 1
    assert after.total.verified == 2
    terabytes = Decimal(after.total.bytes + after.total.made_bytes).scaleb(-12)
    assert Decimal(after.total.cost(after.price) or "") == 200 * terabytes


async def _go_on(house: SmallHouse) -> None:
    """Everything that could move a figure: a late clip, a clean audit, a price, an annotation, a disposal."""
    async with house.pool.acquire() as conn:
        point = await checkpoint_at(conn, None)
        assert point is not None
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        await scribe.annotate(house.clips[SECOND], remark="现场检查", item="检查")
        async with conn.transaction():
            await state_price(
                conn,
                hundredths=20_000,
                currency="CNY",
                citation="采购合同",
                actor=STAFF,
                clock=house.clock,
                entropy=house.entropy,
            )
    audited = {"size": point.size, "root": point.root.hex(), "findings": {}}
    await house.write("audit.completed", "log", audited)  # type: ignore[arg-type]  # a plain object
    await dispose(house, house.clips[STILL])
    late = house.clock() - timedelta(days=10)
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        await scribe.seal(recorded_at=format_time(late), size=4_000_000)
    await house.publish()


async def test_a_table_states_its_checkpoint_and_runs_nothing(house: SmallHouse) -> None:
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        await scribe.seal(recorder="=cmd|' /C calc'!A0", recorded_at=None)
    await house.publish()
    one = await statement(house)
    rows = list(csv.DictReader(io.StringIO(as_csv(one))))
    assert [row["recorder"] for row in rows][-1] == "total"
    assert not [row for row in rows if row["recorder"].startswith("=")]
    assert {row["root"] for row in rows} == {one.root.hex()}
    assert one.total.undated == 1
    with pytest.raises(CheckpointUnknown):
        await statement(house, size=one.size + 1)


async def commit(house: SmallHouse, draw: int, seed: bytes = SEED) -> UUID:
    async with house.pool.acquire() as conn, conn.transaction():
        sample, _ = await commit_sample(
            conn,
            commitment=commitment_of(seed),
            draw=draw,
            purpose="案卷评查",
            actor=STAFF,
            clock=house.clock,
            entropy=house.entropy,
        )
    return sample


async def reveal(house: SmallHouse, sample: UUID, seed: bytes = SEED) -> list[UUID]:
    async with house.pool.acquire() as conn, conn.transaction():
        return await draw_sample(conn, sample=sample, seed=seed, actor=STAFF, clock=house.clock, entropy=house.entropy)


async def test_r43_a_sample_is_committed_before_it_is_drawn_and_drawn_once(house: SmallHouse) -> None:
    """R43: the same seed gives the same sample, of the population that was frozen when the seed was committed."""
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        cases = [await scribe.open_case(f"晋环罚〔2026〕{n}号") for n in range(10, 20)]
    with pytest.raises(SampleInvalid):
        await commit(house, 11)
    await house.publish()
    sample = await commit(house, 4)
    with pytest.raises(SampleNotReady):
        await reveal(house, sample)
    # Cases that are opened from now on are in no population, and the root that decides is not known yet.
    async with house.pool.acquire() as conn:
        await Scribe(conn=conn, clock=house.clock, entropy=house.entropy).open_case("晋环罚〔2026〕99号")
    await house.publish()
    with pytest.raises(SampleSeedWrong):
        await reveal(house, sample, bytes(32))
    chosen = await reveal(house, sample)
    await house.publish()
    assert await reveal(house, sample) == chosen
    async with house.pool.acquire() as conn:
        known = await get_sample(conn, sample)
        population = [row["case_id"] for row in await conn.fetch("SELECT case_id FROM case_file ORDER BY entry_id")]
    assert set(cases) < set(population[:11])
    assert known.drawn_root is not None
    assert known.root != known.drawn_root
    assert chosen == drawn(population[:11], seed=SEED, root=known.drawn_root, draw=4)
    await _assess(house, sample, chosen[0], population[-1])
    assert await differences(house) == []


async def _assess(house: SmallHouse, sample: UUID, inside: UUID, outside: UUID) -> None:
    async with house.pool.acquire() as conn, conn.transaction():
        for points in (80, 85):
            await score(
                conn,
                sample=sample,
                case=inside,
                points=points,
                note="缺告知",
                actor=STAFF,
                clock=house.clock,
                entropy=house.entropy,
            )
        with pytest.raises(SampleInvalid):
            await score(
                conn,
                sample=sample,
                case=outside,
                points=1,
                note="x",
                actor=STAFF,
                clock=house.clock,
                entropy=house.entropy,
            )
        with pytest.raises(SampleUnknown):
            await get_sample(conn, house.new_id())
        assert (await scores_of(conn, sample))[inside].points == 85
