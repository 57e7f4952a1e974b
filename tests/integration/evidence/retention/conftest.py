"""A furnished small house whose clips grow old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidence.db.pool import Pool
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.small_house import SmallHouse, open_small_house


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    """Three clips, the first of them evidence of a case; published to its last entry."""
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as opened:
        yield opened
