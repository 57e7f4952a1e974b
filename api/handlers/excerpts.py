"""An excerpt over HTTP: put on record, made in a folder of its own, and answered as one archive."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from api.call import Call
from api.errors import PurposeUnknown
from api.excerpts import excerpt, pack
from api.handlers.media import send_file
from api.models.clips import OrderExcerpt
from api.ranges import Span
from api.route import NoQuery
from evidence.parties.purposes import PURPOSES
from ingest.excerpts import Wish
from ingest.workroom import workroom

EXCERPT_TYPE = "application/zip"

EXCERPT_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Most bytes of an original in one answer: they lie on disk twice meanwhile, and whoever asks waits for all of them."""


async def order(call: Call[OrderExcerpt, NoQuery]) -> web.StreamResponse:
    """Make an excerpt and send it; it is on record before the first byte goes out."""
    services, body = call.services, call.body
    if body.purpose not in PURPOSES:
        raise PurposeUnknown(f"{body.purpose!r} is not on the list of purposes", purposes=sorted(PURPOSES))
    clip = call.id("clip")
    wish = Wish(
        clip=clip,
        from_ms=body.from_ms,
        to_ms=body.to_ms,
        purpose=body.purpose,
        actor=call.actor,
        cut=body.cut,
        bytes_max=EXCERPT_BYTES_MAX,
        session=call.staff.token,
    )
    async with workroom(services.folders.work, prefix="excerpt-") as folder:
        made = await excerpt(services, wish, target=folder / f"excerpt-{clip}")
        archive = folder / "excerpt.zip"
        await asyncio.to_thread(pack, made.folder, archive)
        size = archive.stat().st_size
        headers = {
            "Content-Disposition": f'attachment; filename="excerpt-{clip}.zip"',
            "Content-Type": EXCERPT_TYPE,
            "X-Shilu-Entry": str(made.entry_id),
        }
        response = web.StreamResponse(headers=headers)
        response.content_length = size
        await response.prepare(call.request)
        await send_file(response, archive, Span(0, size, size))
        return response
