"""The audit's look at disposals: each was appraised by one person and approved by another, of what could go there.

Order is that of the log: a hold counts from its entry to that of its release. What has no place in the log yet is left
to the next audit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.db.pool import Connection
from ledger.findings import Finding

TABLES_OF_DISPOSAL = frozenset(
    {
        "clip_disposal",
        "disposal_appraisal",
        "disposal_item",
        "disposal_decision",
        "legal_hold",
        "legal_hold_release",
        "case_clip",
        "clip_source",
    }
)
"""Where rows of these are not what the record says, the rows cannot tell."""

_DISPOSALS = """
    SELECT d.clip, d.entry_id, d.appraisal, d.expired_on, d.disposed_at, here.index AS place
    FROM clip_disposal d JOIN ledger_leaf here USING (entry_id) ORDER BY d.entry_id
"""

_IS_APPROVED = """
    SELECT EXISTS (
        SELECT FROM disposal_item i
        JOIN disposal_appraisal a USING (appraisal) JOIN ledger_leaf proposed ON proposed.entry_id = a.entry_id
        JOIN disposal_decision e USING (appraisal) JOIN ledger_leaf decided ON decided.entry_id = e.entry_id
        WHERE i.appraisal = $1 AND i.clip = $2 AND e.approved AND e.decided_by <> a.appraised_by
          AND proposed.index < decided.index AND decided.index < $3)
"""

_REASONS = """
    SELECT 'hold ' || h.hold FROM legal_hold h JOIN ledger_leaf p USING (entry_id)
    LEFT JOIN legal_hold_release r USING (hold) LEFT JOIN ledger_leaf e ON e.entry_id = r.entry_id
    WHERE p.index < $2 AND (e.index IS NULL OR e.index > $2) AND (
        h.clip = $1
        OR h.case_id IN (SELECT l.case_id FROM case_clip l JOIN ledger_leaf x USING (entry_id)
                         WHERE l.clip = $1 AND x.index < $2)
        OR EXISTS (SELECT FROM clip_source s WHERE s.clip = $1 AND s.recorder = h.recorder
                   AND (s.recorded_at IS NULL OR (h.since IS NULL OR s.recorded_at >= h.since)
                                             AND (h.until IS NULL OR s.recorded_at <= h.until))))
    UNION ALL
    SELECT 'case ' || l.case_id FROM case_clip l JOIN ledger_leaf x USING (entry_id) WHERE l.clip = $1 AND x.index < $2
"""


async def audit_disposals(conn: Connection) -> AsyncIterator[Finding]:
    """Judge every disposal that has its place in the log."""
    for row in await conn.fetch(_DISPOSALS):
        clip, place = row["clip"], row["place"]
        subject = f"clip:{clip}"
        if not await conn.fetchval(_IS_APPROVED, row["appraisal"], clip, place):
            message = f"clip {clip} was disposed of, and no appraisal of it was approved by another person before"
            yield found(codes.DISPOSAL_UNAPPROVED, subject, message, entry=str(row["entry_id"]))
        reasons = [one[0] for one in await conn.fetch(_REASONS, clip, place)]
        # A term is counted in days of the agency, none of which begins before the day of UTC minus one.
        if row["expired_on"] > row["disposed_at"].date():
            reasons.append(f"its term until {row['expired_on']}")
        if reasons:
            message = f"clip {clip} was disposed of against {', '.join(reasons)}"
            yield found(codes.DISPOSAL_UNLAWFUL, subject, message, entry=str(row["entry_id"]), against=reasons)
