"""Waiting for something to happen, but no longer than a while; a cancellation always gets through.

`asyncio.wait_for` of Python 3.11 returns as if nothing had been asked of it when the event and a cancellation come in
the same turn of the loop (fixed in 3.12). A task that waits in a loop then goes on for ever, and whoever cancelled it
waits for ever. So nothing in this house uses it; `tests/architecture` sees to that.
"""

from __future__ import annotations

import asyncio


async def happens(event: asyncio.Event, within_seconds: float | None) -> bool:
    """Wait for an event and tell whether it happened within the time; None waits as long as it takes."""
    try:
        async with asyncio.timeout(within_seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
