"""SQL of copies in the second store: what is on record about them, and what has none yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.custody.payloads import ClipCopied
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection, Pool

_PAGE = 500

_NAMED = """
    SELECT clip, sha256, size, sealed_at AS retain_from, sealed_at AS made_at FROM clip
    UNION ALL
    SELECT o.clip, o.sha256, o.size, NULL, d.derived_at FROM clip_object o JOIN clip_derivation d USING (entry_id)
    UNION ALL
    SELECT o.clip, o.sha256, o.size, NULL, t.transcribed_at FROM clip_object o JOIN clip_transcript t USING (entry_id)
    UNION ALL
    SELECT (body ->> 'clip')::uuid, decode(body ->> 'sha256', 'hex'), (body ->> 'size')::bigint, NULL, at
    FROM (SELECT at, convert_from(payload, 'UTF8')::jsonb AS body FROM custody_payload
          WHERE type = 'clip.redacted') redacted
    UNION ALL
    SELECT b.clip, b.sha256, b.size, r.sealed_at, r.sealed_at FROM recording_companion b
    JOIN recording r USING (recording) WHERE b.sha256 IS NOT NULL
"""
"""Every object that is to be copied. First stills (`clip_preview`) are not: they are no evidence, no receipt asks for
them, and the derivation that replaces them makes a poster of its own."""

_KEPT = "NOT EXISTS (SELECT FROM clip_disposal g WHERE g.clip = wanted.clip)"
"""What was disposed of is wanted nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCopy:
    """An object that is to be in the second store; `size` in bytes, `sha256` of 32 bytes.

    Attributes:
        retain_from: Where the term of its lock begins, for originals and their companions; what can be made again gets
            none.
    """

    clip: UUID
    sha256: bytes
    size: int
    retain_from: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCopy:
    """What the newest entry about a copy states; see `evidence.objects.s3.StoredCopy`."""

    entry_id: UUID
    clip: UUID
    sha256: bytes
    size: int
    checksum: str | None
    version: str | None
    retained_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyBacklog:
    """Originals without a copy on record: how many, and when the oldest of them was sealed."""

    waiting: int
    oldest_at: datetime | None


async def project_clip_copied(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `clip.copied`."""
    body = ClipCopied.model_validate(event.payload)
    await conn.executemany(
        """INSERT INTO clip_copy
               (entry_id, sha256, clip, store, size, checksum, version, retained_until, copied_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        [
            (
                event.entry_id,
                one.sha256,
                body.clip,
                body.store,
                one.size,
                one.checksum,
                one.version,
                one.retained_until,
                event.at,
            )
            for one in body.objects
        ],
    )


async def wanted_copies(
    db: Pool | Connection, *, store: str, retention_days: int | None, since: datetime | None, limit: int
) -> Sequence[WantedCopy]:
    """Return objects without a copy on record, or with a lock that ends before its time, the oldest first.

    Args:
        store: The second store's address.
        retention_days: For how long from its seal an original is locked; None for no lock.
        since: Leave out what was sealed or derived before; None to look at everything.
        limit: At most so many.
    """
    rows = await db.fetch(
        f"""SELECT clip, sha256, size, retain_from FROM ({_NAMED}) wanted
            WHERE {_KEPT} AND ($3::timestamptz IS NULL OR made_at >= $3) AND NOT EXISTS (
                SELECT FROM clip_copy k WHERE k.sha256 = wanted.sha256 AND k.store = $1 AND (
                    $2::integer IS NULL OR retain_from IS NULL
                    OR k.retained_until >= retain_from + make_interval(days => $2) - interval '1 minute'))
            ORDER BY retain_from IS NULL, made_at, clip, sha256 LIMIT $4""",  # noqa: S608 - a constant of ours
        store,
        retention_days,
        since,
        limit,
    )
    return [WantedCopy(**dict(row)) for row in rows]


async def overdue_copies(conn: Connection, *, store: str, before: datetime) -> AsyncIterator[WantedCopy]:
    """Yield every object without a copy on record that was made before a time, in order of digests, some at a time.

    Nothing is overdue in a store whose first copy came after that time: it is just being filled.
    """
    filled = "SELECT EXISTS (SELECT FROM clip_copy WHERE store = $1 AND copied_at < $2)"
    if not await conn.fetchval(filled, store, before):
        return
    after = b""
    while True:
        rows = await conn.fetch(
            f"""SELECT DISTINCT ON (sha256) clip, sha256, size, retain_from FROM ({_NAMED}) wanted
                WHERE {_KEPT} AND made_at < $2 AND sha256 > $3
                  AND NOT EXISTS (SELECT FROM clip_copy k WHERE k.sha256 = wanted.sha256 AND k.store = $1)
                ORDER BY sha256, retain_from NULLS LAST LIMIT $4""",  # noqa: S608 - a constant of ours
            store,
            before,
            after,
            _PAGE,
        )
        for row in rows:
            yield WantedCopy(**dict(row))
        if len(rows) < _PAGE:
            return
        after = rows[-1]["sha256"]


async def newest_copy(db: Pool | Connection, *, sha256: bytes, store: str) -> RecordedCopy | None:
    """Return what is on record about an object's copy in a store."""
    row = await db.fetchrow(
        """SELECT entry_id, clip, sha256, size, checksum, version, retained_until FROM clip_copy
           WHERE sha256 = $1 AND store = $2 ORDER BY entry_id DESC LIMIT 1""",
        sha256,
        store,
    )
    return None if row is None else RecordedCopy(**dict(row))


async def first_copy_entry(conn: Connection, *, clip: UUID, sha256: bytes, store: str) -> UUID | None:
    """Return the first entry that states a copy of a clip's object in a store."""
    found: UUID | None = await conn.fetchval(
        """SELECT entry_id FROM clip_copy WHERE clip = $1 AND sha256 = $2 AND store = $3 ORDER BY entry_id LIMIT 1""",
        clip,
        sha256,
        store,
    )
    return found


async def has_copy(conn: Connection, sha256: bytes) -> bool:
    """Tell whether a copy of an object is on record, in whichever store."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM clip_copy WHERE sha256 = $1)", sha256))


async def recorded_copies(conn: Connection, *, store: str) -> AsyncIterator[RecordedCopy]:
    """Yield the newest statement about every copy in a store, in order of digests, some at a time."""
    after = b""
    while True:
        rows = await conn.fetch(
            """SELECT DISTINCT ON (sha256) entry_id, clip, sha256, size, checksum, version, retained_until
               FROM clip_copy WHERE store = $1 AND sha256 > $2 ORDER BY sha256, entry_id DESC LIMIT $3""",
            store,
            after,
            _PAGE,
        )
        for row in rows:
            yield RecordedCopy(**dict(row))
        if len(rows) < _PAGE:
            return
        after = rows[-1]["sha256"]


async def read_copy_backlog(conn: Connection, *, store: str) -> CopyBacklog:
    """Count the originals that have no copy in a store yet."""
    row = await conn.fetchrow(
        """SELECT count(*) AS waiting, min(c.sealed_at) AS oldest_at FROM clip c
           WHERE NOT EXISTS (SELECT FROM clip_copy k WHERE k.sha256 = c.sha256 AND k.store = $1)
             AND NOT EXISTS (SELECT FROM clip_disposal g WHERE g.clip = c.clip)""",
        store,
    )
    assert row is not None  # noqa: S101 - an aggregate has one row
    return CopyBacklog(**dict(row))
