"""SQL of schedules and legal holds, and the facts by which a clip is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.retention_payloads import HoldPlaced, HoldReleased, RetentionScheduled
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule on record."""

    content: RetentionScheduled
    stated_at: datetime
    stated_by: str
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A legal hold; `released_at` and what follows are None while it stands."""

    hold: UUID
    clip: UUID | None
    case_id: UUID | None
    recorder: str | None
    since: datetime | None
    until: datetime | None
    basis: str
    placed_at: datetime
    placed_by: str
    entry_id: UUID
    released_at: datetime | None = None
    released_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """The rows by which a clip is kept; see `evidence.retention.rules.Facts`. `size` in bytes."""

    clip: UUID
    sha256: bytes
    size: int
    sealed_at: datetime
    item: str | None
    key_mark: bool
    cases: Sequence[Mapping[str, Any]]
    holds: Sequence[str]


async def project_retention_scheduled(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `retention.scheduled`."""
    body = RetentionScheduled.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO retention_schedule (schedule, effective_from, content, stated_at, stated_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        body.schedule,
        body.effective_from,
        event.payload,
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_hold_placed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `hold.placed`."""
    body = HoldPlaced.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO legal_hold
               (hold, clip, case_id, recorder, since, until, basis, placed_at, placed_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        body.hold,
        body.clip,
        body.case,
        body.recorder,
        body.since,
        body.until,
        body.basis,
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_hold_released(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `hold.released`."""
    body = HoldReleased.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO legal_hold_release (hold, reason, released_at, released_by, entry_id) VALUES ($1, $2, $3, $4, $5)",
        body.hold,
        body.reason,
        event.at,
        event.actor,
        event.entry_id,
    )


async def schedules(conn: Connection) -> list[Schedule]:
    """Return every schedule in the order in which they were stated."""
    rows = await conn.fetch("SELECT content, stated_at, stated_by, entry_id FROM retention_schedule ORDER BY entry_id")
    return [Schedule(**{**row, "content": RetentionScheduled.model_validate(row["content"])}) for row in rows]


_HOLDS = """
    SELECT h.hold, h.clip, h.case_id, h.recorder, h.since, h.until, h.basis, h.placed_at, h.placed_by, h.entry_id,
           r.released_at, r.released_by, r.reason
    FROM legal_hold h LEFT JOIN legal_hold_release r USING (hold)
"""

_HOLDS_OF_CLIP = """
    r.hold IS NULL AND (
        h.clip = {clip}
        OR h.case_id IN (SELECT l.case_id FROM case_bound l WHERE l.clip = {clip})
        OR EXISTS (
            SELECT FROM clip_source s WHERE s.clip = {clip} AND s.recorder = h.recorder
              -- A recording of unknown time may lie within any.
              AND (s.recorded_at IS NULL OR (h.since IS NULL OR s.recorded_at >= h.since)
                                        AND (h.until IS NULL OR s.recorded_at <= h.until))))
"""


async def find_hold(conn: Connection, hold: UUID) -> Hold | None:
    """Return a hold by its id."""
    row = await conn.fetchrow(f"{_HOLDS} WHERE h.hold = $1", hold)
    return None if row is None else Hold(**dict(row))


async def holds_after(conn: Connection, *, after: UUID | None, standing: bool, limit: int) -> Sequence[Hold]:
    """Return holds in the order of their ids, behind `after`; only those that stand where `standing`."""
    rows = await conn.fetch(
        f"{_HOLDS} WHERE h.hold > $1 AND (NOT $2 OR r.hold IS NULL) ORDER BY h.hold LIMIT $3",
        after or FIRST_ID,
        standing,
        limit,
    )
    return [Hold(**dict(row)) for row in rows]


async def standing_holds(conn: Connection, clip: UUID) -> tuple[Hold, ...]:
    """Return the holds that keep a clip."""
    rows = await conn.fetch(f"{_HOLDS} WHERE {_HOLDS_OF_CLIP.format(clip='$1')} ORDER BY h.hold", clip)
    return tuple(Hold(**dict(row)) for row in rows)


_FACTS = f"""
    SELECT c.clip, c.sha256, c.size, c.sealed_at,
           (SELECT a.content ->> 'item' FROM clip_annotation a WHERE a.clip = c.clip
            ORDER BY a.version DESC LIMIT 1) AS item,
           EXISTS (SELECT FROM clip_source s WHERE s.clip = c.clip AND s.key_mark) AS key_mark,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('number', f.number, 'kind', f.kind) ORDER BY l.entry_id), '[]')
            FROM case_bound l JOIN case_file f USING (case_id) WHERE l.clip = c.clip) AS cases,
           (SELECT coalesce(array_agg(h.basis ORDER BY h.hold), '{{}}') FROM legal_hold h
            LEFT JOIN legal_hold_release r USING (hold) WHERE {_HOLDS_OF_CLIP.format(clip="c.clip")}) AS holds
    FROM clip c
"""  # noqa: S608 - our own words


async def clip_facts(conn: Connection, clips: Sequence[UUID]) -> dict[UUID, ClipFacts]:
    """Return the facts of those of the clips that are there and not disposed of."""
    rows = await conn.fetch(
        f"{_FACTS} WHERE c.clip = ANY($1) AND NOT EXISTS (SELECT FROM clip_disposal d WHERE d.clip = c.clip)",
        list(clips),
    )
    return {row["clip"]: ClipFacts(**dict(row)) for row in rows}


async def old_clips(conn: Connection, *, sealed_before: datetime, after: UUID | None, limit: int) -> list[ClipFacts]:
    """Return facts of clips that are in no case, not disposed of, and were sealed before a time, in order of ids."""
    rows = await conn.fetch(
        f"""{_FACTS} WHERE c.clip > $1 AND c.sealed_at < $2
              AND NOT EXISTS (SELECT FROM case_bound l WHERE l.clip = c.clip)
              AND NOT EXISTS (SELECT FROM clip_disposal d WHERE d.clip = c.clip)
            ORDER BY c.clip LIMIT $3""",  # noqa: S608 - our own words
        after or FIRST_ID,
        sealed_before,
        limit,
    )
    return [ClipFacts(**dict(row)) for row in rows]
