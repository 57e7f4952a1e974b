"""SQL about the other clips of a clip's recorder, next to it by the recorder's own clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourRow:
    """A clip as its recorder named and dated it; `size` in bytes, `probe` of its newest derivation, if it has one."""

    clip: UUID
    name: str
    recorded_at: datetime
    size: int
    probe: Mapping[str, object] | None


async def clip_neighbours(conn: Connection, clip: UUID, *, limit: int) -> Sequence[NeighbourRow]:
    """Return a clip and up to `limit` others on either side of it; empty if nobody said who recorded it and when."""
    rows = await conn.fetch(
        """WITH own AS (
               SELECT recorder, recorded_at FROM clip_source
               WHERE clip = $1 AND recorder IS NOT NULL AND recorded_at IS NOT NULL ORDER BY entry_id LIMIT 1),
           beside AS (
               (SELECT s.clip, s.recorded_at FROM clip_source s, own
                WHERE s.recorder = own.recorder AND s.recorded_at <= own.recorded_at AND NOT s.repeated
                ORDER BY s.recorded_at DESC, s.clip LIMIT $2 + 1)
               UNION
               (SELECT s.clip, s.recorded_at FROM clip_source s, own
                WHERE s.recorder = own.recorder AND s.recorded_at >= own.recorded_at AND NOT s.repeated
                ORDER BY s.recorded_at, s.clip LIMIT $2 + 1))
           SELECT DISTINCT ON (c.clip) c.clip, c.name, beside.recorded_at, c.size,
                  (SELECT d.probe FROM clip_derivation d
                   WHERE d.clip = c.clip ORDER BY d.entry_id DESC LIMIT 1) AS probe
           FROM beside JOIN clip c USING (clip) ORDER BY c.clip, beside.recorded_at""",
        clip,
        limit,
    )
    found = [NeighbourRow(**dict(row)) for row in rows]
    return found if any(row.clip == clip for row in found) else ()
