"""Finding clips: newest first, in pages that stay put while new clips arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evidence.clips.query import LIMIT_MAX, ClipQuery
from evidence.clips.search_store import ClipSummary, find_summaries
from evidence.db.pool import Connection
from evidence.errors import SearchInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPage:
    """One page; `next` is the cursor of the page behind it, None on the last one."""

    items: Sequence[ClipSummary]
    next: str | None


async def list_clips(
    conn: Connection, query: ClipQuery | None = None, *, cursor: str | None = None, limit: int = 50
) -> ClipPage:
    """Return the clips that answer a question, all of them when there is none, those received last first.

    Raises:
        SearchInvalid: The question, the cursor or the limit cannot be understood.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise SearchInvalid(f"a page has 1 to {LIMIT_MAX} clips, not {limit}")
    query = query or ClipQuery()
    found = await find_summaries(conn, query.condition(cursor), limit=limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return ClipPage(items=page, next=query.cursor((page[-1].received_at, page[-1].clip)) if more else None)
