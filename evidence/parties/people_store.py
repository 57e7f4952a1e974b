"""SQL of names: what people and officers are called whose ids stand in entries, answers and annotations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody with a name; `actor` is what they are called in entries: `staff:<uuid>` or `officer:<uuid>`."""

    actor: str
    name: str


async def names_of(conn: Connection, ids: Collection[UUID]) -> Sequence[Named]:
    """Return who bears any of these ids; ids that nobody bears are left out.

    A person is called as their account says, or their newest token; an officer as registered last. Who left keeps the
    name under which they acted.
    """
    rows = await conn.fetch(
        """SELECT 'staff:' || i.id AS actor, coalesce(a.name, t.name) AS name
           FROM unnest($1::uuid[]) AS i(id) LEFT JOIN account a ON a.staff = i.id
           LEFT JOIN LATERAL (SELECT name FROM staff_token s WHERE s.staff = i.id
                              ORDER BY s.entry_id DESC LIMIT 1) t ON true
           WHERE coalesce(a.name, t.name) IS NOT NULL
           UNION ALL
           SELECT 'officer:' || i.id, o.name FROM unnest($1::uuid[]) AS i(id)
           JOIN LATERAL (SELECT name FROM officer f WHERE f.officer = i.id ORDER BY f.entry_id DESC LIMIT 1) o ON true
           ORDER BY actor""",
        list(set(ids)),
    )
    return [Named(**dict(row)) for row in rows]
