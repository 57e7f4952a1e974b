"""SQL of counts: how many clips answer a question, and how they divide among the values of its facets.

Counts are bounded, in clips and in time: "more than ten thousand" is an answer, a minute's wait is none. They are made
of the newest clips that answer, under the same condition as pages, so that nothing hidden is ever counted. When the
time is over, fewer are looked at; when it is over again, nothing is counted and the answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from evidence.clips.page_store import Condition
from evidence.clips.unit_store import with_units
from evidence.db.pool import Connection

COUNTED_MAX = 10_000
"""Most clips that a count looks at."""

_ATTEMPTS = ((COUNTED_MAX, 500), (500, 500))
"""How many clips are looked at, and for how many milliseconds."""

VALUES_MAX = 50
"""Most values that are told of one facet."""

_COUNTS = """
WITH found AS MATERIALIZED (/*found*/), kept AS (SELECT facets FROM found LIMIT /*limit*/),
counted AS (
    SELECT split_part(f, ':', 1) AS name, substr(f, strpos(f, ':') + 1) AS value, count(*) AS clips
    FROM kept, unnest(facets) AS f WHERE split_part(f, ':', 1) = ANY(/*names*/) GROUP BY 1, 2),
ranked AS (SELECT *, row_number() OVER (PARTITION BY name ORDER BY clips DESC, value COLLATE "C") AS place FROM counted)
SELECT '' AS name, '' AS value, count(*) AS clips, 0 AS place FROM found
UNION ALL SELECT name, value, clips, place FROM ranked WHERE place <= /*values*/
ORDER BY name, place
"""


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How many of the clips looked at have a value of a facet."""

    name: str
    value: str
    clips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted: `clips` were looked at, the newest ones, and `more` says whether others answer as well."""

    clips: int
    more: bool
    values: Sequence[ValueCount]


async def count_facets(conn: Connection, condition: Condition, *, names: Sequence[str]) -> Counted:
    """Count the newest clips that fulfil a condition, and the values that they have of some facets, most first."""
    condition = replace(condition, wanted=await with_units(conn, condition.wanted))
    for limit, milliseconds in _ATTEMPTS:
        try:
            rows = await _count(conn, condition, names=names, limit=limit, milliseconds=milliseconds)
        except asyncpg.QueryCanceledError:
            continue
        clips = rows[0]["clips"]
        values = [ValueCount(row["name"], row["value"], row["clips"]) for row in rows[1:]]
        return Counted(clips=min(clips, limit), more=clips > limit, values=values)
    return Counted(clips=0, more=True, values=())


async def _count(
    conn: Connection, condition: Condition, *, names: Sequence[str], limit: int, milliseconds: int
) -> list[asyncpg.Record]:
    found, values = condition.found(limit=limit + 1)
    statement = _COUNTS.replace("/*found*/", found).replace("/*limit*/", str(int(limit)))
    statement = statement.replace("/*names*/", f"${len(values) + 1}::text[]").replace("/*values*/", str(VALUES_MAX))
    async with conn.transaction():
        await conn.execute(f"SET LOCAL statement_timeout = {int(milliseconds)}")
        await conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows = await conn.fetch(statement, *values, list(names))
        await conn.execute("SET LOCAL statement_timeout = DEFAULT")  # the caller's transaction may go on
        return rows
