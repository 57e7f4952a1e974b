"""SQL of packages on record: their clips, links to them and fetches, the projections of these, and tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.custody.export_payloads import ExportFetched, ExportLinkRevoked, ExportShared, PackageExported
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link to a package; `uses` counts how often it was used, `revoked_at` is None while it is not revoked."""

    link: UUID
    export: UUID
    recipient: str
    purpose: str
    secret_sha256: bytes
    expires_at: datetime
    uses_max: int
    shared_by: str
    shared_at: datetime
    entry_id: UUID
    uses: int
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """What a ticket opens, until when; `secret_sha256` is what the presented ticket must hash to."""

    ticket: UUID
    secret_sha256: bytes
    export: UUID
    entry_id: UUID
    expires_at: datetime


async def project_package_exported(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `case.exported` and `clips.exported`."""
    body = PackageExported.model_validate(event.payload)
    await conn.executemany(
        "INSERT INTO export_clip (entry_id, clip, export) VALUES ($1, $2, $3)",
        [(event.entry_id, clip, body.export) for clip in body.clips],
    )


async def project_export_shared(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `export.shared`."""
    body = ExportShared.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO export_link
               (link, export, recipient, purpose, secret_sha256, expires_at, uses_max, shared_by, shared_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        body.link,
        body.export,
        body.recipient,
        body.purpose,
        body.secret_sha256,
        body.expires_at,
        body.uses_max,
        event.actor,
        event.at,
        event.entry_id,
    )


async def project_export_link_revoked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `export.link_revoked`."""
    body = ExportLinkRevoked.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO export_link_revocation (link, reason, revoked_by, revoked_at, entry_id)
           VALUES ($1, $2, $3, $4, $5)""",
        body.link,
        body.reason,
        event.actor,
        event.at,
        event.entry_id,
    )


async def project_export_fetched(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `export.fetched`."""
    body = ExportFetched.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO export_fetch (entry_id, export, link, purpose, fetched_by, fetched_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        event.entry_id,
        body.export,
        body.link,
        body.purpose,
        event.actor,
        event.at,
    )


async def entries_of_exports(conn: Connection, clip: UUID) -> list[UUID]:
    """Return the entries about packages that a clip went out in: that it did, links, their ends, fetches."""
    rows = await conn.fetch(
        """WITH packed AS (SELECT entry_id, export FROM export_clip WHERE clip = $1)
           SELECT entry_id FROM packed
           UNION SELECT entry_id FROM export_link WHERE export IN (SELECT export FROM packed)
           UNION SELECT r.entry_id FROM export_link_revocation r JOIN export_link l USING (link)
                 WHERE l.export IN (SELECT export FROM packed)
           UNION SELECT entry_id FROM export_fetch WHERE export IN (SELECT export FROM packed)""",
        clip,
    )
    return [row["entry_id"] for row in rows]


_LINKS = """
SELECT l.link, l.export, l.recipient, l.purpose, l.secret_sha256, l.expires_at, l.uses_max, l.shared_by, l.shared_at,
       l.entry_id, (SELECT count(*) FROM export_fetch f WHERE f.link = l.link) AS uses, r.revoked_at
FROM export_link l LEFT JOIN export_link_revocation r USING (link)
"""


async def find_link(conn: Connection, link: UUID) -> LinkRow | None:
    """Return a link by its public id, whether it still opens anything or not."""
    row = await conn.fetchrow(f"{_LINKS} WHERE l.link = $1", link)
    return None if row is None else LinkRow(**dict(row))


async def link_of_fetch(conn: Connection, entry_id: UUID) -> UUID | None:
    """Return the link by which a package was fetched, of the entry that says so; None without one."""
    link: UUID | None = await conn.fetchval("SELECT link FROM export_fetch WHERE entry_id = $1", entry_id)
    return link


async def links_of(conn: Connection, export: UUID, *, after: UUID, limit: int) -> Sequence[LinkRow]:
    """Return the links to a package in the order they were made, behind link `after`."""
    rows = await conn.fetch(
        f"{_LINKS} WHERE l.export = $1 AND l.link > $2 ORDER BY l.link LIMIT $3", export, after, limit
    )
    return [LinkRow(**dict(row)) for row in rows]


async def insert_ticket(conn: Connection, ticket: TicketRow) -> None:
    """Keep a ticket, in the transaction of the entry that it stands for."""
    await conn.execute(
        "INSERT INTO export_ticket (ticket, secret_sha256, export, entry_id, expires_at) VALUES ($1, $2, $3, $4, $5)",
        ticket.ticket,
        ticket.secret_sha256,
        ticket.export,
        ticket.entry_id,
        ticket.expires_at,
    )


async def find_ticket(conn: Connection, ticket: UUID) -> TicketRow | None:
    """Return a ticket by its public id, expired or not."""
    row = await conn.fetchrow(
        "SELECT ticket, secret_sha256, export, entry_id, expires_at FROM export_ticket WHERE ticket = $1", ticket
    )
    return None if row is None else TicketRow(**dict(row))


async def remove_tickets(conn: Connection, *, before: datetime) -> int:
    """Remove tickets that expired before an instant; return how many those were."""
    status: str = await conn.execute("DELETE FROM export_ticket WHERE expires_at < $1", before)
    return int(status.rpartition(" ")[2])
