"""A TCP proxy that stands for a bad link: so many bits per second, a delay, lost segments, and faults on demand.

Sockets are real on both sides. All connections share the rate, as one line does. A segment that is "lost" holds up its
connection for one round trip, as a retransmission does, while other connections go on. Faults are drawn from a seed:
a connection is reset, cut in the middle, held for a while, or has a byte changed on its way to the service.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

SEGMENT_BYTES = 1460
BLOCK_BYTES = 16 * 1024
CUT_SECONDS = 0.02


@dataclass
class SlowLink:
    """What the link does.

    Attributes:
        bits_per_second: Of all connections together, towards the service; 0 for as fast as it goes.
        delay_seconds: One way.
        loss: Part of the segments that hold up their connection for a round trip.
        up: Whether the line is there at all; pulled, connections are reset and new ones refused.
        chance: Source of faults; None for none.
        faults_left: How many faults are still to come.
        moved_bytes: Bytes handed to the service.
        encrypted: Whether TLS runs through it: then any byte may be changed, otherwise only footage.
        first_byte_at: Loop time at which the first byte went to the service since `up` was set last.
    """

    bits_per_second: float = 0.0
    delay_seconds: float = 0.0
    loss: float = 0.0
    up: bool = True
    chance: random.Random | None = None
    faults_left: int = 0
    moved_bytes: int = 0
    first_byte_at: float = 0.0
    encrypted: bool = False
    faults: list[str] = field(default_factory=list)
    _free_at: float = 0.0
    _seeds: random.Random = field(default_factory=lambda: random.Random(1))
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _port: int = 0
    _far_host: str = ""
    _far_port: int = 0

    def pull(self) -> None:
        """Take the line away."""
        self.up = False
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()

    async def plug(self) -> None:
        """Bring the line back."""
        self.up, self.first_byte_at = True, 0.0
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, limit=64 * 1024, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        """Run the proxy before a service on loopback and yield the address to use instead."""
        scheme, _, far = url.partition("://")
        self._far_host, _, far_port = far.rpartition(":")
        self._far_port = int(far_port)
        await self._listen()
        try:
            yield f"{scheme}://{self._far_host}:{self._port}"
        finally:
            self.pull()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._far_host, self._far_port, limit=64 * 1024)
        self._open |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._way(reader, far_writer, out=True))
                ways.create_task(self._way(far_reader, writer, out=False))
        except* (ConnectionError, OSError, EOFError):
            pass
        finally:
            self._open -= {writer, far_writer}
            far_writer.transport.abort()

    async def _way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, out: bool) -> None:
        loop = asyncio.get_running_loop()
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)

        async def deliver() -> None:
            while True:
                at, data = await line.get()
                if (pause := at - loop.time()) > 0:
                    await asyncio.sleep(pause)
                if not data:
                    raise EOFError
                writer.write(data)
                await writer.drain()
                if out:
                    self.moved_bytes += len(data)
                    self.first_byte_at = self.first_byte_at or loop.time()

        async def take() -> None:
            held_until, cut = 0.0, list[bool]()
            while data := await reader.read(BLOCK_BYTES):
                data = self._fault(data, cut, out=out)
                now = loop.time()
                if out and self.bits_per_second:
                    self._free_at = max(self._free_at, now) + len(data) * 8 / self.bits_per_second
                    if (pause := self._free_at - now) > 0.005:
                        await asyncio.sleep(pause)
                at = loop.time() + self.delay_seconds
                if self.faults[-1:] == ["hold"] and self.chance is not None:
                    held_until = max(held_until, at + self.chance.random() * 0.2)
                if self.loss and self._seeds.random() < 1 - (1 - self.loss) ** (len(data) / SEGMENT_BYTES):
                    held_until = at + 2 * self.delay_seconds
                await line.put((max(at, held_until), data))
                if cut:
                    await asyncio.sleep(CUT_SECONDS)
                    raise ConnectionResetError("as the seed wishes")
            await line.put((loop.time() + self.delay_seconds, b""))

        # Whichever ends first ends the other: a connection that nobody delivers to is gone.
        async with asyncio.TaskGroup() as both:
            both.create_task(deliver())
            both.create_task(take())

    @staticmethod
    def _is_footage(data: bytes) -> bool:
        """Tell whether a block is the middle of a body: a changed word of the protocol would be other talk."""
        return (
            len(data) > 4096
            and b" HTTP/1.1\r\n" not in data
            and b"\nshilu/" not in data
            and b"\xe2\x80\x94 " not in data
        )

    def _fault(self, data: bytes, cut: list[bool], *, out: bool) -> bytes:
        chance = self.chance
        if chance is None or self.faults_left <= 0 or chance.random() > 0.12:
            return data
        self.faults_left -= 1
        kind = chance.choice(["reset", "cut", "corrupt", "hold"])
        self.faults.append(kind)
        if kind == "reset":
            raise ConnectionResetError("as the seed wishes")
        if kind == "cut":
            # Fewer bytes arrive than were sent, and a moment later the connection is gone.
            cut.append(True)
            return data[: 1 + chance.randrange(len(data))]
        if kind == "corrupt" and out and (self.encrypted or self._is_footage(data)):
            place = chance.randrange(len(data))
            return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
        return data
