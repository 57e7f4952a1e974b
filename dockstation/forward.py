"""Forwarder: store-and-forward, second half. What lies in the spool goes to the service, whether or not its recorder is
still there.

Marked footage first, whoever's it is; then the recorders share the link: the next file is always one of the recorder
that has the fewest files on the way, and of these the one that was served the longest time ago. Each file's failures
are judged as in courier.py; what concerns all ends the round, and the next one begins from the journal.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from dockstation.copier import Copier
from dockstation.courier import Courier, Stuck, Trip
from dockstation.errors import DockError, SpoolDamaged
from dockstation.events import Kind
from dockstation.journal import TO_SETTLE, FileRow
from dockstation.journal_store import Journal
from dockstation.threads import Books, Lane
from dockstation.throttle import Throttle
from dockstation.uploader import Uploader


class Forwarder:
    """Empties the spool towards the service.

    Args:
        uploader: Spool to service.
        copier: Owner of the spool.
        courier: Judges failures and fetches receipts.
        books: The journal.
        throttle: When, and how fast.
        parallel: Files that are sent at the same time.
    """

    def __init__(
        self,
        uploader: Uploader,
        copier: Copier,
        courier: Courier,
        books: Books,
        throttle: Throttle,
        parallel: int,
    ) -> None:
        self._uploader = uploader
        self._copier = copier
        self._courier = courier
        self._books = books
        self._throttle = throttle
        self._parallel = parallel
        self._on_the_way: dict[int, str] = {}
        self._turn = 0
        self._served: dict[str, int] = {}
        self._stuck: Stuck = {}

    async def forward(self) -> DockError | None:
        """Send until nothing is left that may be sent now; return what ended it early for all."""
        self._stuck = {}
        trip = Trip(self._courier, slot="", stuck=self._stuck)
        files = len(await self._books.do(Journal.to_forward))
        async with asyncio.TaskGroup() as workers:
            for number in range(min(self._parallel, files)):
                workers.create_task(self._work(trip, number))
        return trip.end

    async def _work(self, trip: Trip, number: int) -> None:
        async with Lane(f"spool {number}") as lane, asyncio.TaskGroup() as receipts:
            while trip.end is None:
                row = await self._next()
                if row is None:
                    break
                self._on_the_way[row.id] = row.recorder
                try:
                    row = await trip.attempt(row, self._send(row, lane))
                finally:
                    self._on_the_way.pop(row.id, None)
                if row.state in TO_SETTLE:
                    receipts.create_task(trip.settle(row))

    async def _next(self) -> FileRow | None:
        rows = [
            row
            for row in await self._books.do(Journal.to_forward)
            if row.id not in self._on_the_way
            and row.seen.key not in self._stuck
            and self._throttle.is_open(marked=row.key_mark)
        ]
        if not rows:
            return None
        busy = Counter(self._on_the_way.values())
        chosen = min(
            enumerate(rows),
            key=lambda at: (not at[1].key_mark, busy[at[1].recorder], self._served.get(at[1].recorder, 0), at[0]),
        )[1]
        self._turn += 1
        self._served[chosen.recorder] = self._turn
        return chosen

    async def _send(self, row: FileRow, lane: Lane) -> FileRow:
        def on_bytes(done_bytes: int) -> None:
            self._courier.report(Kind.SENDING, row, slot="", done_bytes=done_bytes)

        try:
            file = await lane.run(self._copier.spool.file_of, row)
            sent = await self._uploader.send(row, medium=self._copier.spool, file=file, lane=lane, on_bytes=on_bytes)
        except SpoolDamaged as error:
            await self._copier.lose(await self._books.do(Journal.get, row.id), error)
            raise
        self._courier.report(Kind.UPLOADED, sent, slot="")
        return sent
