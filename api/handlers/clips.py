"""Clips: find, read, tell their history, and open a view on their footage."""

from __future__ import annotations

import json
from datetime import timedelta

from aiohttp import web

from api.answers import etag, json_answer
from api.call import Call
from api.errors import PurposeUnknown, RenditionMissing
from api.handlers.clip_items import clip_detail, clip_item, history_item
from api.models.clips import (
    ClipItems,
    ClipsQuery,
    HistoryItems,
    OpenedView,
    OpenView,
)
from api.models.common import PageQuery
from api.preconditions import is_unchanged
from api.route import NoQuery
from evidence.clips.clips import Clip, get_clip
from evidence.clips.search import list_clips
from evidence.clips.transcript_store import newest_transcript
from evidence.custody.history import clip_history
from evidence.custody.store import payloads_of
from evidence.db.pool import Connection
from evidence.parties.purposes import PURPOSES
from evidence.parties.tickets import open_view
from evidence.retention.tombstones import keep_meanwhile, require_kept
from ledger.store import published_indices

REDACTED = "redacted"
SPOKEN = frozenset(("transcript", "captions"))
ORIGINAL = "original"
ORIGINAL_TYPE = "application/octet-stream"
"""Originals are never interpreted by a browser: they are what a stranger's device wrote."""


async def find(call: Call[None, ClipsQuery]) -> web.Response:
    """Find clips."""
    query = call.query
    async with call.services.pool.acquire() as conn:
        page = await list_clips(conn, query.question(), cursor=query.cursor, limit=query.limit)
    items = [clip_item(summary, page.hits.get(summary.clip, ())) for summary in page.items]
    return json_answer(ClipItems(items=items, next=page.next))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return all that is known about a clip."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        await require_kept(conn, clip.id)
        index = (await published_indices(conn, [clip.row.entry_id])).get(clip.row.entry_id)
    # Publication changes what is shown without changing the clip, so it is part of the tag.
    tag = etag(f"{clip.revision}-{'pending' if index is None else index}")
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_unchanged(call.request, tag):
        return web.Response(status=304, headers=headers)
    return json_answer(clip_detail(clip, index), headers=headers)


async def history(call: Call[None, PageQuery]) -> web.Response:
    """Tell what is on record about a clip."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        lines = await clip_history(conn, call.id("clip"), after=call.query.after_id(), limit=limit + 1)
    items = [history_item(line) for line in lines[:limit]]
    return json_answer(HistoryItems(items=items, next=str(items[-1].entry) if len(lines) > limit else None))


async def view(call: Call[OpenView, NoQuery]) -> web.Response:
    """Put on record that somebody looks, and only then say where."""
    services, body = call.services, call.body
    if body.purpose not in PURPOSES:
        raise PurposeUnknown(f"{body.purpose!r} is not on the list of purposes", purposes=sorted(PURPOSES))
    async with services.pool.acquire() as conn, conn.transaction():
        clip = await get_clip(conn, call.id("clip"))
        await keep_meanwhile(conn, clip.id)
        sha256, media_type = await _rendition(conn, clip, body.rendition)
        opened = await open_view(
            conn,
            clip=clip.id,
            rendition=body.rendition,
            purpose=body.purpose,
            staff=call.staff.staff,
            sha256=sha256,
            media_type=media_type,
            lifetime=timedelta(seconds=services.config.view_ticket_seconds),
            clock=services.clock,
            entropy=services.entropy,
        )
    # Only now, with the entry committed, does anybody learn the address.
    url = f"{services.config.public_url or ''}/media/{opened.text}"
    return json_answer(OpenedView(url=url, expires_at=opened.expires_at, entry=opened.entry_id), status=201)


async def _rendition(conn: Connection, clip: Clip, kind: str) -> tuple[bytes, str]:
    if kind == ORIGINAL:
        return clip.row.sha256, ORIGINAL_TYPE
    if kind == REDACTED and (redacted := await payloads_of(conn, type="clip.redacted", subject=f"clip:{clip.id}")):
        newest = json.loads(redacted[-1].payload)
        return bytes.fromhex(newest["sha256"]), newest["media_type"]
    made = clip.made(kind)
    if kind in SPOKEN and (told := await newest_transcript(conn, clip.id)) is not None:
        made = told.made(kind)
    if made is None:
        raise RenditionMissing(f"the clip has no {kind}", clip=str(clip.id), state=clip.state.value)
    return made.sha256, made.media_type
