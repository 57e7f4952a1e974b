"""Housekeeping: passing state is removed when its time is over, the search index kept in form and by the calendar in
force, clips of a time before the registers attributed, publications whose term is over withdrawn; nothing that is
evidence is ever removed.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from evidence.accounts.pause_store import sweep_counts
from evidence.accounts.pauses import COUNTS_MAX, FORGOTTEN_AFTER, KNOWN_FOR
from evidence.accounts.session_store import sweep_seen
from evidence.clips import search_store
from evidence.clips.recounting import recount
from evidence.core.clock import Clock, Entropy
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Pool
from evidence.export.link_store import remove_tickets
from evidence.export.watch_store import remove_watch_tickets
from evidence.federated.sign_in import ANSWERS_KEPT as ANSWERS_REMEMBERED
from evidence.federated.sign_in import STRANGERS_KEPT, STRANGERS_MAX
from evidence.federated.store import sweep_federated
from evidence.parties.ticket_store import remove_expired
from evidence.publicity.records import take_down_over
from evidence.registers.attribution import catch_up
from ledger.pausing import happens

INTERVAL_SECONDS = 600.0
RECOUNT_SECONDS = 5.0
"""How often it is asked whether the agency counts by another calendar or other rules now."""

RENEWAL_PAUSE_SECONDS = 0.05
"""Between two batches of search documents after an upgrade: whoever works meanwhile goes first."""

ANSWERS_KEPT = timedelta(days=1)
"""How long the answer to a create with an Idempotency-Key is kept: longer than any client goes on trying."""

TICKETS_TOLD = timedelta(hours=1)
"""How long whoever holds an expired view ticket is told that it has expired, and not that there is none."""


async def sweep(stop: asyncio.Event, *, pool: Pool, clock: Clock, entropy: Entropy) -> None:
    """Remove expired tickets and old stored answers every ten minutes, until `stop`; first bring the search index up to
    the form in which this program writes it.
    """
    last: UUID | None = FIRST_ID
    while last is not None and not stop.is_set():
        async with pool.acquire() as conn:
            last = await search_store.renew(conn, after=last)
        await happens(stop, RENEWAL_PAUSE_SECONDS)
    while not stop.is_set():
        now = clock()
        async with pool.acquire() as conn:
            await remove_expired(conn, tickets_before=now - TICKETS_TOLD, answers_before=now - ANSWERS_KEPT)
            await sweep_counts(conn, before=now - FORGOTTEN_AFTER, rows_max=COUNTS_MAX)
            await sweep_seen(conn, before=now - KNOWN_FOR)
            await remove_tickets(conn, before=now)
            await remove_watch_tickets(conn, before=now)
            await sweep_federated(
                conn,
                answers_before=now - ANSWERS_REMEMBERED,
                strangers_before=now - STRANGERS_KEPT,
                rows_max=STRANGERS_MAX,
            )
        async with pool.acquire() as conn, conn.transaction():
            await take_down_over(conn, clock=clock, entropy=entropy)
        await _attribute(stop, pool=pool, clock=clock, entropy=entropy)
        await _rest(stop, pool=pool, clock=clock)


async def _rest(stop: asyncio.Event, *, pool: Pool, clock: Clock) -> None:
    """Wait for the next round; what a calendar or rules change of what came late is seen to meanwhile."""
    rounds = round(INTERVAL_SECONDS / RECOUNT_SECONDS)
    for _ in range(rounds):
        await recount(stop, pool=pool, clock=clock)
        if await happens(stop, RECOUNT_SECONDS):
            return


async def _attribute(stop: asyncio.Event, *, pool: Pool, clock: Clock, entropy: Entropy) -> None:
    last: UUID | None = FIRST_ID
    while last is not None and not stop.is_set():
        last = await catch_up(pool, after=last, clock=clock, entropy=entropy)
        await happens(stop, RENEWAL_PAUSE_SECONDS)
