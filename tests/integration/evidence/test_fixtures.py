"""The suite's own fixtures: each test has a database nobody else writes to."""

from __future__ import annotations

import pytest

from evidence.db.migrate import current_revision, newest_revision
from evidence.db.pool import Pool


@pytest.mark.parametrize("turn", range(3))
async def test_every_test_has_a_fresh_migrated_database(pool: Pool, turn: int) -> None:
    async with pool.acquire() as conn:
        assert await current_revision(conn) == newest_revision()
        await conn.execute("CREATE TABLE left_behind (turn int)")
