"""Schedules, holds and disposals in tests: two people, a schedule of six months, and a list that may go."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from evidence.calendar.workdays import OFFICIAL, day_of
from evidence.core.clock import format_time
from evidence.retention.disposal import appraise, decide
from evidence.retention.holds import place_hold, release_hold
from evidence.retention.removal import Disposer
from evidence.retention.schedules import state_schedule
from ledger.canonical import JsonObject
from tests.support.small_house import SmallHouse

APPRAISER = "staff:0195a000-0000-7000-8000-00000000000a"
APPROVER = "staff:0195a000-0000-7000-8000-00000000000b"

SIX_MONTHS: dict[str, Any] = {"rules": [], "months": 6, "citation": "执法记录仪使用管理规定 第十二条"}

TERM = timedelta(days=185)
"""Longer than any six months."""


async def let_in(house: SmallHouse) -> None:
    """Give the two people tokens that outlast every term here."""
    for person in (APPRAISER, APPROVER):
        token = house.new_id()
        issued: JsonObject = {
            "token": str(token),
            "staff": person.removeprefix("staff:"),
            "name": "档案员",
            "role": "archivist",
            "expires_at": format_time(house.clock() + timedelta(days=3650)),
            "token_sha256": hashlib.sha256(token.bytes).hexdigest(),
        }
        await house.write("staff.token_issued", f"token:{token}", issued)


async def schedule(house: SmallHouse, **changes: object) -> UUID:
    """Let two people in, and state a schedule of six months that is in force today."""
    await let_in(house)
    today = day_of(house.clock(), OFFICIAL).isoformat()
    async with house.pool.acquire() as conn, conn.transaction():
        content = {"effective_from": today, **SIX_MONTHS, **changes}
        made, _ = await state_schedule(conn, content=content, actor=APPRAISER, clock=house.clock, entropy=house.entropy)
    return made


async def hold(house: SmallHouse, *, actor: str = APPRAISER, **about: Any) -> UUID:
    """Place a hold."""
    async with house.pool.acquire() as conn, conn.transaction():
        placed, _ = await place_hold(
            conn, basis="行政复议期间", actor=actor, clock=house.clock, entropy=house.entropy, **about
        )
    return placed


async def release(house: SmallHouse, placed: UUID, *, actor: str = APPROVER) -> None:
    """Release a hold."""
    async with house.pool.acquire() as conn, conn.transaction():
        await release_hold(conn, hold=placed, reason="复议终结", actor=actor, clock=house.clock, entropy=house.entropy)


async def propose(house: SmallHouse, clips: Sequence[UUID], *, actor: str = APPRAISER) -> UUID:
    """Appraise clips."""
    async with house.pool.acquire() as conn, conn.transaction():
        made = await appraise(
            conn, clips=clips, reason="保存期满", actor=actor, clock=house.clock, entropy=house.entropy
        )
    return made.appraisal


async def settle(house: SmallHouse, appraisal: UUID, *, actor: str = APPROVER, approve: bool = True) -> None:
    """Decide about an appraisal."""
    async with house.pool.acquire() as conn, conn.transaction():
        await decide(
            conn,
            appraisal=appraisal,
            approve=approve,
            reason="同意销毁",
            actor=actor,
            clock=house.clock,
            entropy=house.entropy,
        )


def disposer(house: SmallHouse, *, local: Any = None, second: Any = None) -> Disposer:
    """Return what carries disposals out in this house."""
    return Disposer(
        pool=house.pool, local=local or house.objects, second=second, clock=house.clock, entropy=house.entropy
    )


async def approved(house: SmallHouse, *clips: UUID) -> UUID:
    """State a schedule, let the term pass, appraise and approve."""
    await schedule(house)
    house.clock.advance(TERM)
    appraisal = await propose(house, clips)
    await settle(house, appraisal)
    return appraisal


async def dispose(house: SmallHouse, *clips: UUID) -> None:
    """Go the whole way with clips."""
    await approved(house, *clips)
    worker = disposer(house)
    await worker.round()
    await house.publish()
    await worker.round()
