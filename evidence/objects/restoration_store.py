"""SQL of objects that were put back from the other store: which objects there are to look at, and what was put back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.custody.payloads import ObjectRestored
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection, Pool

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedObject:
    """An object that is to be there; `size` in bytes, `sha256` of 32 bytes.

    Attributes:
        sealed_at: When it was sealed, for originals; None for what was made of one.
    """

    clip: UUID
    sha256: bytes
    size: int
    sealed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What the entry of a restoration says of what it set aside; see `ObjectRestored`."""

    entry_id: UUID
    clip: UUID
    sha256: bytes
    store: str
    reason: str
    kept_as: str
    held: bytes | None
    held_size: int | None


async def project_object_restored(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `object.restored`."""
    body = ObjectRestored.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO object_restoration
               (entry_id, restoration, sha256, clip, size, store, source, reason, kept_as, held, held_size, restored_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        event.entry_id,
        body.restoration,
        body.sha256,
        body.clip,
        body.size,
        body.store,
        body.source,
        body.reason,
        body.kept_as,
        body.held,
        body.held_size,
        event.at,
    )


async def is_restoration_recorded(db: Pool | Connection, restoration: UUID) -> bool:
    """Tell whether a restoration is on record."""
    return bool(await db.fetchval("SELECT EXISTS (SELECT FROM object_restoration WHERE restoration = $1)", restoration))


async def owned_objects(db: Pool, *, clips: Sequence[UUID] | None = None) -> AsyncIterator[OwnedObject]:
    """Yield every object that a row or the payload of a redaction names, once, in order of digests, some at a time.

    Args:
        db: No connection is held between pages.
        clips: Only those of these clips; None for all.
    """
    after = b""
    while True:
        rows = await db.fetch(
            """SELECT DISTINCT ON (sha256) clip, sha256, size, sealed_at FROM (
                   SELECT clip, sha256, size, sealed_at FROM clip
                   UNION ALL SELECT clip, sha256, size, NULL FROM clip_object
                   UNION ALL SELECT (body ->> 'clip')::uuid, decode(body ->> 'sha256', 'hex'),
                                    (body ->> 'size')::bigint, NULL
                   FROM (SELECT convert_from(payload, 'UTF8')::jsonb AS body FROM custody_payload
                         WHERE type = 'clip.redacted') redacted
                   UNION ALL SELECT b.clip, b.sha256, b.size, r.sealed_at
                   FROM recording_companion b JOIN recording r USING (recording) WHERE b.sha256 IS NOT NULL
               ) named WHERE sha256 > $1
                 AND NOT EXISTS (SELECT FROM clip_disposal g WHERE g.clip = named.clip)
                 AND ($2::uuid[] IS NULL OR clip = ANY($2))
               ORDER BY sha256, sealed_at NULLS LAST, clip LIMIT $3""",
            after,
            None if clips is None else list(clips),
            _PAGE,
        )
        for row in rows:
            yield OwnedObject(**dict(row))
        if len(rows) < _PAGE:
            return
        after = rows[-1]["sha256"]


async def sealed_root(conn: Connection, sha256: bytes) -> tuple[int, bytes] | None:
    """Return size in bytes and root of an original; None for what is none."""
    row = await conn.fetchrow("SELECT size, root FROM clip WHERE sha256 = $1", sha256)
    return None if row is None else (row["size"], row["root"])


async def restorations(conn: Connection) -> Sequence[Restoration]:
    """Return every restoration that set something aside, in the order they were recorded in."""
    rows = await conn.fetch(
        """SELECT entry_id, clip, sha256, store, reason, kept_as, held, held_size FROM object_restoration
           WHERE kept_as IS NOT NULL ORDER BY entry_id"""
    )
    return [Restoration(**dict(row)) for row in rows]
