"""Looks at many clips: one entry for the pictures of a page of results, and a ticket that opens those and nothing else.

A grid of stills is a view of every clip in it. `open_look` is the way of `open_view` for many: which clips they may be,
the caller has decided; the entry names every one of them, and the digest of the list of their pictures; entry, rows of
`clip_shown` and ticket are one transaction, and the address is told only after its commit. A crash before that leaves
nothing and has shown nothing, one after it leaves an entry of pictures that perhaps nobody fetched.

What the ticket opens was settled with the entry and does not change with a later derivation. It opens no original, no
review copy and no sound: whoever wants those opens a view. Why so: ADR 41.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.pool import Connection
from evidence.parties.credentials import new_credential, parse_credential
from evidence.parties.look_store import Picture, digest_of, find_picture, insert_look, pictures_of
from evidence.parties.ticket_store import ViewTicket
from evidence.parties.tickets import OpenedView, checked_ticket
from ledger.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLook:
    """A look on record, its ticket, and the pictures that it opens, by clip and kind."""

    view: OpenedView
    pictures: tuple[Picture, ...]


async def open_look(
    conn: Connection,
    *,
    clips: Collection[UUID],
    purpose: str,
    staff: UUID,
    session: UUID | None = None,
    by_cookie: bool = False,
    lifetime: timedelta,
    clock: Clock,
    entropy: Entropy,
) -> OpenedLook | None:
    """Record that a person looks at pictures of clips and make the ticket for them, in the caller's transaction.

    Args:
        clips: Those they may look at, at most `LOOK_CLIPS_MAX`; such as have no pictures are left out.
        purpose: A key of `evidence.parties.purposes.PURPOSES`.
        session: Public id of the session or token they showed.
        by_cookie: Whether it came in a cookie: then the ticket wants it with every picture.

    Returns:
        None when there is nothing to be seen: then nothing is on record either.
    """
    pictures = await pictures_of(conn, clips)
    if not pictures:
        return None
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy)
    recorded = await record(
        conn,
        type="clips.viewed",
        actor=f"staff:{staff}",
        subject=f"staff:{staff}",
        payload={
            "clips": list[JsonValue](sorted({str(one.clip) for one in pictures})),
            "renditions": list[JsonValue](sorted({one.kind for one in pictures})),
            "pictures": digest_of(pictures).hex(),
            "purpose": purpose,
            "staff": str(staff),
            "ticket": str(credential.id),
            "session": None if session is None else str(session),
        },
        clock=clock,
        entropy=entropy,
    )
    ticket = ViewTicket(
        ticket=credential.id,
        secret_sha256=credential.digest,
        entry_id=recorded.entry_id,
        sha256=b"",
        media_type="",
        expires_at=clock() + lifetime,
        staff=staff,
        by_cookie=by_cookie,
    )
    await insert_look(conn, ticket, pictures)
    opened = OpenedView(entry_id=recorded.entry_id, expires_at=ticket.expires_at, text=credential.text)
    return OpenedLook(view=opened, pictures=tuple(pictures))


async def redeem_look(conn: Connection, text: str, *, clip: UUID, kind: str, clock: Clock) -> ViewTicket:
    """Return what the ticket of a look opens of one clip.

    Raises:
        TicketUnknown: It is no ticket of a look, or opens nothing of this kind of this clip. These are not told apart.
        TicketExpired: It did; only whoever holds its secret is told so.
    """
    credential = parse_credential(text)
    ticket = None if credential is None else await find_picture(conn, credential.id, clip=clip, kind=kind)
    return checked_ticket(credential, ticket, clock=clock)
