"""Whose a clip is: shown, listed where somebody has to say, resolved."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from api.answers import etag, json_answer
from api.call import Call
from api.models.common import PageQuery
from api.models.registers import AttributionItem, AttributionPage, Resolve
from api.preconditions import expected_version
from api.route import NoQuery
from evidence.access.policy import Action
from evidence.access.sight import known_clips
from evidence.registers.attribution import Attribution, attribution_of, resolve, shown
from evidence.registers.attribution_store import blocked_clips


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Say whose a clip is."""
    async with call.services.pool.acquire() as conn:
        found = await attribution_of(conn, call.id("clip"))
    return _answer(found)


async def list_blocked(call: Call[None, PageQuery]) -> web.Response:
    """List the clips that wait for somebody to say whose they are."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await blocked_clips(conn, before=call.query.after_id(), limit=limit + 1)
        known = await known_clips(conn, call.person, [row.clip for row in rows], action=Action.ATTRIBUTE)
    items = [_item(shown(row)) for row in rows[:limit] if row.clip in known]
    return json_answer(AttributionPage(items=items, next=str(rows[limit - 1].clip) if len(rows) > limit else None))


async def resolve_one(call: Call[Resolve, NoQuery]) -> web.Response:
    """Resolve whose a blocked clip is."""
    services = call.services
    version = expected_version(call.request)
    async with services.pool.acquire() as conn, conn.transaction():
        row = await resolve(
            conn,
            clip=call.id("clip"),
            officer=call.body.officer,
            reason=call.body.reason,
            expected_version=version,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return _answer(shown(row), status=201)


def _item(found: Attribution) -> AttributionItem:
    return AttributionItem(**{**asdict(found), "flags": list(found.flags)})


def _answer(found: Attribution, *, status: int = 200) -> web.Response:
    return json_answer(_item(found), status=status, headers={"ETag": etag(str(found.version))})
