"""kill -9 of the process that carries out disposals, at each arrow: the object or the tombstone, and never neither."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidence.db.pool import Pool
from evidence.retention.disposal_store import find_tombstone
from tests.support.auditing import differences
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.retention import approved
from tests.support.small_house import CONTENTS, SmallHouse, open_small_house

ROOT = Path(__file__).resolve().parents[3]
SECOND = tuple(CONTENTS)[1]

pytestmark = pytest.mark.slow


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    """Three clips, of which one may be disposed of."""
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as opened:
        yield opened


async def carry_out(house: SmallHouse, point: str) -> int:
    """Let a process carry out a round; return how it ended, in the manner of `subprocess`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.evidence.disposer", house.dsn, str(house.root / "objects"),
        house.clock().isoformat(), point, cwd=ROOT,
    )  # fmt: skip
    return await process.wait()


async def stands(house: SmallHouse) -> tuple[bool, bool]:
    """Return whether there is the object, and whether there is the tombstone."""
    async with house.pool.acquire() as conn:
        buried = await find_tombstone(conn, house.clips[SECOND]) is not None
    return house.objects.exists(house.object_digest(CONTENTS[SECOND])), buried


async def test_r17_a_disposer_killed_at_each_arrow_leaves_the_object_or_the_tombstone(house: SmallHouse) -> None:
    await approved(house, house.clips[SECOND])
    assert await carry_out(house, "before_commit") == -signal.SIGKILL
    assert await stands(house) == (True, False)
    assert await carry_out(house, "after_commit") == -signal.SIGKILL
    assert await stands(house) == (True, True)
    assert await carry_out(house, "never") == 0
    assert await stands(house) == (True, True), "no byte goes before its tombstone is published"
    await house.publish()
    assert await carry_out(house, "before_removal") == -signal.SIGKILL
    assert await stands(house) == (True, True)
    assert await carry_out(house, "after_removal") == -signal.SIGKILL
    assert await stands(house) == (False, True)
    assert await carry_out(house, "never") == 0
    assert await differences(house) == []
