"""Comparison: a new inventory is held against those before it, and what is noticed is put on record.

```
dock.inventory committed ──> recorder locked ──> sightings read ──> examined (pure) ──> recorder.compared, if anything
```

It has a transaction of its own behind the inventory's: what a card pretends can at worst keep a comparison from being
made, never an inventory from being recorded. A crash between the two leaves an inventory without a comparison; the
dock, which had no answer, sends the inventory again, and it is compared then. An inventory about which nothing is
noticed gets no entry; one that was compared is not compared again by itself.

Statements of a dock without a network arrive late. So an inventory stands where its dock made it, by the service's
clock, and the one behind it is looked at again: when something else is noticed about it now, the newer word counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.wire.docking import Docking, take_docking
from evidence.core.wire.inventory import INVENTORY_FILES_MAX
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.recorders import store
from evidence.recorders.examine import examine
from evidence.recorders.observation import Observation
from evidence.recorders.sighting import UNMEASURED_MS, ListedFile, Presence, Sighting, put_right
from evidence.recorders.store import FileRow, InventoryRow, SealedRow

INVENTORIES_MAX = 64
"""How many inventories of a recorder are looked at for the place of a new one."""

EARLIER_MAX = 20
FILES_MAX = 20_000
"""Most inventories before a new one, and most files of them, that it is held against; the one before it always is."""


async def compare_inventory(
    conn: Connection, inventory: UUID, *, clock: Clock, entropy: Entropy
) -> tuple[Observation, ...]:
    """Hold an inventory on record against those before it, in the caller's transaction; return what was noticed now.

    The same inventory again, because the answer to it was lost, changes nothing.
    """
    known = await store.find_inventory_of(conn, inventory)
    if known is None:
        return ()
    recorder, _ = known
    await lock_subject(conn, f"recorder:{recorder}")
    rows = _in_time(await store.newest_inventories(conn, recorder, limit=INVENTORIES_MAX))
    place = next((place for place, row in enumerate(rows) if row.inventory == inventory), None)
    if place is None:
        return ()
    found: tuple[Observation, ...] = ()
    if await store.recorded_findings(conn, inventory) is None:
        found = await _compare(conn, recorder, rows, place, clock=clock, entropy=entropy)
    if place + 1 < len(rows):
        await _compare(conn, recorder, rows, place + 1, clock=clock, entropy=entropy)
    return found


async def _compare(
    conn: Connection, recorder: str, rows: Sequence[InventoryRow], place: int, *, clock: Clock, entropy: Entropy
) -> tuple[Observation, ...]:
    """Examine one of a recorder's inventories, and put what is noticed on record unless the record says it already."""
    now, window = rows[place], _window(rows[:place])
    sightings = await _sightings(conn, recorder, [*window, now])
    elsewhere = [_presence(row) for row in rows if row.dock != now.dock]
    # Thousands of files take tenths of a second; others shall not wait for it.
    found = await asyncio.to_thread(examine, sightings[-1], earlier=sightings[:-1], elsewhere=elsewhere)
    said = [(one.code, one.facts) for one in found]
    if said == list(await store.recorded_findings(conn, now.inventory) or ()):
        return found
    await record(
        conn,
        type="recorder.compared",
        actor="service",
        subject=f"dock:{now.dock}",
        payload={
            "dock": str(now.dock),
            "recorder": recorder,
            "inventory": str(now.inventory),
            "previous": str(window[-1].inventory) if window else None,
            "findings": [{"code": one.code, "weight": one.weight.value, "facts": one.facts} for one in found],
        },
        clock=clock,
        entropy=entropy,
    )
    return found


def _in_time(rows: Sequence[InventoryRow]) -> list[InventoryRow]:
    return sorted(rows, key=lambda row: (_presence(row).until, row.received_at, row.inventory))


def _window(rows: Sequence[InventoryRow]) -> list[InventoryRow]:
    chosen: list[InventoryRow] = []
    files = 0
    for row in reversed(rows[-EARLIER_MAX:]):
        files += row.files
        if chosen and files > FILES_MAX:
            break
        chosen.append(row)
    return chosen[::-1]


def _docking(row: InventoryRow) -> Docking | None:
    return None if row.docking is None else take_docking(dict(row.docking), where="docking")


def _presence(row: InventoryRow) -> Presence:
    docking = _docking(row)
    reading = docking and docking.clock
    offset_ms = reading.offset_ms if reading else 0
    seen_at = put_right(row.seen_at, offset_ms=offset_ms)
    # A dock cannot have looked after its word was here, whatever its clock says.
    until = seen_at if reading else min(seen_at, row.received_at)
    since = min(put_right(docking.docked_at, offset_ms=offset_ms), until) if docking else until
    return Presence(
        dock=row.dock,
        inventory=row.inventory,
        since=since,
        until=until,
        uncertainty_ms=min(reading.uncertainty_ms, UNMEASURED_MS) if reading else UNMEASURED_MS,
    )


async def _sightings(conn: Connection, recorder: str, rows: Sequence[InventoryRow]) -> list[Sighting]:
    files = await store.files_of(conn, [row.inventory for row in rows])
    sealed: dict[tuple[str, bool], list[SealedRow]] = {}
    for one in await store.sealed_files(conn, recorder, sorted({file.path for file in files})):
        sealed.setdefault((one.path, one.raw), []).append(one)
    listed: dict[UUID, list[ListedFile]] = {}
    for file in files:
        listed.setdefault(file.inventory, []).append(_listed(file, sealed.get((file.path, file.raw), [])))
    return [_sighting(row, tuple(listed.get(row.inventory, []))) for row in rows]


def _listed(file: FileRow, sealed: Sequence[SealedRow]) -> ListedFile:
    plain = ListedFile(
        path=file.path, raw=file.raw, size=file.size, modified_at=file.modified_at, recorded_at=file.recorded_at
    )
    for one in sealed:
        if plain.is_same(ListedFile(path=one.path, raw=one.raw, size=one.size, modified_at=one.modified_at)):
            seconds = None if one.duration_ms is None else one.duration_ms / 1000
            return replace(plain, is_sealed=True, seconds=seconds)
    return plain


def _sighting(row: InventoryRow, files: tuple[ListedFile, ...]) -> Sighting:
    docking, presence = _docking(row), _presence(row)
    shown = docking and docking.recorder_clock
    offset_ms = None
    if docking and shown:
        read_at = put_right(shown.read_at, offset_ms=docking.clock.offset_ms if docking.clock else 0)
        offset_ms = int((shown.shown - read_at).total_seconds() * 1000)
    said = {} if docking is None else {name: getattr(docking.device, name) for name in ("serial", "volume", "firmware")}
    return Sighting(
        presence=presence,
        files=files,
        is_partial=row.files >= INVENTORY_FILES_MAX,
        number=docking.number if docking else None,
        previous=docking.previous if docking else None,
        recorder_offset_ms=offset_ms,
        device={name: value for name, value in said.items() if value is not None},
    )
