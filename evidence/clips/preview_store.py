"""SQL of first stills: what a clip looks like before its derivation is on record.

Not evidence and never part of a clip's history. A still is named here only after its object is stored, so a crash in
between leaves an object that the audit lists as unnamed, and nothing else. Whoever looks at it is on record like every
other viewer.
"""

from __future__ import annotations

from uuid import UUID

from evidence.clips.store import MadeObject
from evidence.db.pool import Connection, Pool

PREVIEW_KIND = "poster"


async def insert_preview(db: Pool | Connection, *, clip: UUID, sha256: bytes, size: int, media_type: str) -> None:
    """Name a stored object as what a clip looks like for now; the same again changes nothing."""
    await db.execute(
        """INSERT INTO clip_preview (clip, sha256, size, media_type, made_at)
           VALUES ($1, $2, $3, $4, clock_timestamp()) ON CONFLICT DO NOTHING""",
        clip,
        sha256,
        size,
        media_type,
    )


async def newest_preview(conn: Connection, clip: UUID) -> MadeObject | None:
    """Return the still that was made last, None if there is none."""
    row = await conn.fetchrow(
        "SELECT sha256, size, media_type FROM clip_preview WHERE clip = $1 ORDER BY made_at DESC LIMIT 1", clip
    )
    return None if row is None else MadeObject(kind=PREVIEW_KIND, **dict(row))
