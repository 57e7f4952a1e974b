"""SQL of where a clip came from beyond its own entries: docks, inventories and what was noticed about the recorder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRow:
    """An inventory on record and the dock that signed it, with the entries of both; times as the dock stated them."""

    inventory: UUID
    inventory_entry: UUID
    recorder: str
    seen_at: datetime
    docking: Mapping[str, Any] | None
    dock: UUID
    dock_name: str
    dock_entry: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """Something that was noticed about a recorder's sequence when an inventory was compared."""

    entry_id: UUID
    code: str
    weight: str
    facts: Mapping[str, Any]


async def origins_of(conn: Connection, inventories: Sequence[UUID]) -> Mapping[UUID, OriginRow]:
    """Return inventories by their ids, those that are on record."""
    rows = await conn.fetch(
        """SELECT i.inventory, i.entry_id AS inventory_entry, i.recorder, i.seen_at, i.docking, d.dock,
                  d.name AS dock_name, d.entry_id AS dock_entry
           FROM dock_inventory i JOIN dock d USING (dock) WHERE i.inventory = ANY ($1::uuid[])""",
        list(inventories),
    )
    return {row["inventory"]: OriginRow(**dict(row)) for row in rows}


async def notices_of(conn: Connection, inventories: Sequence[UUID], *, limit: int) -> Sequence[NoticeRow]:
    """Return what was noticed when these inventories were compared, in the order it went on record."""
    rows = await conn.fetch(
        """SELECT entry_id, code, weight, facts FROM recorder_finding WHERE inventory = ANY ($1::uuid[])
           ORDER BY entry_id, place LIMIT $2""",
        list(inventories),
        limit,
    )
    return [NoticeRow(**dict(row)) for row in rows]
