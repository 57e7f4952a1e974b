"""What came late is judged again when the agency loads a calendar or publishes rules: one truth with the figures (R20).

```
calendar.loaded, deadline.rules_published ──> documents written from then on count by them
                                          ──> in the background: when was received what is judged otherwise now (pure)
                                              documents of those spans written again, batch by batch
                                              taken down: all documents count by these
```

A transaction that read the calendar before may commit its document after. So documents are written again once every
transaction is over that was open when the new one was seen. A program that is killed begins again; a calendar that is
loaded meanwhile is seen by the next round.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from evidence.calendar.workdays import CHINA
from evidence.clips import search_store
from evidence.core.clock import Clock
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Pool
from evidence.deadlines.storing import Span, judged_otherwise
from evidence.deadlines.term_store import Basis, basis_in_force, term_of
from ledger.pausing import happens

BATCH_PAUSE_SECONDS = 0.05
"""Between two batches of documents: whoever works meanwhile goes first."""


async def recount(stop: asyncio.Event, *, pool: Pool, clock: Clock, pause_seconds: float = BATCH_PAUSE_SECONDS) -> int:
    """Write documents again whose clip came late, or in time, by another calendar or other rules; return their spans.

    Nothing is done where the calendar and the rules are those by which all documents count.
    """
    async with pool.acquire() as conn:
        now, before = await basis_in_force(conn), await search_store.counted_by(conn)
        if now == before:
            return 0
        number = await search_store.open_transactions(conn)
    while not await _are_over(pool, number):
        if await happens(stop, pause_seconds):
            return 0
    spans = await _spans(pool, before, now, clock)
    for span in spans:
        last: UUID | None = FIRST_ID
        while last is not None:
            async with pool.acquire() as conn:
                last = await search_store.rewrite_received(conn, span, after=last)
            if await happens(stop, pause_seconds):
                return 0
    async with pool.acquire() as conn:
        await search_store.set_counted_by(conn, now)
    return len(spans)


async def _are_over(pool: Pool, number: str) -> bool:
    async with pool.acquire() as conn:
        return await search_store.are_over(conn, number)


async def _spans(pool: Pool, before: Basis, now: Basis, clock: Clock) -> list[Span]:
    async with pool.acquire() as conn:
        first = await search_store.first_received(conn)
        old, new = await term_of(conn, before), await term_of(conn, now)
    if first is None:
        return []
    since = (first - max(old.reach, new.reach)).astimezone(CHINA).date()
    return list(judged_otherwise(old, new, first=since, last=clock().astimezone(CHINA).date()))
