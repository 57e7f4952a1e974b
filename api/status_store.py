"""SQL of what readiness and metrics report: the ledger's backlog, and clips by state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerBacklog:
    """How far the log lags behind what was committed.

    Attributes:
        sequenced: Entries in the tree.
        published: Entries under a published checkpoint.
        pending: Entries that wait for the sequencer.
        oldest_at: When the oldest entry was committed that is not published; None when all are.
    """

    sequenced: int
    published: int
    pending: int
    oldest_at: datetime | None


async def read_backlog(conn: Connection) -> LedgerBacklog:
    """Read the ledger's backlog."""
    row = await conn.fetchrow(
        """WITH published AS (SELECT coalesce(max(size), 0) AS size FROM ledger_publication)
           SELECT (SELECT size FROM ledger_head) AS sequenced,
                  (SELECT size FROM published) AS published,
                  (SELECT count(*) FROM ledger_pending) AS pending,
                  least(
                      (SELECT min(appended_at) FROM ledger_pending JOIN ledger_entry USING (entry_id)),
                      (SELECT appended_at FROM ledger_leaf JOIN ledger_entry USING (entry_id)
                       WHERE index = (SELECT size FROM published))
                  ) AS oldest_at"""
    )
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return LedgerBacklog(**dict(row))


async def count_clips(conn: Connection) -> Mapping[str, int]:
    """Count clips by state: the outcome of their newest derivation, `sealed` while there is none."""
    rows = await conn.fetch(
        """SELECT coalesce(d.outcome, 'sealed') AS state, count(*) AS clips
           FROM clip c LEFT JOIN LATERAL (
               SELECT outcome FROM clip_derivation WHERE clip = c.clip ORDER BY entry_id DESC LIMIT 1
           ) d ON true GROUP BY 1"""
    )
    return {row["state"]: row["clips"] for row in rows}
