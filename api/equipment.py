"""Equipment of units: recorders per officer, against the target of the office."""

from __future__ import annotations

from datetime import datetime

from api.models.recorders import Equipment, UnitEquipment
from evidence.db.pool import Connection
from evidence.recorders.register_store import units


async def equipment_of(conn: Connection, *, now: datetime, target: float) -> Equipment:
    """Return recorders and officers of every unit that has officers; those below the target first."""
    found = [
        UnitEquipment(
            unit=row.unit,
            officers=row.officers,
            recorders=row.recorders,
            ratio=round(row.recorders / row.officers, 3),
            below_target=row.recorders < target * row.officers,
        )
        for row in await units(conn, now=now)
    ]
    return Equipment(target=target, units=sorted(found, key=lambda one: (not one.below_target, one.unit)))
