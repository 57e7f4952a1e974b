"""SQL of grants, withdrawals, classes of clips and what searches showed; and the projections of these."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from evidence.access.policy import Subject, classes_of
from evidence.custody.access_payloads import AccessGranted, AccessWithdrawn, ClipClassified, ClipsSearched
from evidence.custody.look_payloads import ClipsViewed
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection

_GRANTS = """
SELECT g.grant_id, g.staff, g.units, g.all_units, g.cases, g.classes, g.until, g.reason, g.granted_at, g.granted_by,
       w.withdrawn_at, w.reason AS withdrawn_reason
FROM access_grant g LEFT JOIN access_withdrawal w USING (grant_id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant as it stands; `until` None lasts until it is withdrawn."""

    grant: UUID
    staff: UUID
    units: frozenset[UUID]
    all_units: bool
    cases: frozenset[UUID]
    classes: frozenset[str]
    until: datetime | None
    reason: str
    granted_at: datetime
    granted_by: str
    withdrawn_at: datetime | None
    withdrawn_reason: str | None

    def counts_at(self, now: datetime) -> bool:
        """Whether it opens anything at an instant."""
        return self.withdrawn_at is None and (self.until is None or self.until > now)


async def project_access_granted(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `access.granted`."""
    granted = AccessGranted.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO access_grant
               (grant_id, staff, units, all_units, cases, classes, until, reason, granted_at, granted_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        granted.grant,
        granted.staff,
        [str(unit) for unit in granted.units],
        granted.all_units,
        [str(case) for case in granted.cases],
        granted.classes,
        granted.until,
        granted.reason,
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_access_withdrawn(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `access.withdrawn`."""
    withdrawn = AccessWithdrawn.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO access_withdrawal (grant_id, reason, withdrawn_at, withdrawn_by, entry_id)
           VALUES ($1, $2, $3, $4, $5)""",
        withdrawn.grant,
        withdrawn.reason,
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_clip_classified(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.classified`."""
    classified = ClipClassified.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip_class (entry_id, clip, classes, reason, classified_at, classified_by)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        event.entry_id,
        classified.clip,
        classified.classes,
        classified.reason,
        event.at,
        event.actor,
    )


async def project_clips_searched(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `clips.searched`: the restricted clips that it showed."""
    await _insert_shown(conn, event, ClipsSearched.model_validate(event.payload).clips)


async def project_clips_viewed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `clips.viewed`: the clips whose pictures were shown."""
    await _insert_shown(conn, event, ClipsViewed.model_validate(event.payload).clips)


async def _insert_shown(conn: Connection, event: RecordedEvent, clips: Sequence[object]) -> None:
    await conn.executemany(
        "INSERT INTO clip_shown (entry_id, clip) VALUES ($1, $2)", [(event.entry_id, clip) for clip in clips]
    )


async def grants_of(conn: Connection, staff: UUID) -> list[Grant]:
    """Return every grant a person ever got, the oldest first."""
    rows = await conn.fetch(f"{_GRANTS} WHERE g.staff = $1 ORDER BY g.grant_id", staff)
    return [_grant(row) for row in rows]


async def grants_after(conn: Connection, *, staff: UUID | None = None, after: UUID | None, limit: int) -> list[Grant]:
    """Return grants of a person, or of everybody, in the order they were made in, behind the grant `after`."""
    whose, values = ("", []) if staff is None else ("AND g.staff = $3", [staff])
    statement = f"{_GRANTS} WHERE g.grant_id > $1 {whose} ORDER BY g.grant_id LIMIT $2"
    rows = await conn.fetch(statement, after or FIRST_ID, limit, *values)
    return [_grant(row) for row in rows]


async def find_grant(conn: Connection, grant: UUID) -> Grant | None:
    """Return a grant by its id."""
    row = await conn.fetchrow(f"{_GRANTS} WHERE g.grant_id = $1", grant)
    return None if row is None else _grant(row)


async def subjects_of_clips(conn: Connection, clips: Collection[UUID]) -> dict[UUID, Subject]:
    """Return what the rules of access need to know of clips; those that do not exist are left out.

    Their classes are those that somebody put on them last and, when the annotation that counts says so, `covert`.
    """
    rows = await conn.fetch(
        """SELECT c.clip, (SELECT unit FROM clip_attribution WHERE clip = c.clip) AS unit,
                  ARRAY(SELECT case_id FROM case_exhibit WHERE clip = c.clip) AS cases,
                  (SELECT classes FROM clip_class WHERE clip = c.clip ORDER BY entry_id DESC LIMIT 1) AS classes,
                  (SELECT content -> 'covert' FROM clip_annotation WHERE clip = c.clip
                   ORDER BY version DESC LIMIT 1) AS covert
           FROM clip c WHERE c.clip = ANY($1)""",
        list(clips),
    )
    return {
        row["clip"]: Subject(
            unit=row["unit"], cases=frozenset(row["cases"]), classes=classes_of(row["classes"], covert=row["covert"])
        )
        for row in rows
    }


async def subjects_of_cases(conn: Connection, cases: Collection[UUID]) -> dict[UUID, Subject]:
    """Return what the rules of access need to know of cases; those that do not exist are left out."""
    rows = await conn.fetch("SELECT case_id, unit, opened_by FROM case_file WHERE case_id = ANY($1)", list(cases))
    return {
        row["case_id"]: Subject(unit=row["unit"], cases=frozenset({row["case_id"]}), opened_by=_staff(row["opened_by"]))
        for row in rows
    }


async def clips_of_cases(conn: Connection, cases: Collection[UUID]) -> set[UUID]:
    """Return the clips that are exhibits of cases now."""
    rows = await conn.fetch("SELECT clip FROM case_exhibit WHERE case_id = ANY($1)", list(cases))
    return {row["clip"] for row in rows}


async def ids_of_numbers(conn: Connection, numbers: Collection[str]) -> dict[str, UUID]:
    """Return the ids of cases by their numbers, spelled as they are on record."""
    rows = await conn.fetch("SELECT number, case_id FROM case_file WHERE number = ANY($1)", list(numbers))
    return {row["number"]: row["case_id"] for row in rows}


async def names_of(conn: Connection, staff: Sequence[UUID]) -> dict[UUID, str]:
    """Return what people are called, by the newest token of each; who never had one is left out."""
    rows = await conn.fetch(
        "SELECT DISTINCT ON (staff) staff, name FROM staff_token WHERE staff = ANY($1) ORDER BY staff, token DESC",
        list(staff),
    )
    return {row["staff"]: row["name"] for row in rows}


def _staff(actor: str) -> UUID | None:
    kind, _, id_ = actor.partition(":")
    return UUID(id_) if kind == "staff" else None


def _grant(row: Record) -> Grant:
    return Grant(
        grant=row["grant_id"],
        staff=row["staff"],
        units=frozenset(map(UUID, row["units"])),
        all_units=row["all_units"],
        cases=frozenset(map(UUID, row["cases"])),
        classes=frozenset(row["classes"]),
        until=row["until"],
        reason=row["reason"],
        granted_at=row["granted_at"],
        granted_by=row["granted_by"],
        withdrawn_at=row["withdrawn_at"],
        withdrawn_reason=row["withdrawn_reason"],
    )
