"""The custody history of a clip: everything on record about it, in the order it was recorded; who looked too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.cases.store import links_of_clip
from evidence.clips.store import clip_row
from evidence.custody.recorded import RecordedEvent
from evidence.custody.store import entries_of_looks, payloads_about
from evidence.db.pool import Connection
from evidence.errors import ClipUnknown
from evidence.export.link_store import entries_of_exports
from ledger.store import published_indices


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyLine:
    """One event of a history; `index` is its place in the published log, None until it is published."""

    event: RecordedEvent
    index: int | None


async def clip_history(
    conn: Connection, clip: UUID, *, after: UUID | None = None, limit: int = 100
) -> Sequence[CustodyLine]:
    """Return what is on record about a clip, oldest first, behind the entry `after`; case links, exports and looks too.

    Raises:
        ClipUnknown: There is no such clip.
    """
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    links = [link.entry_id for link in await links_of_clip(conn, clip)]
    links += await entries_of_exports(conn, clip)
    links += await entries_of_looks(conn, clip, after=after, limit=limit)
    payloads = await payloads_about(conn, subjects=[f"clip:{clip}"], others=links, after=after, limit=limit)
    indices = await published_indices(conn, [stored.entry_id for stored in payloads])
    return [
        CustodyLine(
            event=RecordedEvent(
                entry_id=stored.entry_id,
                type=stored.type,
                actor=stored.actor,
                subject=stored.subject,
                at=stored.at,
                payload=json.loads(stored.payload),
            ),
            index=indices.get(stored.entry_id),
        )
        for stored in payloads
    ]
