"""SQL of time stamps: what is on record, what is worth another one, and which stamp covers an entry."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evidence.core.clock import parse_time
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRow:
    """One stamp: who gave it, over which published note, in which response, and when."""

    authority: str
    size: int
    stamped_at: datetime
    recorded_at: datetime
    checkpoint: bytes
    response: bytes


_ROWS = "SELECT authority, size, stamped_at, recorded_at, checkpoint, response FROM log_timestamp"


async def project_log_timestamped(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `log.timestamped`."""
    payload = event.payload
    await conn.execute(
        """INSERT INTO log_timestamp
               (entry_id, authority, size, root, stamped_at, recorded_at, checkpoint, response)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        event.entry_id,
        payload["authority"],
        payload["size"],
        bytes.fromhex(str(payload["root"])),
        parse_time(str(payload["time"])),
        event.at,
        str(payload["checkpoint"]).encode(),
        base64.b64decode(str(payload["response"])),
    )


async def last_timestamp(conn: Connection, authority: str) -> TimestampRow | None:
    """Return the stamp of an authority over the largest checkpoint, the newest of those."""
    row = await conn.fetchrow(
        f"{_ROWS} WHERE authority = $1 ORDER BY size DESC, recorded_at DESC LIMIT 1",
        authority,
    )
    return None if row is None else TimestampRow(**dict(row))


async def worth_stamping(conn: Connection, *, after_size: int) -> bytes | None:
    """Return the published note to have stamped next by whoever has stamped `after_size` entries, None for none.

    It covers an entry from `after_size` on that does not merely record a stamp. Where a checkpoint that covers the last
    such entry is stamped already, it is that one; otherwise the newest published.
    """
    published = await conn.fetchrow("SELECT size, note FROM ledger_publication ORDER BY size DESC LIMIT 1")
    if published is None:
        return None
    last: int | None = await conn.fetchval(
        """SELECT index FROM ledger_leaf JOIN custody_payload USING (entry_id)
           WHERE index >= $1 AND index < $2 AND type <> 'log.timestamped' ORDER BY index DESC LIMIT 1""",
        after_size,
        published["size"],
    )
    if last is None:
        return None
    stamped: bytes | None = await conn.fetchval(
        "SELECT checkpoint FROM log_timestamp WHERE size > $1 ORDER BY size LIMIT 1", last
    )
    note: bytes = published["note"]
    return stamped or note


async def timestamps_covering(conn: Connection, index: int, *, log_size: int | None = None) -> Sequence[TimestampRow]:
    """Return the stamps over the smallest stamped checkpoint that covers an entry, one per authority, the earliest.

    They are all of the same bytes. Empty while none covers it.

    Args:
        index: Place of the entry in the log.
        log_size: Only stamps among the log's first so many entries; None for all.
    """
    rows = await conn.fetch(
        f"""WITH known AS (
                {_ROWS} WHERE size > $1 AND ($2::bigint IS NULL OR entry_id IN (
                    SELECT entry_id FROM ledger_leaf WHERE index < $2)))
            SELECT DISTINCT ON (authority) * FROM known
            WHERE checkpoint = (SELECT checkpoint FROM known ORDER BY size, stamped_at LIMIT 1)
            ORDER BY authority, stamped_at, recorded_at""",  # noqa: S608 - a constant of this module
        index,
        log_size,
    )
    return [TimestampRow(**dict(row)) for row in rows]
