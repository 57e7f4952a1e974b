"""SQL of what recorders are and where docks stand, and the projections of `recorder.registered` and `dock.placed`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.register_payloads import DockPlaced, RecorderRegistered, RegisterImported
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderWords:
    """One version of what a recorder is; `firmware` as a dock read it last, where it was asked for."""

    recorder: str
    version: int
    kind: str
    serial: str | None
    model: str | None
    unit: UUID | None
    state: str
    registered_at: datetime
    registered_by: str
    firmware: str | None = None


_COLUMNS = "recorder, version, kind, serial, model, unit, state, registered_at, registered_by"


async def project_recorder_registered(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `recorder.registered`."""
    said = RecorderRegistered.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO recorder_registration
               (entry_id, registration, recorder, version, kind, serial, model, unit, state, registered_at,
               registered_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        event.entry_id,
        said.registration,
        said.recorder,
        said.version,
        said.kind,
        said.serial,
        said.model,
        said.unit,
        said.state,
        event.at,
        event.actor,
    )


async def project_dock_placed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `dock.placed`."""
    said = DockPlaced.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO dock_placement (entry_id, dock, unit, placed_at, placed_by) VALUES ($1, $2, $3, $4, $5)",
        event.entry_id,
        said.dock,
        said.unit,
        event.at,
        event.actor,
    )


async def project_register_imported(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `register.imported`."""
    said = RegisterImported.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO register_import (entry_id, imported, kind, name, sha256, rows, imported_at, imported_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        event.entry_id,
        said.imported,
        said.kind,
        said.name,
        said.sha256,
        said.rows,
        event.at,
        event.actor,
    )


async def newest_registration(conn: Connection, recorder: str) -> RecorderWords | None:
    """Return what a recorder is, as registered last."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM recorder_registration WHERE recorder = $1 ORDER BY version DESC LIMIT 1",  # noqa: S608 - names above
        recorder,
    )
    return None if row is None else RecorderWords(**dict(row))


async def registrations_after(conn: Connection, *, after: str, limit: int) -> Sequence[RecorderWords]:
    """Return registered recorders as they are, in order of their numbers, beginning behind `after`."""
    rows = await conn.fetch(
        f"""SELECT r.*, (SELECT i.docking -> 'device' ->> 'firmware' FROM dock_inventory i
                        WHERE i.recorder = r.recorder ORDER BY i.received_at DESC LIMIT 1) AS firmware
            FROM (SELECT DISTINCT ON (recorder) {_COLUMNS} FROM recorder_registration WHERE recorder > $1
                  ORDER BY recorder, version DESC LIMIT $2) r ORDER BY r.recorder""",  # noqa: S608 - names above
        after,
        limit,
    )
    return [RecorderWords(**dict(row)) for row in rows]


async def holder_at(conn: Connection, *, recorder: str, at: datetime) -> UUID | None:
    """Return the officer who held a recorder at an instant; None for nobody."""
    holder: UUID | None = await conn.fetchval(
        """SELECT officer FROM recorder_assignment WHERE recorder = $1 AND since <= $2
           ORDER BY since DESC, entry_id DESC LIMIT 1""",
        recorder,
        at,
    )
    return holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a dock stood from an instant on; `unit` is None for nowhere."""

    entry_id: UUID
    unit: UUID | None
    placed_at: datetime
    placed_by: str


async def placements_of(conn: Connection, dock: UUID, *, after: UUID | None, limit: int) -> Sequence[Placement]:
    """Return where a dock stood, in order of the entries, behind the entry `after`."""
    rows = await conn.fetch(
        """SELECT entry_id, unit, placed_at, placed_by FROM dock_placement
           WHERE dock = $1 AND entry_id > $2 ORDER BY entry_id LIMIT $3""",
        dock,
        after or FIRST_ID,
        limit,
    )
    return [Placement(**dict(row)) for row in rows]


async def unit_of_dock(conn: Connection, dock: UUID) -> UUID | None:
    """Return the unit in which a dock stands."""
    unit: UUID | None = await conn.fetchval(
        "SELECT unit FROM dock_placement WHERE dock = $1 ORDER BY entry_id DESC LIMIT 1", dock
    )
    return unit
