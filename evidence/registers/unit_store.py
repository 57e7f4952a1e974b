"""SQL of units and the projection of `unit.registered`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.register_payloads import UnitRegistered
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.registers.validity import Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One version of a unit."""

    unit: UUID
    version: int
    code: str | None
    name: str
    parent: UUID | None
    valid_from: date | None
    valid_until: date | None
    registered_at: datetime
    registered_by: str

    @property
    def validity(self) -> Validity:
        """When it is in force."""
        return Validity(first=self.valid_from, last=self.valid_until)


_COLUMNS = "unit, version, code, name, parent, valid_from, valid_until, registered_at, registered_by"

# A version never begins in the future, so the newest counts for today.
_NEWEST = f"(SELECT DISTINCT ON (unit) {_COLUMNS} FROM unit ORDER BY unit, version DESC)"  # noqa: S608 - names above


async def project_unit_registered(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `unit.registered`."""
    said = UnitRegistered.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO unit (entry_id, unit, version, code, name, parent, valid_from, valid_until, registered_at,
                             registered_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        event.entry_id,
        said.unit,
        said.version,
        said.code,
        said.name,
        said.parent,
        said.valid_from,
        said.valid_until,
        event.at,
        event.actor,
    )


async def unit_versions(conn: Connection, unit: UUID | None = None) -> Sequence[Unit]:
    """Return every version of a unit, or of all, in the order they were put on record."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM unit WHERE $1::uuid IS NULL OR unit = $1 ORDER BY unit, version",  # noqa: S608 - names above
        unit,
    )
    return [Unit(**dict(row)) for row in rows]


async def newest_unit(conn: Connection, unit: UUID) -> Unit | None:
    """Return a unit as it was registered last."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM unit WHERE unit = $1 ORDER BY version DESC LIMIT 1",  # noqa: S608 - names above
        unit,
    )
    return None if row is None else Unit(**dict(row))


async def units_after(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[Unit]:
    """Return units as registered last, in order of their ids, beginning behind `after`."""
    rows = await conn.fetch(
        f"SELECT * FROM {_NEWEST} u WHERE unit > $1 ORDER BY unit LIMIT $2",  # noqa: S608 - a table of this module
        after or FIRST_ID,
        limit,
    )
    return [Unit(**dict(row)) for row in rows]


async def units_called(conn: Connection, text: str) -> Sequence[Unit]:
    """Return the units whose code or present name is this."""
    rows = await conn.fetch(f"SELECT * FROM {_NEWEST} u WHERE code = $1 OR name = $1", text)  # noqa: S608 - a table of this module
    return [Unit(**dict(row)) for row in rows]


async def unit_with_code(conn: Connection, code: str) -> UUID | None:
    """Return the unit that has, or once had, a code: codes are not given twice."""
    found: UUID | None = await conn.fetchval("SELECT unit FROM unit WHERE code = $1 LIMIT 1", code)
    return found


async def names_of_units(conn: Connection) -> Sequence[tuple[UUID, str]]:
    """Return names of units as registered last, each with whose it is."""
    rows = await conn.fetch(f"SELECT unit, name FROM {_NEWEST} u")  # noqa: S608 - a table of this module
    return [(row["unit"], row["name"]) for row in rows]


async def any_unit(conn: Connection) -> bool:
    """Tell whether any unit is registered."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM unit)"))


async def units_below(conn: Connection, *units: UUID) -> frozenset[UUID]:
    """Return units and every unit below them, as registered last; those that nobody registered are left out."""
    rows = await conn.fetch(
        f"""WITH RECURSIVE newest AS MATERIALIZED {_NEWEST},
                below AS (SELECT unit FROM newest WHERE unit = ANY($1)
                          UNION SELECT n.unit FROM newest n JOIN below b ON n.parent = b.unit)
            SELECT unit FROM below""",  # noqa: S608 - a table of this module
        units,
    )
    return frozenset(row["unit"] for row in rows)


async def units_above(conn: Connection, unit: UUID) -> tuple[UUID, ...]:
    """Return the units above a unit, the nearest first, as registered last."""
    rows = await conn.fetch(
        f"""WITH RECURSIVE newest AS MATERIALIZED {_NEWEST},
                above AS (SELECT parent AS unit, 1 AS place FROM newest WHERE unit = $1 AND parent IS NOT NULL
                          UNION SELECT n.parent, a.place + 1 FROM newest n JOIN above a USING (unit)
                          WHERE n.parent IS NOT NULL AND a.place < 1000)
            SELECT unit FROM above ORDER BY place""",  # noqa: S608 - a table of this module
        unit,
    )
    return tuple(row["unit"] for row in rows)
