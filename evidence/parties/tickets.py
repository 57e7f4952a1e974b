"""View tickets: short-lived permission to fetch one object, made after the view is on record.

A player asks for byte ranges again and again and cannot send a token with each, so the view itself is what is
authorised and recorded; the ticket in the address stands for it. Order of effects in `open_view`: the ledger entry and
the ticket are in one transaction, and the caller hands the ticket out only after that has been committed. If the entry
cannot be written there is no ticket, and without a ticket there are no bytes. However many ranges are asked for, of the
film, its playlist or the tiles beside it, it is one view and one entry.

A ticket is short-lived and is its person's: whoever shows a session or token with it has to be them. One that was made
in a browser, which sends its session with every range by itself, opens nothing without that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.pool import Connection
from evidence.parties.credentials import Credential, new_credential, parse_credential
from evidence.parties.errors import TicketExpired, TicketForeign, TicketUnknown
from evidence.parties.ticket_store import ViewTicket, find_beside, find_ticket, insert_ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedView:
    """A view on record and the ticket that goes with it; `text` is the only copy of the secret."""

    entry_id: UUID
    expires_at: datetime
    text: str = field(repr=False)


async def open_view(
    conn: Connection,
    *,
    clip: UUID,
    rendition: str,
    purpose: str,
    staff: UUID,
    session: UUID | None = None,
    by_cookie: bool = False,
    sha256: bytes,
    media_type: str,
    lifetime: timedelta,
    clock: Clock,
    entropy: Entropy,
) -> OpenedView:
    """Record that a person looks at a clip and make the ticket for it, in the caller's transaction.

    Args:
        rendition: Which of the clip's objects, for example `proxy`.
        purpose: A key of `evidence.parties.purposes.PURPOSES`.
        session: Public id of the session or token they showed.
        by_cookie: Whether it came in a cookie, as browsers send it with every range too: then the ticket wants it.
        sha256: 32 bytes, digest of that object.
    """
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy)
    recorded = await record(
        conn,
        type="clip.viewed",
        actor=f"staff:{staff}",
        subject=f"clip:{clip}",
        payload={
            "clip": str(clip),
            "rendition": rendition,
            "purpose": purpose,
            "staff": str(staff),
            "ticket": str(credential.id),
            "session": None if session is None else str(session),
            "sha256": sha256.hex(),
        },
        clock=clock,
        entropy=entropy,
    )
    expires_at = clock() + lifetime
    await insert_ticket(
        conn,
        ViewTicket(
            ticket=credential.id,
            secret_sha256=credential.digest,
            entry_id=recorded.entry_id,
            sha256=sha256,
            media_type=media_type,
            expires_at=expires_at,
            staff=staff,
            by_cookie=by_cookie,
        ),
    )
    return OpenedView(entry_id=recorded.entry_id, expires_at=expires_at, text=credential.text)


async def redeem_beside(conn: Connection, text: str, *, kind: str, clock: Clock) -> ViewTicket:
    """Return what a ticket opens beside its object: a part that a player fetches by itself, such as playlist or tiles.

    The view on record covers it: it was made of the same footage in the same derivation. The answer is the ticket with
    the part's digest and media type.

    Raises:
        TicketUnknown: As by `redeem_ticket`, or there is nothing of that kind. These are not told apart either.
        TicketExpired: As by `redeem_ticket`.
    """
    ticket = await redeem_ticket(conn, text, clock=clock)
    beside = await find_beside(conn, ticket, kind)
    if beside is None:
        raise TicketUnknown("the ticket is not known")
    return replace(ticket, sha256=beside[0], media_type=beside[1])


async def redeem_ticket(conn: Connection, text: str, *, clock: Clock) -> ViewTicket:
    """Return what a ticket opens.

    Raises:
        TicketUnknown: It is no ticket, or not one of ours. The two are not told apart.
        TicketExpired: It was one; only whoever holds its secret is told so.
    """
    credential = parse_credential(text)
    return checked_ticket(
        credential, None if credential is None else await find_ticket(conn, credential.id), clock=clock
    )


def checked_ticket(credential: Credential | None, ticket: ViewTicket | None, *, clock: Clock) -> ViewTicket:
    """Return a ticket that was found after seeing that it is the one presented, and still opens something.

    Args:
        credential: What was presented; None when it is spelled like no ticket.
        ticket: What was found under its public id; None for nothing.

    Raises:
        TicketUnknown, TicketExpired: As by `redeem_ticket`.
    """
    if credential is None or ticket is None or not credential.matches(ticket.secret_sha256):
        raise TicketUnknown("the ticket is not known")
    if ticket.expires_at <= clock():
        raise TicketExpired("the ticket has expired")
    return ticket


def require_own(ticket: ViewTicket, *, shown: UUID | None) -> None:
    """See that a ticket is used by whose it is.

    Args:
        shown: The person whose session or token came along; None without any, as players ask.

    Raises:
        TicketForeign: It was made for somebody else, or in a browser whose session did not come along.
    """
    if ticket.staff is not None and shown != ticket.staff and (shown is not None or ticket.by_cookie):
        raise TicketForeign("the ticket is not for whoever asks")
