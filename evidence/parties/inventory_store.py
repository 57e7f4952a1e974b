"""SQL of what docks have stated, inventories and cleared lists, and the projections that make rows of their notes.

A payload holds the signed note whole. The rows are read out of the note's text and nothing else, so replaying the
payloads yields the same rows. The signature was checked before the entry was written; a projection does not judge.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.core.wire.cleared import Cleared, parse_cleared
from evidence.core.wire.docking import docking_body
from evidence.core.wire.fields import take_text
from evidence.core.wire.inventory import parse_inventory
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection
from ledger.note import parse_note

_FILE_COLUMNS = (
    "inventory",
    "place",
    "path",
    "raw",
    "size",
    "modified_at",
    "recorded_at",
    "officer",
    "key_mark",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventoried:
    """A file as its dock stated it before a byte moved; `size` in bytes, times by the recorder's clock."""

    recorder: str
    path: str
    raw: bool
    size: int
    recorded_at: datetime | None
    officer: str | None
    key_mark: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement on record: its signed note and the ledger entry that holds it."""

    note: str
    entry_id: UUID


async def project_dock_inventory(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `dock.inventory`: the inventory and every file on it."""
    note = take_text(event.payload["note"], where="note")
    inventory = await asyncio.to_thread(lambda: parse_inventory(parse_note(note.encode()).text))
    await conn.execute(
        """INSERT INTO dock_inventory
               (inventory, dock, recorder, seen_at, dock_clock, profile, files, note, received_at, entry_id, docking)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        inventory.id,
        inventory.dock,
        inventory.recorder,
        inventory.seen_at,
        inventory.dock_clock,
        inventory.profile,
        len(inventory.files),
        note,
        event.at,
        event.entry_id,
        None if inventory.docking is None else docking_body(inventory.docking),
    )
    await conn.copy_records_to_table(
        "dock_inventory_file",
        columns=_FILE_COLUMNS,
        records=[
            (
                inventory.id,
                file.order,
                file.path,
                file.raw,
                file.size,
                file.modified_at,
                file.recorded_at,
                file.officer,
                file.key_mark,
            )
            for file in inventory.files
        ],
    )


async def project_dock_cleared(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `dock.cleared`."""
    note = take_text(event.payload["note"], where="note")
    cleared = await asyncio.to_thread(lambda: parse_cleared(parse_note(note.encode()).text))
    await conn.execute(
        """INSERT INTO dock_cleared (note_sha256, dock, recorder, cleared_at, files, note, received_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        note_digest(note),
        cleared.dock,
        cleared.recorder,
        cleared.at,
        len(cleared.files),
        note,
        event.at,
        event.entry_id,
    )


def note_digest(note: str) -> bytes:
    """Return the 32 bytes a signed note is known by."""
    return hashlib.sha256(note.encode()).digest()


async def find_inventory(conn: Connection, inventory: UUID) -> Statement | None:
    """Return an inventory on record by its id."""
    row = await conn.fetchrow("SELECT note, entry_id FROM dock_inventory WHERE inventory = $1", inventory)
    return None if row is None else Statement(note=row["note"], entry_id=row["entry_id"])


async def find_cleared(conn: Connection, cleared: Cleared, *, text: str) -> Statement | None:
    """Return the cleared list on record that says the same, whichever of its dock's keys signed it."""
    rows = await conn.fetch(
        "SELECT note, entry_id FROM dock_cleared WHERE dock = $1 AND recorder = $2 AND cleared_at = $3",
        cleared.dock,
        cleared.recorder,
        cleared.at,
    )
    same = [row for row in rows if parse_note(row["note"].encode()).text == text]
    return Statement(note=same[0]["note"], entry_id=same[0]["entry_id"]) if same else None


async def find_inventoried(
    conn: Connection, *, inventory: UUID, dock: UUID, path: str, raw: bool
) -> Inventoried | None:
    """Return what this dock stated about a file in one of its inventories; None when it did not list it."""
    row = await conn.fetchrow(
        """SELECT i.recorder, f.path, f.raw, f.size, f.recorded_at, f.officer, f.key_mark
           FROM dock_inventory i JOIN dock_inventory_file f USING (inventory)
           WHERE i.inventory = $1 AND i.dock = $2 AND f.path = $3 AND f.raw = $4""",
        inventory,
        dock,
        path,
        raw,
    )
    return None if row is None else Inventoried(**dict(row))
