"""Sequences of dockings on record: real inventories of paper docks, seals, cleared lists, and their comparison."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.ids import uuid7
from evidence.core.wire.docking import ClockReading, Device, Docking
from evidence.core.wire.inventory import Inventory, InventoryFile, sign_inventory
from evidence.db.pool import Connection
from evidence.parties.statements import take_inventory
from evidence.recorders.comparison import compare_inventory
from evidence.recorders.observation import Observation
from evidence.recorders.sighting import ListedFile
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import PaperDock, paper_dock
from tests.support.payloads import Scribe
from tests.support.recorders import Recorder

RECORDER = "4A00123"


@dataclass
class Office:
    """Docks and one recorder; every inventory goes the service's way."""

    conn: Connection
    clock: SteppingClock
    entropy: SeededEntropy
    recorder: Recorder = field(default_factory=lambda: Recorder("by time and number", random.Random(1)))
    counts: dict[UUID, tuple[int, UUID]] = field(default_factory=dict)

    def inventory(
        self, dock: PaperDock, *, with_docking: bool = True, ahead: timedelta = timedelta(), at: datetime | None = None
    ) -> Inventory:
        """State what is on the card, by a dock whose clock is ahead."""
        self.recorder.now += timedelta(minutes=20)
        seen_at = (at or self.recorder.now) + ahead
        number, previous = self.counts.get(dock.dock, (0, None))
        inventory = uuid7(clock=self.clock, entropy=self.entropy)
        docking = Docking(
            docked_at=seen_at - timedelta(seconds=30),
            number=number + 1,
            previous=previous,
            clock=ClockReading(
                offset_ms=int(ahead.total_seconds() * 1000),
                uncertainty_ms=20,
                measured_at=seen_at - timedelta(minutes=1),
            ),
            device=Device(serial=RECORDER),
        )
        self.counts[dock.dock] = (number + 1, inventory)
        return Inventory(
            id=inventory,
            dock=dock.dock,
            recorder=RECORDER,
            seen_at=seen_at,
            dock_clock=seen_at + timedelta(seconds=1),
            profile="dcam",
            files=tuple(
                InventoryFile(
                    path=file.path,
                    size=file.size,
                    modified_at=file.modified_at,
                    order=order,
                    recorded_at=file.recorded_at,
                )
                for order, file in enumerate(self.recorder.card)
            ),
            docking=docking if with_docking else None,
        )

    async def take(self, inventory: Inventory, dock: PaperDock) -> tuple[Observation, ...]:
        """Put an inventory on record and compare it, as the service does."""
        async with self.conn.transaction():
            taken = await take_inventory(
                self.conn,
                note=sign_inventory(inventory, dock.signer),
                verifier=dock.signer.verifier,
                clock=self.clock,
                entropy=self.entropy,
            )
        async with self.conn.transaction():
            return await compare_inventory(self.conn, taken.inventory, clock=self.clock, entropy=self.entropy)

    async def dock(
        self, seed: int = 1, *, but: Sequence[str] = (), clear: bool = True, with_docking: bool = True
    ) -> tuple[Observation, ...]:
        """Dock the recorder: everything but some paths is sealed, and then cleared; return what was noticed."""
        dock = paper_dock(seed)
        inventory = self.inventory(dock, with_docking=with_docking)
        found = await self.take(inventory, dock)
        await self.seal(inventory, [file for file in self.recorder.card if file.path not in but])
        if clear:
            self.recorder.card[:] = [file for file in self.recorder.card if file.path in but]
        self.recorder.now += timedelta(hours=10)
        return found

    async def seal(self, inventory: Inventory, files: Sequence[ListedFile]) -> None:
        """Seal files of an inventory."""
        scribe = Scribe(conn=self.conn, clock=self.clock, entropy=self.entropy)
        sealed = set(await self._sealed(inventory))
        for file in files:
            if file.path in sealed:
                continue
            await scribe.seal(
                path=file.path,
                recorder=RECORDER,
                dock=str(inventory.dock),
                inventory=str(inventory.id),
                size=file.size,
                sha256=hashlib.sha256(f"{file.path} {file.size}".encode()).hexdigest(),
                recorded_at=None if file.recorded_at is None else format_time(file.recorded_at),
            )

    async def _sealed(self, inventory: Inventory) -> list[str]:
        rows = await self.conn.fetch("SELECT path FROM clip_source WHERE recorder = $1", inventory.recorder)
        return [row["path"] for row in rows]

    async def comparisons(self) -> int:
        """Return how many comparisons are on record."""
        count: int = await self.conn.fetchval("SELECT count(*) FROM recorder_comparison")
        return count
