"""Finding clips: newest first, in pages that stay put while new clips arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.access.scope import WHOLE, Scope
from evidence.clips.hits import Hit, find_hits
from evidence.clips.page_store import ClipSummary, annotated_texts, find_summaries
from evidence.clips.query import LIMIT_MAX, ClipQuery
from evidence.clips.query_tree import wanted_terms
from evidence.db.pool import Connection
from evidence.errors import SearchInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPage:
    """One page; `next` is the cursor of the page behind it, None on the last one.

    `hits` has the passages in which words of the question stand, for those clips where people wrote them.
    """

    items: Sequence[ClipSummary]
    hits: Mapping[UUID, Sequence[Hit]]
    next: str | None


async def list_clips(
    conn: Connection,
    query: ClipQuery | None = None,
    *,
    cursor: str | None = None,
    limit: int = 50,
    scope: Scope = WHOLE,
) -> ClipPage:
    """Return the clips that answer a question, all of them when there is none, those received last first.

    Args:
        scope: What whoever asks may find; the house itself finds everything.

    Raises:
        SearchInvalid: The question, the cursor or the limit cannot be understood.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise SearchInvalid(f"a page has 1 to {LIMIT_MAX} clips, not {limit}")
    query = query or ClipQuery()
    found = await find_summaries(conn, query.condition(cursor, scope), limit=limit + 1)
    page = found[:limit]
    more = len(found) > limit
    hits = await _hits(conn, [item.clip for item in page], wanted_terms(query.tree()))
    return ClipPage(items=page, hits=hits, next=query.cursor((page[-1].received_at, page[-1].clip)) if more else None)


async def _hits(conn: Connection, clips: Sequence[UUID], terms: Sequence[str]) -> dict[UUID, list[Hit]]:
    if not terms or not clips:
        return {}
    contents = await annotated_texts(conn, clips)
    found = {clip: find_hits(content, terms) for clip, content in contents.items()}
    return {clip: hits for clip, hits in found.items() if hits}
