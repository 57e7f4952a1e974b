"""A still over HTTP: taken from the original, put on record, and answered as a PNG with its statement in a header."""

from __future__ import annotations

from aiohttp import web

from api.call import Call
from api.errors import PurposeUnknown
from api.handlers.media import send_file
from api.models.clips import OrderStill
from api.ranges import Span
from api.route import NoQuery
from api.stills import take
from evidence.parties.purposes import PURPOSES
from ingest.media.showing import Asked
from ingest.stills import StillWish
from ledger.canonical import canonical_json

STILL_TYPE = "image/png"
STATEMENT_HEADER = "X-Shilu-Still"


async def order(call: Call[OrderStill, NoQuery]) -> web.StreamResponse:
    """Take a still and send it; it is on record before the first byte goes out."""
    services, body = call.services, call.body
    if body.purpose not in PURPOSES:
        raise PurposeUnknown(f"{body.purpose!r} is not on the list of purposes", purposes=sorted(PURPOSES))
    wish = StillWish(
        clip=call.id("clip"),
        asked=Asked(frame=body.frame, pts=body.pts, at_ms=body.at_ms),
        purpose=body.purpose,
        actor=call.actor,
        session=call.staff.token,
    )
    async with take(services, wish) as still:
        size = still.path.stat().st_size
        headers = {
            "Content-Disposition": f'attachment; filename="{still.name}"',
            "Content-Type": STILL_TYPE,
            "X-Shilu-Entry": str(still.entry_id),
            STATEMENT_HEADER: canonical_json(still.statement).decode("ascii"),
        }
        response = web.StreamResponse(headers=headers)
        response.content_length = size
        await response.prepare(call.request)
        await send_file(response, still.path, Span(0, size, size))
        return response
