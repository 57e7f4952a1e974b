"""Having somebody outside watch one clip: a link for a named recipient, its uses, and tickets to the marked copy.

What `links` is for packages this is for a playable copy. Order of effects:

1. one transaction: `clip.shared`, the link, the job of its copy     crash: nothing was shared
2. the copy is made and put on record (`ingest.marked_copies`)       crash: made again
3. a use: `clip.watched` and a ticket in one transaction, under a    crash: a use on record that showed nothing
   lock of the link, so that of two last uses one is refused
4. only after its commit does anybody learn the ticket               without an entry there is no byte

A ticket opens the marked copy of its link and nothing else, by ranges, for some hours and never longer than the link.
Whoever holds a link that shows nothing is not told why. Only digests of links and tickets are kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import ShareInvalid, ShareNotReady, ShareUnknown
from evidence.export.links import LIFETIME_MAX, USES_MAX, Fetched, Shared
from evidence.export.watch_store import (
    WatchLink,
    WatchTicket,
    find_watch_link,
    find_watch_ticket,
    insert_mark_job,
    insert_watch_ticket,
)
from evidence.parties.credentials import new_credential, parse_credential
from evidence.parties.errors import NameInvalid, TicketUnknown
from evidence.parties.names import check_name
from evidence.retention.tombstones import require_kept

TICKET_LIFETIME: Final = timedelta(hours=3)
SPAN_MS_MAX: Final = 7 * 24 * 3600 * 1000

Rendition = Literal["proxy", "redacted"]


async def share_clip(
    conn: Connection,
    *,
    clip: UUID,
    rendition: Rendition,
    parent: bytes,
    media_type: str,
    from_ms: int | None,
    to_ms: int | None,
    recipient: str,
    purpose: str,
    expires_at: datetime,
    uses_max: int,
    actor: str,
    session: UUID | None = None,
    clock: Clock,
    entropy: Entropy,
) -> Shared:
    """Make a link to watch a clip by, in the caller's transaction; its copy is made meanwhile.

    Args:
        rendition, parent, media_type: The playable copy that the marked one is made from.
        from_ms, to_ms: The span of it, on its clock; None for its beginning and its end.

    Raises:
        ShareInvalid: The recipient has no name, time, uses or span are out of bounds, or there are no pictures to mark.
    """
    try:
        check_name(recipient)
    except NameInvalid as error:
        raise ShareInvalid(f"the recipient needs a name: {error.message}") from error
    if not timedelta(0) < expires_at - clock() <= LIFETIME_MAX:
        raise ShareInvalid("the link has to end in the future, at most a year from now")
    if not 1 <= uses_max <= USES_MAX:
        raise ShareInvalid(f"a link is for 1 to {USES_MAX} uses")
    if not 0 <= (from_ms or 0) < (SPAN_MS_MAX if to_ms is None else to_ms) <= SPAN_MS_MAX:
        raise ShareInvalid("a span begins before it ends, within the clip")
    if not media_type.startswith("video/"):
        raise ShareInvalid("there is no film that a watermark could be burnt into; hand over a package")
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy)
    recorded = await record(
        conn,
        type="clip.shared",
        actor=actor,
        subject=f"clip:{clip}",
        payload={
            "link": str(credential.id),
            "clip": str(clip),
            "recipient": recipient,
            "purpose": purpose,
            "secret_sha256": credential.digest.hex(),
            "expires_at": format_time(expires_at),
            "uses_max": uses_max,
            "rendition": rendition,
            "parent": parent.hex(),
            "from_ms": from_ms,
            "to_ms": to_ms,
            "session": None if session is None else str(session),
        },
        clock=clock,
        entropy=entropy,
    )
    await insert_mark_job(conn, credential.id)
    return Shared(link=credential.id, entry_id=recorded.entry_id, text=credential.text)


async def revoke_watch_link(
    conn: Connection, *, clip: UUID, link: UUID, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID | None:
    """End a link, in the caller's transaction; None when it was ended before.

    Raises:
        ShareUnknown: The clip has no such link.
    """
    await lock_subject(conn, f"clip-link:{link}")
    row = await find_watch_link(conn, link)
    if row is None or row.clip != clip:
        raise ShareUnknown(f"clip {clip} has no link {link}", link=str(link))
    if row.revoked_at is not None:
        return None
    recorded = await record(
        conn,
        type="clip.link_revoked",
        actor=actor,
        subject=f"clip:{clip}",
        payload={"link": str(link), "clip": str(clip), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def look_at_watch_link(conn: Connection, text: str, *, clock: Clock) -> WatchLink:
    """Return a link that still shows something.

    Raises:
        ShareUnknown: It is none, has expired, was revoked, or is used up; these are not told apart.
    """
    credential = parse_credential(text)
    row = None if credential is None else await find_watch_link(conn, credential.id)
    if credential is None or row is None or not credential.matches(row.secret_sha256):
        raise ShareUnknown("the link is not known or opens nothing any more")
    if row.revoked_at is not None or row.expires_at <= clock() or row.uses >= row.uses_max:
        raise ShareUnknown("the link is not known or opens nothing any more")
    return row


async def use_watch_link(conn: Connection, text: str, *, clock: Clock, entropy: Entropy) -> Fetched:
    """Use a link once, in the caller's transaction.

    Raises:
        ShareUnknown: See `look_at_watch_link`.
        ShareNotReady: Its copy is not there; this is no use.
        ClipDisposed: The clip is not there any more.
    """
    if (credential := parse_credential(text)) is not None:
        await lock_subject(conn, f"clip-link:{credential.id}")
    row = await look_at_watch_link(conn, text, clock=clock)
    copy = require_copy(row)
    await require_kept(conn, row.clip)
    ticket = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy)
    recorded = await record(
        conn,
        type="clip.watched",
        actor="service",
        subject=f"clip:{row.clip}",
        payload={
            "link": str(row.link),
            "clip": str(row.clip),
            "ticket": str(ticket.id),
            "sha256": copy.hex(),
            "purpose": row.purpose,
        },
        clock=clock,
        entropy=entropy,
    )
    expires_at = min(clock() + TICKET_LIFETIME, row.expires_at)
    kept = WatchTicket(
        ticket=ticket.id,
        secret_sha256=ticket.digest,
        link=row.link,
        entry_id=recorded.entry_id,
        expires_at=expires_at,
    )
    await insert_watch_ticket(conn, kept)
    return Fetched(entry_id=recorded.entry_id, expires_at=expires_at, text=ticket.text)


async def redeem_watch(conn: Connection, text: str, *, clock: Clock) -> WatchLink:
    """Return the link whose marked copy a ticket opens.

    Raises:
        TicketUnknown: It is no ticket of a link, has expired, or the link was revoked. These are not told apart.
    """
    credential = parse_credential(text)
    ticket = None if credential is None else await find_watch_ticket(conn, credential.id)
    if credential is None or ticket is None or not credential.matches(ticket.secret_sha256):
        raise TicketUnknown("the ticket is not known or has expired")
    link = await find_watch_link(conn, ticket.link)
    if link is None or ticket.expires_at <= clock() or link.revoked_at is not None:
        raise TicketUnknown("the ticket is not known or has expired")
    return link


def require_copy(link: WatchLink) -> bytes:
    """Return the SHA-256 of a link's marked copy.

    Raises:
        ShareNotReady: It is still being made, was refused, or was removed.
    """
    if link.state != "done" or link.copy_sha256 is None:
        raise ShareNotReady(f"the marked copy is {link.state}", state=link.state)
    return link.copy_sha256
