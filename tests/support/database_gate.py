"""A gate before PostgreSQL: connections run through it until it is shut, at the very moment a test chooses.

It stands for a database that stops (`shut`: every connection is cut, new ones are refused), with `cut` alone for one
that comes back as another: connections are cut and the next ones are made anew, and with `answers_left` for one that
hangs: connections stay, new ones are taken, and nothing is said any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

_PIECE_BYTES = 64 * 1024
_SOCKET = ".s.PGSQL.5432"


class DatabaseGate:
    """One gate; `dsn` is the address of the database behind it, as a program takes it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        parts = urlsplit(dsn)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._behind = Path(query["host"]) / _SOCKET
        self._path = folder / _SOCKET
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers_left: int | None = None
        self.dsn = urlunsplit(parts._replace(query=urlencode({**query, "host": str(folder)})))

    async def open(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_unix_server(self._through, self._path)

    def shut(self) -> None:
        """Stop at once: whatever is on its way does not arrive, and nobody gets through any more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._path.unlink(missing_ok=True)
        self.cut()

    def cut(self) -> None:
        """Cut every connection there is."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def end(self) -> None:
        """Shut, and wait until nothing runs any more."""
        self.shut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_unix_connection(self._behind)
            self._open |= {writer, far_writer}
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer, answers=True))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                if answers and self.answers_left is not None:
                    if self.answers_left == 0:
                        await asyncio.Event().wait()
                    self.answers_left -= 1
                writer.write(piece)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def database_gate(dsn: str, folder: Path) -> AsyncIterator[DatabaseGate]:
    """Put a gate before a database for the length of the block."""
    gate = DatabaseGate(dsn, folder)
    await gate.open()
    try:
        yield gate
    finally:
        await gate.end()
