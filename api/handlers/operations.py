"""How the house does, and docks as they stand for as long as somebody watches."""

from __future__ import annotations

import asyncio

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.dock_watch import BEAT_SECONDS, DOCK_WATCH, MEDIA_TYPE, RETRY_MILLISECONDS, STILL_SECONDS
from api.models.operations import WatchQuery
from api.operations import gather
from api.route import NoQuery
from api.traffic import TRAFFIC
from evidence.parties.roles import Role


async def operations(call: Call[None, NoQuery]) -> web.Response:
    """Say how the house does; whoever manages it sees no footage, and is not led to any."""
    person = None if call.staff.role is Role.ADMINISTRATOR else call.person
    return json_answer(await gather(call.services, person))


async def watch(call: Call[None, WatchQuery]) -> web.StreamResponse:
    """Tell how the docks stand, and again whenever that changes."""
    request = call.request
    docks, traffic = request.app[DOCK_WATCH], request.app[TRAFFIC]
    with docks.seat():
        told = await docks.look()
        # A proxy that gathers an answer before it passes it on would make nothing live (nginx).
        response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, "X-Accel-Buffering": "no"})
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        ends_at = docks.monotonic() + call.query.seconds
        still_at = docks.monotonic() + STILL_SECONDS
        await response.write(f"retry: {RETRY_MILLISECONDS}\n".encode() + _event(told))
        while docks.monotonic() < ends_at and not traffic.stopping:
            await asyncio.sleep(BEAT_SECONDS)
            seen = await docks.look()
            if seen != told:
                await response.write(_event(seen))
                told, still_at = seen, docks.monotonic() + STILL_SECONDS
            elif docks.monotonic() >= still_at:
                await response.write(b": still here\n\n")
                still_at = docks.monotonic() + STILL_SECONDS
        return response


def _event(page: bytes) -> bytes:
    # JSON in one line: no character of it ends the line early.
    return b"event: docks\ndata: " + page + b"\n\n"
