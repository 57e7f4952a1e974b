"""SQL of appraisals, decisions and tombstones, and of the objects that go with a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.core.clock import format_time
from evidence.custody.recorded import RecordedEvent
from evidence.custody.retention_payloads import ClipDisposed, DisposalAppraised, DisposalApproved
from evidence.db.paging import FIRST_ID, LAST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What stands where a clip's objects were."""

    clip: UUID
    appraisal: UUID
    expired_on: date
    because: list[str]
    objects: int
    stores: list[str]
    disposed_at: datetime
    entry_id: UUID
    appraised_by: str | None
    decided_by: str | None

    def as_details(self) -> dict[str, object]:
        """Return it as the details of a problem."""
        return {
            "clip": str(self.clip),
            "appraisal": str(self.appraisal),
            "expired_on": self.expired_on.isoformat(),
            "because": self.because,
            "objects": self.objects,
            "disposed_at": format_time(self.disposed_at),
            "entry": str(self.entry_id),
            "appraised_by": self.appraised_by,
            "approved_by": self.decided_by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """An appraisal with what was decided about it: `approved` is None until then."""

    appraisal: UUID
    reason: str
    appraised_at: datetime
    appraised_by: str
    entry_id: UUID
    clips: int
    disposed: int
    approved: bool | None
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One clip of an appraisal; `disposed_at` is None while its objects are there. `size` in bytes."""

    clip: UUID
    sha256: bytes
    size: int
    expired_on: date
    because: list[str]
    disposed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnObject:
    """An object of a clip; `size` in bytes, `sha256` of 32 bytes; `shared` when a clip that is kept names it too."""

    kind: str
    sha256: bytes
    size: int
    shared: bool


async def project_disposal_appraised(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `disposal.appraised`."""
    body = DisposalAppraised.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO disposal_appraisal (appraisal, reason, appraised_at, appraised_by, entry_id)
           VALUES ($1, $2, $3, $4, $5)""",
        body.appraisal,
        body.reason,
        event.at,
        event.actor,
        event.entry_id,
    )
    await conn.executemany(
        """INSERT INTO disposal_item (appraisal, clip, sha256, size, expired_on, because, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (body.appraisal, one.clip, one.sha256, one.size, one.expired_on, list(one.because), event.entry_id)
            for one in body.clips
        ],
    )


async def project_disposal_approved(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `disposal.approved`."""
    await _insert_decision(conn, event, approved=True)


async def project_disposal_refused(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `disposal.refused`."""
    await _insert_decision(conn, event, approved=False)


async def project_clip_disposed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.disposed`."""
    body = ClipDisposed.model_validate(event.payload)
    stated = body.model_dump(mode="json")
    await conn.execute(
        """INSERT INTO clip_disposal
               (clip, appraisal, expired_on, because, stores, disposed_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        body.clip,
        body.appraisal,
        body.expired_on,
        stated["because"],
        stated["stores"],
        event.at,
        event.entry_id,
    )
    await conn.executemany(
        "INSERT INTO disposed_object (clip, sha256, kind, size, entry_id) VALUES ($1, $2, $3, $4, $5)",
        [(body.clip, one.sha256, one.kind, one.size, event.entry_id) for one in body.objects],
    )


async def _insert_decision(conn: Connection, event: RecordedEvent, *, approved: bool) -> None:
    body = DisposalApproved.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO disposal_decision (appraisal, approved, reason, decided_at, decided_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        body.appraisal,
        approved,
        body.reason,
        event.at,
        event.actor,
        event.entry_id,
    )


async def find_tombstone(conn: Connection, clip: UUID) -> Tombstone | None:
    """Return a clip's tombstone; None while it is kept."""
    row = await conn.fetchrow(
        """SELECT d.clip, d.appraisal, d.expired_on, d.because, d.stores, d.disposed_at, d.entry_id,
                  (SELECT count(*) FROM disposed_object o WHERE o.clip = d.clip) AS objects,
                  a.appraised_by, e.decided_by
           FROM clip_disposal d LEFT JOIN disposal_appraisal a USING (appraisal)
           LEFT JOIN disposal_decision e USING (appraisal) WHERE d.clip = $1""",
        clip,
    )
    return None if row is None else Tombstone(**dict(row))


_APPRAISALS = """
    SELECT a.appraisal, a.reason, a.appraised_at, a.appraised_by, a.entry_id,
           (SELECT count(*) FROM disposal_item i WHERE i.appraisal = a.appraisal) AS clips,
           (SELECT count(*) FROM clip_disposal d WHERE d.appraisal = a.appraisal) AS disposed,
           e.approved, e.decided_at, e.decided_by, e.reason AS decision_reason
    FROM disposal_appraisal a LEFT JOIN disposal_decision e USING (appraisal)
"""


async def find_appraisal(conn: Connection, appraisal: UUID) -> Appraisal | None:
    """Return an appraisal by its id."""
    row = await conn.fetchrow(f"{_APPRAISALS} WHERE a.appraisal = $1", appraisal)
    return None if row is None else Appraisal(**dict(row))


async def appraisals_before(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[Appraisal]:
    """Return appraisals, the newest first, older than `before`."""
    rows = await conn.fetch(
        f"{_APPRAISALS} WHERE a.appraisal < $1 ORDER BY a.appraisal DESC LIMIT $2", before or LAST_ID, limit
    )
    return [Appraisal(**dict(row)) for row in rows]


async def items_of(conn: Connection, appraisal: UUID) -> list[Item]:
    """Return the clips of an appraisal, at most a thousand, in order of their ids."""
    rows = await conn.fetch(
        """SELECT i.clip, i.sha256, i.size, i.expired_on, i.because, d.disposed_at
           FROM disposal_item i LEFT JOIN clip_disposal d USING (clip) WHERE i.appraisal = $1 ORDER BY i.clip""",
        appraisal,
    )
    return [Item(**dict(row)) for row in rows]


async def approved_clips(conn: Connection, *, after: UUID | None, limit: int) -> list[tuple[UUID, UUID]]:
    """Return clips of approved appraisals that are still there, with their appraisal, behind the clip `after`."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (i.clip) i.clip, i.appraisal
           FROM disposal_item i JOIN disposal_decision e USING (appraisal)
           WHERE e.approved AND i.clip > $1 AND NOT EXISTS (SELECT FROM clip_disposal d WHERE d.clip = i.clip)
           ORDER BY i.clip, e.entry_id LIMIT $2""",
        after or FIRST_ID,
        limit,
    )
    return [(row["clip"], row["appraisal"]) for row in rows]


async def published_tombstones(conn: Connection, *, after: UUID | None, limit: int) -> list[tuple[UUID, UUID]]:
    """Return (entry, clip) of disposals that the published log contains, in order of entries, behind `after`."""
    rows = await conn.fetch(
        """SELECT d.entry_id, d.clip FROM clip_disposal d JOIN ledger_leaf l USING (entry_id)
           WHERE d.entry_id > $1 AND l.index < (SELECT coalesce(max(size), 0) FROM ledger_publication)
           ORDER BY d.entry_id LIMIT $2""",
        after or FIRST_ID,
        limit,
    )
    return [(row["entry_id"], row["clip"]) for row in rows]


_OWN = """
    SELECT 'original' AS kind, sha256, size FROM clip WHERE clip = $1
    UNION ALL SELECT kind, sha256, size FROM clip_object WHERE clip = $1
    UNION ALL SELECT 'preview', sha256, size FROM clip_preview WHERE clip = $1
    UNION ALL SELECT kind, sha256, size FROM recording_companion WHERE clip = $1 AND sha256 IS NOT NULL
    UNION ALL SELECT 'redacted', decode(body ->> 'sha256', 'hex'), (body ->> 'size')::bigint
    FROM (SELECT convert_from(payload, 'UTF8')::jsonb AS body FROM custody_payload
          WHERE type = 'clip.redacted' AND subject = 'clip:' || $1::uuid) redacted
"""

_OTHERS = """
    SELECT c.clip FROM clip c WHERE c.sha256 = own.sha256
    UNION ALL SELECT o.clip FROM clip_object o WHERE o.sha256 = own.sha256
    UNION ALL SELECT b.clip FROM recording_companion b WHERE b.sha256 = own.sha256
"""


async def objects_of(conn: Connection, clip: UUID) -> list[OwnObject]:
    """Return the objects of a clip, each digest once, the original first; also what was made after its disposal.

    One that another clip names too, which is kept, is `shared` and stays.
    """
    rows = await conn.fetch(
        f"""SELECT kind, sha256, size, EXISTS (
                SELECT FROM ({_OTHERS}) other WHERE other.clip <> $1
                  AND NOT EXISTS (SELECT FROM clip_disposal d WHERE d.clip = other.clip)) AS shared
            FROM (SELECT DISTINCT ON (sha256) kind, sha256, size FROM ({_OWN}) made
                  ORDER BY sha256, kind <> 'original', kind) own
            ORDER BY kind <> 'original', kind, sha256""",  # noqa: S608 - constants of ours
        clip,
    )
    return [OwnObject(**dict(row)) for row in rows]


async def copies_elsewhere(conn: Connection, *, clip: UUID, here: Sequence[str]) -> list[str]:
    """Return stores in which copies of a clip are on record and which are not among those at hand."""
    rows = await conn.fetch(
        "SELECT DISTINCT store FROM clip_copy WHERE clip = $1 AND NOT store = ANY($2) ORDER BY store", clip, list(here)
    )
    return [row["store"] for row in rows]


async def drop_tickets(conn: Connection, clip: UUID) -> None:
    """Take back the tickets that open something of a clip."""
    await conn.execute(
        """DELETE FROM view_ticket t USING custody_payload p
           WHERE p.entry_id = t.entry_id AND p.subject = 'clip:' || $1::uuid""",
        clip,
    )


async def is_gone(conn: Connection, sha256: bytes) -> bool:
    """Tell whether an object went with a clip, and no clip that is kept names it."""
    gone: bool = await conn.fetchval(
        f"""SELECT EXISTS (SELECT FROM disposed_object WHERE sha256 = $1) AND NOT EXISTS (
                SELECT FROM (SELECT $1::bytea AS sha256) own, LATERAL ({_OTHERS}) other
                WHERE NOT EXISTS (SELECT FROM clip_disposal d WHERE d.clip = other.clip))""",  # noqa: S608 - ours
        sha256,
    )
    return gone


async def disposed_among(conn: Connection, clips: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the clips that were disposed of."""
    rows = await conn.fetch("SELECT clip FROM clip_disposal WHERE clip = ANY($1)", list(clips))
    return frozenset(row["clip"] for row in rows)
