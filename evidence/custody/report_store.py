"""SQL of custody reports: what is on record about a clip, or by a person, a page at a time."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.core.clock import parse_time
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection

_MADE_UP_TO = parse_time("9999-12-31T23:59:59.999Z")

# Every branch is read in the order of one index and ends after a page, so that the length of a history costs nothing.
_OF_CLIP = """
WITH packed AS MATERIALIZED (SELECT entry_id, export FROM export_clip WHERE clip = $1),
     lines AS (
        (SELECT entry_id FROM custody_payload WHERE subject = $2 AND entry_id > $3 ORDER BY entry_id LIMIT $4)
        UNION SELECT entry_id FROM case_clip WHERE clip = $1 AND entry_id > $3
        UNION SELECT s.entry_id FROM case_statement s JOIN case_clip l USING (case_id)
              WHERE l.clip = $1 AND s.kind = 'unlinked' AND (s.content ->> 'exhibit')::integer = l.exhibit
                AND s.entry_id > $3
        UNION SELECT entry_id FROM packed WHERE entry_id > $3
        UNION SELECT entry_id FROM export_link WHERE export IN (SELECT export FROM packed) AND entry_id > $3
        UNION SELECT r.entry_id FROM export_link_revocation r JOIN export_link l USING (link)
              WHERE l.export IN (SELECT export FROM packed) AND r.entry_id > $3
        UNION (SELECT entry_id FROM export_fetch WHERE export IN (SELECT export FROM packed) AND entry_id > $3
               ORDER BY entry_id LIMIT $4)
        UNION (SELECT entry_id FROM clip_shown WHERE clip = $1 AND entry_id > $3 ORDER BY entry_id LIMIT $4)
     )
SELECT p.entry_id, p.type, p.actor, p.subject, p.at, p.payload
FROM (SELECT entry_id FROM lines ORDER BY entry_id LIMIT $4) l JOIN custody_payload p USING (entry_id)
WHERE p.at <= $5 ORDER BY p.entry_id
"""

_OF_PERSON = """
SELECT entry_id, type, actor, subject, at, payload FROM custody_payload
WHERE actor = $1 AND entry_id > $2 AND type = ANY($3) AND at >= $4 AND at < $5 ORDER BY entry_id LIMIT $6
"""


async def events_of_clip(
    conn: Connection, clip: UUID, *, until: datetime, after: UUID | None, limit: int
) -> Sequence[RecordedEvent]:
    """Return what was put on record about a clip until an instant, oldest first, behind the entry `after`.

    Sealing, annotations, views, looks, excerpts, cases, packages, their links and fetches, searches that showed it.
    """
    rows = await conn.fetch(_OF_CLIP, clip, f"clip:{clip}", after or FIRST_ID, limit, until)
    return [_event(row) for row in rows]


async def events_of_person(
    conn: Connection,
    staff: UUID,
    *,
    types: Collection[str],
    since: datetime,
    until: datetime | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RecordedEvent]:
    """Return what a person put on record of these types from `since` until before `until`, oldest first."""
    rows = await conn.fetch(
        _OF_PERSON, f"staff:{staff}", after or FIRST_ID, list(types), since, until or _MADE_UP_TO, limit
    )
    return [_event(row) for row in rows]


async def clips_of_packages(conn: Connection, exports: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return the clips of packages by the packages' ids."""
    rows = await conn.fetch(
        "SELECT DISTINCT export, clip FROM export_clip WHERE export = ANY($1) ORDER BY export, clip", list(exports)
    )
    packed: dict[UUID, list[UUID]] = {}
    for row in rows:
        packed.setdefault(row["export"], []).append(row["clip"])
    return packed


async def recipients_of(conn: Connection, links: Collection[UUID]) -> dict[UUID, str]:
    """Return who links were made for."""
    rows = await conn.fetch(
        """SELECT link, recipient FROM export_link WHERE link = ANY($1::uuid[])
           UNION ALL SELECT link, recipient FROM clip_link WHERE link = ANY($1::uuid[])""",
        list(links),
    )
    return {row["link"]: row["recipient"] for row in rows}


async def names_of_people(conn: Connection, staff: Collection[UUID]) -> dict[UUID, str]:
    """Return what people are called: by their account, else by the newest token of each."""
    rows = await conn.fetch(
        """SELECT s.staff, coalesce(
                      (SELECT name FROM account a WHERE a.staff = s.staff LIMIT 1),
                      (SELECT name FROM staff_token t WHERE t.staff = s.staff ORDER BY token DESC LIMIT 1)) AS name
           FROM unnest($1::uuid[]) s (staff)""",
        list(staff),
    )
    return {row["staff"]: row["name"] for row in rows if row["name"] is not None}


def _event(row: Any) -> RecordedEvent:
    return RecordedEvent(
        entry_id=row["entry_id"],
        type=row["type"],
        actor=row["actor"],
        subject=row["subject"],
        at=row["at"],
        payload=json.loads(row["payload"]),
    )
