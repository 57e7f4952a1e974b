"""Uploader: carries the bytes of one file from the card, or from the spool, to the service, whatever the link does.

Order of effects, and what a crash in between costs:

1. the service opens an upload                     crash: an empty upload nobody uses, which the service forgets
2. the journal remembers its path                  crash: the offset is asked, the prefix read again, the rest sent
3. bytes go out, chunk after chunk, hashed in the same read; the service acknowledges what is on its disk
4. the journal remembers the acknowledged offset and the digest of what was read so far
5. after the last byte: the file is still the one that was seen
6. the journal remembers the digests (`uploaded`)  crash: from here on the card is not needed any more

When the link breaks the same reader goes on from the service's offset; bytes read twice are compared with their first
reading (see intake.py). A file that changes under the reader is given up and begun anew; the old upload is terminated.
A copy in the spool that is not what was read from the card any more is not sent on: `SpoolDamaged`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Callable

from dockstation.backoff import Patience
from dockstation.card import SeenFile
from dockstation.errors import (
    DockError,
    FileChanged,
    LinkLost,
    OffsetConflict,
    ServiceBusy,
    ServiceMalformed,
    SpoolDamaged,
    UploadGone,
)
from dockstation.intake import FileReader, Medium, Pread
from dockstation.journal import FileRow, State
from dockstation.journal_store import Journal
from dockstation.link import asked_seconds
from dockstation.threads import Books, Lane
from dockstation.throttle import Throttle
from dockstation.tus import TusClient
from evidence.core.digest import CHUNK_BYTES

AHEAD_BYTES = 2 * 1024 * 1024
"""Pieces of all files on their way, together; each is in memory up to three times: read ahead, in hand, being sent."""

PART_BYTES_MIN = 64 * 1024
"""Least bytes handed to the socket at once, where the throttle does not say less."""

OnBytes = Callable[[int], None]
"""Told how many bytes of the file have been handed to the link."""


class Uploader:
    """Sends files over one service.

    Args:
        tus: The protocol.
        books: The journal.
        throttle: When, and how fast.
        patch_bytes_max: Most bytes of one request.
        patience_seconds: How long failures are borne without an acknowledged byte.
        pread: How a file is read; the system's own, unless a medium is to fail on purpose.
    """

    def __init__(
        self,
        *,
        tus: TusClient,
        books: Books,
        throttle: Throttle,
        patch_bytes_max: int,
        patience_seconds: float,
        pread: Pread = os.pread,
    ) -> None:
        self._tus = tus
        self._books = books
        self._throttle = throttle
        self._patch_bytes_max = patch_bytes_max
        self._patience_seconds = patience_seconds
        self._pread = pread
        self._sending = 0

    async def send(self, row: FileRow, *, medium: Medium, file: SeenFile, lane: Lane, on_bytes: OnBytes) -> FileRow:
        """Bring a file that is `inventoried`, `copied` or `uploading` to `uploaded`.

        Args:
            medium: The recorder's card, or the spool.
            file: The file as it lies there.
            lane: The medium's thread.

        Raises:
            FileChanged: The file was given up and is in the journal anew.
            SpoolDamaged: The copy in the spool is not what was read from the card.
            DockError: The card, the service or the link; the journal keeps what was reached.
        """
        reader = await lane.run(FileReader, medium, file, pread=self._pread)
        self._sending += 1
        try:
            return await self._send(row, reader, lane, on_bytes)
        except FileChanged as error:
            if row.is_copied:
                raise SpoolDamaged(error.message) from error
            await self._give_up(row, reason=str(error))
            raise
        finally:
            self._sending -= 1
            # Not awaited: after a cancellation the thread still closes the file, when its last read is over.
            lane.start(reader.close)

    async def _send(self, row: FileRow, reader: FileReader, lane: Lane, on_bytes: OnBytes) -> FileRow:
        patience = Patience(self._patience_seconds)
        while True:
            try:
                row = await self._go_on(row, reader, lane, patience, on_bytes)
                break
            except UploadGone as error:
                row = await self._books.do(Journal.get, row.id)
                row = await self._books.do(Journal.restart, row, reason=str(error))
                await patience.hold(error)
            except LinkLost as error:
                row = await self._books.do(Journal.get, row.id)
                await patience.hold(error, rest=self._tus.rest)
            except (ServiceBusy, OffsetConflict, ServiceMalformed) as error:
                row = await self._books.do(Journal.get, row.id)
                await patience.hold(error, asked_seconds=asked_seconds(error))
        digest = await lane.run(reader.finish)
        if row.digest is not None and row.digest != digest:
            raise FileChanged(f"the copy of {row.path} is not what was read from the recorder")
        return await self._books.do(Journal.finish_upload, row, digest)

    async def _go_on(
        self, row: FileRow, reader: FileReader, lane: Lane, patience: Patience, on_bytes: OnBytes
    ) -> FileRow:
        size = row.seen.size
        if row.upload is None:
            row = await self._books.do(Journal.begin_upload, row, upload=await self._create(row))
            offset = 0
        else:
            offset = await self._tus.offset(row.upload, size=size)
        if row.prefix is not None and reader.hashed_bytes == 0:
            await lane.run(reader.catch_up, row.prefix)
        while offset < size:
            self._throttle.check(marked=row.key_mark)
            end = min(size, (offset + self._patch_bytes_max) // CHUNK_BYTES * CHUNK_BYTES)
            offset = await self._append(row, reader, lane, offset=offset, end=end, on_bytes=on_bytes)
            row = await self._books.do(Journal.acknowledge, row, offset_bytes=offset, prefix=reader.prefix())
            patience.progress()
        return row

    async def _create(self, row: FileRow) -> str:
        metadata = {"inventory": str(row.inventory), "path": row.path, "recorder": row.recorder}
        if row.seen.raw:
            metadata["raw"] = "true"
        return await self._tus.create(size=row.seen.size, metadata=metadata)

    async def _append(
        self, row: FileRow, reader: FileReader, lane: Lane, *, offset: int, end: int, on_bytes: OnBytes
    ) -> int:
        own_errors: list[DockError] = []
        pieces = self._pieces(row, reader, lane, offset=offset, end=end, errors=own_errors, on_bytes=on_bytes)
        # `pieces` is not closed here: after a lost connection aiohttp's own task may still be waiting inside it for the
        # card. It holds nothing but that wait, and the card's thread puts every later read after it.
        try:
            return await self._tus.append(row.upload or "", offset=offset, count=end - offset, pieces=pieces)
        except DockError:
            # aiohttp reports a failing body as a lost connection; what the card or the throttle said is the cause.
            if own_errors:
                raise own_errors[0] from None
            raise

    async def _give_up(self, row: FileRow, *, reason: str) -> None:
        row = await self._books.do(Journal.get, row.id)
        if row.state not in {State.INVENTORIED, State.UPLOADING}:
            return
        await self._books.do(Journal.restart, row, reason=reason)
        if row.upload is not None:
            # Only tidiness: the service forgets unfinished uploads by itself.
            with contextlib.suppress(DockError):
                await self._tus.terminate(row.upload)

    async def _pieces(
        self,
        row: FileRow,
        reader: FileReader,
        lane: Lane,
        *,
        offset: int,
        end: int,
        errors: list[DockError],
        on_bytes: OnBytes,
    ) -> AsyncGenerator[memoryview, None]:
        """Yield the bytes from `offset` to `end`, reading one piece ahead of the socket."""
        ahead = lane.start(reader.piece, offset, self._piece_bytes(offset, end))
        part_bytes = PART_BYTES_MIN
        try:
            while offset < end:
                data = await asyncio.wrap_future(ahead)
                view = memoryview(data)[: end - offset]
                after = offset + len(view)
                if after < end:
                    ahead = lane.start(reader.piece, after, self._piece_bytes(after, end))
                while view:
                    part, view = view[:part_bytes], view[part_bytes:]
                    await self._throttle.take(len(part), marked=row.key_mark)
                    begin = time.monotonic()
                    yield part
                    part_bytes = _next_part_bytes(part_bytes, time.monotonic() - begin)
                    offset += len(part)
                    on_bytes(offset)
        except DockError as error:
            errors.append(error)
            raise

    def _piece_bytes(self, offset: int, end: int) -> int:
        """Return how much is to be read next: much for one recorder, and together no more for many."""
        share = AHEAD_BYTES // max(1, self._sending)
        return max(1, min(CHUNK_BYTES, share, self._throttle.piece_bytes, end - offset))


def _next_part_bytes(count: int, seconds: float) -> int:
    """Return how many bytes to hand to the socket after `count` took so long: a fast link is not to be called for every
    few bytes, and on a slow one the connection must be seen to move (`link.QUIET_SECONDS`).
    """
    if seconds < 0.05:
        return min(2 * count, CHUNK_BYTES)
    return max(count // 2, PART_BYTES_MIN) if seconds > 1.0 else count
