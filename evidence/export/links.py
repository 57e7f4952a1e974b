"""Handing a package out: to who works here, or by a link to a named recipient, for so many uses until a time.

Order of effects, "nobody looks without leaving a trace": the entry `export.fetched` and a ticket are one transaction,
and only after it has been committed does anybody learn the ticket. It opens the archive, by ranges, for a day, so that
a download that breaks goes on and is still one use. Uses are counted under a lock of the link: of two who come at once
with the last one, one is refused. Whoever holds a link that opens nothing is not told why.

Only digests of links and tickets are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import ExportNotReady, ShareInvalid, ShareUnknown
from evidence.export.link_store import LinkRow, TicketRow, find_link, find_ticket, insert_ticket
from evidence.export.orders import find_export
from evidence.parties.credentials import new_credential, parse_credential
from evidence.parties.errors import NameInvalid, TicketUnknown
from evidence.parties.names import check_name

USES_MAX: Final = 100
LIFETIME_MAX: Final = timedelta(days=366)
TICKET_LIFETIME: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A link on record; `text` is the only copy of its secret."""

    link: UUID
    entry_id: UUID
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A hand-out on record and the ticket that goes with it; `text` is the only copy of the secret."""

    entry_id: UUID
    expires_at: datetime
    text: str = field(repr=False)


async def share(
    conn: Connection,
    *,
    export: UUID,
    recipient: str,
    purpose: str,
    expires_at: datetime,
    uses_max: int,
    actor: str,
    session: UUID | None = None,
    clock: Clock,
    entropy: Entropy,
) -> Shared:
    """Make a link to a package, in the caller's transaction.

    Raises:
        ExportUnknown, ExportNotReady: There is no such package, or not any more.
        ShareInvalid: The recipient has no name, or time or uses are out of bounds.
    """
    await _require_done(conn, export)
    try:
        check_name(recipient)
    except NameInvalid as error:
        raise ShareInvalid(f"the recipient needs a name: {error.message}") from error
    if not timedelta(0) < expires_at - clock() <= LIFETIME_MAX:
        raise ShareInvalid("the link has to end in the future, at most a year from now")
    if not 1 <= uses_max <= USES_MAX:
        raise ShareInvalid(f"a link is for 1 to {USES_MAX} uses")
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy)
    recorded = await record(
        conn,
        type="export.shared",
        actor=actor,
        subject=f"export:{export}",
        payload={
            "link": str(credential.id),
            "export": str(export),
            "recipient": recipient,
            "purpose": purpose,
            "secret_sha256": credential.digest.hex(),
            "expires_at": format_time(expires_at),
            "uses_max": uses_max,
            "session": None if session is None else str(session),
        },
        clock=clock,
        entropy=entropy,
    )
    return Shared(link=credential.id, entry_id=recorded.entry_id, text=credential.text)


async def revoke_link(
    conn: Connection, *, export: UUID, link: UUID, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID | None:
    """End a link, in the caller's transaction; None when it was ended before.

    Raises:
        ShareUnknown: The package has no such link.
    """
    await lock_subject(conn, f"export-link:{link}")
    row = await find_link(conn, link)
    if row is None or row.export != export:
        raise ShareUnknown(f"package {export} has no link {link}", link=str(link))
    if row.revoked_at is not None:
        return None
    recorded = await record(
        conn,
        type="export.link_revoked",
        actor=actor,
        subject=f"export:{export}",
        payload={"link": str(link), "export": str(export), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def look_at_link(conn: Connection, text: str, *, clock: Clock) -> LinkRow:
    """Return a link that still opens something.

    Raises:
        ShareUnknown: It is none, has expired, was revoked, or is used up; these are not told apart.
    """
    credential = parse_credential(text)
    row = None if credential is None else await find_link(conn, credential.id)
    if credential is None or row is None or not credential.matches(row.secret_sha256):
        raise ShareUnknown("the link is not known or opens nothing any more")
    if row.revoked_at is not None or row.expires_at <= clock() or row.uses >= row.uses_max:
        raise ShareUnknown("the link is not known or opens nothing any more")
    return row


async def use_link(conn: Connection, text: str, *, clock: Clock, entropy: Entropy) -> Fetched:
    """Use a link once, in the caller's transaction.

    Raises:
        ShareUnknown: See `look_at_link`.
        ExportNotReady: The package is not there any more.
    """
    if (credential := parse_credential(text)) is not None:
        await lock_subject(conn, f"export-link:{credential.id}")
    row = await look_at_link(conn, text, clock=clock)
    return await _fetch(
        conn, export=row.export, link=row.link, purpose=row.purpose, actor="service", clock=clock, entropy=entropy
    )


async def fetch(
    conn: Connection,
    *,
    export: UUID,
    purpose: str,
    actor: str,
    session: UUID | None = None,
    clock: Clock,
    entropy: Entropy,
) -> Fetched:
    """Hand a package to who works here, in the caller's transaction.

    Raises:
        ExportUnknown, ExportNotReady: There is no such package, or not yet, or not any more.
    """
    return await _fetch(
        conn, export=export, link=None, purpose=purpose, actor=actor, session=session, clock=clock, entropy=entropy
    )


async def redeem(conn: Connection, text: str, *, clock: Clock) -> TicketRow:
    """Return what a ticket opens.

    Raises:
        TicketUnknown: It is no ticket, not one of ours, or has expired. The three are not told apart.
    """
    credential = parse_credential(text)
    ticket = None if credential is None else await find_ticket(conn, credential.id)
    if credential is None or ticket is None or not credential.matches(ticket.secret_sha256):
        raise TicketUnknown("the ticket is not known or has expired")
    if ticket.expires_at <= clock():
        raise TicketUnknown("the ticket is not known or has expired")
    return ticket


async def _fetch(
    conn: Connection,
    *,
    export: UUID,
    link: UUID | None,
    purpose: str,
    actor: str,
    session: UUID | None = None,
    clock: Clock,
    entropy: Entropy,
) -> Fetched:
    await _require_done(conn, export)
    recorded = await record(
        conn,
        type="export.fetched",
        actor=actor,
        subject=f"export:{export}",
        payload={
            "export": str(export),
            "link": None if link is None else str(link),
            "purpose": purpose,
            "session": None if session is None else str(session),
        },
        clock=clock,
        entropy=entropy,
    )
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy)
    expires_at = clock() + TICKET_LIFETIME
    ticket = TicketRow(
        ticket=credential.id,
        secret_sha256=credential.digest,
        export=export,
        entry_id=recorded.entry_id,
        expires_at=expires_at,
    )
    await insert_ticket(conn, ticket)
    return Fetched(entry_id=recorded.entry_id, expires_at=expires_at, text=credential.text)


async def _require_done(conn: Connection, export: UUID) -> None:
    job = await find_export(conn, export)
    if job.state != "done":
        raise ExportNotReady(f"package {export} is {job.state}", state=job.state)
