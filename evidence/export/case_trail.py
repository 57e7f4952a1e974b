"""The whole trail of a case (F 6): from a decision or publication back to recorders, serials and first digests.

One JSON object a page of exhibits: what became of the case, and each exhibit with its own trail (`trail`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from uuid import UUID

from evidence.cases.cases import get_case
from evidence.cases.store import exhibits_after
from evidence.core.clock import format_time
from evidence.custody.history import CustodyLine
from evidence.db.pool import Connection
from evidence.export.trail import History, read_history, trail_of
from evidence.export.uses import act_as_json, acts_of
from ledger.canonical import JsonObject

May = Callable[[Sequence[UUID]], Awaitable[set[UUID]]]
"""Returns those of some clips that whoever asks may know of."""


See = Callable[[Sequence[CustodyLine]], Awaitable[list[CustodyLine]]]
"""Returns those of some lines that whoever asks may see: none about cases that are hidden from them."""


async def case_trail(conn: Connection, case_id: UUID, *, may: May, see: See, after: int, limit: int) -> JsonObject:
    """Return a page of the trail of a case.

    Args:
        may: Whose trails may be told; other exhibits are counted as `withheld`.
        see: Which lines of those may be told, of what became of the case and of each exhibit.
        after: Exhibits behind this number; 0 for the first page.
        limit: Most exhibits of the page.

    Raises:
        CaseUnknown: There is no such case.
    """
    case = await get_case(conn, case_id)
    links = await exhibits_after(conn, case_id, after=after, limit=limit + 1)
    page = links[:limit]
    known = await may([link.clip for link in page])
    return {
        "case": str(case.case_id),
        "number": case.number,
        "title": case.title,
        "opened_at": format_time(case.opened_at),
        "acts": [act_as_json(line) for line in await see(await acts_of(conn, [case_id]))],
        "exhibits": [
            {
                "exhibit": link.exhibit,
                "trail": trail_of(await seen_history(await read_history(conn, link.clip), see=see)),
            }
            for link in page
            if link.clip in known
        ],
        "withheld": len(page) - len(known),
        "next": page[-1].exhibit if len(links) > limit else None,
    }


async def _seen(conn: Connection, clip: UUID, *, see: See) -> History:
    return await seen_history(await read_history(conn, clip), see=see)


async def seen_history(history: History, *, see: See) -> History:
    """Return a history with the lines, and the acts of its cases, that may be told."""
    return replace(history, lines=tuple(await see(history.lines)), acts=tuple(await see(history.acts)))
