"""From manifest to receipt: the last call of a dock about a file, and the receipt again whenever it is asked for.

Where a clip was sealed on condition of a copy in the second store, a dock is only promised its receipt until the copy
is provable too, and then gets both receipts, one after the other (`evidence.core.wire.copied`).
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from aiohttp import web

from api.answers import json_answer
from api.auth import DockCaller
from api.call import Call
from api.models.clips import SealedClip
from api.route import NoQuery
from api.services import Services
from evidence.clips.clips import Clip, get_clip
from evidence.clips.errors import LeavesMissing
from evidence.clips.store import read_leaves
from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.errors import ClipUnknown
from evidence.receipts import build_copy_receipt, build_receipt

RECEIPT_TYPE = "application/vnd.shilu.receipt"

LEAVES_TYPE = "application/octet-stream"

PENDING_SECONDS = 1
"""Pause that is asked for while an entry waits for its publication."""


async def seal(call: Call[bytes, NoQuery]) -> web.Response:
    """Compare a dock's manifest with what arrived, seal, and answer with the receipt if it is ready soon.

    The seal is committed before anything is awaited here, so an answer that gets lost can be asked for again.
    """
    services, dock = call.services, call.dock
    sealed = await services.uploads.seal(
        actor=dock.actor, upload=call.id("upload"), manifest=call.body, dock_verifiers=[dock.verifier]
    )
    await services.waiter.wait(sealed.entry_id, timeout_seconds=services.config.receipt_wait_seconds)
    return await _receipt_or_promise(services, clip=sealed.clip, entry=sealed.entry_id, for_dock=True)


async def receipt(call: Call[None, NoQuery]) -> web.Response:
    """Return a clip's receipt: to a dock that of its own delivery, to people that of the first."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
    is_dock = isinstance(call.caller, DockCaller)
    entry = _own_entry(clip, call.caller.dock) if isinstance(call.caller, DockCaller) else clip.row.entry_id
    return await _receipt_or_promise(call.services, clip=clip.id, entry=entry, for_dock=is_dock)


async def leaves(call: Call[None, NoQuery]) -> web.Response:
    """Return the leaf hashes of a clip's original as they are kept; whoever asks proves them by the receipt's root."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        kept = await read_leaves(conn, sha256=clip.row.sha256)
    if kept is None:
        raise LeavesMissing("the leaf hashes of this original are not kept", clip=str(clip.id))
    return web.Response(body=b"".join(kept), content_type=LEAVES_TYPE)


def _own_entry(clip: Clip, dock: UUID) -> UUID:
    for source in clip.sources:
        if source.dock == dock:
            return source.entry_id
    raise ClipUnknown(f"there is no clip {clip.id}", clip=str(clip.id))


async def _receipt_or_promise(services: Services, *, clip: UUID, entry: UUID, for_dock: bool) -> web.Response:
    receipts: list[Receipt] | None = None
    async with services.pool.acquire() as conn:
        if built := await build_receipt(conn, services.reader, entry):
            receipts = [built]
        if receipts and for_dock:
            receipts = await build_copy_receipt(conn, services.reader, receipts[0])
    if receipts is None:
        promise = SealedClip(clip=clip, entry=entry)
        return json_answer(promise, status=202, headers={"Retry-After": str(PENDING_SECONDS)})
    # A receipt can hold a manifest and a whole path; writing canonical JSON of it is work for a thread.
    bodies = [await asyncio.to_thread(format_receipt, receipt) for receipt in receipts]
    return web.Response(body=b"".join(bodies), headers={"Content-Type": RECEIPT_TYPE})
