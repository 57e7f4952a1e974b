"""Links to watch one clip by: made and ended by who works here; watched by a recipient without login or script."""

from __future__ import annotations

import asyncio
from html import escape
from pathlib import Path

from aiohttp import web

from api.answers import etag, json_answer
from api.call import Call
from api.clip_links import marker_of
from api.handlers.clips import checked_purpose, rendition_of
from api.handlers.media import send_file
from api.metrics import METRICS
from api.models.clip_links import ClipLinkItem, ClipLinkItems, ShareClip, SharedClip
from api.models.common import PageQuery
from api.models.exports import RevokedLink, RevokeLink
from api.preconditions import once
from api.ranges import Span, choose_span
from api.route import NoQuery
from evidence.clips.clips import get_clip
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.errors import ShareNotReady, ShareUnknown
from evidence.export.certificate.facts import BEIJING
from evidence.export.mark_text import short_id
from evidence.export.sharers import require_clip_sharer
from evidence.export.watch_store import WatchLink, watch_links_of
from evidence.export.watching import (
    look_at_watch_link,
    redeem_watch,
    require_copy,
    revoke_watch_link,
    share_clip,
    use_watch_link,
)
from evidence.parties.errors import TicketUnknown
from evidence.parties.purposes import PURPOSES
from evidence.retention.tombstones import keep_meanwhile
from evidence.verify.report import printable

HTML = "text/html"
FILM = "video/mp4"
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""What the pages may do: look as they look, play the copy, and send the one form."""

_HEAD = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>水印副本（非原件） / Watermarked copy, not the original</title>
<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.6 sans-serif;max-width:56em;margin:2em auto;padding:0 1em;color:#000;background:#fff}
button{font:inherit;padding:.5em 1.2em}dt{font-weight:600}video{width:100%;background:#000}</style></head><body>
<h1>水印副本 / Watermarked copy</h1>
<p><strong>非原件，不作为证据。画面含收件人水印。<br>
Not the original, not evidence. Every picture carries the recipient's watermark.</strong></p>
"""
_LINK = """<dl><dt>收件人 / recipient</dt><dd>{recipient}</dd><dt>用途 / purpose</dt><dd>{purpose}</dd>
<dt>水印编号 / mark</dt><dd>{mark}</dd><dt>有效期至 / until</dt><dd>{until}（北京时间 / UTC+8）</dd>
<dt>剩余次数 / uses left</dt><dd>{left}</dd></dl>
"""
_FORM = """<p>每次观看均记入账本。打开后数小时内可继续，不另计次数。<br>
Every viewing is recorded. One that was begun can go on for some hours and counts once.</p>
<form method="post" action="{link}"><button>观看 / watch</button></form>
</body></html>
"""
_MAKING = """<p>副本正在制作，请稍后重新打开本页；不计次数。<br>
The copy is being made. Open this page again in a while; that counts as no use.</p>
</body></html>
"""
_FILM = """<video controls preload="metadata" src="{film}"></video>
</body></html>
"""


async def create(call: Call[ShareClip, NoQuery]) -> web.Response:
    """Make a link for somebody outside; its copy is made meanwhile."""
    services, body = call.services, call.body
    purpose = checked_purpose(body.purpose)
    # No Idempotency-Key: its stored answer would hold the secret.
    async with services.pool.acquire() as conn, conn.transaction():
        clip = await get_clip(conn, call.id("clip"))
        await keep_meanwhile(conn, clip.id)
        parent, media_type = await rendition_of(conn, clip, body.rendition)
        shared = await share_clip(
            conn,
            clip=clip.id,
            rendition=body.rendition,
            parent=parent,
            media_type=media_type,
            from_ms=body.from_ms,
            to_ms=body.to_ms,
            recipient=body.recipient,
            purpose=purpose,
            expires_at=body.expires_at,
            uses_max=body.uses,
            actor=call.actor,
            session=call.staff.token,
            clock=services.clock,
            entropy=services.entropy,
        )
    # Only now, with the entry committed, does anybody learn the address.
    url = f"{services.config.public_url or ''}/watch/{shared.text}"
    return json_answer(SharedClip(link=shared.link, url=url, entry=shared.entry_id), status=201)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List the links to a clip."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        rows = await watch_links_of(conn, clip.id, after=call.query.after_id() or FIRST_ID, limit=limit + 1)
    items = [_item(row) for row in rows[:limit]]
    return json_answer(ClipLinkItems(items=items, next=str(items[-1].link) if len(rows) > limit else None))


async def revoke(call: Call[RevokeLink, NoQuery]) -> web.Response:
    """End a link."""
    services = call.services

    async def work(conn: Connection) -> RevokedLink:
        entry = await revoke_watch_link(
            conn,
            clip=call.id("clip"),
            link=call.id("link"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return RevokedLink(link=call.id("link"), entry=entry)

    return await once(call, route="revoke_clip_link", work=work, status=200)


async def show(call: Call[None, NoQuery]) -> web.Response:
    """Show what a link is for; nothing of the footage leaves."""
    text = call.request.match_info["ticket"]
    async with call.services.pool.acquire() as conn:
        link = await _opened(call, conn, text)
    where = f"{call.services.config.public_url or ''}/watch/{text}"
    rest = _FORM.format(link=where) if link.state == "done" else _MAKING
    return _page(_about(link) + rest)


async def use(call: Call[None, NoQuery]) -> web.Response:
    """Use a link: on record first, then where the copy is watched."""
    services = call.services
    text = call.request.match_info["ticket"]
    async with services.pool.acquire() as conn:
        await _film_of(call, await _opened(call, conn, text))
        async with conn.transaction():
            used = await use_watch_link(conn, text, clock=services.clock, entropy=services.entropy)
    return web.Response(status=303, headers={"Location": f"{services.config.public_url or ''}/watching/{used.text}"})


async def watching(call: Call[None, NoQuery]) -> web.Response:
    """Show the page with the marked copy that a ticket opens."""
    text = call.request.match_info["ticket"]
    link = await _redeemed(call, text)
    film = f"{call.services.config.public_url or ''}/watching/{text}/copy"
    return _page(_about(link) + _FILM.format(film=film))


async def film(call: Call[None, NoQuery]) -> web.StreamResponse:
    """Serve the marked copy that a ticket opens, whole or a range."""
    request = call.request
    link = await _redeemed(call, request.match_info["ticket"])
    path = await _film_of(call, link)
    size, tag = link.copy_size or 0, etag(require_copy(link).hex())
    span = choose_span(
        range_header=request.headers.get("Range"), if_range=request.headers.get("If-Range"), etag=tag, size=size
    )
    part = span or Span(0, size, size)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="watermarked-copy-{short_id(link.link)}.mp4"',
        "Content-Type": FILM,
        "ETag": tag,
        **({} if span is None else {"Content-Range": span.content_range}),
    }
    response = web.StreamResponse(status=200 if span is None else 206, headers=headers)
    response.content_length = part.length
    await response.prepare(request)
    if request.method != "HEAD":
        await send_file(response, path, part)
        request.app[METRICS].media_bytes.inc(part.length)
    return response


async def _opened(call: Call[None, NoQuery], conn: Connection, text: str) -> WatchLink:
    """Return a link that still shows something, and whose maker could still make it."""
    link = await look_at_watch_link(conn, text, clock=call.services.clock)
    await require_clip_sharer(conn, link, mode=call.services.config.access, now=call.services.clock())
    return link


async def _redeemed(call: Call[None, NoQuery], text: str) -> WatchLink:
    services = call.services
    async with services.pool.acquire() as conn:
        link = await redeem_watch(conn, text, clock=services.clock)
        try:
            await require_clip_sharer(conn, link, mode=services.config.access, now=services.clock())
        except ShareUnknown as error:
            raise TicketUnknown("the ticket is not known or has expired") from error
    return link


async def _film_of(call: Call[None, NoQuery], link: WatchLink) -> Path:
    """Return where the marked copy of a link lies.

    Raises:
        ShareNotReady: It is not there, or not on this host.
    """
    path = marker_of(call.services).copy_of(link.link, require_copy(link))
    try:
        size = (await asyncio.to_thread(path.stat)).st_size
    except FileNotFoundError as error:
        raise ShareNotReady("the marked copy lies on the host that made it", state="elsewhere") from error
    if size != link.copy_size:
        raise ShareNotReady("the marked copy is not what is on record", state="damaged")
    return path


def _about(link: WatchLink) -> str:
    chinese, english = PURPOSES.get(link.purpose, (link.purpose, link.purpose))
    return _LINK.format(
        recipient=escape(printable(link.recipient)),
        purpose=escape(f"{chinese} / {english}"),
        mark=short_id(link.link),
        until=link.expires_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"),
        left=link.uses_max - link.uses,
    )


def _page(body: str) -> web.Response:
    return web.Response(text=_HEAD + body, content_type=HTML, charset="utf-8")


def _item(link: WatchLink) -> ClipLinkItem:
    told = {name: getattr(link, name) for name in ClipLinkItem.model_fields if hasattr(link, name)}
    return ClipLinkItem(**told, mark=short_id(link.link), sha256=link.copy_sha256, entry=link.entry_id)
