"""A TCP line on 127.0.0.1 that hands on so many bytes of an answer and then breaks, or falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

_BLOCK_BYTES = 16 * 1024


@dataclass
class CutLine:
    """What the line does.

    Attributes:
        bytes_left: Answer bytes of each coming break, the next one first; without any the line is whole.
        then: Whether it breaks there, or is held without another byte.
        breaks: How often it broke or fell silent.
        heads: First line of each request, and its `Range`, as they went over it.
    """

    bytes_left: list[int] = field(default_factory=list)
    then: Literal["break", "hold"] = "break"
    breaks: int = 0
    heads: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        """Lead to a service on loopback; yields the address to use instead."""
        scheme, _, far = url.partition("://")
        host, _, port = far.rpartition(":")
        tasks = set[asyncio.Task[None]]()

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            try:
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._ask(reader, far_writer))
                    ways.create_task(self._answer(far_reader, writer))
            except* (OSError, EOFError):
                pass
            finally:
                for one in (writer, far_writer):
                    one.transport.abort()
                tasks.discard(task)

        server = await asyncio.start_server(carry, "127.0.0.1", 0)
        try:
            yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_BLOCK_BYTES):
            lines = data.decode(errors="replace").split("\r\n")
            ranges = [line for line in lines if line.startswith("Range:")]
            self.heads.append(" ".join([lines[0], *ranges]))
            writer.write(data)
            await writer.drain()
        raise EOFError

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = 0
        while data := await reader.read(_BLOCK_BYTES):
            if self.bytes_left and sent + len(data) > self.bytes_left[0]:
                self.bytes_left.pop(0)
                self.breaks += 1
                if self.then == "hold":
                    await asyncio.Event().wait()
                raise EOFError
            sent += len(data)
            writer.write(data)
            await writer.drain()
        raise EOFError
