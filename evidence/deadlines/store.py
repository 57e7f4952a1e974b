"""SQL of deadlines that is evidence: rules that were published, what was said about clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from asyncpg import Record

from evidence.custody.deadline_payloads import DeadlineRulesPublished
from evidence.custody.recorded import Projection, RecordedEvent
from evidence.db.pool import Connection
from evidence.deadlines.derive import Said
from evidence.deadlines.rules import RuleBook, RuleTable, Version

_RULES = "SELECT rules, version, effective_from, content, published_by, published_at, entry_id FROM deadline_rules"
_AMONG = """r
WHERE ($1::bigint IS NULL OR EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = r.entry_id AND l.index < $1))
  AND ($2::uuid IS NULL OR version <= (SELECT n.version FROM deadline_rules n WHERE n.rules = $2))
"""
_SAID = """
SELECT s.entry_id, s.clock, s.verb, s.content, s.stated_by, s.stated_at, l.index
FROM deadline_statement s LEFT JOIN ledger_leaf l USING (entry_id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesRow:
    """A version of the agency's deadlines."""

    rules: UUID
    version: int
    effective_from: date
    content: RuleTable
    published_by: str
    published_at: datetime
    entry_id: UUID


async def project_rules_published(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `deadline.rules_published`."""
    body = DeadlineRulesPublished.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO deadline_rules (rules, version, effective_from, content, published_by, published_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        *(body.rules, body.version, body.effective_from, event.payload["table"], event.actor, event.at, event.entry_id),
    )


def project_statement(verb: str) -> Projection:
    """Return the projection of an entry that says something about a clock."""

    async def project(conn: Connection, event: RecordedEvent) -> None:
        case = event.payload.get("case")
        await conn.execute(
            """INSERT INTO deadline_statement (entry_id, clock, verb, case_id, content, stated_by, stated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            event.entry_id,
            event.payload["clock"],
            verb,
            None if case is None else UUID(str(case)),
            event.payload,
            event.actor,
            event.at,
        )

    return project


async def newest_rules(conn: Connection) -> RulesRow | None:
    """Return the version that was published last, in force or not yet."""
    row = await conn.fetchrow(f"{_RULES} ORDER BY version DESC LIMIT 1")
    return None if row is None else _rules(row)


async def all_rules(conn: Connection) -> list[RulesRow]:
    """Return every version, in their order."""
    return [_rules(row) for row in await conn.fetch(f"{_RULES} ORDER BY version")]


async def find_rules(conn: Connection, rules: UUID) -> RulesRow | None:
    """Return a version by its id."""
    row = await conn.fetchrow(f"{_RULES} WHERE rules = $1", rules)
    return None if row is None else _rules(row)


async def rule_book(conn: Connection, *, entries: int | None = None, newest: UUID | None = None) -> RuleBook:
    """Return the versions that clocks are counted by.

    Args:
        entries: Those among so many entries of the log, for figures at a checkpoint; None for all.
        newest: The last of them; None for all.
    """
    rows = await conn.fetch(f"{_RULES} {_AMONG} ORDER BY version", entries, newest)
    return RuleBook(
        [
            Version(name=f"deadlines {row.version}", effective_from=row.effective_from, table=row.content)
            for row in map(_rules, rows)
        ]
    )


async def said_of_case(conn: Connection, case: UUID) -> Sequence[Said]:
    """Return what was said about the clocks of a case, in the order of the entries."""
    return [Said(**dict(row)) for row in await conn.fetch(f"{_SAID} WHERE s.case_id = $1 ORDER BY s.entry_id", case)]


async def said_of_clock(conn: Connection, clock: str) -> Sequence[Said]:
    """Return what was said about a clock, in the order of the entries."""
    return [Said(**dict(row)) for row in await conn.fetch(f"{_SAID} WHERE s.clock = $1 ORDER BY s.entry_id", clock)]


async def said_of_clocks(conn: Connection, clocks: Sequence[str]) -> Sequence[Said]:
    """Return what was said about several clocks, in the order of the entries."""
    rows = await conn.fetch(f"{_SAID} WHERE s.clock = ANY($1) ORDER BY s.entry_id", list(clocks))
    return [Said(**dict(row)) for row in rows]


async def names_of_actor(conn: Connection, actor: str) -> Sequence[str]:
    """Return every name that a person has or had, on tokens and accounts; none for the house itself."""
    staff = actor.removeprefix("staff:")
    if staff == actor:
        return ()
    rows = await conn.fetch(
        "SELECT name FROM staff_token WHERE staff = $1 UNION SELECT name FROM account WHERE staff = $1",
        UUID(staff),
    )
    return [row["name"] for row in rows]


def _rules(row: Record) -> RulesRow:
    return RulesRow(**{**dict(row), "content": RuleTable.model_validate(row["content"])})
