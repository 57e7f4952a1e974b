"""SQL of publications: the rows of each event, and a publication as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from evidence.custody.publicity_payloads import (
    PublicationDrafted,
    PublicationPublished,
    PublicationTermStated,
    PublicationWithdrawn,
)
from evidence.custody.recorded import Projection, RecordedEvent
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version as it was drafted; `fields` are not masked, `until` is the last public day that was asked for."""

    publication: UUID
    version: int
    form: str
    kind: str
    fields: dict[str, str]
    case_id: UUID | None
    until: date | None
    reason: str
    drafted_at: datetime
    drafted_by: str
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """What happened to a version before it was published; `content` is the payload of `scanned`, `judged`, ..."""

    entry_id: UUID
    version: int
    step: str
    content: dict[str, Any]
    taken_at: datetime
    taken_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRow:
    """A version as it was published; `until` is its last public day, None for no end."""

    publication: UUID
    version: int
    form: str
    kind: str
    fields: dict[str, str]
    case_id: UUID | None
    decided_on: date | None
    effective_from: date | None
    until: date | None
    published_at: datetime
    published_by: str
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRow:
    """A publication's end."""

    publication: UUID
    version: int
    cause: str
    reason: str
    withdrawn_at: datetime
    withdrawn_by: str
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How many months what is of a kind stays public; None for no end."""

    kind: str
    months: int | None
    citation: str
    stated_at: datetime
    entry_id: UUID


async def project_publication_drafted(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `publication.drafted`."""
    body = PublicationDrafted.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO publication_version (publication, version, form, kind, fields, case_id, until, reason,
                                            drafted_at, drafted_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        *(body.publication, body.version, body.form, body.kind, body.fields, body.case, _day(body.until), body.reason),
        *(event.at, event.actor, event.entry_id),
    )


def project_publication_step(step: str) -> Projection:
    """Return the projection that inserts the row of `publication.<step>`."""

    async def project(conn: Connection, event: RecordedEvent) -> None:
        await conn.execute(
            """INSERT INTO publication_step (entry_id, publication, version, step, content, taken_at, taken_by)
               VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            event.entry_id,
            UUID(str(event.payload["publication"])),
            event.payload["version"],
            step,
            event.payload,
            event.at,
            event.actor,
        )

    return project


async def project_publication_published(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `publication.published`."""
    body = PublicationPublished.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO publication_issue (publication, version, form, kind, fields, case_id, decided_on, effective_from,
                                          until, published_at, published_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        *(body.publication, body.version, body.form, body.kind, body.fields, body.case, _day(body.decided_on)),
        *(_day(body.effective_from), _day(body.until), event.at, event.actor, event.entry_id),
    )


async def project_publication_withdrawn(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `publication.withdrawn`."""
    body = PublicationWithdrawn.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO publication_withdrawal (publication, version, cause, reason, withdrawn_at, withdrawn_by,
                                               entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        *(body.publication, body.version, body.cause, body.reason, event.at, event.actor, event.entry_id),
    )


async def project_publication_term_stated(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `publication.term_stated`."""
    body = PublicationTermStated.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO publication_term (term, kind, months, citation, stated_at, stated_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        *(body.term, body.kind, body.months, body.citation, event.at, event.actor, event.entry_id),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


_VERSION = """SELECT publication, version, form, kind, fields, case_id, until, reason, drafted_at, drafted_by, entry_id
              FROM publication_version"""


async def versions_of(conn: Connection, publication: UUID) -> Sequence[VersionRow]:
    """Return the versions of a publication, the first one first; none when there is no such publication."""
    rows = await conn.fetch(f"{_VERSION} WHERE publication = $1 ORDER BY version", publication)
    return [VersionRow(**dict(row)) for row in rows]


async def newest_versions(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[VersionRow]:
    """Return the newest version of each publication, newest publications first, older than `before`."""
    rows = await conn.fetch(
        f"""SELECT DISTINCT ON (publication) * FROM ({_VERSION} WHERE publication < $1) v
            ORDER BY publication DESC, version DESC LIMIT $2""",  # noqa: S608 - text of this module
        before or LAST_ID,
        limit,
    )
    return [VersionRow(**dict(row)) for row in rows]


_MUST_GO = """SELECT w.publication, min(r.entry_id::text)::uuid AS revocation
              FROM decision_revocation r JOIN publication_issue w ON w.case_id = r.case_id
              WHERE w.entry_id < r.entry_id
                AND NOT EXISTS (SELECT FROM publication_withdrawal g WHERE g.publication = w.publication)
              GROUP BY w.publication"""


async def that_must_go(conn: Connection, *, before: UUID | None, limit: int) -> Mapping[UUID, UUID]:
    """Return what is public of decisions that stand no more, newest first, older than `before`: publication -> entry.

    The entry is the first revocation that came after the publication; who withdraws says so, nothing goes by itself.
    """
    rows = await conn.fetch(
        f"SELECT * FROM ({_MUST_GO}) m WHERE publication < $1 ORDER BY publication DESC LIMIT $2",  # noqa: S608
        before or LAST_ID,
        limit,
    )
    return {row["publication"]: row["revocation"] for row in rows}


async def newest_of(conn: Connection, publications: Sequence[UUID]) -> Sequence[VersionRow]:
    """Return the newest version of each of some publications, newest publications first."""
    rows = await conn.fetch(
        f"""SELECT DISTINCT ON (publication) * FROM ({_VERSION} WHERE publication = ANY($1)) v
            ORDER BY publication DESC, version DESC""",  # noqa: S608 - text of this module
        publications,
    )
    return [VersionRow(**dict(row)) for row in rows]


async def steps_of(conn: Connection, publication: UUID) -> Sequence[StepRow]:
    """Return what happened to the versions of a publication, in order of the entries."""
    rows = await conn.fetch(
        """SELECT entry_id, version, step, content, taken_at, taken_by FROM publication_step
           WHERE publication = $1 ORDER BY entry_id""",
        publication,
    )
    return [StepRow(**dict(row)) for row in rows]


ISSUE_COLUMNS = """publication, version, form, kind, fields, case_id, decided_on, effective_from, until, published_at,
                   published_by, entry_id"""


async def issues_of(conn: Connection, publication: UUID) -> Sequence[IssueRow]:
    """Return what was published of a publication, in order of versions."""
    rows = await conn.fetch(
        f"SELECT {ISSUE_COLUMNS} FROM publication_issue WHERE publication = $1 ORDER BY version",  # noqa: S608
        publication,
    )
    return [IssueRow(**dict(row)) for row in rows]


async def withdrawal_of(conn: Connection, publication: UUID) -> WithdrawalRow | None:
    """Return how a publication ended."""
    row = await conn.fetchrow(
        """SELECT publication, version, cause, reason, withdrawn_at, withdrawn_by, entry_id
           FROM publication_withdrawal WHERE publication = $1""",
        publication,
    )
    return None if row is None else WithdrawalRow(**dict(row))


async def over_before(conn: Connection, day: date, *, limit: int) -> list[UUID]:
    """Return publications whose newest issue had its last public day before a day, and that nobody withdrew yet."""
    rows = await conn.fetch(
        """SELECT i.publication FROM publication_issue i
           WHERE i.until < $1
             AND NOT EXISTS (SELECT FROM publication_issue n
                             WHERE n.publication = i.publication AND n.version > i.version)
             AND NOT EXISTS (SELECT FROM publication_withdrawal w WHERE w.publication = i.publication)
           ORDER BY i.until, i.publication LIMIT $2""",
        day,
        limit,
    )
    return [row["publication"] for row in rows]


async def terms_in_force(conn: Connection) -> Mapping[str, Term]:
    """Return the newest term of each kind."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (kind) kind, months, citation, stated_at, entry_id FROM publication_term
           ORDER BY kind, entry_id DESC"""
    )
    return {row["kind"]: Term(**dict(row)) for row in rows}
