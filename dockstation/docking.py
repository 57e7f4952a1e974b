"""Docking: one look at one slot, and everything that follows from it.

```
open the card -> look (twice, if something was just written) -> profile -> whose is it -> stock
   -> inventory: signed, in the journal, at the service              only then the first byte is read
   -> files one after the other, marked ones first, to the service or into the spool; receipts are fetched beside that
   -> what is receipted, and may go, is removed
   -> the recorder's clock is set, where that is wanted and its profile knows how, once a docking
```

A docking ends when the card has nothing more to give, or when something stands in its way; the next look begins again
from the journal. It waits for nobody: a pulled card ends it at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dockstation.card import NOTHING_SEEN, Card, Remark, Sighting
from dockstation.cleanup import Cleaner
from dockstation.config import Settings
from dockstation.courier import Courier, Stuck
from dockstation.detect.places import Slot
from dockstation.errors import CardLost, FileUnreadable, RecorderTwice
from dockstation.events import Event, Kind, Tell
from dockstation.forward import Forwarder
from dockstation.heartbeat import Heart
from dockstation.identity import Enrolment
from dockstation.journal import FINAL, RECEIPTED, FileRow, State, WaitingNote
from dockstation.journal_store import Journal
from dockstation.layout import Profile, choose_profile
from dockstation.outbox import Outbox
from dockstation.stocktaking import Holding, device_of, select, sending_order, sort_out, state_inventory, still
from dockstation.threads import Books, Lane
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.core.wire.docking import Docking
from evidence.core.wire.inventory import sign_inventory
from ledger.errors import CodedError
from ledger.note import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What every docking of one station shares.

    `owners` says which slot each recorder is in, for as long as it is there; `settled` holds, for each slot, an outcome
    after which nothing was left to be done; `docked` says since when each recorder is in its slot, and `clocks_set` at
    which of its dockings its clock was set last.
    """

    settings: Settings
    profiles: tuple[Profile, ...]
    enrolment: Enrolment
    signer: Signer
    books: Books
    outbox: Outbox
    courier: Courier
    forwarder: Forwarder | None
    cleaner: Cleaner
    heart: Heart
    clock: Clock
    entropy: Entropy
    tell: Tell
    owners: dict[str, Slot] = field(default_factory=dict)
    settled: dict[Slot, Outcome] = field(default_factory=dict)
    docked: dict[str, datetime] = field(default_factory=dict)
    clocks_set: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one docking came to.

    Attributes:
        slot: Where.
        sighting: What the last look showed, without what is still being written.
        recorders: Whose they are.
        files: How many files are on the card and are to be read.
        rows: The journal's state of each of them that it knows, as it is after the docking.
        stuck: Files that will not get on by themselves, and why.
        remarks: What is not read, and why.
        growing: Files that are still being written.
        left_over: Files that did not fit into the inventory; they come with the next look.
        kept: Receipted files that were to be removed and were not.
        would_clear: In a dry run, what would be removed.
        would_stay: In a dry run, path and reason of what would not.
        error: What ended the docking early.
    """

    slot: Slot
    sighting: Sighting = NOTHING_SEEN
    recorders: tuple[str, ...] = ()
    files: int = 0
    rows: tuple[FileRow, ...] = ()
    stuck: Stuck = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    growing: int = 0
    left_over: int = 0
    kept: tuple[FileRow, ...] = ()
    would_clear: tuple[FileRow, ...] = ()
    would_stay: tuple[tuple[str, str], ...] = ()
    error: CodedError | None = None

    @property
    def waiting(self) -> int:
        """Return how many files may still get on by themselves."""
        going_on = sum(row.state not in FINAL and row.seen.key not in self.stuck for row in self.rows)
        return self.growing + self.left_over + going_on

    @property
    def safe(self) -> bool:
        """Tell whether everything on the card is receipted or lies whole in the spool: taking it out loses nothing."""
        return self._whole and all(row.is_safe for row in self.rows)

    @property
    def receipted(self) -> bool:
        """Tell whether everything on the card is receipted: neither the card nor the spool is needed any more."""
        return self._whole and all(row.state in RECEIPTED for row in self.rows)

    def is_settled(self, *, clear: bool) -> bool:
        """Tell whether another look at the same files would find nothing to do."""
        to_clear = clear and any(row.state is not State.CLEARED and not row.key_mark for row in self.rows)
        return self.receipted and not to_clear and not self.left_over

    @property
    def _whole(self) -> bool:
        return self.error is None and not self.growing and len(self.rows) == self.files


async def dock(station: Station, slot: Slot, *, send: bool, clear: bool) -> Outcome:
    """Take one look at a slot and do all that follows.

    Args:
        send: Whether files are inventoried and sent.
        clear: Whether receipted files are removed.
    """
    outcome = Outcome(slot=slot)
    async with Lane(f"card {slot.name}") as lane:
        try:
            card = await lane.run(Card, slot.root)
        except CardLost as error:
            outcome.error = error
            return outcome
        try:
            docking = _Docking(station, card, lane, outcome)
            await docking.look()
            known = station.settled.get(slot)
            if known is not None and known.sighting == outcome.sighting:
                # Most looks find what the look before found; they cost neither the journal nor the link anything.
                return known
            await docking.run(send=send, clear=clear)
        except CodedError as error:
            outcome.error = error
        finally:
            lane.start(card.close)
    if outcome.is_settled(clear=clear):
        station.settled[slot] = outcome
    else:
        station.settled.pop(slot, None)
    return outcome


class _Docking:
    """The steps of one docking, in the order of the module's picture."""

    def __init__(self, station: Station, card: Card, lane: Lane, outcome: Outcome) -> None:
        self._station = station
        self._books = station.books
        self._card = card
        self._lane = lane
        self._outcome = outcome

    async def run(self, *, send: bool, clear: bool) -> None:
        """Go through the steps after the look.

        Raises:
            CodedError: What ended the docking; the outcome holds what was reached.
        """
        slot, files = self._outcome.slot, self._outcome.sighting.files
        # A card made to exhaust the station holds 200,000 names, whose reading takes seconds: not on the loop.
        profile = await asyncio.to_thread(choose_profile, self._station.profiles, [file.path for file in files])
        card = None if slot.volume is None else slot.volume.identity
        holdings, ignored = await asyncio.to_thread(sort_out, files, profile=profile, slot=slot.name, card=card)
        self._outcome.remarks = self._outcome.sighting.remarks + ignored
        self._outcome.recorders = tuple(holding.recorder for holding in holdings)
        self._outcome.files = sum(len(holding.files) for holding in holdings)
        await self._station.cleaner.finish_interrupted(
            self._card, seen=[file.key for file in files], recorders=frozenset(self._outcome.recorders)
        )
        for holding in holdings:
            self._claim(holding.recorder)
            try:
                if send:
                    await self._send(holding, profile)
                if clear:
                    await self._clear(holding)
                    await self._set_clock(holding.recorder, profile)
            finally:
                keys = [item.seen.key for item in holding.files]
                self._outcome.rows += await self._books.do(Journal.newest, holding.recorder, keys)

    async def look(self) -> None:
        """See what is on the card, leaving out what is still being written.

        Raises:
            CardLost: The card stopped answering.
        """
        settle = self._station.settings.settle_seconds
        first = await self._lane.run(self._card.look)
        self._outcome.sighting = first
        now = time.time_ns()
        if not any(abs(now - file.modified_ns) < settle * 1e9 for file in first.files):
            return
        await asyncio.sleep(settle)
        second = await self._lane.run(self._card.look)
        files, moving = still(first.files, second.files)
        self._outcome.sighting = Sighting(tuple(files), second.remarks + moving)
        self._outcome.growing = len(moving)

    def _claim(self, recorder: str) -> None:
        slot = self._outcome.slot
        owner = self._station.owners.setdefault(recorder, slot)
        if owner.name != slot.name:
            raise RecorderTwice(f"recorder {recorder} is in slot {owner.name} and in slot {slot.name}")
        self._station.docked.setdefault(recorder, self._station.clock())

    async def _send(self, holding: Holding, profile: Profile) -> None:
        rows = await self._take_stock(holding, profile)
        await self._station.outbox.send(holding.recorder)
        slot = self._outcome.slot.name
        for row in await self._books.do(Journal.refuse_empty, holding.recorder):
            self._station.courier.report(Kind.REFUSED, row, slot=slot, text=row.trouble or "")
        current = await self._books.do(Journal.newest, holding.recorder, [row.seen.key for row in rows])
        await self._station.courier.carry(
            sending_order(current),
            card=self._card,
            lane=self._lane,
            slot=slot,
            stuck=self._outcome.stuck,
        )

    async def _take_stock(self, holding: Holding, profile: Profile) -> Sequence[FileRow]:
        seen_at = self._station.clock()
        settled = await self._books.do(Journal.settled_keys, holding.recorder)
        listed = await self._books.do(Journal.listed_keys, holding.recorder)
        chosen, left_over = select(holding, settled=settled, listed=listed)
        self._outcome.left_over += left_over
        dock_id = self._station.enrolment.dock
        stock = await self._books.do(Journal.take_stock, dock=dock_id, recorder=holding.recorder, files=chosen.files)
        if not stock.changed:
            return stock.rows
        number, previous = await self._books.do(Journal.last_inventory, dock=dock_id, recorder=holding.recorder)
        docking = Docking(
            docked_at=self._station.docked.get(holding.recorder, seen_at),
            number=number + 1,
            previous=previous,
            clock=self._station.heart.reading,
            device=device_of(self._outcome.slot.volume),
        )
        inventory = state_inventory(
            chosen,
            docking=docking,
            inventory=uuid7(clock=self._station.clock, entropy=self._station.entropy),
            dock=dock_id,
            seen_at=seen_at,
            dock_clock=self._station.clock(),
            profile=profile.name,
        )
        # Canonical JSON of thousands of files takes a second on a small computer: not on the loop.
        signed = await asyncio.to_thread(sign_inventory, inventory, self._station.signer)
        note = WaitingNote(inventory.id, "inventory", holding.recorder, signed)
        await self._books.do(Journal.write_inventory, note, dock=dock_id, rows=stock.rows)
        self._tell(Kind.INVENTORIED, holding.recorder, f"{len(inventory.files)} 个文件 files")
        return stock.rows

    async def _clear(self, holding: Holding) -> None:
        files = [item.seen for item in holding.files]
        results = await self._station.cleaner.clear(self._card, self._lane, recorder=holding.recorder, files=files)
        for result in results:
            if result.error is not None:
                self._outcome.kept += (result.row,)
                self._tell(Kind.KEPT, holding.recorder, str(result.error), path=result.row.path)
            elif result.row.state is State.CLEARED:
                self._tell(Kind.CLEARED, holding.recorder, path=result.row.path)
            else:
                self._outcome.would_clear += (result.row,)
        if self._station.cleaner.dry_run:
            kept = {row.path: row.trouble or "" for row in self._outcome.kept}
            staying = await self._station.cleaner.staying(recorder=holding.recorder, files=files)
            self._outcome.would_stay += (*kept.items(), *staying)
        await self._station.outbox.send(holding.recorder)

    async def _set_clock(self, recorder: str, profile: Profile) -> None:
        """Set the recorder's clock by its file: when the card may be written to anyway, and once a docking.

        The time is the station's own, whose offset against the service's stands in the inventory.
        """
        station, docked = self._station, self._station.docked.get(recorder)
        if not station.settings.set_clocks or profile.clock is None or station.cleaner.dry_run:
            return
        if docked is not None and station.clocks_set.get(recorder) == docked:
            return
        now = station.clock()
        station.clocks_set[recorder] = docked or now
        try:
            await self._lane.run(self._card.put, profile.clock.name, profile.clock_text(now) or b"")
        except FileUnreadable as error:
            self._tell(Kind.NOTICE, recorder, f"时钟未校准 clock not set: {error.message}")
        else:
            self._tell(Kind.NOTICE, recorder, "时钟已校准 clock set")

    def _tell(self, kind: Kind, recorder: str, text: str = "", *, path: str = "") -> None:
        at, slot = self._station.clock(), self._outcome.slot.name
        self._station.tell(Event(kind=kind, at=at, slot=slot, recorder=recorder, path=path, text=text))
