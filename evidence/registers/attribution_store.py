"""SQL of attributions, and the projections of `clip.attributed` and `clip.attribution_resolved`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.register_payloads import ClipAttributed, ClipAttributionResolved
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionRow:
    """One version of whose a clip is; `reason` only where a person resolved it."""

    clip: UUID
    version: int
    officer: UUID | None
    unit: UUID | None
    flags: tuple[str, ...]
    blocked: bool
    recorded_at: datetime | None
    basis: str | None
    reason: str | None
    attributed_at: datetime
    attributed_by: str
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """The source that a clip is attributed by: the first that names a recorder, else the first.

    `docking` is what the dock stated of the circumstances, `began_at` when the first officer or assignment came on
    record.
    """

    clip: UUID
    recorder: str | None
    dock: UUID | None
    officer: str | None
    recorded_at: datetime | None
    received_at: datetime
    sealed_at: datetime
    modified_at: datetime | None
    docking: Mapping[str, Any] | None
    began_at: datetime | None


_COLUMNS = """clip, version, officer, unit, flags, blocked, recorded_at, basis, reason, attributed_at, attributed_by,
    entry_id"""

_INSERT = """INSERT INTO clip_attribution_version
        (clip, version, officer, unit, flags, blocked, recorded_at, basis, reason, attributed_at, attributed_by,
        entry_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""

_BEGAN = """least((SELECT registered_at FROM officer ORDER BY entry_id LIMIT 1),
                  (SELECT assigned_at FROM recorder_assignment ORDER BY entry_id LIMIT 1))"""


async def project_clip_attributed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.attributed`."""
    said = ClipAttributed.model_validate(event.payload)
    await _insert(conn, event, said, blocked=said.blocked, reason=None)


async def project_attribution_resolved(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.attribution_resolved`: not blocked any more."""
    said = ClipAttributionResolved.model_validate(event.payload)
    await _insert(conn, event, said, blocked=False, reason=said.reason)


async def _insert(
    conn: Connection,
    event: RecordedEvent,
    said: ClipAttributed | ClipAttributionResolved,
    *,
    blocked: bool,
    reason: str | None,
) -> None:
    await conn.execute(
        _INSERT,
        said.clip,
        said.version,
        said.officer,
        said.unit,
        said.flags,
        blocked,
        said.recorded_at,
        said.basis,
        reason,
        event.at,
        event.actor,
        event.entry_id,
    )


async def newest_attribution(conn: Connection, clip: UUID) -> AttributionRow | None:
    """Return the attribution that counts, if one is on record."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM clip_attribution WHERE clip = $1", clip)  # noqa: S608 - names above
    return None if row is None else _attribution(dict(row))


async def starts_of(conn: Connection, clips: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when recordings began by the service's clock, of those clips of which that is on record.

    It is the time in a file's name put right by what its dock measured of the recorder's clock. A file's own time,
    which tells when it was written last, is the start of nothing and not returned.
    """
    rows = await conn.fetch(
        "SELECT clip, recorded_at FROM clip_attribution WHERE clip = ANY($1) AND basis = 'name'", list(clips)
    )
    return {row["clip"]: row["recorded_at"] for row in rows}


async def attribution_versions(conn: Connection, clip: UUID) -> Sequence[AttributionRow]:
    """Return every version, oldest first."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM clip_attribution_version WHERE clip = $1 ORDER BY version",  # noqa: S608 - names above
        clip,
    )
    return [_attribution(dict(row)) for row in rows]


async def blocked_clips(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[AttributionRow]:
    """Return the clips that wait for somebody to say whose they are, the newest first, sealed before `before`."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM clip_attribution_version v
            WHERE blocked AND clip < $1 AND NOT EXISTS (
                SELECT FROM clip_attribution_version n WHERE n.clip = v.clip AND n.version > v.version)
            ORDER BY clip DESC LIMIT $2""",  # noqa: S608 - names above
        before or LAST_ID,
        limit,
    )
    return [_attribution(dict(row)) for row in rows]


async def register_began(conn: Connection) -> datetime | None:
    """Return when the first officer or assignment came on record; None as long as there is none."""
    began: datetime | None = await conn.fetchval(f"SELECT {_BEGAN}")
    return began


async def source_of(conn: Connection, clip: UUID) -> SourceRow | None:
    """Return what a clip is attributed by."""
    row = await conn.fetchrow(
        f"""SELECT s.clip, s.recorder, s.dock, s.officer, s.recorded_at, s.received_at, c.sealed_at, f.modified_at,
                   i.docking, {_BEGAN} AS began_at
            FROM clip_source s JOIN clip c USING (clip)
            LEFT JOIN dock_inventory i USING (inventory)
            LEFT JOIN dock_inventory_file f ON f.inventory = s.inventory AND f.path = s.path AND f.raw = s.raw
            WHERE s.clip = $1 ORDER BY s.recorder IS NULL, s.entry_id LIMIT 1""",  # noqa: S608 - expression above
        clip,
    )
    return None if row is None else SourceRow(**dict(row))


async def unattributed(conn: Connection, *, after: UUID, limit: int) -> Sequence[UUID]:
    """Return clips of which nothing is on record yet, in order of their ids, beginning behind `after`."""
    rows = await conn.fetch(
        """SELECT clip FROM clip c WHERE clip > $1
           AND NOT EXISTS (SELECT FROM clip_attribution_version v WHERE v.clip = c.clip) ORDER BY clip LIMIT $2""",
        after,
        limit,
    )
    return [row["clip"] for row in rows]


def _attribution(row: dict[str, Any]) -> AttributionRow:
    return AttributionRow(**{**row, "flags": tuple(row["flags"])})
