"""Taking statements of docks: inventories and cleared lists, checked, recorded once, answered alike every time.

The same statement is the same text: a dock that changed its key before it got the first answer signs it anew.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.wire.cleared import open_cleared
from evidence.core.wire.inventory import open_inventory
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.docks import require_in_force
from evidence.parties.errors import InventoryConflict
from evidence.parties.inventory_store import find_cleared, find_inventory, note_digest
from ledger.note import Verifier, parse_note


@dataclass(frozen=True, slots=True)
class TakenInventory:
    """An inventory on record and the ledger entry that holds it."""

    inventory: UUID
    entry_id: UUID


async def take_inventory(
    conn: Connection, *, note: bytes, verifier: Verifier, clock: Clock, entropy: Entropy
) -> TakenInventory:
    """Record a dock's inventory, in the caller's transaction; one that is on record already is not recorded again.

    Args:
        verifier: The key of the dock that hands it in.

    Raises:
        WireError: It is no inventory, or another dock's; see the subclasses.
        DockNotInForce: Meanwhile the dock was revoked, or another key counts.
        InventoryConflict: Another inventory has this id.
    """
    # Ten thousand files are half a second of parsing; others shall not wait for it.
    inventory = await asyncio.to_thread(open_inventory, note, [verifier])
    text = note.decode()
    await require_in_force(conn, inventory.dock, verifier)
    await lock_subject(conn, f"inventory:{inventory.id}")
    known = await find_inventory(conn, inventory.id)
    if known is not None:
        if parse_note(known.note.encode()).text != parse_note(note).text:
            raise InventoryConflict("another inventory with this id is on record", inventory=str(inventory.id))
        return TakenInventory(inventory.id, known.entry_id)
    recorded = await record(
        conn,
        type="dock.inventory",
        actor=f"dock:{inventory.dock}",
        subject=f"dock:{inventory.dock}",
        payload={
            "inventory": str(inventory.id),
            "dock": str(inventory.dock),
            "recorder": inventory.recorder,
            "note": text,
        },
        clock=clock,
        entropy=entropy,
    )
    return TakenInventory(inventory.id, recorded.entry_id)


async def take_cleared(conn: Connection, *, note: bytes, verifier: Verifier, clock: Clock, entropy: Entropy) -> UUID:
    """Record what a dock has removed from a recorder, in the caller's transaction; return the ledger entry's id.

    The same list again, because its first answer was lost, is not recorded again.

    Raises:
        WireError: It is no cleared list, or another dock's; see the subclasses.
        DockNotInForce: Meanwhile the dock was revoked, or another key counts.
    """
    cleared = await asyncio.to_thread(open_cleared, note, [verifier])
    text = note.decode()
    said = parse_note(note).text
    await require_in_force(conn, cleared.dock, verifier)
    await lock_subject(conn, f"cleared:{note_digest(said).hex()}")
    known = await find_cleared(conn, cleared, text=said)
    if known is not None:
        return known.entry_id
    recorded = await record(
        conn,
        type="dock.cleared",
        actor=f"dock:{cleared.dock}",
        subject=f"dock:{cleared.dock}",
        payload={"dock": str(cleared.dock), "recorder": cleared.recorder, "note": text},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id
