"""Redacted copies over HTTP: asked for, made by a worker, and asked after until they are there."""

from __future__ import annotations

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.clips import RedactionItem
from api.preconditions import once
from api.route import NoQuery
from evidence.clips.redaction import RedactionContent
from evidence.db.pool import Connection
from ingest.redaction_store import RedactionJob
from ingest.redactions import find_redaction, order_redaction


async def order(call: Call[RedactionContent, NoQuery]) -> web.Response:
    """Ask for a redacted copy of a clip."""
    services, clip = call.services, call.id("clip")

    async def work(conn: Connection) -> RedactionItem:
        job = await order_redaction(
            conn,
            clip=clip,
            content=call.body,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return _item(job)

    return await once(call, route="redact", work=work, status=202)


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Tell how far a redacted copy is."""
    job = await find_redaction(call.services.pool, clip=call.id("clip"), redaction=call.id("redaction"))
    return json_answer(_item(job))


def _item(job: RedactionJob) -> RedactionItem:
    return RedactionItem(
        redaction=job.redaction,
        clip=job.clip,
        state=job.state,
        asked_at=job.asked_at,
        code=job.code,
        reason=job.reason,
        entry=None if job.made is None else job.made.entry_id,
        sha256=None if job.made is None else job.made.sha256,
        size=None if job.made is None else job.made.size,
        media_type=None if job.made is None else job.made.media_type,
    )
