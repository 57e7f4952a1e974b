"""Whether who shared a package could share it still: asked at every use of a link, and of what a use opened.

A link is its maker's reach lent to somebody outside. When the maker's grants are withdrawn or end, or a clip of the
package comes to bear a class they do not hold, the link opens nothing from then on; when they are granted again, it
does again. Links that the house made itself (`service`) are not anybody's reach.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from evidence.access.people import AccessMode, person_of
from evidence.access.policy import Action
from evidence.access.sight import known_clips
from evidence.db.pool import Connection
from evidence.errors import ShareUnknown
from evidence.export.link_store import LinkRow, TicketRow, find_link, link_of_fetch
from evidence.export.orders import find_export
from evidence.export.watch_store import WatchLink
from evidence.parties.errors import TicketUnknown
from evidence.parties.roles import Role


async def require_sharer(conn: Connection, link: LinkRow, *, mode: AccessMode, now: datetime) -> None:
    """See that who made a link may still export every clip of its package.

    Raises:
        ShareUnknown: They may not; whoever holds the link is not told so.
        ExportUnknown: There is no such package.
    """
    clips = set((await find_export(conn, link.export)).clips)
    await _require_export(conn, link.shared_by, clips, mode=mode, now=now)


async def require_clip_sharer(conn: Connection, link: WatchLink, *, mode: AccessMode, now: datetime) -> None:
    """See that who made a link to watch a clip by may still export the clip.

    Raises:
        ShareUnknown: They may not; whoever holds the link is not told so.
    """
    await _require_export(conn, link.shared_by, {link.clip}, mode=mode, now=now)


async def _require_export(
    conn: Connection, shared_by: str, clips: set[UUID], *, mode: AccessMode, now: datetime
) -> None:
    kind, _, id_ = shared_by.partition(":")
    if kind != "staff":
        return
    # Who may share may export, whichever of the roles they showed then.
    person = await person_of(conn, staff=UUID(id_), role=Role.ARCHIVIST, mode=mode, now=now)
    if clips - await known_clips(conn, person, clips, action=Action.EXPORT):
        raise ShareUnknown("the link is not known or opens nothing any more")


async def require_shared_still(conn: Connection, ticket: TicketRow, *, mode: AccessMode, now: datetime) -> None:
    """See that the link by which a ticket came to be still opens something; tickets of people of the house pass.

    Raises:
        TicketUnknown: The link was revoked, or who made it could not make it now.
    """
    used = await link_of_fetch(conn, ticket.entry_id)
    link = None if used is None else await find_link(conn, used)
    if link is None:
        return
    try:
        await require_sharer(conn, link, mode=mode, now=now)
    except ShareUnknown as error:
        raise TicketUnknown("the ticket is not known or has expired") from error
    if link.revoked_at is not None:
        raise TicketUnknown("the ticket is not known or has expired")
