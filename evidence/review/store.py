"""SQL of legal review, and the projections of its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from evidence.cases.numbers import number_key
from evidence.custody.recorded import Projection, RecordedEvent
from evidence.custody.review_payloads import CaseDecided, PersonKeyStated, ReviewerQualified, RulesAdopted
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection
from evidence.review.machine import Step
from evidence.review.rules import ReviewRules


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesRow:
    """One version of an agency's rules of review."""

    rules: UUID
    agency: str
    version: int
    effective_from: date
    content: ReviewRules
    adopted_by: str
    adopted_at: datetime
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What lets a person review, from a day to a day, both included."""

    staff: UUID
    number: int
    certificate: str
    valid_from: date
    valid_until: date
    source: str
    stated_by: str
    stated_at: datetime
    entry_id: UUID

    def counts_on(self, day: date) -> bool:
        """Tell whether it is valid on a day."""
        return self.valid_from <= day <= self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A case's decision.

    Attributes:
        kind: Action type, a key of the recording-item list; None when nobody said.
        rules: The version of rules that says whether a review was needed.
        scope: What it said.
        root: The case's evidence root when it was decided, 32 bytes.
        approval: Entry of the opinion it rests on; None where none was needed.
    """

    case_id: UUID
    decision: UUID
    number: str
    kind: str | None
    summary: str
    rules: UUID
    scope: Mapping[str, Any]
    root: bytes
    approval: UUID | None
    decided_by: str
    decided_at: datetime
    entry_id: UUID


async def project_rules_adopted(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `review.rules_adopted`."""
    body = RulesAdopted.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO review_rules
               (rules, agency, agency_key, version, effective_from, content, adopted_by, adopted_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        *(body.rules, body.agency, number_key(body.agency), body.version, body.effective_from),
        *(event.payload["content"], event.actor, event.at, event.entry_id),
    )


async def project_person_key(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `person.key_stated`."""
    body = PersonKeyStated.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO person_key (staff, number, key, stated_at, entry_id) VALUES ($1, $2, $3, $4, $5)",
        *(body.staff, body.number, body.key, event.at, event.entry_id),
    )


async def project_reviewer_qualified(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `reviewer.qualified`."""
    body = ReviewerQualified.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO reviewer_qualification
               (staff, number, certificate, valid_from, valid_until, source, stated_by, stated_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        *(body.staff, body.number, body.certificate, body.valid_from, body.valid_until, body.source),
        *(event.actor, event.at, event.entry_id),
    )


def project_step(kind: str) -> Projection:
    """Return the projection that inserts the row of a step."""

    async def project(conn: Connection, event: RecordedEvent) -> None:
        await conn.execute(
            """INSERT INTO review_step (case_id, step, kind, content, stated_by, stated_at, entry_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            *(UUID(str(event.payload["case"])), event.payload["step"], kind, event.payload),
            *(event.actor, event.at, event.entry_id),
        )

    return project


async def project_case_decided(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `case.decided`."""
    body = CaseDecided.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO decision (case_id, decision, number, kind, summary, rules, scope, root, approval, decided_by,
                                 decided_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        *(body.case, body.decision, body.number, body.kind, body.summary, body.rules, event.payload["scope"]),
        *(body.root, body.approval, event.actor, event.at, event.entry_id),
    )


async def newest_rules(conn: Connection, *, agency: str) -> RulesRow | None:
    """Return the last version an agency adopted, in force or not yet."""
    row = await conn.fetchrow(
        "SELECT * FROM review_rules WHERE agency_key = $1 ORDER BY version DESC LIMIT 1", number_key(agency)
    )
    return None if row is None else _rules(row)


async def find_rules(conn: Connection, rules: UUID) -> RulesRow | None:
    """Return a version by its id."""
    row = await conn.fetchrow("SELECT * FROM review_rules WHERE rules = $1", rules)
    return None if row is None else _rules(row)


async def rules_on(conn: Connection, day: date) -> Sequence[RulesRow]:
    """Return the version each agency has in force on a day."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (agency_key) * FROM review_rules WHERE effective_from <= $1
           ORDER BY agency_key, version DESC""",
        day,
    )
    return [_rules(row) for row in rows]


async def rules_before(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[RulesRow]:
    """Return versions of all agencies, the one adopted last first, adopted before `before`."""
    rows = await conn.fetch(
        "SELECT * FROM review_rules WHERE rules < $1 ORDER BY rules DESC LIMIT $2", before or LAST_ID, limit
    )
    return [_rules(row) for row in rows]


async def keys_of(conn: Connection, staff: UUID) -> list[bytes]:
    """Return every key a person ever had on record, the newest last."""
    rows = await conn.fetch("SELECT key FROM person_key WHERE staff = $1 ORDER BY number", staff)
    return [row["key"] for row in rows]


async def qualifications_of(conn: Connection, staff: UUID) -> Sequence[Qualification]:
    """Return what was stated of a person's qualification, the newest last."""
    rows = await conn.fetch("SELECT * FROM reviewer_qualification WHERE staff = $1 ORDER BY number", staff)
    return [Qualification(**dict(row)) for row in rows]


async def qualifications_before(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[Qualification]:
    """Return what was stated of all reviewers, the newest first, before the entry `before`."""
    rows = await conn.fetch(
        "SELECT * FROM reviewer_qualification WHERE entry_id < $1 ORDER BY entry_id DESC LIMIT $2",
        before or LAST_ID,
        limit,
    )
    return [Qualification(**dict(row)) for row in rows]


async def person_entries(conn: Connection, staff: Sequence[UUID]) -> list[UUID]:
    """Return the entries of all keys and qualifications of some persons."""
    rows = await conn.fetch(
        """SELECT entry_id FROM person_key WHERE staff = ANY($1)
           UNION SELECT entry_id FROM reviewer_qualification WHERE staff = ANY($1)""",
        list(staff),
    )
    return [row["entry_id"] for row in rows]


async def steps_of(conn: Connection, case_id: UUID) -> list[Step]:
    """Return the steps of a case's review, in order of their numbers."""
    rows = await conn.fetch(
        """SELECT step, kind, content, stated_by, stated_at, entry_id FROM review_step
           WHERE case_id = $1 ORDER BY step""",
        case_id,
    )
    return [Step(**dict(row)) for row in rows]


async def reviewed_cases(conn: Connection) -> list[UUID]:
    """Return the cases that were submitted to review or decided."""
    rows = await conn.fetch("SELECT case_id FROM review_step UNION SELECT case_id FROM decision ORDER BY case_id")
    return [row["case_id"] for row in rows]


async def last_sequence(conn: Connection, year: int) -> int:
    """Return the number of a year's last opinion, 0 before the first; only for whoever holds the year's lock."""
    found: int = await conn.fetchval(
        """SELECT coalesce(max((content ->> 'sequence')::integer), 0) FROM review_step
           WHERE kind = 'opined' AND (content ->> 'year')::integer = $1""",
        year,
    )
    return found


async def find_decision(conn: Connection, case_id: UUID) -> Decision | None:
    """Return the decision of a case."""
    row = await conn.fetchrow("SELECT * FROM decision WHERE case_id = $1", case_id)
    return None if row is None else Decision(**dict(row))


async def decision_numbered(conn: Connection, number: str) -> Decision | None:
    """Return the decision that has a number (文号)."""
    row = await conn.fetchrow("SELECT * FROM decision WHERE number = $1 ORDER BY entry_id LIMIT 1", number)
    return None if row is None else Decision(**dict(row))


async def workers_of(conn: Connection, case_id: UUID) -> frozenset[str]:
    """Return who worked on a case: opened it, linked, said something about it, submitted it, annotated an exhibit."""
    rows = await conn.fetch(
        """SELECT opened_by AS who FROM case_file WHERE case_id = $1
           UNION SELECT linked_by FROM case_clip WHERE case_id = $1
           UNION SELECT stated_by FROM case_statement WHERE case_id = $1
           UNION SELECT stated_by FROM review_step
                 WHERE case_id = $1 AND kind IN ('submitted', 'resumed', 'disagreed')
           UNION SELECT annotated_by FROM case_exhibit JOIN clip_annotation USING (clip) WHERE case_id = $1""",
        case_id,
    )
    return frozenset(row["who"] for row in rows)


async def reviewers_of(conn: Connection, case_id: UUID) -> frozenset[str]:
    """Return who took a step of a case's review that is the reviewer's: gave an opinion, asked for a supplement."""
    rows = await conn.fetch(
        """SELECT DISTINCT stated_by FROM review_step
           WHERE case_id = $1 AND kind NOT IN ('submitted', 'resumed', 'disagreed')""",
        case_id,
    )
    return frozenset(row["stated_by"] for row in rows)


async def stated_facts_of(conn: Connection, case_id: UUID) -> Sequence[tuple[int, Mapping[str, object]]]:
    """Return the facts of a case as each of its versions states them, with the version."""
    rows = await conn.fetch(
        """SELECT 1 AS version, facts FROM case_file WHERE case_id = $1
           UNION ALL SELECT (content ->> 'version')::integer, content -> 'facts' FROM case_statement
                 WHERE case_id = $1 AND kind = 'amended' AND jsonb_typeof(content -> 'facts') = 'object'
           ORDER BY version""",
        case_id,
    )
    return [(row["version"], row["facts"]) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class CovertExhibit:
    """An exhibit that was recorded covertly; `based` when its annotation states basis and approver."""

    exhibit: int
    clip: UUID
    based: bool


async def covert_among(conn: Connection, case_id: UUID) -> list[CovertExhibit]:
    """Return the exhibits of a case that bear the class `covert` or whose annotation says that they are covert."""
    rows = await conn.fetch(
        """SELECT exhibit, clip, stated IS NOT NULL AND stated <> 'null'::jsonb AS based FROM (
               SELECT l.exhibit, l.clip,
                      (SELECT content -> 'covert' FROM clip_annotation WHERE clip = l.clip
                       ORDER BY version DESC LIMIT 1) AS stated,
                      (SELECT classes FROM clip_class WHERE clip = l.clip
                       ORDER BY entry_id DESC LIMIT 1) AS classes
               FROM case_exhibit l WHERE l.case_id = $1) e
           WHERE (stated IS NOT NULL AND stated <> 'null'::jsonb) OR classes ? 'covert'
           ORDER BY exhibit""",
        case_id,
    )
    return [CovertExhibit(**dict(row)) for row in rows]


def _rules(row: Record) -> RulesRow:
    values = {name: value for name, value in row.items() if name != "agency_key"}
    return RulesRow(**{**values, "content": ReviewRules.model_validate(row["content"])})
