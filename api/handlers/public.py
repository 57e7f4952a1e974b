"""What anybody reads: pages, JSON, a feed, and the proof beside each record. No login, no cookie, no script.

Answers are the same for everybody and may be cached for a minute: so what is withdrawn is gone from every cache that
keeps to it a minute later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from aiohttp import web

from api.answers import etag
from api.bodies import JSON
from api.call import Call
from api.cookies import address_of
from api.handlers.publications import report_item
from api.models.common import PageQuery
from api.models.publicity import (
    OnDayQuery,
    PublicQuery,
    PublicRecord,
    PublicRecords,
    PublicRegisters,
    PublicVersionItem,
    ReportItems,
)
from api.preconditions import is_unchanged
from api.public_pages import record_page, records_page, registers_page, reports_page
from api.public_rate import PublicRate
from api.route import NoQuery
from evidence.calendar.workdays import CHINA
from evidence.core.clock import format_time
from evidence.publicity.proof import build_proof
from evidence.publicity.public import PublicVersion, PublicView, public_view
from evidence.publicity.public_store import public_issues, registers_on
from evidence.publicity.report_store import Report, reports_before
from evidence.publicity.store import IssueRow
from ledger.errors import NotPublished

HTML = "text/html; charset=utf-8"
FEED = "application/feed+json"
PROOF = "application/vnd.shilu.published"
CACHE = "public, max-age=60, must-revalidate"
FEED_ITEMS = 50

PUBLIC_RATE = web.AppKey("public_rate", PublicRate)


async def index(call: Call[None, PublicQuery]) -> web.Response:
    """Show decisions as a page."""
    issues, following = await _issues(call)
    page = records_page(issues, kind=call.query.kind, following=following)
    return _answer(call, page.encode(), HTML)


async def records(call: Call[None, PublicQuery]) -> web.Response:
    """Return decisions as JSON."""
    issues, following = await _issues(call)
    items = [_listed(one) for one in issues]
    return _json(call, PublicRecords(items=items, next=None if following is None else str(following)))


async def feed(call: Call[None, NoQuery]) -> web.Response:
    """Return what was published last, as a feed (JSON Feed 1.1)."""
    _count(call)
    async with call.services.pool.acquire() as conn:
        issues = await public_issues(conn, today=_today(call), kind=None, before=None, limit=FEED_ITEMS)
    base = call.services.config.public_url or ""
    items = [
        {
            "id": str(one.publication),
            "url": f"{base}/public/records/{one.publication}",
            "title": " ".join(filter(None, (one.fields.get("document_number"), one.fields.get("subject")))),
            "content_text": "\n".join(one.fields.values()),
            "date_published": format_time(one.published_at),
            "tags": [one.kind],
        }
        for one in issues
    ]
    whole = {"version": "https://jsonfeed.org/version/1.1", "title": "行政执法信息公示", "language": "zh-CN"}
    body = {**whole, "home_page_url": f"{base}/public", "feed_url": f"{base}/public/feed.json", "items": items}
    return _answer(call, json.dumps(body, ensure_ascii=False).encode(), FEED)


async def record(call: Call[None, OnDayQuery]) -> web.Response:
    """Show one record as a page."""
    view = await _view(call, on=call.query.on)
    return _answer(call, record_page(view).encode(), HTML)


async def record_json(call: Call[None, OnDayQuery]) -> web.Response:
    """Return one record as JSON."""
    return _json(call, _record(await _view(call, on=call.query.on)))


async def proof(call: Call[None, OnDayQuery]) -> web.Response:
    """Return the proof that a record was in the log at its time."""
    view = await _view(call, on=call.query.on)
    async with call.services.pool.acquire() as conn:
        body = await build_proof(conn, call.services.reader, view)
    if body is None:
        raise NotPublished("the record is in no published checkpoint yet")
    response = _answer(call, body, PROOF)
    response.headers["Content-Disposition"] = f'attachment; filename="{view.publication}.published"'
    return response


async def registers(call: Call[None, OnDayQuery]) -> web.Response:
    """Show the registers in force on a day as a page."""
    issues, on = await _registers(call)
    return _answer(call, registers_page(issues, on=on).encode(), HTML)


async def registers_json(call: Call[None, OnDayQuery]) -> web.Response:
    """Return the registers in force on a day as JSON."""
    issues, on = await _registers(call)
    return _json(call, PublicRegisters(on=on, items=[_listed(one) for one in issues]))


async def reports(call: Call[None, PageQuery]) -> web.Response:
    """Show the reports as a page."""
    rows, _ = await _reports(call)
    return _answer(call, reports_page(rows).encode(), HTML)


async def reports_json(call: Call[None, PageQuery]) -> web.Response:
    """Return the reports as JSON."""
    rows, following = await _reports(call)
    return _json(call, ReportItems(items=[report_item(row) for row in rows], next=following))


async def _issues(call: Call[None, PublicQuery]) -> tuple[Sequence[IssueRow], UUID | None]:
    _count(call)
    limit, query = call.query.limit, call.query
    async with call.services.pool.acquire() as conn:
        rows = await public_issues(conn, today=_today(call), kind=query.kind, before=query.after_id(), limit=limit + 1)
    return rows[:limit], rows[limit - 1].entry_id if len(rows) > limit else None


async def _registers(call: Call[None, OnDayQuery]) -> tuple[Sequence[IssueRow], date]:
    _count(call)
    today = _today(call)
    on = call.query.on or today
    async with call.services.pool.acquire() as conn:
        return await registers_on(conn, on, today=today), on


async def _reports(call: Call[None, PageQuery]) -> tuple[Sequence[Report], str | None]:
    _count(call)
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await reports_before(conn, before=call.query.after_id(), limit=limit + 1)
    return rows[:limit], str(rows[limit - 1].report) if len(rows) > limit else None


async def _view(call: Call[None, Any], *, on: date | None) -> PublicView:
    _count(call)
    async with call.services.pool.acquire() as conn:
        return await public_view(conn, call.id("publication"), today=_today(call), on=on)


def _count(call: Call[Any, Any]) -> None:
    """Count a request of its address.

    Raises:
        PublicPaused: The address asked too often.
    """
    address = address_of(call.request, call.services.config.trusted_proxies)
    call.request.app[PUBLIC_RATE].take(address)


def _today(call: Call[Any, Any]) -> date:
    return call.services.clock().astimezone(CHINA).date()


def _listed(issue: IssueRow) -> PublicRecord:
    version = PublicVersion(issue.version, issue.published_at, issue.effective_from, issue.entry_id)
    return _record(PublicView(publication=issue.publication, status="public", issue=issue, versions=[version]))


def _record(view: PublicView) -> PublicRecord:
    issue = view.issue
    return PublicRecord(
        schema_name="shilu-publication-1",
        publication=view.publication,
        status=view.status,
        form=None if issue is None else issue.form,
        kind=None if issue is None else issue.kind,
        fields=None if issue is None else issue.fields,
        version=None if issue is None else issue.version,
        published_at=None if issue is None else issue.published_at,
        until=None if issue is None else issue.until,
        versions=[
            PublicVersionItem(
                version=one.version,
                published_at=one.published_at,
                effective_from=one.effective_from,
                entry=one.entry_id,
            )
            for one in view.versions
        ],
        cause=view.cause or None,
        reason=view.reason or None,
        gone_at=view.gone_at,
        proof=f"/public/records/{view.publication}/proof",
    )


def _json(call: Call[Any, Any], model: PublicRecord | PublicRecords | PublicRegisters | ReportItems) -> web.Response:
    return _answer(call, model.model_dump_json(by_alias=True).encode(), JSON)


def _answer(call: Call[Any, Any], body: bytes, media_type: str) -> web.Response:
    """Answer with what may be cached; 304 to whoever has these very bytes."""
    tag = etag(hashlib.sha256(body).hexdigest()[:32])
    headers = {"ETag": tag, "Cache-Control": CACHE}
    if is_unchanged(call.request, tag):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = media_type
    return web.Response(body=body, headers=headers)
