"""Packages over HTTP: asked for, made meanwhile, fetched on record; and the trail of a clip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from aiohttp import web

from api.answers import etag, json_answer
from api.call import Call
from api.errors import PurposeUnknown
from api.exports import locate_parts, maker_of
from api.handlers.media import send_file
from api.metrics import METRICS
from api.models.common import PageQuery
from api.models.exports import (
    CaseTrail,
    CaseTrailQuery,
    ExportItem,
    ExportItems,
    OpenDownload,
    OpenedDownload,
    OrderExport,
    PackagedSpan,
    Trail,
    TrailQuery,
)
from api.preconditions import once
from api.ranges import Span, choose_span
from api.route import NoQuery
from evidence.access.sight import known_clips
from evidence.custody.seen import seen_lines
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection
from evidence.errors import ExportElsewhere, ExportNotReady, ExportUnknown
from evidence.export import job_store
from evidence.export.archive import forget_archive
from evidence.export.case_trail import case_trail, seen_history
from evidence.export.job_store import ExportJob
from evidence.export.links import fetch, redeem
from evidence.export.orders import find_export, order_export, repeat_export
from evidence.export.parts import Part, Wanted
from evidence.export.sharers import require_shared_still
from evidence.export.trail import read_history, trail_of
from evidence.export.trail_picture import SVG_TYPE, case_picture, clip_picture
from evidence.parties.purposes import PURPOSES
from ledger.errors import CodedError

ARCHIVE_TYPE = "application/zip"


async def order(call: Call[OrderExport, NoQuery]) -> web.Response:
    """Ask for a package."""
    services, body = call.services, call.body
    require_purpose(body.purpose)
    # Before the transaction: a recording without an index is read from end to end. A repeat of an order that went
    # through gets its first answer, whatever has become of the clip.
    parts, refusal = await _located(call)

    async def work(conn: Connection) -> ExportItem:
        if refusal is not None:
            raise refusal
        if body.repeat is not None:
            job = await repeat_export(
                conn,
                export=body.repeat,
                purpose=body.purpose,
                actor=call.actor,
                clock=services.clock,
                entropy=services.entropy,
            )
        else:
            job = await order_export(
                conn,
                case=body.case,
                clips=body.clips,
                parts=parts,
                purpose=body.purpose,
                actor=call.actor,
                reader=services.reader,
                clock=services.clock,
                entropy=services.entropy,
            )
        return _item(job)

    return await once(call, route="export", work=work, status=202)


async def _located(call: Call[OrderExport, NoQuery]) -> tuple[tuple[Part, ...], CodedError | None]:
    body = call.body
    wanted = [Wanted(one.clip, one.from_ms, one.to_ms) for one in body.excerpts]
    try:
        return await locate_parts(call.services, case=body.case, clips=body.clips, wanted=wanted), None
    except CodedError as error:
        return (), error


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List packages, the one asked for last first."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        jobs = await job_store.list_jobs(conn, before=call.query.after_id() or LAST_ID, limit=limit + 1)
        known = await known_clips(conn, call.person, {clip for job in jobs for clip in job.clips})
    items = [_item(job) for job in jobs[:limit] if known.issuperset(job.clips)]
    return json_answer(ExportItems(items=items, next=str(jobs[limit - 1].export) if len(jobs) > limit else None))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Tell how far a package is."""
    return json_answer(_item(await find_export(call.services.pool, call.id("export"))))


async def give_up(call: Call[None, NoQuery]) -> web.Response:
    """Give a package up: cancel what is being made, remove what is there. The record of it stays."""
    export = call.id("export")
    if await job_store.find(call.services.pool, export) is None:
        raise ExportUnknown(f"there is no package {export}", export=str(export))
    await job_store.end(call.services.pool, export)
    await asyncio.to_thread(forget_archive, maker_of(call.services).archive_of(export))
    return web.Response(status=204)


async def download(call: Call[OpenDownload, NoQuery]) -> web.Response:
    """Put on record that somebody fetches a package, and only then say where."""
    services = call.services
    require_purpose(call.body.purpose)
    path = await archive_of(call, call.id("export"))
    size = (await asyncio.to_thread(path.stat)).st_size
    job = await find_export(services.pool, call.id("export"))
    async with services.pool.acquire() as conn, conn.transaction():
        fetched = await fetch(
            conn,
            export=call.id("export"),
            purpose=call.body.purpose,
            actor=call.actor,
            session=call.staff.token,
            clock=services.clock,
            entropy=services.entropy,
        )
    # Only now, with the entry committed, does anybody learn the address.
    url = f"{services.config.public_url or ''}/packages/{fetched.text}"
    return json_answer(
        OpenedDownload(
            url=url, expires_at=fetched.expires_at, entry=fetched.entry_id, size=size, manifest=job.manifest_sha256
        ),
        status=201,
    )


async def package(call: Call[None, NoQuery]) -> web.StreamResponse:
    """Serve the archive that a ticket opens, whole or a range."""
    request = call.request
    async with call.services.pool.acquire() as conn:
        ticket = await redeem(conn, request.match_info["ticket"], clock=call.services.clock)
        now, mode = call.services.clock(), call.services.config.access
        await require_shared_still(conn, ticket, mode=mode, now=now)
    path = await archive_of(call, ticket.export)
    size, tag = (await asyncio.to_thread(path.stat)).st_size, etag(str(ticket.export))
    span = choose_span(
        range_header=request.headers.get("Range"), if_range=request.headers.get("If-Range"), etag=tag, size=size
    )
    part = span or Span(0, size, size)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="shilu-{ticket.export}.zip"',
        "Content-Type": ARCHIVE_TYPE,
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


async def trail(call: Call[None, TrailQuery]) -> web.Response:
    """Tell where a clip came from and where it went."""
    async with call.services.pool.acquire() as conn:
        see = partial(seen_lines, conn, call.person)
        history = await seen_history(await read_history(conn, call.id("clip")), see=see)
    found = trail_of(history)
    if call.query.form == "svg":
        return _picture(clip_picture(found))
    return json_answer(Trail.model_validate(found))


async def trail_of_case(call: Call[None, CaseTrailQuery]) -> web.Response:
    """Tell what became of a case, and where each exhibit came from."""
    query = call.query
    async with call.services.pool.acquire() as conn:

        async def may(clips: Sequence[UUID]) -> set[UUID]:
            return await known_clips(conn, call.person, clips)

        see = partial(seen_lines, conn, call.person)
        found = await case_trail(conn, call.id("case"), may=may, see=see, after=query.after, limit=query.limit)
    if query.form == "svg":
        return _picture(case_picture(found))
    return json_answer(CaseTrail.model_validate(found))


def _picture(svg: str) -> web.Response:
    return web.Response(text=svg, content_type=SVG_TYPE, charset="utf-8")


async def archive_of(call: Call[None, NoQuery] | Call[OpenDownload, NoQuery], export: UUID) -> Path:
    """Return where the archive of a package lies.

    Raises:
        ExportUnknown, ExportNotReady: There is no such package, or not yet, or not any more.
        ExportElsewhere: It lies on another host.
    """
    job = await find_export(call.services.pool, export)
    if job.state != "done":
        raise ExportNotReady(f"package {export} is {job.state}", state=job.state)
    path = maker_of(call.services).archive_of(export)
    if not await asyncio.to_thread(path.is_file):
        raise ExportElsewhere(f"package {export} lies on the host that made it", export=str(export))
    return path


def require_purpose(purpose: str) -> None:
    """Refuse what is not on the list.

    Raises:
        PurposeUnknown: It is not.
    """
    if purpose not in PURPOSES:
        raise PurposeUnknown(f"{purpose!r} is not on the list of purposes", purposes=sorted(PURPOSES))


def _item(job: ExportJob) -> ExportItem:
    return ExportItem(
        export=job.export,
        state=job.state,
        case=job.case_id,
        clips=len(job.clips),
        excerpts=[
            PackagedSpan(
                clip=part.clip,
                from_ms=told.asked.from_ms,
                to_ms=told.asked.to_ms,
                shown_from_ms=None if told.shown is None else told.shown.from_ms,
                shown_to_ms=None if told.shown is None else told.shown.to_ms,
            )
            for part in job.parts
            for told in part.spans
        ],
        purpose=job.purpose,
        asked_by=job.actor,
        asked_at=job.created_at,
        entry=job.entry_id,
        bytes_done=job.bytes_done,
        bytes_total=job.bytes_total,
        size=job.size,
        code=job.code,
        reason=job.reason,
    )
