"""Tombstones: what stands where a clip's objects were, and how everybody else asks for it."""

from __future__ import annotations

from uuid import UUID

from evidence.db.locks import share_subject
from evidence.db.pool import Connection
from evidence.retention.disposal_store import find_tombstone
from evidence.retention.errors import ClipDisposed

RETENTION_SUBJECT = "retention"
"""Lock of everything that decides whether a clip may go; see `evidence.retention.holds`."""


async def require_kept(conn: Connection, clip: UUID) -> None:
    """Refuse to go on with a clip that was disposed of.

    Raises:
        ClipDisposed: It was; `details` are its tombstone.
    """
    stone = await find_tombstone(conn, clip)
    if stone is not None:
        day = stone.disposed_at.date()
        raise ClipDisposed(f"clip {clip} was disposed of on {day} (UTC)", **stone.as_details())


async def keep_meanwhile(conn: Connection, clip: UUID) -> None:
    """See that a clip is kept and stays so until the transaction ends; before its first write.

    Raises:
        ClipDisposed: It is not.
    """
    await share_subject(conn, RETENTION_SUBJECT)
    await require_kept(conn, clip)
