"""Links to packages: made and ended by who works here; opened by a named recipient, without login or script."""

from __future__ import annotations

from html import escape

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.handlers.exports import require_purpose
from api.models.common import PageQuery
from api.models.exports import LinkItem, LinkItems, RevokedLink, RevokeLink, SharedExport, ShareExport
from api.preconditions import once
from api.route import NoQuery
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.export.certificate.facts import BEIJING
from evidence.export.link_store import LinkRow, links_of
from evidence.export.links import look_at_link, revoke_link, share, use_link
from evidence.export.orders import find_export
from evidence.export.sharers import require_sharer
from evidence.parties.purposes import PURPOSES
from evidence.verify.page.page import page_bytes
from evidence.verify.report import printable

HTML = "text/html"
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
"""What the page may do: look as it looks, and send its one form."""

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>证据包 / Evidence package</title>
<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.6 sans-serif;max-width:42em;margin:2em auto;padding:0 1em;color:#000;background:#fff}}
button{{font:inherit;padding:.5em 1.2em}}dt{{font-weight:600}}</style></head><body>
<h1>证据包 / Evidence package</h1>
<dl><dt>收件人 / recipient</dt><dd>{recipient}</dd><dt>用途 / purpose</dt><dd>{purpose}</dd>
<dt>大小 / size</dt><dd>{size} 字节 / bytes</dd><dt>有效期至 / until</dt><dd>{until}（北京时间 / UTC+8）</dd>
<dt>剩余次数 / uses left</dt><dd>{left}</dd></dl>
<p>每次下载均记入账本。下载中断后一日内可继续，不另计次数。<br>
Every download is recorded. One that breaks off can go on for a day and counts once.</p>
<form method="post" action="{link}"><button>下载 / download</button></form>
<p>离线核验网页 / the page that verifies offline: <a href="{link}/verify.html" download>verify.html</a><br>
日志公钥须另从可信渠道取得。The log's key has to come from a trusted place, not from here.</p>
</body></html>
"""


async def create(call: Call[ShareExport, NoQuery]) -> web.Response:
    """Make a link for somebody outside."""
    services, body = call.services, call.body
    require_purpose(body.purpose)

    async def work(conn: Connection) -> SharedExport:
        shared = await share(
            conn,
            export=call.id("export"),
            recipient=body.recipient,
            purpose=body.purpose,
            expires_at=body.expires_at,
            uses_max=body.uses,
            actor=call.actor,
            session=call.staff.token,
            clock=services.clock,
            entropy=services.entropy,
        )
        url = f"{services.config.public_url or ''}/share/{shared.text}"
        return SharedExport(link=shared.link, url=url, entry=shared.entry_id)

    # No Idempotency-Key: its stored answer would hold the secret.
    async with services.pool.acquire() as conn, conn.transaction():
        return json_answer(await work(conn), status=201)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List the links to a package."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        await find_export(conn, call.id("export"))
        rows = await links_of(conn, call.id("export"), after=call.query.after_id() or FIRST_ID, limit=limit + 1)
    items = [_item(row) for row in rows[:limit]]
    return json_answer(LinkItems(items=items, next=str(items[-1].link) if len(rows) > limit else None))


async def revoke(call: Call[RevokeLink, NoQuery]) -> web.Response:
    """End a link."""
    services = call.services

    async def work(conn: Connection) -> RevokedLink:
        entry = await revoke_link(
            conn,
            export=call.id("export"),
            link=call.id("link"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return RevokedLink(link=call.id("link"), entry=entry)

    return await once(call, route="revoke_link", work=work, status=200)


async def show(call: Call[None, NoQuery]) -> web.Response:
    """Show what a link opens; nothing of it leaves."""
    text = call.request.match_info["ticket"]
    async with call.services.pool.acquire() as conn:
        row = await _opened(call, conn, text)
        job = await find_export(conn, row.export)
    chinese, english = PURPOSES.get(row.purpose, (row.purpose, row.purpose))
    page = _PAGE.format(
        recipient=escape(printable(row.recipient)),
        purpose=escape(f"{chinese} / {english}"),
        size=job.size or 0,
        until=row.expires_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"),
        left=row.uses_max - row.uses,
        link=f"{call.services.config.public_url or ''}/share/{text}",
    )
    return web.Response(text=page, content_type=HTML, charset="utf-8")


async def use(call: Call[None, NoQuery]) -> web.Response:
    """Use a link: on record first, then the address of the package."""
    services = call.services
    text = call.request.match_info["ticket"]
    async with services.pool.acquire() as conn, conn.transaction():
        await _opened(call, conn, text)
        fetched = await use_link(conn, text, clock=services.clock, entropy=services.entropy)
    where = f"{services.config.public_url or ''}/packages/{fetched.text}"
    return web.Response(status=303, headers={"Location": where})


async def verifier(call: Call[None, NoQuery]) -> web.Response:
    """Serve the page that verifies, to whoever holds a link; it is no secret and counts as no use."""
    async with call.services.pool.acquire() as conn:
        await _opened(call, conn, call.request.match_info["ticket"])
    headers = {"Content-Disposition": 'attachment; filename="verify.html"'}
    return web.Response(body=page_bytes(), content_type=HTML, charset="utf-8", headers=headers)


async def _opened(call: Call[None, NoQuery], conn: Connection, text: str) -> LinkRow:
    """Return a link that still opens something, and whose maker could still make it."""
    services = call.services
    row = await look_at_link(conn, text, clock=services.clock)
    await require_sharer(conn, row, mode=services.config.access, now=services.clock())
    return row


def _item(row: LinkRow) -> LinkItem:
    return LinkItem(
        link=row.link,
        recipient=row.recipient,
        purpose=row.purpose,
        expires_at=row.expires_at,
        uses=row.uses,
        uses_max=row.uses_max,
        shared_by=row.shared_by,
        shared_at=row.shared_at,
        revoked_at=row.revoked_at,
        entry=row.entry_id,
    )
