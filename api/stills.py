"""Stills for commands and requests: the composition of `ingest.stills`, and a file of one."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from api.excerpts import exporter_of
from api.redactions import write_out
from api.services import Services
from evidence.export.folder import require_free
from ingest.stills import Still, StillWish, taken_still


async def take(services: Services, wish: StillWish) -> AbstractAsyncContextManager[Still]:
    """Return the taking of a still; see `ingest.stills.taken_still`."""
    return taken_still(await exporter_of(services), wish, workspace=services.folders.work)


async def still_out(services: Services, wish: StillWish, *, out: Path) -> Still:
    """Write a still to a file that must not exist; that it leaves the house is on record before its first byte.

    Raises:
        ExportTargetTaken: Something is there already; nothing is on record.
        ExportTargetUnusable: The file cannot be written.
    """
    require_free(out)
    async with await take(services, wish) as still:
        await asyncio.to_thread(write_out, still.path, out, sha256=still.sha256)
        return still
