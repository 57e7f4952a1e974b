"""SQL of the counts of failed attempts to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from evidence.accounts.pauses import Count, pause_after
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection


async def count_attempt(conn: Connection, counts: Sequence[Count], *, now: datetime) -> datetime | None:
    """Count an attempt as failed before it is judged, in the caller's transaction.

    Returns:
        Until when attempts are not even looked at; this one was not counted then. None when it may be judged.
    """
    failures = {}
    for count in counts:
        await lock_subject(conn, f"sign-in:{count.key.hex()}")
        row = await conn.fetchrow("SELECT failures, paused_until FROM sign_in_pause WHERE key = $1", count.key)
        if row is not None and row["paused_until"] > now:
            until: datetime = row["paused_until"]
            return until
        failures[count] = 1 if row is None else row["failures"] + 1
    for count, number in failures.items():
        await conn.execute(
            """INSERT INTO sign_in_pause (key, failures, paused_until, last_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (key) DO UPDATE SET failures = $2, paused_until = $3, last_at = $4""",
            *(count.key, number, now + pause_after(count.guarded, number), now),
        )
    return None


async def uncount(conn: Connection, counts: Sequence[Count]) -> None:
    """Take back one attempt that has not failed, and the pause it made."""
    await conn.execute(
        "UPDATE sign_in_pause SET failures = greatest(failures - 1, 0), paused_until = last_at WHERE key = ANY($1)",
        [count.key for count in counts],
    )


async def forget(conn: Connection, keys: Sequence[bytes]) -> None:
    """Begin to count anew: somebody has shown who they are."""
    await conn.execute("DELETE FROM sign_in_pause WHERE key = ANY($1)", list(keys))


async def failures_of(conn: Connection, keys: Sequence[bytes]) -> int:
    """Return the most failed attempts that any of some keys counts."""
    most: int = await conn.fetchval(
        "SELECT coalesce(max(failures), 0) FROM sign_in_pause WHERE key = ANY($1)", list(keys)
    )
    return most


async def sweep_counts(conn: Connection, *, before: datetime, rows_max: int) -> None:
    """Remove counts whose last attempt is older, and the oldest of those that are too many."""
    await conn.execute("DELETE FROM sign_in_pause WHERE last_at < $1", before)
    await conn.execute(
        """DELETE FROM sign_in_pause WHERE last_at < (
               SELECT last_at FROM sign_in_pause ORDER BY last_at DESC OFFSET $1 LIMIT 1)""",
        rows_max,
    )
