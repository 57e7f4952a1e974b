"""SQL of where a clip came from beyond its own entries, docks and inventories, and of what became of its cases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection

_OF_CASES = """
    SELECT p.entry_id, p.type, p.actor, p.subject, p.at, p.payload FROM custody_payload p
    WHERE p.subject = ANY ($1) AND p.type = ANY ($2)
    UNION ALL
    SELECT p.entry_id, p.type, p.actor, p.subject, p.at, p.payload FROM custody_payload p
    WHERE p.entry_id IN (
        SELECT i.entry_id FROM publication_issue i WHERE i.case_id = ANY ($3)
        UNION
        SELECT w.entry_id FROM publication_withdrawal w JOIN publication_issue i USING (publication)
        WHERE i.case_id = ANY ($3)
    )
    ORDER BY entry_id LIMIT $4
"""


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


async def acts_about(
    conn: Connection, cases: Sequence[UUID], *, types: Sequence[str], limit: int
) -> Sequence[RecordedEvent]:
    """Return events of some types about cases, and what was published of them and withdrawn, oldest first."""
    subjects = [f"case:{case}" for case in cases]
    rows = await conn.fetch(_OF_CASES, subjects, list(types), list(cases), limit)
    names = ("entry_id", "type", "actor", "subject", "at")
    return [RecordedEvent(**{name: row[name] for name in names}, payload=json.loads(row["payload"])) for row in rows]
