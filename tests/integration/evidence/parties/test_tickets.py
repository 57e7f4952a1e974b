"""View tickets: the entry first, the ticket with it, and nothing without either."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from evidence.custody.store import find_payload
from evidence.db.pool import Pool
from evidence.errors import EventInvalid
from evidence.parties.errors import TicketExpired, TicketUnknown
from evidence.parties.purposes import PURPOSES
from evidence.parties.ticket_store import find_ticket, remove_expired
from evidence.parties.tickets import OpenedView, open_view, redeem_ticket
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import secret_of

LIFETIME = timedelta(minutes=10)


async def view(pool: Pool, clock: SteppingClock, entropy: SeededEntropy, *, purpose: str = "litigation") -> OpenedView:
    async with pool.acquire() as conn, conn.transaction():
        return await open_view(
            conn,
            clip=UUID(int=3),
            rendition="proxy",
            purpose=purpose,
            staff=UUID(int=4),
            sha256=b"\7" * 32,
            media_type="video/mp4",
            lifetime=LIFETIME,
            clock=clock,
            entropy=entropy,
        )


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_a_ticket_opens_its_object_and_the_view_is_on_record(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, purpose: str
) -> None:
    opened = await view(pool, clock, entropy, purpose=purpose)
    async with pool.acquire() as conn:
        ticket = await redeem_ticket(conn, opened.text, clock=clock)
        payload = await find_payload(conn, opened.entry_id)
    assert (ticket.sha256, ticket.media_type, ticket.entry_id) == (b"\7" * 32, "video/mp4", opened.entry_id)
    assert payload is not None
    assert f'"purpose":"{purpose}"'.encode() in payload.payload
    assert secret_of(opened.text).encode() not in payload.payload


async def test_a_view_that_cannot_be_recorded_has_no_ticket(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    with pytest.raises(EventInvalid):
        await view(pool, clock, entropy, purpose="NO SUCH WORD")
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM view_ticket") == 0


async def test_a_ticket_runs_out(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    opened = await view(pool, clock, entropy)
    clock.advance(LIFETIME)
    async with pool.acquire() as conn:
        with pytest.raises(TicketExpired):
            await redeem_ticket(conn, opened.text, clock=clock)


async def test_a_ticket_with_another_secret_opens_nothing(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    first, second = await view(pool, clock, entropy), await view(pool, clock, entropy)
    forged = f"{first.text.partition('_')[0]}_{second.text.partition('_')[2]}"
    async with pool.acquire() as conn:
        for text in (forged, "", "x", first.text + "A", f"{UUID(int=9).hex}_{'A' * 43}"):
            with pytest.raises(TicketUnknown):
                await redeem_ticket(conn, text, clock=clock)


async def test_expired_tickets_are_swept_and_live_ones_stay(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    old = await view(pool, clock, entropy)
    clock.advance(LIFETIME)
    new = await view(pool, clock, entropy)
    async with pool.acquire() as conn:
        assert await remove_expired(conn, tickets_before=clock(), answers_before=clock()) == 1
        assert await find_ticket(conn, UUID(hex=old.text[:32])) is None
        assert await find_ticket(conn, UUID(hex=new.text[:32])) is not None
