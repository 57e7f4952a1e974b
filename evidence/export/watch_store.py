"""SQL of links to watch one clip by: projections of their payloads, jobs of marked copies, tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.watch_payloads import ClipLinkRevoked, ClipMarked, ClipShared, ClipWatched
from evidence.db.leases import Executor, JobTable
from evidence.db.pool import Connection

State = Literal["waiting", "running", "done", "refused", "cancelled", "removed"]

TABLE = JobTable(name="clip_link_job", key="link", given=(), cleared=("code", "reason"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLink:
    """A link and how it stands.

    Attributes:
        rendition, parent: The playable copy that the marked one is made from, and its SHA-256.
        from_ms, to_ms: The span on that copy's clock; None for its beginning and its end.
        uses: How often it was used.
        revoked_at: None while it is not revoked.
        state, reason: Of the marked copy; `reason` says why it was refused, or why the last attempt failed.
        bytes_done, bytes_total: Of the copy that it is made from, while it is made.
        copy_sha256, copy_size: Of the marked copy; None before there was one.
    """

    link: UUID
    clip: UUID
    recipient: str
    purpose: str
    secret_sha256: bytes
    expires_at: datetime
    uses_max: int
    rendition: str
    parent: bytes
    from_ms: int | None
    to_ms: int | None
    shared_by: str
    shared_at: datetime
    entry_id: UUID
    uses: int
    revoked_at: datetime | None
    state: State
    reason: str | None
    bytes_done: int
    bytes_total: int | None
    copy_sha256: bytes | None
    copy_size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTicket:
    """What a ticket shows, until when; `secret_sha256` is what the presented ticket must hash to."""

    ticket: UUID
    secret_sha256: bytes
    link: UUID
    entry_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLease:
    """The right to make the marked copy of a link."""

    link: UUID
    token: UUID
    attempt: int
    reason: str | None


async def project_clip_shared(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.shared`."""
    body = ClipShared.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip_link (link, clip, recipient, purpose, secret_sha256, expires_at, uses_max, rendition,
               parent, from_ms, to_ms, shared_by, shared_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)""",
        body.link,
        body.clip,
        body.recipient,
        body.purpose,
        body.secret_sha256,
        body.expires_at,
        body.uses_max,
        body.rendition,
        body.parent,
        body.from_ms,
        body.to_ms,
        event.actor,
        event.at,
        event.entry_id,
    )


async def project_clip_marked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.marked`."""
    body = ClipMarked.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO clip_link_copy (link, sha256, size, entry_id) VALUES ($1, $2, $3, $4)",
        body.link,
        body.sha256,
        body.size,
        event.entry_id,
    )


async def project_clip_link_revoked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.link_revoked`."""
    body = ClipLinkRevoked.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip_link_revocation (link, reason, revoked_by, revoked_at, entry_id)
           VALUES ($1, $2, $3, $4, $5)""",
        body.link,
        body.reason,
        event.actor,
        event.at,
        event.entry_id,
    )


async def project_clip_watched(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.watched`."""
    body = ClipWatched.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO clip_link_use (entry_id, link, used_at) VALUES ($1, $2, $3)", event.entry_id, body.link, event.at
    )


_LINKS = """
SELECT l.link, l.clip, l.recipient, l.purpose, l.secret_sha256, l.expires_at, l.uses_max, l.rendition, l.parent,
       l.from_ms, l.to_ms, l.shared_by, l.shared_at, l.entry_id,
       (SELECT count(*) FROM clip_link_use u WHERE u.link = l.link) AS uses, r.revoked_at,
       coalesce(j.state, 'removed') AS state, j.reason, coalesce(j.bytes_done, 0) AS bytes_done, j.bytes_total,
       c.sha256 AS copy_sha256, c.size AS copy_size
FROM clip_link l LEFT JOIN clip_link_revocation r USING (link) LEFT JOIN clip_link_copy c USING (link)
     LEFT JOIN clip_link_job j USING (link)
"""


async def find_watch_link(db: Executor, link: UUID) -> WatchLink | None:
    """Return a link by its public id, whether it still shows anything or not."""
    row = await db.fetchrow(f"{_LINKS} WHERE l.link = $1", link)
    return None if row is None else WatchLink(**dict(row))


async def watch_links_of(conn: Connection, clip: UUID, *, after: UUID, limit: int) -> Sequence[WatchLink]:
    """Return the links to a clip in the order they were made, behind link `after`."""
    rows = await conn.fetch(f"{_LINKS} WHERE l.clip = $1 AND l.link > $2 ORDER BY l.link LIMIT $3", clip, after, limit)
    return [WatchLink(**dict(row)) for row in rows]


async def insert_mark_job(conn: Connection, link: UUID) -> None:
    """Have the copy of a link made, once the transaction commits."""
    await conn.execute(
        """INSERT INTO clip_link_job (link, state, due_at, created_at, updated_at)
           VALUES ($1, 'waiting', now(), now(), now())""",
        link,
    )


async def take_next_mark(db: Executor, *, token: UUID, lease_seconds: float) -> MarkLease | None:
    """Take the job that is due longest; see `JobTable.take_next`."""
    row = await TABLE.take_next(db, token=token, lease_seconds=lease_seconds)
    return None if row is None else MarkLease(**dict(row))


async def end_copies_that_are_over(db: Executor, *, at: datetime) -> int:
    """Give up the copies of links that show nothing any more; return how many those were.

    Over is a link that was revoked, has expired, is of a clip that was disposed of, or is used up with no ticket left.
    """
    status: str = await db.execute(
        """UPDATE clip_link_job j
           SET state = CASE WHEN j.state = 'done' THEN 'removed' ELSE 'cancelled' END,
               lease = NULL, lease_until = NULL, updated_at = now()
           FROM clip_link l
           WHERE l.link = j.link AND j.state IN ('waiting', 'running', 'done') AND (
               l.expires_at <= $1
               OR EXISTS (SELECT FROM clip_link_revocation r WHERE r.link = l.link)
               OR EXISTS (SELECT FROM clip_disposal d WHERE d.clip = l.clip)
               OR (SELECT count(*) FROM clip_link_use u WHERE u.link = l.link) >= l.uses_max
                  AND NOT EXISTS (SELECT FROM clip_link_ticket t WHERE t.link = l.link AND t.expires_at > $1))""",
        at,
    )
    return int(status.rpartition(" ")[2])


async def copies_there(db: Executor) -> dict[UUID, bytes]:
    """Return the links whose marked copies are there, with their SHA-256."""
    rows = await db.fetch(
        "SELECT link, sha256 FROM clip_link_job JOIN clip_link_copy USING (link) WHERE state = 'done'"
    )
    return {row["link"]: row["sha256"] for row in rows}


async def links_in_work(db: Executor) -> set[UUID]:
    """Return the links whose marked copies are being made."""
    return {row["link"] for row in await db.fetch("SELECT link FROM clip_link_job WHERE state = 'running'")}


async def insert_watch_ticket(conn: Connection, ticket: WatchTicket) -> None:
    """Keep a ticket, in the transaction of the entry that it stands for."""
    await conn.execute(
        """INSERT INTO clip_link_ticket (ticket, secret_sha256, link, entry_id, expires_at)
           VALUES ($1, $2, $3, $4, $5)""",
        ticket.ticket,
        ticket.secret_sha256,
        ticket.link,
        ticket.entry_id,
        ticket.expires_at,
    )


async def find_watch_ticket(conn: Connection, ticket: UUID) -> WatchTicket | None:
    """Return a ticket by its public id, expired or not."""
    row = await conn.fetchrow(
        "SELECT ticket, secret_sha256, link, entry_id, expires_at FROM clip_link_ticket WHERE ticket = $1", ticket
    )
    return None if row is None else WatchTicket(**dict(row))


async def remove_watch_tickets(conn: Connection, *, before: datetime) -> int:
    """Remove tickets that expired before an instant; return how many those were."""
    status: str = await conn.execute("DELETE FROM clip_link_ticket WHERE expires_at < $1", before)
    return int(status.rpartition(" ")[2])
