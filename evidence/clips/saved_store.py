"""SQL of the questions that people keep, and of when each person asked one last. No evidence: rows come and go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection

_SAVED = """
SELECT s.search, s.staff, s.name, s.question, s.unit, s.saved_at, r.run_at
FROM saved_search s LEFT JOIN saved_search_run r ON r.search = s.search AND r.staff = $1
WHERE (s.staff = $1 OR (s.unit IS NOT NULL AND ($2::uuid[] IS NULL OR s.unit = ANY($2))))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A question somebody keeps.

    Attributes:
        staff: Whose it is.
        unit: Whose people may use it too; None for nobody else.
        run_at: When whoever looks asked it last; None for never.
    """

    search: UUID
    staff: UUID
    name: str
    question: str
    unit: UUID | None
    saved_at: datetime
    run_at: datetime | None


async def insert_saved(conn: Connection, saved: SavedSearch, *, name_key: str) -> bool:
    """Keep a question; False when its owner keeps another one under this name."""
    kept = await conn.fetchval(
        """INSERT INTO saved_search (search, staff, name, name_key, question, unit, saved_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (staff, name_key) DO NOTHING RETURNING true""",
        *(saved.search, saved.staff, saved.name, name_key, saved.question, saved.unit, saved.saved_at),
    )
    return bool(kept)


async def count_saved(conn: Connection, staff: UUID) -> int:
    """Return how many questions a person keeps."""
    return int(await conn.fetchval("SELECT count(*) FROM saved_search WHERE staff = $1", staff))


async def find_saved(
    conn: Connection, search: UUID, *, staff: UUID, units: Collection[UUID] | None
) -> SavedSearch | None:
    """Return a question that a person keeps, or that is shared with one of their units (None: with any)."""
    row = await conn.fetchrow(f"{_SAVED} AND s.search = $3", staff, _ids(units), search)
    return None if row is None else SavedSearch(**dict(row))


async def saved_after(
    conn: Connection, *, staff: UUID, units: Collection[UUID] | None, after: UUID | None, limit: int
) -> list[SavedSearch]:
    """Return the questions that a person may ask, in the order they were kept in, behind the one named."""
    rows = await conn.fetch(
        f"{_SAVED} AND s.search > $3 ORDER BY s.search LIMIT $4", staff, _ids(units), after or FIRST_ID, limit
    )
    return [SavedSearch(**dict(row)) for row in rows]


async def delete_saved(conn: Connection, search: UUID, *, staff: UUID) -> bool:
    """Forget a question of one's own; False when there is none."""
    gone = await conn.fetchval(
        "DELETE FROM saved_search WHERE search = $1 AND staff = $2 RETURNING true", search, staff
    )
    return bool(gone)


async def mark_run(conn: Connection, search: UUID, *, staff: UUID, now: datetime) -> None:
    """Remember that a person asked a question now; never an earlier instant than before."""
    await conn.execute(
        """INSERT INTO saved_search_run (search, staff, run_at) VALUES ($1, $2, $3)
           ON CONFLICT (search, staff) DO UPDATE SET run_at = greatest(saved_search_run.run_at, excluded.run_at)""",
        search,
        staff,
        now,
    )


def _ids(units: Collection[UUID] | None) -> list[UUID] | None:
    return None if units is None else sorted(units)
