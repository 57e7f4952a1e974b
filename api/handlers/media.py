"""Footage by ticket, whole or a byte range (RFC 9110); who looks was recorded when the ticket was made.

What is not here is read from the second store: an original in pieces, each proved before it is sent, the rest whole.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from aiohttp import web

from api.answers import etag
from api.call import Call
from api.dispatch import ROUTE, staff_shown
from api.metrics import METRICS
from api.ranges import Span, choose_span
from api.route import NoQuery
from api.services import Services
from evidence.db.pool import Connection
from evidence.objects.proved import ProvedObject, prove_object
from evidence.parties.looks import redeem_look
from evidence.parties.ticket_store import ViewTicket
from evidence.parties.tickets import redeem_beside, redeem_ticket, require_own

READ_BYTES = 512 * 1024
"""Bytes read and written at a time; larger pieces gain nothing, smaller ones cost thread hand-overs."""


async def media(call: Call[None, NoQuery]) -> web.StreamResponse:
    """Serve the object that a ticket opens."""
    async with call.services.pool.acquire() as conn:
        ticket = await redeem_ticket(conn, call.request.match_info["ticket"], clock=call.services.clock)
        await _require_own(conn, call, ticket)
    return await _serve(call, ticket)


async def media_beside(call: Call[None, NoQuery]) -> web.StreamResponse:
    """Serve what was made together with the object that a ticket opens, as players ask for it by relative address."""
    address = call.request.match_info
    async with call.services.pool.acquire() as conn:
        ticket = await redeem_beside(conn, address["ticket"], kind=address["kind"], clock=call.services.clock)
        await _require_own(conn, call, ticket)
    return await _serve(call, ticket)


async def media_of_look(call: Call[None, NoQuery]) -> web.StreamResponse:
    """Serve a picture of one clip that the ticket of a look opens."""
    address, clip = call.request.match_info, call.id("clip")
    async with call.services.pool.acquire() as conn:
        ticket = await redeem_look(conn, address["ticket"], clip=clip, kind=address["kind"], clock=call.services.clock)
        await _require_own(conn, call, ticket)
    return await _serve(call, ticket)


async def _require_own(conn: Connection, call: Call[None, NoQuery], ticket: ViewTicket) -> None:
    require_own(ticket, shown=await staff_shown(conn, call.request[ROUTE], call.request, call.services))


async def _serve(call: Call[None, NoQuery], ticket: ViewTicket) -> web.StreamResponse:
    request = call.request
    source = await _open(call.services, ticket.sha256)
    size = source.size if isinstance(source, ProvedObject) else source.stat().st_size
    tag = etag(ticket.sha256.hex())
    span = choose_span(
        range_header=request.headers.get("Range"), if_range=request.headers.get("If-Range"), etag=tag, size=size
    )
    headers = _headers(ticket, tag)
    if span is not None:
        headers["Content-Range"] = span.content_range
    part = span or Span(0, size, size)
    response = web.StreamResponse(status=200 if span is None else 206, headers=headers)
    response.content_length = part.length
    if request.method == "HEAD":
        await response.prepare(request)
    elif isinstance(source, ProvedObject):
        await _send_proved(request, response, source, part)
    else:
        await response.prepare(request)
        await send_file(response, source, part)
    request.app[METRICS].media_bytes.inc(0 if request.method == "HEAD" else part.length)
    return response


async def _open(services: Services, sha256: bytes) -> Path | ProvedObject:
    """Return the local file, or else an original in the second store that is read in ranges, or else the fetched file.

    Raises:
        ObjectMissing, ObjectDamaged, ObjectStoreUnreachable: See `ObjectStore.open_path`.
    """
    name = sha256.hex()
    if services.second is not None and not await asyncio.to_thread(services.local.exists, name):
        async with services.pool.acquire() as conn:
            proved = await prove_object(conn, services.second, sha256)
        if proved is not None:
            return proved
    return await asyncio.to_thread(services.objects.open_path, name)


async def _send_proved(request: web.Request, response: web.StreamResponse, source: ProvedObject, span: Span) -> None:
    """Send a span of what lies in the second store; nothing is sent that was not proved.

    Raises:
        ObjectDamaged, ObjectMissing, ObjectStoreUnreachable: Before the first byte an answer of its own, later a cut.
    """
    pieces = source.pieces(span.start, span.stop)
    piece = await asyncio.to_thread(next, pieces, None)
    await response.prepare(request)
    while piece is not None:
        await response.write(piece)
        piece = await asyncio.to_thread(next, pieces, None)


def _headers(ticket: ViewTicket, tag: str) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": "inline" if ticket.media_type != "application/octet-stream" else "attachment",
        "Content-Type": ticket.media_type,
        "ETag": tag,
    }


async def send_file(response: web.StreamResponse, path: Path, span: Span) -> None:
    """Send a span of a file's bytes.

    Raises:
        OSError: The file cannot be read, or ends before the span does.
    """
    descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY)
    try:
        position = span.start
        while position < span.stop:
            piece = await asyncio.to_thread(os.pread, descriptor, min(READ_BYTES, span.stop - position), position)
            if not piece:
                raise OSError(f"the object ends at byte {position}, not at {span.stop}")
            await response.write(piece)
            position += len(piece)
    finally:
        os.close(descriptor)
