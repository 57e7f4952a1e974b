"""Custody reports over HTTP: pages of JSON, one HTML file, or PDF in parts."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.custody_reports import Asked, html_of, pdf_of, read_head, read_page
from api.models.custody import CustodyReport, PersonReportQuery, ReportLineItem, ReportQuery
from evidence.custody.report import ReportLine
from evidence.export.custody_paper import ReportHead

HTML = "text/html"
PDF = "application/pdf"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""What a report's page may do: look as it looks."""


async def of_clip(call: Call[None, ReportQuery]) -> web.StreamResponse:
    """Tell who looked at a clip, and everything else on record about it."""
    asked = Asked(clip=call.id("clip"), until=call.services.clock(), reader=call.person)
    return await _answer(call, asked, call.query)


async def of_person(call: Call[None, PersonReportQuery]) -> web.StreamResponse:
    """Tell what a person looked at."""
    query = call.query
    until = query.until or call.services.clock()
    asked = Asked(staff=call.id("staff"), since=query.since, until=until, reader=call.person)
    return await _answer(call, asked, query)


async def _answer(
    call: Call[None, ReportQuery] | Call[None, PersonReportQuery], asked: Asked, query: ReportQuery
) -> web.StreamResponse:
    services, after = call.services, query.after_id()
    if query.form == "html":
        return await _html(call.request, call, asked)
    if query.form == "pdf":
        body, following = await pdf_of(services, asked, after=after)
        more = {} if following is None else {"X-Shilu-Next": str(following)}
        return web.Response(body=body, headers={"Content-Type": PDF, **_named(asked, "pdf"), **more})
    page = await read_page(services, asked, after=after, limit=query.limit)
    head = await read_head(services, asked)
    return json_answer(report_item(asked, head, page.lines, page.following))


async def _html(
    request: web.Request, call: Call[None, ReportQuery] | Call[None, PersonReportQuery], asked: Asked
) -> web.StreamResponse:
    pieces = html_of(call.services, asked)
    # The first piece is read before the answer begins: whatever is wrong is still told as a problem.
    first = await anext(pieces)
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{HTML}; charset=utf-8",
            **_named(asked, "html"),
        }
    )
    await response.prepare(request)
    if request.method != "HEAD":
        await response.write(first.encode())
        async for piece in pieces:
            await response.write(piece.encode())
    return response


def report_item(asked: Asked, head: ReportHead, lines: tuple[ReportLine, ...], following: UUID | None) -> CustodyReport:
    """Return a page of a report as it is shown."""
    return CustodyReport(
        clip=asked.clip,
        staff=asked.staff,
        name=head.about[1][1] if asked.clip else head.about[0][1],
        zone=head.zone.key,
        origin=head.origin,
        size=head.size,
        root=head.root,
        items=[line_item(line, head.zone) for line in lines],
        next=None if following is None else str(following),
    )


def line_item(line: ReportLine, zone: ZoneInfo) -> ReportLineItem:
    """Return a line as it is shown."""
    return ReportLineItem(
        entry=line.entry_id,
        index=line.index,
        at=line.at,
        local=line.at.astimezone(zone).isoformat(timespec="milliseconds"),
        type=line.type,
        actor=line.actor,
        name=line.name,
        looks=line.looks,
        purpose=line.purpose,
        session=line.session,
        served=dict(line.served),
        clips=list(line.clips),
    )


def _named(asked: Asked, suffix: str) -> Mapping[str, str]:
    return {"Content-Disposition": f'attachment; filename="custody-{asked.clip or asked.staff}.{suffix}"'}
