"""Watch: look at all slots, again and again; the periodic look is the truth.

Every round finds the slots that are there and docks those that are not being docked already, at most `parallel` at a
time. A slot that was in trouble is left alone for a growing while. Beside the slots a round asks for receipts of files
whose recorder has gone, and sends statements that could not be sent.

`once` lets rounds follow each other closely, and ends when nothing is waiting any more, when the service does not
accept the station, or when nothing has got on for `patience_seconds`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dockstation.backoff import pause_seconds
from dockstation.docking import Outcome, Station, dock
from dockstation.errors import DockError, DockNotAccepted, LinkLost, ServiceBusy, ServiceMalformed
from dockstation.journal import FINAL, TO_SETTLE, FileRow
from dockstation.journal_store import Journal
from dockstation.showcase import Showcase
from dockstation.slots import Slot, find_slots
from dockstation.threads import Books
from ledger.errors import Blame, CodedError

ONCE_PAUSE_SECONDS = 0.3
"""Pause between the rounds of `once`."""


_SERVICE_ERRORS = (LinkLost, ServiceBusy, ServiceMalformed, DockNotAccepted)


@dataclass(frozen=True, slots=True)
class Job:
    """What a watch is to do: where, and whether to send and to clear."""

    watch: tuple[Path, ...]
    recorders: tuple[Path, ...]
    send: bool
    clear: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What `once` came to.

    Attributes:
        outcomes: The newest of every slot.
        rows: Every file that was met, with the slot it was met in; cleared ones included.
        error: What is wrong with the service or the way to it, if it kept something from being done.
    """

    outcomes: tuple[Outcome, ...]
    rows: tuple[tuple[Slot, FileRow], ...]
    error: CodedError | None

    @property
    def complete(self) -> bool:
        """Tell whether everything on every recorder is receipted."""
        return self.error is None and all(outcome.receipted for outcome in self.outcomes)

    @property
    def undisturbed(self) -> bool:
        """Tell whether nothing went wrong; what was not to be done is no fault."""
        return self.error is None and all(outcome.error is None and not outcome.kept for outcome in self.outcomes)


class Watch:
    """Docks what is in the slots of one station."""

    def __init__(self, station: Station, job: Job, *, showcase: Showcase) -> None:
        self._station = station
        self._job = job
        self._showcase = showcase
        self._places = asyncio.Semaphore(station.settings.parallel)
        self._busy: set[Slot] = set()
        self._known: set[Slot] = set()
        self._failures: dict[Slot, int] = {}
        self._rest_until: dict[Slot, float] = {}

    @property
    def showcase(self) -> Showcase:
        """Return the picture of the slots."""
        return self._showcase

    @property
    def books(self) -> Books:
        """Return the station's journal."""
        return self._station.books

    async def forever(self) -> None:
        """Go round until cancelled."""
        beside: dict[str, asyncio.Task[DockError | None]] = {}
        async with asyncio.TaskGroup() as visits:
            while True:
                for slot in self._find():
                    if slot not in self._busy and time.monotonic() >= self._rest_until.get(slot, 0.0):
                        self._busy.add(slot)
                        visits.create_task(self._visit(slot))
                for name, work in (("receipts", self._settle_rest), ("spool", self._forward)):
                    if name not in beside or beside[name].done():
                        beside[name] = visits.create_task(work())
                await asyncio.sleep(self._station.settings.interval_seconds)

    async def once(self) -> Report:
        """Go round until all is receipted, or no further round can help."""
        outcomes: dict[Slot, Outcome] = {}
        rows: dict[tuple[Slot, object], FileRow] = {}
        reached, since = -1, time.monotonic()
        while True:
            slots = self._find()
            for outcome in await asyncio.gather(*(self._visit(slot) for slot in slots)):
                outcomes[outcome.slot] = outcome
                rows.update({(outcome.slot, (row.recorder, row.seen.key)): row for row in outcome.rows})
            left_over = await self._settle_rest() or await self._forward()
            now_reached = sum(row.state in FINAL or row.state in TO_SETTLE or row.is_copied for row in rows.values())
            if now_reached != reached:
                reached, since = now_reached, time.monotonic()
            error = _of_the_service([left_over, *(outcome.error for outcome in outcomes.values())])
            hopeless = isinstance(error, DockNotAccepted) or not _may_get_on(outcomes, left_over, slots)
            if hopeless or time.monotonic() - since > self._station.settings.patience_seconds:
                return Report(tuple(outcomes.values()), tuple((slot, row) for (slot, _), row in rows.items()), error)
            await asyncio.sleep(ONCE_PAUSE_SECONDS)

    def _find(self) -> tuple[Slot, ...]:
        slots = find_slots(watch=self._job.watch, recorders=self._job.recorders)
        for slot in sorted(self._known - set(slots), key=lambda slot: slot.name):
            self._known.discard(slot)
            self._station.settled.pop(slot, None)
            self._showcase.gone(slot)
            for recorder, owner in list(self._station.owners.items()):
                if owner == slot:
                    del self._station.owners[recorder]
        for slot in slots:
            if slot not in self._known:
                self._known.add(slot)
                self._showcase.docked(slot)
        return slots

    async def _visit(self, slot: Slot) -> Outcome:
        try:
            async with self._places:
                outcome = await dock(self._station, slot, send=self._job.send, clear=self._job.clear)
            self._showcase.visited(outcome)
            if outcome.error is None:
                self._failures.pop(slot, None)
            else:
                self._failures[slot] = self._failures.get(slot, 0) + 1
                pause = pause_seconds(self._failures[slot], chance=random.random())  # noqa: S311 - jitter
                self._rest_until[slot] = time.monotonic() + pause
            return outcome
        finally:
            self._busy.discard(slot)

    async def _settle_rest(self) -> DockError | None:
        """Do what needs no card: receipts of files whose recorder has gone, statements that are still here."""
        if not self._job.send:
            return None
        failure = await self._station.outbox.send_rest()
        rows = await self._station.books.do(Journal.rows, TO_SETTLE)
        docked = set(self._station.owners)
        return await self._station.courier.settle([row for row in rows if row.recorder not in docked]) or failure

    async def _forward(self) -> DockError | None:
        """Send what lies in the spool."""
        forwarder = self._station.forwarder
        return None if forwarder is None or not self._job.send else await forwarder.forward()


def _may_get_on(outcomes: dict[Slot, Outcome], left_over: DockError | None, slots: Sequence[Slot]) -> bool:
    """Tell whether another round might change anything."""
    if left_over is not None and left_over.blame is Blame.WAY:
        return True
    for slot, outcome in outcomes.items():
        if outcome.error is None and outcome.waiting:
            return True
        if outcome.error is not None and outcome.error.blame is Blame.WAY and slot in slots:
            return True
    return False


def _of_the_service(errors: Sequence[CodedError | None]) -> CodedError | None:
    """Return the first error that lies with the service or the way to it."""
    return next((error for error in errors if isinstance(error, _SERVICE_ERRORS)), None)
