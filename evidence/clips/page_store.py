"""SQL of a page of the search: which clips stand on it, and what lists show of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from evidence.access.scope import WHOLE, Scope
from evidence.clips.condition_store import Wanted, to_check
from evidence.clips.document import STATE_DISPOSED, facet
from evidence.clips.query_tree import EVERYTHING, Facets, Node, leaves
from evidence.clips.unit_store import with_units
from evidence.db.pool import Connection
from evidence.errors import SearchTooSlow
from ledger.canonical import JsonObject

PAGE_MILLISECONDS_MAX = 10_000
"""Longest time that the database may spend on one page; two hundred times what it takes a million clips."""

_DISPOSED = facet("state", STATE_DISPOSED)

_SUMMARIES = """
SELECT d.clip, d.received_at, d.recorded_at, c.name, c.size, c.sha256, c.entry_id,
       s.recorder, s.dock, s.officer, 'key_mark:yes' = ANY (d.facets) AS key_mark,
       coalesce(m.outcome, 'sealed') AS state, m.reason, o.sha256 AS poster,
       coalesce(a.version, 0) AS version, a.remark,
       ARRAY(SELECT f.number FROM case_exhibit l JOIN case_file f USING (case_id) WHERE l.clip = d.clip
             ORDER BY l.entry_id) AS cases
FROM (/*found*/) d
JOIN clip c USING (clip)
JOIN clip_source s USING (entry_id)
LEFT JOIN LATERAL (SELECT entry_id, outcome, reason FROM clip_derivation WHERE clip = d.clip
                   ORDER BY entry_id DESC LIMIT 1) m ON true
LEFT JOIN clip_object o ON o.entry_id = m.entry_id AND o.kind = 'poster'
LEFT JOIN LATERAL (SELECT version, content ->> 'remark' AS remark FROM clip_annotation WHERE clip = d.clip
                   ORDER BY version DESC LIMIT 1) a ON true
ORDER BY d.received_at DESC, d.clip DESC
"""


_FOUND = """SELECT clip, received_at, recorded_at, facets FROM search_document WHERE /*loose*/
      ORDER BY received_at DESC, clip DESC LIMIT /*limit*/"""

# OFFSET 0 keeps the two halves apart: texts are looked at in the order of the page, until it is full.
_CHECKED = """SELECT clip, received_at, recorded_at, facets FROM (
          SELECT clip, received_at, recorded_at, size, duration_ms, facets, haystack, grams, places, unit
          FROM search_document WHERE /*loose*/
          ORDER BY received_at DESC, clip DESC OFFSET 0) n
      WHERE /*strict*/ LIMIT /*limit*/"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSummary:
    """What lists show of a clip.

    Attributes:
        size: Bytes of the original.
        sha256, poster: 32 bytes; the poster's is None when there is none.
        recorder, dock, officer: Of its first source.
        state: A value of `evidence.clips.clips.ClipState`; `reason` says why when little could be derived.
        version: Version of the annotation that counts, 0 for none.
        cases: Numbers of the cases it is an exhibit of.
    """

    clip: UUID
    received_at: datetime
    recorded_at: datetime | None
    name: str
    size: int
    sha256: bytes
    entry_id: UUID
    recorder: str | None
    dock: UUID | None
    officer: str | None
    key_mark: bool
    state: str
    reason: str | None
    poster: bytes | None
    version: int
    remark: str | None
    cases: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a document must fulfil: a tree, what may be found at all, and a place in the order that it lies behind.

    What was disposed of is left out unless the question names that state.

    Pages, counts and facets are made of this one condition, so that they cannot differ in what they hide.
    """

    wanted: Node = EVERYTHING
    scope: Scope = WHOLE
    before: tuple[datetime, UUID] | None = None

    def found(self, *, limit: int) -> tuple[str, list[object]]:
        """Return a statement of the documents that fulfil it, those received last first, and its values."""
        wanted = Wanted()
        where = [wanted.loose(self.wanted), *wanted.scope(self.scope)]
        if not any(isinstance(leaf, Facets) and _DISPOSED in leaf.one_of for leaf in leaves(self.wanted)):
            where.append(wanted.clause("NOT facets @> {}::text[]", [_DISPOSED]))
        if self.before is not None:
            where.append(wanted.clause("(received_at, clip) < ({}, {})", *self.before))
        to_be_checked = to_check(self.wanted)
        if to_be_checked == EVERYTHING:
            written = _FOUND
        else:
            written = _CHECKED.replace("/*strict*/", wanted.strict(to_be_checked))
        return written.replace("/*loose*/", " AND ".join(where)).replace("/*limit*/", str(int(limit))), wanted.values


def page_statement(condition: Condition, *, limit: int) -> tuple[str, list[object]]:
    """Return the statement of a page, and the values of its parameters."""
    found, values = condition.found(limit=limit)
    return _SUMMARIES.replace("/*found*/", found), values


async def find_summaries(conn: Connection, condition: Condition, *, limit: int) -> list[ClipSummary]:
    """Return what lists show of the documents that fulfil a condition, those received last first.

    Raises:
        SearchTooSlow: It took longer than `PAGE_MILLISECONDS_MAX`.
    """
    condition = replace(condition, wanted=await with_units(conn, condition.wanted))
    statement, values = page_statement(condition, limit=limit)
    try:
        async with conn.transaction():
            # How rare a term is decides between the two indexes, so the plan must be made for these very terms.
            await conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            await conn.execute(f"SET LOCAL statement_timeout = {PAGE_MILLISECONDS_MAX}")
            rows = await conn.fetch(statement, *values)
            await conn.execute("SET LOCAL statement_timeout = DEFAULT")  # the caller's transaction may go on
    except asyncpg.QueryCanceledError as error:
        raise SearchTooSlow("the search was given up; ask for something rarer, or for a shorter time") from error
    return [ClipSummary(**dict(row)) for row in rows]


async def annotated_texts(conn: Connection, clips: Sequence[UUID]) -> dict[UUID, JsonObject]:
    """Return the content of the annotations that count, of those clips that have one."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (clip) clip, content FROM clip_annotation WHERE clip = ANY($1)
           ORDER BY clip, version DESC""",
        list(clips),
    )
    return {row["clip"]: row["content"] for row in rows}
