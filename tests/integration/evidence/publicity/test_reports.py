"""Periodic reports: counted at a checkpoint, the same ever after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from evidence.db.pool import Pool
from evidence.publicity.errors import ReportInvalid, ReportUnknown
from evidence.publicity.report_store import Report, reports_before
from evidence.publicity.reports import days_of, get_report, recounted, report_period
from evidence.statistics.errors import CheckpointUnknown
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.publicity import WRITER, Press
from tests.support.small_house import SmallHouse, open_small_house


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    """A house with three clips and a case."""
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as opened:
        yield opened


async def report(house: SmallHouse, period: str, size: int | None = None, **stated: int) -> Report:
    async with house.pool.acquire() as conn, conn.transaction():
        return await report_period(
            conn,
            period=period,
            stated={name.replace("__", "."): number for name, number in stated.items()},
            size=size,
            actor=WRITER,
            clock=house.clock,
            entropy=house.entropy,
        )


async def test_r41_last_years_report_recounts_to_identical_numbers(house: SmallHouse) -> None:
    """R41: recompute last year's report: identical numbers, whatever happened since."""
    press = Press(pool=house.pool, clock=house.clock, entropy=house.entropy)
    first = await press.issue(await press.draft())
    await press.issue(await press.draft(kind="permit"))
    await press.correct(first)
    await press.issue(first, 2)
    await _certify(house, "3", until="2026-12-31")
    await _certify(house, "4", until="2026-06-30")
    await house.publish()
    year = await report(house, "2026", permits__applied=7, inspections=40)
    assert year.figures["published.penalty"] == 1
    assert year.figures["published.permit"] == 1
    assert year.figures["corrected.penalty"] == 1
    assert year.figures["clips.sealed"] == 3
    assert (year.figures["officers.certified"], year.figures["officers.uncertified"]) == (1, 1)
    assert year.stated == {"inspections": 40, "permits.applied": 7}
    march = await report(house, "2026-03", size=year.size)
    later = {**year.figures, "officers.certified": 2}
    assert march.figures == {name: number for name, number in later.items() if name != "officers.uncertified"}
    house.clock.advance(timedelta(days=330))
    await press.withdraw(first)
    await press.issue(await press.draft())
    await _certify(house, "5", until="2027-12-31")
    await house.seal("late.mp4", b"a late one")
    await house.publish()
    for one in (year, march):
        async with house.pool.acquire() as conn:
            known, again = await recounted(conn, one.report)
        assert again == known.figures == one.figures
    assert (await report(house, "2027")).figures["withdrawn.revoked"] == 1
    async with house.pool.acquire() as conn:
        assert [one.period for one in await reports_before(conn, before=None, limit=10)] == ["2027", "2026-03", "2026"]
        with pytest.raises(ReportUnknown):
            await get_report(conn, first)


async def _certify(house: SmallHouse, number: str, *, until: str) -> None:
    officer = house.new_id()
    said = {
        "officer": str(officer),
        "number": number,
        "name": "王五",
        "unit": "一中队",
        "certificate": f"晋{number}",
        "valid_until": until,
    }
    await house.write("officer.registered", f"officer:{officer}", {**said})


async def test_what_is_no_report_is_refused(house: SmallHouse) -> None:
    await house.publish()
    for period, stated in (
        ("2027", {}),
        ("26", {}),
        ("2026-13", {}),
        ("2026", {"bribes": 1}),
        ("2026", {"inspections": -1}),
    ):
        with pytest.raises(ReportInvalid):
            await report(house, period, **stated)
    with pytest.raises(CheckpointUnknown):
        await report(house, "2026", size=10**6)
    assert days_of("2024-02") == (date(2024, 2, 1), date(2024, 2, 29))
    assert (await report(house, "2026")).figures.get("published.penalty") is None
