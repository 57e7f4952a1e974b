"""A dock, a recorder and an office, over a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evidence.db.pool import Pool
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import enrol, paper_dock
from tests.support.sequences import Office


@pytest.fixture
async def office(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> AsyncIterator[Office]:
    """Two docks that are let in, and a recorder that works."""
    for seed in (1, 2):
        await enrol(pool, paper_dock(seed), entropy=SeededEntropy(seed))
    async with pool.acquire() as conn:
        yield Office(conn=conn, clock=clock, entropy=entropy)
