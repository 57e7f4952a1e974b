"""Clips: find, read, tell their history, and open a view on their footage."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

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
from evidence.access.searches import put_on_record
from evidence.access.sight import known_cases, known_numbers
from evidence.clips.clips import Clip, get_clip
from evidence.clips.search import list_clips
from evidence.clips.transcript_store import newest_transcript
from evidence.custody.history import clip_history
from evidence.custody.seen import seen_lines
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
    """Find clips; with a purpose also restricted ones, and then what was shown goes on record first."""
    query, services = call.query, call.services
    purpose = None if query.purpose is None else checked_purpose(query.purpose)
    scope = call.scope(with_purpose=purpose is not None)
    async with services.pool.acquire() as conn, conn.transaction():
        page = await list_clips(conn, query.question(), cursor=query.cursor, limit=query.limit, scope=scope)
        numbers = await known_numbers(conn, call.person, {number for one in page.items for number in one.cases})
        if purpose is not None:
            await put_on_record(
                conn,
                staff=call.staff.staff,
                session=call.staff.token,
                purpose=purpose,
                question=query.in_words(),
                shown=[one.clip for one in page.items],
                clock=services.clock,
                entropy=services.entropy,
            )
    shown = [replace(one, cases=[number for number in one.cases if number in numbers]) for one in page.items]
    items = [clip_item(summary, page.hits.get(summary.clip, ())) for summary in shown]
    return json_answer(ClipItems(items=items, next=page.next))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return all that is known about a clip."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        await require_kept(conn, clip.id)
        known = await known_cases(conn, call.person, {link.case_id for link in clip.links})
        index = (await published_indices(conn, [clip.row.entry_id])).get(clip.row.entry_id)
    # Not even the tag tells of a case that whoever asks may not know of.
    clip = replace(clip, links=tuple(link for link in clip.links if link.case_id in known))
    # Publication changes what is shown without changing the clip, so it is part of the tag.
    tag = etag(f"{clip.revision}-{'pending' if index is None else index}")
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_unchanged(call.request, tag):
        return web.Response(status=304, headers=headers)
    return json_answer(clip_detail(clip, index, call.person), headers=headers)


async def history(call: Call[None, PageQuery]) -> web.Response:
    """Tell what is on record about a clip."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        lines = await clip_history(conn, call.id("clip"), after=call.query.after_id(), limit=limit + 1)
        shown = await seen_lines(conn, call.person, lines[:limit])
    following = str(lines[limit - 1].event.entry_id) if len(lines) > limit else None
    return json_answer(HistoryItems(items=[history_item(line, call.person) for line in shown], next=following))


async def view(call: Call[OpenView, NoQuery]) -> web.Response:
    """Put on record that somebody looks, and only then say where."""
    services, body = call.services, call.body
    purpose = checked_purpose(body.purpose)
    async with services.pool.acquire() as conn, conn.transaction():
        clip = await get_clip(conn, call.id("clip"))
        await keep_meanwhile(conn, clip.id)
        sha256, media_type = await rendition_of(conn, clip, body.rendition)
        opened = await open_view(
            conn,
            clip=clip.id,
            rendition=body.rendition,
            purpose=purpose,
            staff=call.staff.staff,
            session=call.staff.token,
            by_cookie=by_cookie(call),
            sha256=sha256,
            media_type=media_type,
            lifetime=timedelta(seconds=services.config.view_ticket_seconds),
            clock=services.clock,
            entropy=services.entropy,
        )
    # Only now, with the entry committed, does anybody learn the address.
    url = f"{services.config.public_url or ''}/media/{opened.text}"
    return json_answer(OpenedView(url=url, expires_at=opened.expires_at, entry=opened.entry_id), status=201)


def by_cookie(call: Call[Any, Any]) -> bool:
    """Whether a person showed their session in a cookie, as a browser sends it with every range too."""
    return call.staff.by_session and "Authorization" not in call.request.headers


def checked_purpose(purpose: str) -> str:
    """Return a purpose that is on the list.

    Raises:
        PurposeUnknown: It is not.
    """
    if purpose not in PURPOSES:
        raise PurposeUnknown(f"{purpose!r} is not on the list of purposes", purposes=sorted(PURPOSES))
    return purpose


async def rendition_of(conn: Connection, clip: Clip, kind: str) -> tuple[bytes, str]:
    """Return SHA-256 and media type of what a clip has of a kind.

    Raises:
        RenditionMissing: It has none.
    """
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
