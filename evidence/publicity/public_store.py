"""SQL of what anybody may read: only what was published, is the newest, was not withdrawn and is in its term.

Drafts stand in other tables than those that are read here, so that none can slip through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection
from evidence.publicity.store import ISSUE_COLUMNS, IssueRow

_STANDING = """NOT EXISTS (SELECT FROM publication_withdrawal w WHERE w.publication = i.publication)
               AND (i.until IS NULL OR i.until >= $1)"""

_NEWEST = """NOT EXISTS (SELECT FROM publication_issue n
                         WHERE n.publication = i.publication AND n.version > i.version)"""


async def public_issues(
    conn: Connection, *, today: date, kind: str | None, before: UUID | None, limit: int
) -> Sequence[IssueRow]:
    """Return decisions that are public on a day, what was published last first, published before the entry `before`."""
    rows = await conn.fetch(
        f"""SELECT {ISSUE_COLUMNS} FROM publication_issue i
            WHERE {_STANDING} AND i.form <> 'register' AND ($2::text IS NULL OR i.kind = $2) AND i.entry_id < $3
              AND {_NEWEST}
            ORDER BY i.entry_id DESC LIMIT $4""",  # noqa: S608 - text of this module
        today,
        kind,
        before or LAST_ID,
        limit,
    )
    return [IssueRow(**dict(row)) for row in rows]


async def registers_on(
    conn: Connection, day: date, *, today: date, publication: UUID | None = None
) -> Sequence[IssueRow]:
    """Return of each register (or of one) the version in force on a day; what is not published is none."""
    rows = await conn.fetch(
        f"""SELECT DISTINCT ON (i.publication) {ISSUE_COLUMNS} FROM publication_issue i
            WHERE {_STANDING} AND i.form = 'register' AND i.effective_from <= $2
              AND ($3::uuid IS NULL OR i.publication = $3)
            ORDER BY i.publication, i.effective_from DESC, i.version DESC""",  # noqa: S608 - text of this module
        today,
        day,
        publication,
    )
    return [IssueRow(**dict(row)) for row in rows]
