"""Waiting no longer than a while, and never past a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from ledger.pausing import happens


async def test_it_tells_whether_it_happened() -> None:
    event = asyncio.Event()
    assert not await happens(event, 0.01)
    asyncio.get_running_loop().call_later(0.01, event.set)
    assert await happens(event, 10)
    assert await happens(event, None)


async def test_a_cancellation_in_the_same_instant_gets_through() -> None:
    event = asyncio.Event()
    task = asyncio.create_task(happens(event, 10))
    await asyncio.sleep(0.01)
    event.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
