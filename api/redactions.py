"""Redacted copies for commands and requests: the composition of `ingest.redactions`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from api.services import Services
from evidence.clips.redaction import RedactionContent
from ingest.redaction_store import RedactionJob
from ingest.redactions import Redactor, find_redaction, order_redaction
from ingest.settings import WorkerSettings

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
