"""Clips: find, read, annotate, tell their history, and open a view on their footage."""

from __future__ import annotations

import json
from datetime import timedelta

from aiohttp import web

from api.answers import etag, json_answer
from api.call import Call
from api.errors import CursorInvalid, PurposeUnknown, RenditionMissing
from api.handlers.clip_items import annotation_item, clip_detail, clip_item, history_item
from api.models.clips import (
    AnnotationItems,
    AnnotationMade,
    ClipItems,
    ClipsQuery,
    HistoryItems,
    OpenedView,
    OpenView,
)
from api.models.common import PageQuery
from api.preconditions import expected_version, is_unchanged, once
from api.route import NoQuery
from evidence.clips.annotations import annotate, list_annotations
from evidence.clips.clips import Clip, get_clip
from evidence.clips.content import AnnotationContent
from evidence.clips.search import list_clips
from evidence.clips.transcript_store import newest_transcript
from evidence.custody.history import clip_history
from evidence.custody.store import payloads_of
from evidence.db.paging import LAST_INTEGER
from evidence.db.pool import Connection
from evidence.parties.purposes import PURPOSES
from evidence.parties.tickets import open_view
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
        index = (await published_indices(conn, [clip.row.entry_id])).get(clip.row.entry_id)
    # Publication changes what is shown without changing the clip, so it is part of the tag.
    tag = etag(f"{clip.revision}-{'pending' if index is None else index}")
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_unchanged(call.request, tag):
        return web.Response(status=304, headers=headers)
    return json_answer(clip_detail(clip, index), headers=headers)


async def versions(call: Call[None, PageQuery]) -> web.Response:
    """List the versions of a clip's annotation; the ETag is what `If-Match` wants."""
    limit = call.query.limit
    before = _version(call.query.cursor)
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        rows = await list_annotations(conn, clip.id, before=before, limit=limit + 1)
    items = [annotation_item(row) for row in rows[:limit]]
    page = AnnotationItems(items=items, next=str(items[-1].version) if len(rows) > limit else None)
    return json_answer(page, headers={"ETag": etag(str(clip.version))})


async def add_annotation(call: Call[AnnotationContent, NoQuery]) -> web.Response:
    """Write the next version of a clip's annotation, based on the version in `If-Match`."""
    services = call.services
    version = expected_version(call.request)

    async def work(conn: Connection) -> AnnotationMade:
        made = await annotate(
            conn,
            clip=call.id("clip"),
            content=call.body,
            expected_version=version,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return AnnotationMade(version=made.version, entry=made.entry_id, at=made.at)

    response = await once(call, route="annotate", work=work)
    response.headers["ETag"] = etag(str(version + 1))
    return response


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


def _version(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or not 0 < int(cursor[:12]) <= LAST_INTEGER:
        raise CursorInvalid("the cursor is not from this list")
    return int(cursor)
