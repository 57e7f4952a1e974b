"""SQL of clocks as they stand: derived from the log, no evidence, made again at any time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from evidence.access.scope import Scope
from evidence.db.pool import Connection
from evidence.deadlines.clocks import State
from evidence.deadlines.derive import Fact
from evidence.deadlines.ended_store import BEGAN_AT, ENDED_AT, MADE

_ROWS = """
SELECT c.clock, c.kind, c.case_id, c.clip, c.unit, c.name, c.content, c.due_on, c.provisional, c.explained
FROM deadline_clock c
"""
_STATES: dict[State, str] = {
    "running": "c.status = 'open' AND c.due_on >= $2",
    "overdue": "c.status = 'open' AND c.due_on < $2",
    "paused": "c.status = 'paused'",
    "in_time": "c.status = 'done' AND NOT c.late",
    "late": "c.status = 'done' AND c.late",
    "void": "c.status = 'void'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """A clock with what is needed to say where it stands; see `evidence.deadlines.written`."""

    clock: str
    kind: str
    case_id: UUID | None
    clip: UUID | None
    unit: UUID | None
    name: str
    content: dict[str, Any]
    due_on: date
    provisional: bool
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A clock as it is written: `status` is what does not depend on the day somebody asks on."""

    clock: str
    kind: str
    case_id: UUID | None
    clip: UUID | None
    unit: UUID | None
    name: str
    content: dict[str, Any]
    due_on: date
    warn_on: date
    provisional: bool
    status: str
    late: bool
    explained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the log was read, by which rules and calendar, and on which day clocks were counted last."""

    next_index: int
    counted_by: str
    counted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which clocks: None for all."""

    state: State | None = None
    kind: str | None = None
    unit: UUID | None = None
    case: UUID | None = None
    due_before: date | None = None
    unexplained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHead:
    """A case as clocks need it."""

    case_id: UUID
    number: str
    kind: str | None
    unit: UUID | None
    items: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClip:
    """A recording that came: when it ended (`ended_store`), when it was received, the entry that seals it.

    `recorded_at` is what its source states, by the recorder's clock; None where only a file's own time is known.
    """

    clip: UUID
    name: str
    recorder: str | None
    path: str
    recorded_at: datetime | None
    ended_at: datetime
    received_at: datetime
    unit: UUID | None
    entry_id: UUID
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A recording that a dock saw on a recorder and that has not come."""

    recorder: str
    path: str
    recorded_at: datetime


async def read_cursor(conn: Connection) -> Cursor | None:
    """Return how far the log was read; None before the first time."""
    row = await conn.fetchrow("SELECT next_index, counted_by, counted_on FROM deadline_cursor")
    return None if row is None else Cursor(**dict(row))


async def move_cursor(conn: Connection, cursor: Cursor) -> None:
    """Say how far the log was read."""
    await conn.execute(
        """INSERT INTO deadline_cursor (next_index, counted_by, counted_on) VALUES ($1, $2, $3)
           ON CONFLICT (only_row) DO UPDATE SET next_index = $1, counted_by = $2, counted_on = $3""",
        *(cursor.next_index, cursor.counted_by, cursor.counted_on),
    )


async def tree_size(conn: Connection) -> int:
    """Return how many entries have a place in the log."""
    size: int = await conn.fetchval("SELECT size FROM ledger_head")
    return size


async def facts_between(conn: Connection, *, start: int, end: int, types: Iterable[str]) -> Sequence[Fact]:
    """Return the entries of some types in a stretch of the log, in its order."""
    rows = await conn.fetch(
        """SELECT p.entry_id, l.index, p.type, p.actor, p.at, convert_from(p.payload, 'UTF8')::jsonb AS payload
           FROM ledger_leaf l JOIN custody_payload p USING (entry_id)
           WHERE l.index >= $1 AND l.index < $2 AND p.type = ANY($3) ORDER BY l.index""",
        *(start, end, list(types)),
    )
    return [Fact(**dict(row)) for row in rows]


async def keep_facts(conn: Connection, facts: Iterable[tuple[Fact, UUID | None]]) -> None:
    """Keep facts, each with the case that it is about."""
    await conn.executemany(
        """INSERT INTO deadline_fact (entry_id, index, case_id, type, actor, at, payload)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING""",
        [(one.entry_id, one.index, case, one.type, one.actor, one.at, one.payload) for one, case in facts],
    )


async def case_of_publication(conn: Connection, publication: str) -> UUID | None:
    """Return the case that a publication tells of."""
    case: UUID | None = await conn.fetchval(
        """SELECT case_id FROM deadline_fact WHERE type = 'publication.published' AND payload ->> 'publication' = $1
           ORDER BY index DESC LIMIT 1""",
        publication,
    )
    return case


async def facts_of_case(conn: Connection, case: UUID) -> Sequence[Fact]:
    """Return the facts about a case, in the order of the log."""
    rows = await conn.fetch(
        "SELECT entry_id, index, type, actor, at, payload FROM deadline_fact WHERE case_id = $1 ORDER BY index", case
    )
    return [Fact(**dict(row)) for row in rows]


async def facts_of_type(conn: Connection, event_type: str) -> Sequence[Fact]:
    """Return the facts of a type, in the order of the log."""
    rows = await conn.fetch(
        "SELECT entry_id, index, type, actor, at, payload FROM deadline_fact WHERE type = $1 ORDER BY index", event_type
    )
    return [Fact(**dict(row)) for row in rows]


async def case_head(conn: Connection, case: UUID) -> CaseHead | None:
    """Return a case as clocks need it."""
    row = await conn.fetchrow("SELECT case_id, number, kind, unit, items FROM case_file WHERE case_id = $1", case)
    return None if row is None else CaseHead(**dict(row))


async def first_day(conn: Connection) -> datetime | None:
    """Return when the log was begun."""
    at: datetime | None = await conn.fetchval(
        "SELECT p.at FROM ledger_leaf l JOIN custody_payload p USING (entry_id) WHERE l.index = 0"
    )
    return at


async def stored_clips(conn: Connection, clips: Iterable[UUID]) -> Sequence[StoredClip]:
    """Return those of some clips of which it is known when they were recorded."""
    rows = await conn.fetch(
        f"""SELECT c.clip, first.name, first.recorder, first.path, first.recorded_at, c.received_at, whose.unit,
                  c.entry_id, l.index, {ENDED_AT} AS ended_at
           FROM clip c JOIN clip_source first ON first.entry_id = c.entry_id
           JOIN ledger_leaf l ON l.entry_id = c.entry_id
           LEFT JOIN LATERAL (SELECT v.unit, v.recorded_at FROM clip_attribution_version v
                              WHERE v.clip = c.clip ORDER BY v.version DESC LIMIT 1) whose ON true
           LEFT JOIN LATERAL (
               SELECT {MADE} FROM clip_derivation d WHERE d.clip = c.clip ORDER BY d.entry_id DESC LIMIT 1) made ON true
           WHERE c.clip = ANY($1) AND {BEGAN_AT} IS NOT NULL ORDER BY c.clip""",  # noqa: S608 - expressions of `ended_store`
        list(clips),
    )
    return [StoredClip(**dict(row)) for row in rows]


async def files_not_come(conn: Connection, inventories: Iterable[UUID]) -> Sequence[SeenFile]:
    """Return what docks saw in some inventories and nobody sealed, from whichever dock it might have come."""
    rows = await conn.fetch(
        """SELECT DISTINCT i.recorder, f.path, f.recorded_at
           FROM dock_inventory i JOIN dock_inventory_file f USING (inventory)
           WHERE i.inventory = ANY($1) AND f.recorded_at IS NOT NULL AND f.size > 0
             AND NOT EXISTS (SELECT FROM dock d JOIN clip_source s ON s.dock = d.dock
                             WHERE s.recorder = i.recorder AND s.path = f.path AND s.recorded_at = f.recorded_at)
           ORDER BY 1, 2, 3""",
        list(inventories),
    )
    return [SeenFile(**dict(row)) for row in rows]


async def put_clocks(conn: Connection, rows: Sequence[NewRow]) -> None:
    """Write clocks, in place of what stood there of them."""
    await conn.executemany(
        """INSERT INTO deadline_clock (clock, kind, case_id, clip, unit, name, content, due_on, warn_on, provisional,
                                       status, late, explained)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           ON CONFLICT (clock) DO UPDATE SET unit = $5, name = $6, content = $7, due_on = $8, warn_on = $9,
                                             provisional = $10, status = $11, late = $12, explained = $13""",
        [
            (
                *(row.clock, row.kind, row.case_id, row.clip, row.unit, row.name, row.content),
                *(row.due_on, row.warn_on, row.provisional, row.status, row.late, row.explained),
            )
            for row in rows
        ],
    )


async def drop_clocks(conn: Connection, clocks: Iterable[str]) -> None:
    """Remove clocks that are none any more."""
    await conn.execute("DELETE FROM deadline_clock WHERE clock = ANY($1)", list(clocks))


async def keep_only(conn: Connection, case: UUID, clocks: Iterable[str]) -> None:
    """Remove the clocks of a case that are none any more."""
    await conn.execute("DELETE FROM deadline_clock WHERE case_id = $1 AND NOT clock = ANY($2)", *(case, list(clocks)))


async def paused_cases(conn: Connection) -> Sequence[UUID]:
    """Return the cases that have a clock which stands still: its last day moves from day to day."""
    rows = await conn.fetch("SELECT DISTINCT case_id FROM deadline_clock WHERE status = 'paused'")
    return [row["case_id"] for row in rows if row["case_id"] is not None]


async def find_clock(conn: Connection, clock: str) -> ClockRow | None:
    """Return a clock by its name."""
    row = await conn.fetchrow(f"{_ROWS} WHERE c.clock = $1", clock)
    return None if row is None else ClockRow(**dict(row))


async def to_warn(conn: Connection, *, today: date, mark: str, limit: int) -> Sequence[ClockRow]:
    """Return open clocks that nobody was told of yet, those due first in front.

    Args:
        mark: `ahead` for those whose last day comes near, `overdue` for those whose last day is over.
    """
    near = "c.due_on >= $1 AND c.warn_on <= $1" if mark == "ahead" else "c.due_on < $1"
    rows = await conn.fetch(
        f"""{_ROWS} WHERE c.status = 'open' AND {near}
              AND NOT EXISTS (SELECT FROM deadline_statement s
                              WHERE s.verb = 'warned' AND s.clock = c.clock AND s.content ->> 'mark' = $2
                                AND s.content ->> 'due_on' = c.due_on::text)
            ORDER BY c.due_on, c.clock LIMIT $3""",
        *(today, mark, limit),
    )
    return [ClockRow(**dict(row)) for row in rows]


async def clocks_after(
    conn: Connection, question: Question, *, after: tuple[date, str] | None, limit: int, today: date, scope: Scope
) -> Sequence[ClockRow]:
    """Return clocks in the order of their last days, behind a place; only what the scope lets be known."""
    values: list[object] = [limit, today]

    def bound(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    wheres = ["$2::date IS NOT NULL"]
    if after is not None:
        wheres.append(f"(c.due_on, c.clock) > ({bound(after[0])}, {bound(after[1])})")
    if question.state is not None:
        wheres.append(_STATES[question.state])
    for column, value in (("kind", question.kind), ("unit", question.unit), ("case_id", question.case)):
        if value is not None:
            wheres.append(f"c.{column} = {bound(value)}")
    if question.due_before is not None:
        wheres.append(f"c.due_on < {bound(question.due_before)}")
    if question.unexplained:
        wheres.append("NOT c.explained")
    if scope.classes is not None:
        classes = bound(list(scope.classes))
        wheres.append(
            f"""(c.clip IS NULL OR EXISTS (SELECT FROM search_document d
                                           WHERE d.clip = c.clip AND d.classes <@ {classes}::text[]))"""
        )
    if scope.units is not None:
        units, cases = bound(list(scope.units)), bound(list(scope.cases))
        opener = bound(f"staff:{scope.staff}")
        wheres.append(
            f"""(c.kind IN ('monthly_summary', 'annual_data') OR c.unit = ANY({units}::uuid[])
                 OR c.case_id = ANY({cases}::uuid[])
                 OR EXISTS (SELECT FROM case_file f WHERE f.case_id = c.case_id AND f.opened_by = {opener}))"""
        )
    rows = await conn.fetch(f"{_ROWS} WHERE {' AND '.join(wheres)} ORDER BY c.due_on, c.clock LIMIT $1", *values)
    return [ClockRow(**dict(row)) for row in rows]


async def count_open(conn: Connection, *, today: date) -> Sequence[tuple[str, str, int]]:
    """Count clocks that are not done by kind and state, for whoever watches."""
    rows = await conn.fetch(
        """SELECT kind, count(*) AS clocks,
                  CASE WHEN status = 'paused' THEN 'paused' WHEN due_on < $1 THEN 'overdue' ELSE 'running' END AS state
           FROM deadline_clock WHERE status IN ('open', 'paused') GROUP BY kind, state ORDER BY kind, state""",
        today,
    )
    return [(row["kind"], row["state"], row["clocks"]) for row in rows]
