"""Copier: store-and-forward, first half. A file goes from the card into the spool, in the one read that hashes it.

Order of effects, and what a crash in between costs:

1. room is set aside; the journal knows the name             crash: a name without a file, taken up again
2. chunks are written and synced; the journal knows the prefix  crash: the part is gone on with as far as it fits
3. the file on the card is still the one that was seen, the copy is synced
4. the journal says `copied`, with the digests               crash: the part is compared with the card, then 3 again
5. from here on the card is needed for nothing but clearing; forward.py sends the copy
6. a verified receipt is in the journal                      crash: the next start removes the copy
7. the copy is removed, the folder synced
8. the journal forgets the name                              crash: the next start finds nothing to remove, goes on to 8

A pulled card leaves its part: it is never sent, and gone on with when the same file comes back and begins with the same
bytes. Parts of recorders that do not come back make room for whole copies when it runs short. When there is no room at
all, the file is sent straight from the card (`SpoolFull`).
"""

from __future__ import annotations

import asyncio

from dockstation.card import Card
from dockstation.errors import DockError, FileChanged, SpoolFull
from dockstation.journal import FileRow
from dockstation.journal_store import Journal
from dockstation.spool import Copy, Spool
from dockstation.threads import Books, Lane
from dockstation.uploader import OnBytes
from evidence.core.clock import Entropy

STEP_CHUNKS = 4
"""Chunks that are copied between two looks at what else is to be done."""

REMEMBER_CHUNKS = 64
"""Chunks after which the journal is told how far a copy is."""

_NAME_BYTES = 16


class Copier:
    """Fills the spool and empties it.

    Args:
        spool: Where the copies lie.
        books: The journal.
        entropy: For names.
    """

    def __init__(self, *, spool: Spool, books: Books, entropy: Entropy) -> None:
        self.spool = spool
        self._books = books
        self._entropy = entropy

    async def copy(self, row: FileRow, *, card: Card, lane: Lane, on_bytes: OnBytes) -> FileRow:
        """Bring a file that is `inventoried` to `copied`.

        Raises:
            SpoolFull: There is no room, or the spool's disk fails; nothing of the file is in the spool.
            FileChanged: The file was given up and is in the journal anew.
            DockError: The card; the part stays.
        """
        name = row.spool or f"{self._entropy(_NAME_BYTES).hex()}.clip"
        try:
            await self._set_aside(name, row.seen.size)
            row = await self._books.do(Journal.begin_copy, row, spool=name)
            return await self._copy(row, card, lane, on_bytes)
        except SpoolFull:
            await self._forget(await self._books.do(Journal.get, row.id))
            raise
        except FileChanged as error:
            await self._books.do(Journal.restart, await self._books.do(Journal.get, row.id), reason=str(error))
            await self.drop(await self._books.do(Journal.get, row.id))
            raise
        finally:
            self.spool.written(name)

    async def drop(self, row: FileRow) -> FileRow:
        """Remove a row's file from the spool; one that the disk does not let go is tried again at the next start."""
        if row.spool is None:
            return row
        try:
            return await self._forget(row)
        except SpoolFull:
            return row

    async def tidy(self) -> None:
        """Remove what is of no more use, as an earlier run may have left it."""
        for row in await self._books.do(Journal.droppable_copies):
            await self.drop(row)

    async def lose(self, row: FileRow, error: DockError) -> FileRow:
        """Give up a copy that is not what was read; the file is begun anew, from the card."""
        if row.spool is not None:
            await asyncio.to_thread(self.spool.put_aside, row.spool)
        return await self._books.do(Journal.restart, row, reason=str(error), copy_lost=True)

    async def _copy(self, row: FileRow, card: Card, lane: Lane, on_bytes: OnBytes) -> FileRow:
        copy = await lane.run(Copy, self.spool, card, row)
        try:
            done, remembered = 0, 0
            while done < row.seen.size:
                done = await lane.run(copy.step, STEP_CHUNKS)
                on_bytes(done)
                prefix = copy.reader.prefix()
                if prefix.chunks - remembered >= REMEMBER_CHUNKS:
                    row = await self._books.do(Journal.remember_copy, row, prefix=prefix)
                    remembered = prefix.chunks
            return await self._books.do(Journal.copied, row, await lane.run(copy.finish))
        except DockError:
            # A pulled card, say: what is on the disk is gone on with later.
            if copy.reader.hashed_bytes:
                await self._books.do(Journal.remember_copy, row, prefix=copy.reader.prefix())
            raise
        finally:
            lane.start(copy.close)

    async def _set_aside(self, name: str, size: int) -> None:
        try:
            self.spool.set_aside(name, size)
        except SpoolFull:
            for part in await self._books.do(Journal.parts_of_copies):
                if part.spool and part.spool != name and not self.spool.is_written_to(part.spool):
                    await self._forget(part)
            self.spool.set_aside(name, size)

    async def _forget(self, row: FileRow) -> FileRow:
        if row.spool is None:
            return row
        await asyncio.to_thread(self.spool.remove, row.spool)
        return await self._books.do(Journal.forget_copy, row)
