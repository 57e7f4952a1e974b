"""Stills for commands and requests: the composition of `ingest.stills`, and a file of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from api.excerpts import exporter_of
from api.redactions import write_out
from api.services import Services
from evidence.export.folder import require_free
from ingest.stills import Still, StillWish, taken_still


@asynccontextmanager
async def take(services: Services, wish: StillWish) -> AsyncIterator[Still]:
    """Take a still once there is room for its making, and hold it; see `ingest.stills.taken_still`.

    Whoever fetches it slowly keeps nobody else from theirs: the room is for the making alone.
    """
    async with AsyncExitStack() as stack:
        async with services.pieces_at_once:
            exporter = await exporter_of(services)
            still = await stack.enter_async_context(taken_still(exporter, wish, workspace=services.folders.work))
        yield still


async def still_out(services: Services, wish: StillWish, *, out: Path) -> Still:
    """Write a still to a file that must not exist; that it leaves the house is on record before its first byte.

    Raises:
        ExportTargetTaken: Something is there already; nothing is on record.
        ExportTargetUnusable: The file cannot be written.
    """
    require_free(out)
    async with take(services, wish) as still:
        await asyncio.to_thread(write_out, still.path, out, sha256=still.sha256)
        return still
