"""Who may see what: grants, their withdrawal, access classes of clips."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from api.answers import json_answer
from api.call import Call
from api.models.common import Recorded
from api.models.grants import (
    Classified,
    ClassifyClip,
    GrantAccess,
    GrantItem,
    GrantPage,
    GrantsQuery,
    MadeGrant,
)
from api.models.parties import Revoke
from api.preconditions import once
from api.route import NoQuery
from evidence.access.grant_store import grants_after
from evidence.access.grants import Wanted, classify_clip, grant_access, withdraw_access
from evidence.access.people import AccessMode
from evidence.db.pool import Connection


async def grant(call: Call[GrantAccess, NoQuery]) -> web.Response:
    """Let a person reach units, cases or access classes."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> MadeGrant:
        made = await grant_access(
            conn,
            Wanted(
                staff=body.staff,
                units=body.units,
                all_units=body.all_units,
                cases=body.cases,
                classes=body.classes,
                until=body.until,
                reason=body.reason,
            ),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return MadeGrant(grant=made.grant, entry=made.entry_id, in_force=_in_force(call))

    return await once(call, route="grant_access", work=work)


async def list_all(call: Call[None, GrantsQuery]) -> web.Response:
    """List grants, also those that have ended."""
    query, now = call.query, call.services.clock()
    async with call.services.pool.acquire() as conn:
        grants = await grants_after(conn, staff=query.staff, after=query.after_id(), limit=query.limit + 1)
    items = [
        GrantItem(
            grant=one.grant,
            staff=one.staff,
            units=sorted(one.units),
            all_units=one.all_units,
            cases=sorted(one.cases),
            classes=sorted(one.classes),
            until=one.until,
            reason=one.reason,
            granted_at=one.granted_at,
            granted_by=one.granted_by,
            withdrawn_at=one.withdrawn_at,
            withdrawn_reason=one.withdrawn_reason,
            counts=one.counts_at(now),
        )
        for one in grants[: query.limit]
    ]
    return json_answer(GrantPage(items=items, next=str(items[-1].grant) if len(grants) > query.limit else None))


async def withdraw(call: Call[Revoke, NoQuery]) -> web.Response:
    """Withdraw a grant for good."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await withdraw_access(
            conn,
            call.id("grant"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=entry), status=201)


async def classify(call: Call[ClassifyClip, NoQuery]) -> web.Response:
    """State which access classes a clip bears."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> BaseModel:
        entry = await classify_clip(
            conn,
            call.id("clip"),
            classes=body.classes,
            reason=body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Classified(entry=entry, in_force=_in_force(call))

    return await once(call, route="classify_clip", work=work)


def _in_force(call: Call[GrantAccess, NoQuery] | Call[ClassifyClip, NoQuery]) -> bool:
    return call.services.config.access is AccessMode.UNITS
