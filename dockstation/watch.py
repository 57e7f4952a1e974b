"""Watch: look at all slots, again and again; the periodic look is the truth.

Every round finds the slots that are there and docks those that are not being docked already, at most `parallel` at a
time. Hints (`detect.hints`) begin a round early and decide nothing. A slot that was in trouble is left alone for a
growing while. Beside the slots a round asks for receipts of files whose recorder has gone, and sends statements that
could not be sent. A recorder that is mounted read-only is made writable only when something on it is to be removed, and
let go of when all of it is receipted.

`once` lets rounds follow each other closely, and ends when nothing is waiting any more, when the service does not
accept the station, or when nothing has got on for `patience_seconds`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from dockstation.backoff import pause_seconds
from dockstation.detect.hints import FolderHints, Hints
from dockstation.detect.places import Places, Slot
from dockstation.docking import Outcome, Station, dock
from dockstation.errors import DockError, DockNotAccepted, LinkLost, MountFailed, ServiceBusy, ServiceMalformed
from dockstation.journal import FINAL, TO_SETTLE, FileRow, State
from dockstation.journal_store import Journal
from dockstation.showcase import Showcase
from dockstation.threads import Books
from ledger.errors import Blame, CodedError

ONCE_PAUSE_SECONDS = 0.3
"""Pause between the rounds of `once`."""

KEY_PATIENCE_SECONDS = 600.0
"""How long a station that is never idle puts off a change of key that an administrator asked for."""

_SERVICE_ERRORS = (LinkLost, ServiceBusy, ServiceMalformed, DockNotAccepted)


@dataclass(frozen=True, slots=True)
class Job:
    """What a watch is to do: where, and whether to send and to clear.

    Attributes:
        watch: Folders whose sub-folders are recorders.
        recorders: Folders each of which is a recorder.
        send: Whether files are inventoried and sent.
        clear: Whether receipted files are removed.
        usb: Whether recorders on USB ports are found and mounted.
    """

    watch: tuple[Path, ...]
    recorders: tuple[Path, ...]
    send: bool
    clear: bool
    usb: bool = False


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
    """Docks what is in the slots of one station.

    Args:
        places: Where recorders are.
        hints: Who asks for early rounds.
        folders: Told which folders are looked at, where changes of folders are noticed.
    """

    def __init__(
        self,
        station: Station,
        job: Job,
        *,
        showcase: Showcase,
        places: Places,
        hints: Hints,
        folders: FolderHints | None = None,
    ) -> None:
        self._station = station
        self._job = job
        self._showcase = showcase
        self._recorders = places
        self._hints = hints
        self._folders = folders
        self._places = asyncio.Semaphore(station.settings.parallel)
        self._busy: set[str] = set()
        self._known: set[Slot] = set()
        self._pending = False
        self._unreadable: list[Outcome] = []
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
        """Go round until cancelled, or until an administrator wants another key and nothing is being done.

        Where something always is, the station ends all the same after a while: every file goes on from the journal.
        """
        beside: dict[str, asyncio.Task[DockError | None]] = {}
        running: set[asyncio.Task[object]] = set()
        async with asyncio.TaskGroup() as visits:
            heart = visits.create_task(self._station.heart.forever()) if self._job.send else None
            while not self._is_to_change_key():
                for slot in await self._find():
                    # Another card in a slot waits until the docking of the one before it has noticed.
                    if slot.name not in self._busy and time.monotonic() >= self._rest_until.get(slot, 0.0):
                        self._busy.add(slot.name)
                        running.add(visits.create_task(self._visit(slot)))
                for name, work in (("receipts", self._settle_rest), ("spool", self._forward)):
                    if name not in beside or beside[name].done():
                        beside[name] = visits.create_task(work())
                await self._hints.pause(self._station.settings.interval_seconds)
                running = {task for task in running if not task.done()}
            for task in (*running, *beside.values(), *([heart] if heart else [])):
                task.cancel()

    def _is_to_change_key(self) -> bool:
        since = self._station.heart.key_demanded_since
        return since is not None and (not self._busy or time.monotonic() - since > KEY_PATIENCE_SECONDS)

    async def once(self) -> Report:
        """Go round until all is receipted, or no further round can help."""
        if self._job.send:
            await self._station.heart.beat()
        outcomes: dict[str, Outcome] = {}
        rows: dict[tuple[Slot, object], FileRow] = {}
        reached, since = -1, time.monotonic()
        while True:
            slots = await self._find()
            for outcome in (*await asyncio.gather(*(self._visit(slot) for slot in slots)), *self._unreadable):
                outcomes[outcome.slot.name] = outcome
                rows.update({(outcome.slot, (row.recorder, row.seen.key)): row for row in outcome.rows})
            left_over = await self._settle_rest() or await self._forward()
            now_reached = sum(row.state in FINAL or row.state in TO_SETTLE or row.is_copied for row in rows.values())
            if now_reached != reached:
                reached, since = now_reached, time.monotonic()
            error = _of_the_service([left_over, *(outcome.error for outcome in outcomes.values())])
            may_get_on = self._pending or _may_get_on(outcomes.values(), left_over, slots)
            hopeless = isinstance(error, DockNotAccepted) or not may_get_on
            if hopeless or time.monotonic() - since > self._station.settings.patience_seconds:
                return Report(tuple(outcomes.values()), tuple((slot, row) for (slot, _), row in rows.items()), error)
            await asyncio.sleep(ONCE_PAUSE_SECONDS)

    async def _find(self) -> list[Slot]:
        """Return the slots with something to be read; show who came, who went and what cannot be read."""
        places = await self._recorders.look()
        slots = [place.slot for place in places if not place.pending]
        self._pending = len(slots) < len(places)
        for slot in sorted(self._known - set(slots), key=lambda slot: slot.name):
            self._known.discard(slot)
            self._rest_until.pop(slot, None)
            self._station.settled.pop(slot, None)
            self._failures.pop(slot, None)
            self._showcase.gone(slot)
            for recorder, owner in list(self._station.owners.items()):
                if owner == slot:
                    del self._station.owners[recorder]
                    self._station.docked.pop(recorder, None)
        for slot in slots:
            if slot not in self._known:
                self._known.add(slot)
                self._showcase.docked(slot)
        self._unreadable = [Outcome(slot=place.slot, error=place.error) for place in places if place.error is not None]
        for outcome in self._unreadable:
            self._showcase.visited(outcome)
        if self._folders is not None:
            self._folders.follow({*self._job.watch, *(slot.root for slot in slots)})
        return [place.slot for place in places if not (place.pending or place.resting or place.error)]

    async def _visit(self, slot: Slot) -> Outcome:
        try:
            async with self._places:
                outcome = await self._dock(slot)
            if slot not in self._known:
                # Taken out meanwhile, and shown as that: what this docking came to no longer tells what is in the slot.
                return outcome
            self._showcase.visited(outcome)
            if outcome.safe:
                await self._recorders.done(slot)
            if outcome.error is None:
                self._failures.pop(slot, None)
            else:
                self._failures[slot] = self._failures.get(slot, 0) + 1
                pause = pause_seconds(self._failures[slot], chance=random.random())  # noqa: S311 - jitter
                self._rest_until[slot] = time.monotonic() + pause
            return outcome
        finally:
            self._busy.discard(slot.name)

    async def _dock(self, slot: Slot) -> Outcome:
        """Dock a slot; one that is mounted read-only once more, writable, if something on it is to be removed."""
        send, clear = self._job.send, self._job.clear
        outcome = await dock(self._station, slot, send=send, clear=clear and not slot.read_only)
        if not (clear and slot.read_only and self._has_clearable(outcome)):
            return outcome
        try:
            async with self._recorders.writable(slot) as opened:
                # What is known of the read-only mount, and of the writable one, holds for itself alone.
                self._station.settled.pop(slot, None)
                again = await dock(self._station, replace(slot, root=opened.root), send=send, clear=True)
        except MountFailed as error:
            outcome.error = error
            return outcome
        again.slot = slot
        self._station.settled.pop(slot, None)
        return again

    def _has_clearable(self, outcome: Outcome) -> bool:
        kept_since = self._station.clock() - timedelta(hours=self._station.settings.keep_hours)
        return any(
            row.state is State.CLEARABLE
            or (row.state is State.RECEIPT_VERIFIED and not row.key_mark and _is_before(row.verified_at, kept_since))
            for row in outcome.rows
        )

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


def _is_before(at: datetime | None, limit: datetime) -> bool:
    return at is not None and at <= limit


def _may_get_on(outcomes: Iterable[Outcome], left_over: DockError | None, slots: Sequence[Slot]) -> bool:
    """Tell whether another round might change anything."""
    if left_over is not None and left_over.blame is Blame.WAY:
        return True
    for outcome in outcomes:
        if outcome.error is None and outcome.waiting:
            return True
        if outcome.error is not None and outcome.error.blame is Blame.WAY and outcome.slot in slots:
            return True
    return False


def _of_the_service(errors: Sequence[CodedError | None]) -> CodedError | None:
    """Return the first error that lies with the service or the way to it."""
    return next((error for error in errors if isinstance(error, _SERVICE_ERRORS)), None)
