"""Fixtures of the domain's integration tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from evidence.db.pool import Pool
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import Scribe


@pytest.fixture
async def scribe(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> AsyncIterator[Scribe]:
    """Somebody who records events on a connection of the test's own database."""
    async with pool.acquire() as conn:
        yield Scribe(conn=conn, clock=clock, entropy=entropy)
