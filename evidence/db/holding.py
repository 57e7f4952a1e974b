"""Doing work while a hold on its job is renewed; the work is given up when another worker has taken over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from evidence.errors import LeaseLost
from ledger.store import DATABASE_ERRORS

R = TypeVar("R")


async def while_held(work: Awaitable[R], *, renew: Callable[[], Awaitable[bool]], every_seconds: float) -> R:
    """Do work, renewing the hold as often as is said.

    A database that is away renews nothing and ends nothing: whether the hold still stood is decided when the result is
    published.

    Raises:
        LeaseLost: Another worker has taken over; the work was cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=every_seconds))[0]:
            try:
                held = await renew()
            except DATABASE_ERRORS:
                continue
            if not held:
                raise LeaseLost("another worker has taken the job over")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
