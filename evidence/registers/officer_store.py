"""SQL of officers and the projection of `officer.registered`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.register_payloads import OfficerRegistered
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.registers.validity import Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """One version of an officer; `version` counts them.

    Attributes:
        number: What recorders and docks call the officer.
        unit: Name of the unit at that time; `unit_id` the registered one.
        duty, certificate, category, area: 职务、证件编号、执法类别、执法区域, where stated.
    """

    officer: UUID
    number: str
    name: str
    unit: str
    registered_at: datetime
    unit_id: UUID | None = None
    duty: str | None = None
    certificate: str | None = None
    category: str | None = None
    area: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    version: int = 1

    @property
    def validity(self) -> Validity:
        """The days on which the certificate is valid."""
        return Validity(first=self.valid_from, last=self.valid_until)


_COLUMNS = """officer, number, name, unit, registered_at, unit_id, duty, certificate, category, area, valid_from,
    valid_until"""

_NUMBERED = f"""SELECT {_COLUMNS}, entry_id,
    (row_number() OVER (PARTITION BY officer ORDER BY entry_id))::integer AS version FROM officer"""  # noqa: S608 - names above


async def project_officer_registered(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `officer.registered`."""
    said = OfficerRegistered.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO officer (entry_id, officer, number, name, unit, registered_at, registered_by, unit_id, duty,
                                certificate, category, area, valid_from, valid_until)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)""",
        event.entry_id,
        said.officer,
        said.number,
        said.name,
        said.unit,
        event.at,
        event.actor,
        said.unit_id,
        said.duty,
        said.certificate,
        said.category,
        said.area,
        said.valid_from,
        said.valid_until,
    )


async def names_of_officers(conn: Connection) -> Sequence[tuple[UUID, str]]:
    """Return names and numbers of officers as registered last, each with whose it is."""
    rows = await conn.fetch(
        "SELECT DISTINCT ON (officer) officer, number, name FROM officer ORDER BY officer, entry_id DESC"
    )
    return [(row["officer"], row[column]) for row in rows for column in ("name", "number")]


async def find_officer(conn: Connection, *, number: str) -> Officer | None:
    """Return the officer who bears a number now, as registered last."""
    found = await conn.fetchval("SELECT officer FROM officer WHERE number = $1 ORDER BY entry_id DESC LIMIT 1", number)
    known = None if found is None else await newest_officer(conn, found)
    return known if known is not None and known.number == number else None


async def newest_officer(conn: Connection, officer: UUID) -> Officer | None:
    """Return an officer as registered last."""
    versions = await officer_versions(conn, officer)
    return versions[-1] if versions else None


async def officer_versions(conn: Connection, officer: UUID) -> Sequence[Officer]:
    """Return every version of an officer, in the order they were put on record."""
    rows = await conn.fetch(
        f"""SELECT {_COLUMNS} FROM officer WHERE officer = $1 ORDER BY entry_id""",  # noqa: S608 - names above
        officer,
    )
    return [Officer(**dict(row), version=place) for place, row in enumerate(rows, 1)]


async def officer_called(conn: Connection, text: str) -> UUID | None:
    """Return the officer whose number or certificate is, or once was, this; None if there is none or are several."""
    rows = await conn.fetch("SELECT DISTINCT officer FROM officer WHERE number = $1 OR certificate = $1 LIMIT 2", text)
    return rows[0]["officer"] if len(rows) == 1 else None


async def list_officers(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[Officer]:
    """Return officers as registered last, in order of their ids, beginning behind `after`."""
    rows = await conn.fetch(
        f"""SELECT DISTINCT ON (officer) {_COLUMNS}, version FROM ({_NUMBERED} WHERE officer > $1) o
            ORDER BY officer, entry_id DESC LIMIT $2""",  # noqa: S608 - names above
        after or FIRST_ID,
        limit,
    )
    return [Officer(**dict(row)) for row in rows]
