"""SQL of cases and their exhibits, and the projections of these.

`case_clip` has every exhibit there ever was, `case_exhibit` those that still are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.access.scope import Scope
from evidence.cases.numbers import number_key
from evidence.custody.case_payloads import CaseClipLinked, CaseOpened
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case file.

    Attributes:
        kind: Action type, a key of the recording-item list; None when nobody said.
        unit: Whose case it is; None when nobody said.
        items: The recording-item list in force when it was opened; None when there was none.
        handlers: Who handles it, in words.
        facts: What is known of it that legal review will ask for.
        state: `archived` or `open`; whether an open one is concluded its statements say.
    """

    case_id: UUID
    number: str
    title: str
    opened_by: str
    opened_at: datetime
    entry_id: UUID
    exhibits: int
    kind: str | None = None
    unit: UUID | None = None
    items: UUID | None = None
    handlers: Sequence[str] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    state: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLink:
    """A clip as an exhibit of a case."""

    case_id: UUID
    number: str
    title: str
    exhibit: int
    clip: UUID
    linked_by: str
    linked_at: datetime
    entry_id: UUID


_CASES = """
SELECT case_id, number, title_now AS title, opened_by, opened_at, entry_id, kind, unit, items, handlers, facts,
       CASE WHEN EXISTS (SELECT FROM case_statement s WHERE s.case_id = c.case_id AND s.kind = 'archived')
            THEN 'archived' ELSE 'open' END AS state,
       (SELECT count(*) FROM case_exhibit l WHERE l.case_id = c.case_id) AS exhibits
FROM case_now c
"""
_LINKS = """
SELECT l.case_id, c.number, c.title_now AS title, l.exhibit, l.clip, l.linked_by, l.linked_at, l.entry_id
FROM case_exhibit l JOIN case_now c USING (case_id)
"""


async def project_case_opened(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `case.opened`."""
    opened = CaseOpened.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO case_file (case_id, number, number_key, title, opened_by, opened_at, entry_id, kind, unit, items,
                                  handlers, facts)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        opened.case,
        opened.number,
        number_key(opened.number),
        opened.title,
        event.actor,
        event.at,
        event.entry_id,
        opened.kind,
        opened.unit,
        opened.items,
        opened.handlers,
        opened.facts,
    )


async def project_case_clip_linked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `case.clip_linked`."""
    linked = CaseClipLinked.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO case_clip (case_id, exhibit, clip, linked_by, linked_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        linked.case,
        linked.exhibit,
        linked.clip,
        event.actor,
        event.at,
        event.entry_id,
    )


async def find_case(conn: Connection, case_id: UUID) -> CaseRow | None:
    """Return a case by its id."""
    row = await conn.fetchrow(f"{_CASES} WHERE case_id = $1", case_id)
    return None if row is None else CaseRow(**dict(row))


async def find_case_by_number(conn: Connection, number: str) -> CaseRow | None:
    """Return a case by its number, however it is spelled."""
    row = await conn.fetchrow(f"{_CASES} WHERE number_key = $1", number_key(number))
    return None if row is None else CaseRow(**dict(row))


async def cases_before(conn: Connection, *, before: UUID | None, limit: int, scope: Scope) -> Sequence[CaseRow]:
    """Return cases, the one opened last first, opened before the case `before`; ids sort by time of birth."""
    hidden, values = "", list[object]()
    if scope.units is not None:
        hidden = "AND (unit = ANY($3::uuid[]) OR case_id = ANY($4::uuid[]) OR opened_by = $5)"
        values = [list(scope.units), list(scope.cases), f"staff:{scope.staff}"]
    statement = f"{_CASES} WHERE case_id < $1 {hidden} ORDER BY case_id DESC LIMIT $2"
    rows = await conn.fetch(statement, before or LAST_ID, limit, *values)
    return [CaseRow(**dict(row)) for row in rows]


async def exhibits_after(conn: Connection, case_id: UUID, *, after: int, limit: int) -> Sequence[CaseLink]:
    """Return the exhibits of a case in order of their numbers, behind `after`."""
    rows = await conn.fetch(
        f"{_LINKS} WHERE l.case_id = $1 AND l.exhibit > $2 ORDER BY l.exhibit LIMIT $3", case_id, after, limit
    )
    return [CaseLink(**dict(row)) for row in rows]


async def links_of_clip(conn: Connection, clip: UUID) -> tuple[CaseLink, ...]:
    """Return every case a clip is an exhibit of, in the order it was linked."""
    rows = await conn.fetch(f"{_LINKS} WHERE l.clip = $1 ORDER BY l.entry_id", clip)
    return tuple(CaseLink(**dict(row)) for row in rows)


async def find_link(conn: Connection, *, case_id: UUID, clip: UUID) -> CaseLink | None:
    """Return the exhibit that a clip is in a case."""
    row = await conn.fetchrow(f"{_LINKS} WHERE l.case_id = $1 AND l.clip = $2", case_id, clip)
    return None if row is None else CaseLink(**dict(row))


async def next_exhibit(conn: Connection, case_id: UUID) -> int:
    """Return the number behind the last exhibit; only for whoever holds the case's lock."""
    number: int = await conn.fetchval("SELECT coalesce(max(exhibit), 0) + 1 FROM case_clip WHERE case_id = $1", case_id)
    return number


async def opened_as(conn: Connection, case_id: UUID) -> dict[str, Any]:
    """Return title, handlers and facts of a case as it was opened, whatever was amended since."""
    row = await conn.fetchrow("SELECT title, handlers, facts FROM case_file WHERE case_id = $1", case_id)
    return {} if row is None else dict(row)
