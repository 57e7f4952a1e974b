"""The way of one request's bytes: into a buffer on the event loop, written and hashed in two threads, without waiting
for each other.

```
event loop --into a buffer-------> thread 1: write at its place, leaf of the clip tree --> thread 2: whole-file digest
     ^                                                                                            |
     +------------------------------ the buffer comes back to the ring ---------------------------+
```

Where SM3 is computed a third thread follows, which is the slowest: it sets the pace of one stream then.

Thread 2 is left out while the whole-file digest lags behind the tree (after a restart, see `ingest.digests`). A buffer
never crosses the end of a chunk. When the threads are slower than the network the ring runs empty and `room` waits:
that is the back-pressure. After a failure blocks are only passed on, so that every buffer comes back and nobody waits
for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from queue import SimpleQueue

from evidence.core.digest import CHUNK_BYTES
from ingest.buffers import Ring
from ingest.digests import RunningDigest
from ingest.offload import disk_error
from ingest.spool import SpoolFile


@dataclass(frozen=True, slots=True)
class _Block:
    """A filled piece of a buffer and its place in the file."""

    buffer: bytearray
    length: int
    position: int

    @property
    def data(self) -> memoryview:
        """The filled part of the buffer."""
        return memoryview(self.buffer)[: self.length]


_Blocks = SimpleQueue[_Block | None]


class Pipeline:
    """Takes the bytes that follow `digest.offset`; must be closed.

    Args:
        file: Where they are written.
        digest: The digests of the bytes before them.
        ring: Buffers.
        threads: Two are taken until `close`, three with SM3.
        also: Sees every byte as well, in order, in the thread that writes.

    Attributes:
        written: End of the bytes that were written without a gap; they are in the system's hands, not yet synced.
        takes_whole: Whether the whole-file digest is fed here, and so by nobody else until `close`.
    """

    def __init__(
        self,
        *,
        file: SpoolFile,
        digest: RunningDigest,
        ring: Ring,
        threads: Executor,
        also: Callable[[memoryview], None] | None = None,
    ) -> None:
        self.written = digest.offset
        self._file = file
        self._digest = digest
        self._also = also
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._position = digest.offset
        self._buffer: bytearray | None = None
        self._filled = 0
        self._under_way = 0
        self._all_back = asyncio.Event()
        self._all_back.set()
        self._error: BaseException | None = None
        self._to_write: _Blocks = SimpleQueue()
        self._to_digest: _Blocks = SimpleQueue()
        self._to_sm3: _Blocks = SimpleQueue()
        self.takes_whole = not digest.lags
        self._threads = self._start(threads, with_whole=self.takes_whole)

    @property
    def fed(self) -> int:
        """End of the bytes that came."""
        return self._position + self._filled

    async def room(self) -> memoryview:
        """Return where the next bytes go, waiting for a buffer; good until `took`, `hand_over` or `close`.

        Raises:
            UploadNoSpace, SpoolFailed: Something handed over earlier could not be written.
        """
        if self._buffer is None:
            self._buffer = await self._ring.take()
        self._raise_error()
        return self._room_in(self._buffer)

    def room_now(self) -> memoryview | None:
        """Return the same without waiting, or None."""
        if self._buffer is None:
            self._buffer = self._ring.take_now()
        return None if self._buffer is None or self._error is not None else self._room_in(self._buffer)

    def took(self, count: int) -> None:
        """Take over so many bytes of the room; a full buffer goes on its way."""
        self._filled += count
        if self.fed % CHUNK_BYTES == 0:
            self.hand_over()

    def hand_over(self) -> None:
        """Send what is in the buffer on its way, full or not."""
        if self._buffer is None or not self._filled:
            return
        self._under_way += 1
        self._all_back.clear()
        self._to_write.put(_Block(self._buffer, self._filled, self._position))
        self._position += self._filled
        self._buffer, self._filled = None, 0

    async def drain(self) -> None:
        """Wait until everything that came is written and hashed.

        Raises:
            UploadNoSpace, SpoolFailed: Something could not be written; `written` tells how far it came.
        """
        self.hand_over()
        await self._all_back.wait()
        self._raise_error()

    async def close(self) -> None:
        """Let the threads go; what came and was not drained is lost."""
        self.hand_over()
        if self._buffer is not None:
            self._ring.give_back(self._buffer)
            self._buffer = None
        self._to_write.put(None)
        # Their failure, if there was one, has come out of `room` or `drain` already.
        await asyncio.gather(*self._threads, return_exceptions=True)

    def _room_in(self, buffer: bytearray) -> memoryview:
        end = CHUNK_BYTES - self._position % CHUNK_BYTES
        return memoryview(buffer)[self._filled : end]

    def _start(self, threads: Executor, *, with_whole: bool) -> list[asyncio.Future[None]]:
        after_writing = self._to_digest.put if with_whole else self._send_back
        lanes = [self._loop.run_in_executor(threads, self._work, self._to_write, self._write, after_writing)]
        if with_whole:
            with_sm3 = self._digest.takes_sm3
            after_digest = self._to_sm3.put if with_sm3 else self._send_back
            lanes.append(self._loop.run_in_executor(threads, self._work, self._to_digest, self._take, after_digest))
            if with_sm3:
                take, back = self._take_sm3, self._send_back
                lanes.append(self._loop.run_in_executor(threads, self._work, self._to_sm3, take, back))
        return lanes

    def _work(self, blocks: _Blocks, step: Callable[[_Block], None], pass_on: Callable[[_Block | None], None]) -> None:
        block: _Block | None = None
        try:
            while (block := blocks.get()) is not None:
                step(block)
                pass_on(block)
        except BaseException as error:  # broad: whatever a thread dies of, those that wait for its blocks must end too
            self._error = error
            while block is not None:
                pass_on(block)
                block = blocks.get()
            raise
        finally:
            pass_on(None)

    def _write(self, block: _Block) -> None:
        self._file.write(block.data, block.position)
        if self._also is not None:
            self._also(block.data)
        for index, leaf in self._digest.take_chunk(block.data):
            self._file.write_leaf(index, leaf)
        self.written = block.position + block.length

    def _take(self, block: _Block) -> None:
        self._digest.take_whole(block.data)

    def _take_sm3(self, block: _Block) -> None:
        self._digest.take_sm3(block.data)

    def _send_back(self, block: _Block | None) -> None:
        if block is not None:
            self._loop.call_soon_threadsafe(self._receive_back, block)

    def _receive_back(self, block: _Block) -> None:
        self._ring.give_back(block.buffer)
        self._under_way -= 1
        if self._under_way == 0:
            self._all_back.set()

    def _raise_error(self) -> None:
        if isinstance(self._error, OSError):
            raise disk_error(self._error) from self._error
        if self._error is not None:
            raise self._error
