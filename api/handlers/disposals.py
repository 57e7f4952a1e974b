"""Disposals: appraised by one person, decided by another; carried out by the service itself."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.common import PageQuery, Recorded
from api.models.retention import (
    AppraisalItem,
    AppraisalItems,
    AppraisalMade,
    AppraisalReport,
    Appraise,
    AppraisedClipItem,
    Decide,
)
from api.preconditions import once
from api.route import NoQuery
from evidence.access.errors import AccessDenied
from evidence.access.policy import Because
from evidence.access.sight import known_clips
from evidence.db.pool import Connection
from evidence.retention.disposal import appraise, decide, get_appraisal
from evidence.retention.disposal_store import Appraisal, appraisals_before, items_of


async def propose(call: Call[Appraise, NoQuery]) -> web.Response:
    """Propose to dispose of clips."""

    async def work(conn: Connection) -> AppraisalMade:
        made = await appraise(
            conn,
            clips=call.body.clips,
            reason=call.body.reason,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
        return AppraisalMade(appraisal=made.appraisal, entry=made.entry_id)

    return await once(call, route="appraise", work=work)


async def settle(call: Call[Decide, NoQuery]) -> web.Response:
    """Approve or refuse what another person appraised; nobody decides about clips that they may not know of."""
    async with call.services.pool.acquire() as conn, conn.transaction():
        clips = {one.clip for one in await items_of(conn, call.id("appraisal"))}
        if clips - await known_clips(conn, call.person, clips):
            raise AccessDenied("the list holds clips that are out of reach", because=Because.REACH.value)
        recorded = await decide(
            conn,
            appraisal=call.id("appraisal"),
            approve=call.body.approve,
            reason=call.body.reason,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
    return json_answer(Recorded(entry=recorded.entry_id), status=201)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List appraisals."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await appraisals_before(conn, before=call.query.after_id(), limit=limit + 1)
    items = [AppraisalItem(**_fields(row)) for row in rows[:limit]]
    return json_answer(AppraisalItems(items=items, next=str(items[-1].appraisal) if len(rows) > limit else None))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return an appraisal with its list."""
    async with call.services.pool.acquire() as conn:
        row = await get_appraisal(conn, call.id("appraisal"))
        items = await items_of(conn, row.appraisal)
        known = await known_clips(conn, call.person, [one.clip for one in items])
    listed = [
        AppraisedClipItem(
            clip=one.clip,
            sha256=one.sha256,
            size=one.size,
            expired_on=one.expired_on,
            because=one.because,
            disposed_at=one.disposed_at,
        )
        for one in items
        if one.clip in known
    ]
    return json_answer(AppraisalReport(**_fields(row), items=listed))


def _fields(row: Appraisal) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in row.__dataclass_fields__ if name != "entry_id"}
    return {**fields, "entry": row.entry_id}
