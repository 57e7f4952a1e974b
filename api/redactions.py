"""Redacted copies for commands and requests: the composition of `ingest.redactions`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from api.services import Services
from evidence.clips.redaction import RedactionContent
from evidence.custody.record import record
from ingest.redaction_store import MadeCopy, RedactionJob
from ingest.redactions import Redactor, find_redaction, order_redaction
from ingest.settings import WorkerSettings
from ledger.canonical import JsonObject

_LOOK_SECONDS = 1.0


def redactor_of(services: Services) -> Redactor:
    """Return what makes redacted copies in this house."""
    return Redactor(
        pool=services.pool,
        objects=services.objects,
        workspace=services.folders.work,
        clock=services.clock,
        entropy=services.entropy,
        settings=WorkerSettings(concurrency=services.config.worker_concurrency),
    )


async def redact(
    services: Services, *, clip: UUID, content: RedactionContent, actor: str, waiting: Callable[[str], None]
) -> RedactionJob:
    """Ask for a copy and wait until it is made or refused; a worker makes it, or this process where none is at hand.

    Args:
        waiting: Told why it takes longer, once for each reason.

    Raises:
        ClipUnknown: There is no such clip.
    """
    async with services.pool.acquire() as conn, conn.transaction():
        job = await order_redaction(
            conn, clip=clip, content=content, actor=actor, clock=services.clock, entropy=services.entropy
        )
    redactor, told = redactor_of(services), ""
    while job.state in {"waiting", "running"}:
        again = await redactor.attempt(job.redaction)
        job = await find_redaction(services.pool, clip=clip, redaction=job.redaction)
        if again is not None:
            if job.reason and job.reason != told:
                waiting(told := job.reason)
            await asyncio.sleep(min(again, _LOOK_SECONDS))
    return job


async def copy_out(services: Services, clip: UUID, made: MadeCopy, *, out: Path, purpose: str, actor: str) -> None:
    """Write a redacted copy to a file that must not exist; that it leaves the house is on record before its first byte.

    Args:
        purpose: A key of `evidence.parties.purposes.PURPOSES`.

    Raises:
        FileExistsError: Something is there already.
        OSError: The file cannot be written.
    """
    handed: JsonObject = {"name": out.name, "sha256": made.sha256.hex(), "size": made.size}
    async with services.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="clip.exported",
            actor=actor,
            subject=f"clip:{clip}",
            payload={"clip": str(clip), "purpose": purpose, "files": [handed]},
            clock=services.clock,
            entropy=services.entropy,
        )

    def write() -> None:
        with services.objects.open_path(made.sha256.hex()).open("rb") as source, out.open("xb") as target:
            shutil.copyfileobj(source, target)

    await asyncio.to_thread(write)
