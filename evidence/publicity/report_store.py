"""SQL of periodic reports: rows, and figures counted from the first entries of the log.

As in `evidence.statistics.figures_store`: a row counts when its entry's place in the log lies before the checkpoint, so
what is recorded later changes no figure of an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.custody.publicity_payloads import PublicityReported
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report on record: figures counted at a checkpoint, and what somebody stated beside them."""

    report: UUID
    period: str
    rules: str
    size: int
    root: bytes
    figures: dict[str, int]
    stated: dict[str, int]
    reported_at: datetime
    reported_by: str
    entry_id: UUID


async def project_publicity_reported(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `publicity.reported`."""
    body = PublicityReported.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO publicity_report (report, period, rules, size, root, figures, stated, reported_at, reported_by,
                                         entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        *(body.report, body.period, body.rules, body.size, body.root, body.figures, body.stated),
        *(event.at, event.actor, event.entry_id),
    )


_REPORTS = """SELECT report, period, rules, size, root, figures, stated, reported_at, reported_by, entry_id
              FROM publicity_report"""


async def find_report(conn: Connection, report: UUID) -> Report | None:
    """Return a report by its id."""
    row = await conn.fetchrow(f"{_REPORTS} WHERE report = $1", report)
    return None if row is None else Report(**dict(row))


async def reports_before(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[Report]:
    """Return reports, the newest first, older than `before`."""
    rows = await conn.fetch(f"{_REPORTS} WHERE report < $1 ORDER BY report DESC LIMIT $2", before or LAST_ID, limit)
    return [Report(**dict(row)) for row in rows]


_COUNTS = """
    WITH issue AS (
        SELECT i.*, i.version = min(i.version) OVER (PARTITION BY i.publication) AS is_first
        FROM publication_issue i JOIN ledger_leaf p ON p.entry_id = i.entry_id AND p.index < $1)
    SELECT 'published.' || kind AS name, count(*) AS n FROM issue
    WHERE is_first AND (published_at AT TIME ZONE $4)::date BETWEEN $2 AND $3 GROUP BY 1
    UNION ALL
    SELECT 'corrected.' || kind, count(*) FROM issue
    WHERE NOT is_first AND (published_at AT TIME ZONE $4)::date BETWEEN $2 AND $3 GROUP BY 1
    UNION ALL
    SELECT 'withdrawn.' || cause, count(*) FROM publication_withdrawal w
    JOIN ledger_leaf p ON p.entry_id = w.entry_id AND p.index < $1
    WHERE (withdrawn_at AT TIME ZONE $4)::date BETWEEN $2 AND $3 GROUP BY 1
    UNION ALL
    SELECT 'cases.opened', count(*) FROM case_file c JOIN ledger_leaf p ON p.entry_id = c.entry_id AND p.index < $1
    WHERE (c.opened_at AT TIME ZONE $4)::date BETWEEN $2 AND $3
    UNION ALL
    SELECT 'cases.archived', count(*) FROM case_statement s
    JOIN ledger_leaf p ON p.entry_id = s.entry_id AND p.index < $1
    WHERE s.kind = 'archived' AND (s.stated_at AT TIME ZONE $4)::date BETWEEN $2 AND $3
    UNION ALL
    SELECT 'clips.sealed', count(*) FROM clip c JOIN ledger_leaf p ON p.entry_id = c.entry_id AND p.index < $1
    WHERE (c.sealed_at AT TIME ZONE $4)::date BETWEEN $2 AND $3
    UNION ALL
    SELECT CASE WHEN certified THEN 'officers.certified' ELSE 'officers.uncertified' END, count(*) FROM (
        SELECT DISTINCT ON (o.officer)
               coalesce(o.certificate IS NOT NULL AND (o.valid_from IS NULL OR o.valid_from <= $3)
                        AND (o.valid_until IS NULL OR o.valid_until >= $3), false) AS certified
        FROM officer o JOIN ledger_leaf p ON p.entry_id = o.entry_id AND p.index < $1
        WHERE (o.registered_at AT TIME ZONE $4)::date <= $3
        ORDER BY o.officer, p.index DESC) officers GROUP BY 1
"""


async def counts_at(conn: Connection, *, size: int, first: date, last: date, zone: str) -> Mapping[str, int]:
    """Count what the log's first `size` entries say of a period.

    Args:
        first, last: The period's days, both inside, where the agency is.
        zone: Name of its time zone.
    """
    rows = await conn.fetch(_COUNTS, size, first, last, zone)
    return {row["name"]: row["n"] for row in sorted(rows, key=lambda row: str(row["name"]))}
