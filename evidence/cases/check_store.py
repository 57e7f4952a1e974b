"""SQL of what verifying a case's files has come to so far, for an archive that takes several requests. No evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from evidence.db.pool import Connection

CLEAN_FOR = timedelta(days=1)
"""How long a file that held is not read again: originals are written once, and the standing audit reads them all."""

FAULTY_FOR = timedelta(minutes=10)
"""The same of one that did not, which somebody may have repaired."""


async def checks_of(conn: Connection, case_id: UUID, *, now: datetime) -> dict[UUID, list[str]]:
    """Return what verification has against each file that was read lately, by its id; nothing against one that held."""
    rows = await conn.fetch(
        """SELECT clip, codes FROM case_check
           WHERE case_id = $1 AND checked_at > CASE WHEN codes = '{}' THEN $2::timestamptz ELSE $3 END""",
        case_id,
        now - CLEAN_FOR,
        now - FAULTY_FOR,
    )
    return {row["clip"]: list(row["codes"]) for row in rows}


async def keep_check(conn: Connection, case_id: UUID, *, clip: UUID, codes: Sequence[str], now: datetime) -> None:
    """Remember what verifying a file has come to."""
    await conn.execute(
        """INSERT INTO case_check (case_id, clip, codes, checked_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (case_id, clip) DO UPDATE SET codes = excluded.codes, checked_at = excluded.checked_at""",
        case_id,
        clip,
        list(codes),
        now,
    )


async def forget_checks(conn: Connection, case_id: UUID) -> None:
    """Forget what a case that is archived needs no more, in the caller's transaction."""
    await conn.execute("DELETE FROM case_check WHERE case_id = $1", case_id)
