"""Clearing: files leave a recorder only when a verified receipt says that the log holds exactly them.

A file is removed when all of these hold, each looked at again right before:

1. the journal says `clearable`: receipt verified and on the disk, not marked by the officer, kept long enough;
2. the receipt file is there;
3. the file on the card has the size and time that were sealed, and is the very file that was read (device and inode,
   as long as the card stayed mounted) - or its bytes, read once more, still give the sealed digests.

One folder is cleared after the other, and what went from one stands in a signed list before the next is begun. A dry
run removes nothing and says of every file on the card whether it would go, or why it stays.

Order of effects: journal notes the intent -> file removed, folder synced -> journal says `cleared` -> signed list in
the journal -> list sent. A crash after the removal finds the intent and the missing file, and goes on from there; a
list that was not sent is sent at the next chance. The service never hears of a removal that did not happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path

from dockstation.card import Card, FileKey, SeenFile
from dockstation.errors import DockError, FileNotCleared
from dockstation.identity import Enrolment
from dockstation.intake import FileReader
from dockstation.journal import RECEIPTED, FileRow, State, WaitingNote
from dockstation.journal_store import Journal
from dockstation.threads import Books, Lane
from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.digest import ClipDigest
from evidence.core.ids import uuid7
from evidence.core.wire.cleared import CLEARED_FILES_MAX, Cleared, ClearedFile, sign_cleared
from ledger.note import Signer


@dataclass(frozen=True, slots=True)
class ClearingResult:
    """What happened to one file that might go: `error` is None when it went, or would go in a dry run."""

    row: FileRow
    error: DockError | None


class Cleaner:
    """Clears recorders.

    Args:
        books: The journal.
        signer: The station's key.
        enrolment: Whose statements.
        receipts: Folder of the verified receipts.
        keep_hours: How long a receipted file stays.
        rehash: Read every file once more, not only those mounted anew.
        dry_run: Only tell what would go.
        clock: The station's clock.
        entropy: For ids of statements.
    """

    def __init__(
        self,
        *,
        books: Books,
        signer: Signer,
        enrolment: Enrolment,
        receipts: Path,
        keep_hours: float,
        rehash: bool,
        dry_run: bool,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._books = books
        self._signer = signer
        self._enrolment = enrolment
        self._receipts = receipts
        self._keep = timedelta(hours=keep_hours)
        self._rehash = rehash
        self.dry_run = dry_run
        self._clock = clock
        self._entropy = entropy

    async def finish_interrupted(self, card: Card, *, seen: Iterable[FileKey], recorders: frozenset[str]) -> None:
        """Complete removals from this card that a crash interrupted between the removal and the journal.

        Args:
            seen: Keys of the files that are on the card.
            recorders: Recorders whose files are on the card; empty for an empty card.
        """
        keys = frozenset(seen)
        for row in await self._books.do(Journal.rows, {State.CLEARABLE}):
            here = row.clearing_root == str(card.root) and row.seen.device == card.device
            if here and row.seen.key not in keys and (not recorders or row.recorder in recorders):
                await self._books.do(Journal.cleared, row)

    async def clear(self, card: Card, lane: Lane, *, recorder: str, files: Sequence[SeenFile]) -> list[ClearingResult]:
        """Remove what may go of one recorder's files, and put the signed list into the journal.

        Raises:
            CardLost: The card was pulled.
        """
        await self._books.do(Journal.mark_clearable, verified_before=self._clock() - self._keep)
        on_card = {file.key: file for file in files}
        rows = await self._books.do(Journal.rows, {State.CLEARABLE})
        here = [row for row in rows if row.recorder == recorder and row.seen.key in on_card]
        here.sort(key=lambda row: row.seen.name.rpartition(b"/")[0])
        results: list[ClearingResult] = []
        if not self.dry_run:
            # What a run removed that was cut off before it could state it.
            await self._list(recorder)
        for _, folder in groupby(here, key=lambda row: row.seen.name.rpartition(b"/")[0]):
            results += [await self._clear_one(card, lane, row, on_card[row.seen.key]) for row in folder]
            if not self.dry_run:
                await self._list(recorder)
        return results

    async def staying(self, *, recorder: str, files: Sequence[SeenFile]) -> list[tuple[str, str]]:
        """Return path and reason of each of a recorder's files on the card that clearing leaves alone."""
        known = {row.seen.key: row for row in await self._books.do(Journal.newest, recorder, [f.key for f in files])}
        return [(file.path, why) for file in files if (why := self._why_it_stays(known.get(file.key)))]

    def _why_it_stays(self, row: FileRow | None) -> str:
        if row is None or row.state in {State.CLEARED, State.ABANDONED}:
            return "在清单之外 no inventory lists it yet"
        if row.state is State.REFUSED:
            return f"服务器拒收 the service refused it: {row.trouble}"
        if row.state not in RECEIPTED:
            return f"尚无回执 no verified receipt yet ({row.state.value})"
        if row.key_mark:
            return "重点标记 marked by the officer"
        if row.state is State.RECEIPT_VERIFIED and row.verified_at is not None:
            return f"保留至 kept until {format_time(row.verified_at + self._keep)}"
        return ""

    async def _clear_one(self, card: Card, lane: Lane, row: FileRow, file: SeenFile) -> ClearingResult:
        try:
            await lane.run(card.check)
            await self._look_again(card, lane, row, file)
            if not self.dry_run:
                row = await self._books.do(Journal.begin_clearing, row, root=card.root)
                await lane.run(card.remove, file)
                row = await self._books.do(Journal.cleared, row)
        except FileNotCleared as error:
            return ClearingResult(await self._books.do(Journal.trouble, row, reason=str(error)), error)
        except DockError as error:
            await lane.run(card.check)
            return ClearingResult(row, error)
        return ClearingResult(row, None)

    async def _look_again(self, card: Card, lane: Lane, row: FileRow, file: SeenFile) -> None:
        if not (self._receipts / f"{row.entry}.receipt").is_file():
            raise FileNotCleared(f"{row.path}: its receipt is no longer in {self._receipts}")
        if not self._rehash and row.read_identity == (file.device, file.inode):
            return
        if await lane.run(_digest_on_card, card, file) != row.digest:
            raise FileNotCleared(f"{row.path}: the bytes on the card are not those that were sealed")

    async def _list(self, recorder: str) -> None:
        rows = list(await self._books.do(Journal.unlisted_clearings, recorder))
        while rows:
            listed = _one_per_path(rows)[:CLEARED_FILES_MAX]
            note = WaitingNote(
                id=uuid7(clock=self._clock, entropy=self._entropy),
                kind="cleared",
                recorder=recorder,
                note=sign_cleared(self._statement(recorder, listed), self._signer),
            )
            await self._books.do(Journal.write_cleared, note, dock=self._enrolment.dock, rows=listed)
            rows = [row for row in rows if row not in listed]

    def _statement(self, recorder: str, rows: Sequence[FileRow]) -> Cleared:
        files = tuple(_cleared_file(row) for row in rows)
        return Cleared(dock=self._enrolment.dock, recorder=recorder, at=self._clock(), files=files)


def _digest_on_card(card: Card, file: SeenFile) -> ClipDigest:
    with FileReader(card, file) as reader:
        return reader.finish()


def _cleared_file(row: FileRow) -> ClearedFile:
    if row.clip is None or row.sha256 is None:
        raise FileNotCleared(f"{row.path}: the journal names no clip for it")
    return ClearedFile(path=row.path, raw=row.seen.raw, clip=row.clip, sha256=row.sha256)


def _one_per_path(rows: Sequence[FileRow]) -> list[FileRow]:
    """Return the first row of every path: a list may not name a path twice, even if it was cleared twice."""
    return list({(row.path, row.seen.raw): row for row in reversed(rows)}.values())[::-1]
