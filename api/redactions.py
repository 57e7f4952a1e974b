"""Redacted copies for commands and requests: the composition of `ingest.redactions`."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from api.services import Services
from evidence.clips.redaction import RedactionContent
from evidence.core.durable import TEMPORARY_PREFIX, sync_file, sync_folder
from evidence.custody.record import record
from evidence.errors import ObjectDamaged
from evidence.export.folder import blaming_target, require_free
from ingest.redaction_store import MadeCopy, RedactionJob
from ingest.redactions import Redactor, find_redaction, order_redaction
from ingest.settings import WorkerSettings
from ledger.canonical import JsonObject

_LOOK_SECONDS = 1.0
_PIECE_BYTES = 1024 * 1024


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

    The file appears whole, compared with its digest and on the disk. A crash before that leaves the entry and, from the
    first byte on, a file with a temporary name.

    Args:
        purpose: A key of `evidence.parties.purposes.PURPOSES`.

    Raises:
        ExportTargetTaken: Something is there already; nothing is on record.
        ExportTargetUnusable: The file cannot be written.
        ObjectDamaged: The copy in the store is not what is on record.
    """
    require_free(out)
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
    await asyncio.to_thread(lambda: write_out(services.objects.open_path(made.sha256.hex()), out, sha256=made.sha256))


def write_out(source: Path, out: Path, *, sha256: bytes) -> None:
    """Copy a file to one that must not exist and appears whole, compared with its digest and on the disk. Blocks.

    Raises:
        ExportTargetUnusable: The file cannot be written.
        ObjectDamaged: The source has another digest.
    """
    temporary = out.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    digest = hashlib.sha256()
    with source.open("rb") as reading, blaming_target(out), ExitStack() as tidy:
        tidy.callback(temporary.unlink, missing_ok=True)
        with temporary.open("xb") as writing:
            while piece := reading.read(_PIECE_BYTES):
                digest.update(piece)
                writing.write(piece)
        if digest.digest() != sha256:
            raise ObjectDamaged("the copy is not what is on record", sha256=sha256.hex())
        sync_file(temporary)
        # A rename, not a link: what takes evidence along is often a stick whose file system has no links.
        temporary.rename(out)
        sync_folder(out.parent)
