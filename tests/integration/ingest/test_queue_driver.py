"""The queue's way to the database: whoever rings is heard."""

from __future__ import annotations

import asyncio

from ingest.queue_driver import listening
from tests.support.intake import Intake


async def test_who_rings_before_anybody_listens_is_heard(intake: Intake) -> None:
    """The library does, and would end its worker for it every half minute."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with listening(intake.pool) as driver:
        ringing = asyncio.create_task(driver.notify("一声", "probe"))
        await asyncio.sleep(0.2)
        await driver.add_listener("一声", lambda payload: heard.put_nowait(str(payload)))
        async with asyncio.timeout(10):
            await ringing
            assert await heard.get() == "probe"
