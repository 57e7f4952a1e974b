"""Courier: one recorder's files to the service, or into the spool where there is one, and their receipts back.

What lies in the spool is forward.py's to send. Files go one after the other, as one medium reads best, those marked by
the officer first. Receipts are fetched beside that, a few at a time, because a receipt may be a second away when the
next file could already be on its way.

Failures concern either one file or everybody:

| error | consequence |
|---|---|
| `FileUnreadable`, `FileUnsafe`, `FileGone`, `ServiceObjects`, `ReceiptRefused` | this file is stuck, the next goes |
| `WindowClosed` | this file waits for the hours in which it may go |
| `ServiceRefused` | this file is refused for good |
| `FileChanged`, `SpoolDamaged`, `UploadGone`, damaged bytes | this file is begun anew, a few times; then it is stuck |
| card lost, link lost, service busy or not accepting the station | the docking ends |
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence

from dockstation.card import Card, FileKey
from dockstation.copier import Copier
from dockstation.errors import (
    DockError,
    FileChanged,
    FileGone,
    FileUnreadable,
    FileUnsafe,
    ReceiptRefused,
    ServiceObjects,
    ServiceRefused,
    SpoolDamaged,
    SpoolFull,
    UploadGone,
    WindowClosed,
)
from dockstation.events import Event, Kind, Tell
from dockstation.journal import TO_SEND, TO_SETTLE, FileRow, State
from dockstation.journal_store import Journal
from dockstation.receipts import Settler
from dockstation.threads import Books, Lane
from dockstation.uploader import Uploader
from evidence.core.clock import Clock
from ledger.errors import CodedError

RECEIPTS_AT_ONCE = 4
"""Receipts that are asked for at the same time, per recorder."""

ANEW_MAX = 3
"""How often one file is begun anew by one run of the program before it counts as stuck."""

ANEW_CODES = frozenset(
    {
        *("manifest.disagrees", "upload.expired", "upload.finished", "upload.incomplete"),
        *("upload.spool_damaged", "upload.spool_lost"),
    }
)
"""The service's codes for an upload whose bytes are not the file's: damaged on the way, or lost at its side."""

Stuck = dict[FileKey, CodedError]
"""Files that will not get on by themselves, and why."""


class Courier:
    """Carries files.

    Args:
        uploader: Card to service.
        settler: Service to receipt.
        copier: Card to spool; None where there is none.
        books: The journal.
        receipt_seconds: How long receipts are waited for after the last byte of a file.
        clock: The station's clock, for events.
        tell: Who wants to know.
    """

    def __init__(
        self,
        *,
        uploader: Uploader,
        settler: Settler,
        copier: Copier | None,
        books: Books,
        receipt_seconds: float,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._uploader = uploader
        self._settler = settler
        self._copier = copier
        self._books = books
        self._receipt_seconds = receipt_seconds
        self._clock = clock
        self._tell = tell
        self._begun_anew: dict[FileKey, int] = {}
        self._asking: set[int] = set()

    async def carry(self, rows: Sequence[FileRow], *, card: Card, lane: Lane, slot: str, stuck: Stuck) -> None:
        """Bring files that are on a card as far as they get.

        Args:
            rows: In the order of sending.
            stuck: Takes the files that will not get on by themselves.

        Raises:
            DockError: What ended it for all files.
        """
        trip = Trip(self, slot=slot, stuck=stuck)
        async with asyncio.TaskGroup() as receipts:
            for row in rows:
                if trip.end is None and row.state in TO_SEND and not row.is_copied:
                    row = await trip.attempt(row, self._take(row, card, lane, slot))  # noqa: PLW2901 - the row moves on
                if trip.end is None and row.state in TO_SETTLE:
                    receipts.create_task(trip.settle(row))
        if trip.end is not None:
            raise trip.end

    async def settle(self, rows: Sequence[FileRow]) -> DockError | None:
        """Ask for the receipts of files whose card is not needed any more; return what ended it early."""
        trip = Trip(self, slot="", stuck={})
        async with asyncio.TaskGroup() as receipts:
            for row in rows:
                receipts.create_task(trip.settle(row))
        return trip.end

    async def _take(self, row: FileRow, card: Card, lane: Lane, slot: str) -> FileRow:
        """Bring a file into the spool, or to the service where there is no room or no spool."""
        if self._copier is not None and row.state is State.INVENTORIED:
            try:
                return await self._copy(self._copier, row, card, lane, slot)
            except SpoolFull as error:
                row = await self.fresh(row)
                self.report(Kind.DIRECT, row, slot=slot, text=error.message)

        def on_bytes(done_bytes: int) -> None:
            self.report(Kind.SENDING, row, slot=slot, done_bytes=done_bytes)

        row = await self._uploader.send(row, medium=card, file=row.seen, lane=lane, on_bytes=on_bytes)
        self.report(Kind.UPLOADED, row, slot=slot)
        return row

    async def _copy(self, copier: Copier, row: FileRow, card: Card, lane: Lane, slot: str) -> FileRow:
        def on_bytes(done_bytes: int) -> None:
            self.report(Kind.COPYING, row, slot=slot, done_bytes=done_bytes)

        row = await copier.copy(row, card=card, lane=lane, on_bytes=on_bytes)
        self.report(Kind.COPIED, row, slot=slot)
        return row

    async def fetch(self, row: FileRow, *, end: float, slot: str) -> FileRow:
        """Ask for a receipt until the loop's time `end`; report it when it came."""
        if row.id in self._asking:
            # A recorder that comes back while its old receipts are being asked for: once is enough.
            return row
        self._asking.add(row.id)
        try:
            row = await self._settler.settle(row, end=end)
        finally:
            self._asking.discard(row.id)
        if row.state is State.RECEIPT_VERIFIED:
            self.report(Kind.RECEIPTED, row, slot=slot)
            if self._copier is not None:
                row = await self._copier.drop(row)
        return row

    async def judge(self, row: FileRow, error: DockError, *, slot: str, stuck: Stuck) -> FileRow:
        """Draw the consequence of a failure that concerns one file.

        Raises:
            DockError: It concerns all.
        """
        key = row.seen.key
        damaged = error.details.get("service_code") in ANEW_CODES
        if isinstance(error, FileChanged | SpoolDamaged | UploadGone) or damaged:
            if damaged:
                await self._books.do(Journal.restart, row, reason=str(error))
            self._begun_anew[key] = self._begun_anew.get(key, 0) + 1
            if self._begun_anew[key] > ANEW_MAX:
                stuck[key] = error
            self.report(Kind.TROUBLE, row, slot=slot, text=str(error))
        elif isinstance(error, WindowClosed):
            stuck[key] = error
        elif isinstance(error, ServiceRefused):
            row = await self._books.do(Journal.refuse, row, reason=str(error))
            self.report(Kind.REFUSED, row, slot=slot, text=str(error))
        elif isinstance(error, FileUnreadable | FileUnsafe | FileGone | ServiceObjects | ReceiptRefused):
            row = await self._books.do(Journal.trouble, row, reason=str(error))
            stuck[key] = error
            self.report(Kind.TROUBLE, row, slot=slot, text=str(error))
        else:
            raise error
        return row

    def report(self, kind: Kind, row: FileRow, *, slot: str, done_bytes: int = 0, text: str = "") -> None:
        """Tell what happened to a file."""
        self._tell(
            Event(
                kind=kind,
                at=self._clock(),
                slot=slot,
                recorder=row.recorder,
                path=row.path,
                done_bytes=done_bytes,
                size_bytes=row.seen.size,
                text=text,
                clip="" if row.clip is None else str(row.clip),
            )
        )

    async def fresh(self, row: FileRow) -> FileRow:
        """Return the row as the journal has it now."""
        return await self._books.do(Journal.get, row.id)

    def receipt_end(self) -> float:
        """Return until when a receipt is waited for, on the loop's clock."""
        return asyncio.get_running_loop().time() + self._receipt_seconds


class Trip:
    """One call of `carry` or `forward`: the failure that ends it for all files, and places at the receipt counter."""

    def __init__(self, courier: Courier, *, slot: str, stuck: Stuck) -> None:
        self.end: DockError | None = None
        self._courier = courier
        self._slot = slot
        self._stuck = stuck
        self._places = asyncio.Semaphore(RECEIPTS_AT_ONCE)

    async def attempt(self, row: FileRow, step: Coroutine[object, object, FileRow]) -> FileRow:
        """Take one step for one file; a failure for all files is kept in `end`."""
        try:
            return await step
        except DockError as error:
            row = await self._courier.fresh(row)
            try:
                return await self._courier.judge(row, error, slot=self._slot, stuck=self._stuck)
            except DockError as for_all:
                self.end = self.end or for_all
                return row

    async def settle(self, row: FileRow) -> None:
        """Ask for a receipt when a place is free."""
        end = self._courier.receipt_end()
        async with self._places:
            if self.end is None:
                await self.attempt(row, self._courier.fetch(row, end=end, slot=self._slot))
