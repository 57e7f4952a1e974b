"""SQL of sealed prefixes: beginnings of files that were still being written when they were put on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.custody.payloads import ClipPrefix
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection, Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPrefix:
    """The first `chunks` whole chunks of an upload, as they are on record; `size` in bytes, `root` of 32 bytes."""

    entry_id: UUID
    upload: UUID
    size: int
    chunks: int
    root: bytes
    sealed_at: datetime


async def project_clip_prefix(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.prefix`."""
    body = ClipPrefix.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip_prefix (entry_id, upload, size, chunk_size, chunks, root, sealed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        event.entry_id,
        body.upload,
        body.size,
        body.chunk_size,
        body.chunks,
        body.root,
        event.at,
    )


async def prefixes_of(db: Pool | Connection, upload: UUID) -> Sequence[SealedPrefix]:
    """Return the sealed prefixes of an upload, shortest first."""
    rows = await db.fetch(
        "SELECT entry_id, upload, size, chunks, root, sealed_at FROM clip_prefix WHERE upload = $1 ORDER BY chunks",
        upload,
    )
    return [SealedPrefix(**row) for row in rows]
