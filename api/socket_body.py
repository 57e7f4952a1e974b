"""The body of a request straight from its socket into the intake's buffers, past the parser and its copies.

aiohttp's way of a body is: read, copy out of the read buffer, copy in the parser, queue, join, and pause and resume
reading at every full queue. A body whose length is known needs none of this: after its head, so many bytes follow and
nothing else. So the connection gets another protocol for just these bytes, which receives into the room that the basin
offers; then aiohttp's own takes over again, with a parser that begins at the next request.

What holds in every case:

- not one byte behind the body is read here: what a client sends ahead waits in the socket;
- a body that the intake does not want to its end (refused, taken over, a full disk) is read on and thrown away, so that
  the answer reaches the client; aiohttp closes the connection when that takes longer than its lingering time;
- a connection that ends is told to aiohttp's protocol as ever.

This is the one place that knows the insides of aiohttp: the attribute `_parser` of its protocol. A body of unknown
length (`Transfer-Encoding: chunked`) goes the ordinary way.
"""

from __future__ import annotations

import asyncio
import socket
from functools import cache
from pathlib import Path

from aiohttp import web
from aiohttp.http import HttpRequestParser
from aiohttp.web_protocol import MAX_MSG_QUEUE_SIZE

from ingest.body import Basin, Body, Pieces, pour_piece

RECEIVE_BUFFER_BYTES = 1 << 20
"""How much of a body may wait in the system, by what is asked of it (Linux takes it twice, for its own needs too).

Left to itself the system lets tens of megabytes of every stream wait, when the disk or the digests are the bottleneck:
memory that no limit of ours counts, and a wait behind the last byte for all of it. So much fills a line of 100 Mbit/s
whose answers take 80 ms. Where the system grants less than that at most, it is left to itself: its own choice is better
than too little.
"""

_GRANTED_MAX = Path("/proc/sys/net/core/rmem_max")

_SPARE_BYTES = 65_536
"""Size of what takes a read for which the basin has no room, and of what reads bytes that nobody wants."""


class SocketBody(Body):
    """The body of a request that nobody has read from yet."""

    def __init__(self, request: web.Request) -> None:
        self._request = request

    async def pour(self, basin: Basin) -> None:
        """Pour the body into a basin.

        Raises:
            ConnectionError, ClientPayloadError: The connection ended before the body did.
        """
        request = self._request
        if request.content_length is None or request.transport is None:
            await Pieces(request.content.iter_any()).pour(basin)
            return
        # What came with the head, and what the parser holds back while that is not taken.
        while piece := request.content.read_nowait():
            await pour_piece(basin, piece)
        left = request.content_length - request.content.total_bytes
        if left:
            _bound_receive_buffer(request.transport)
            await _Receiver(request, left).pour(basin)


class _Receiver(asyncio.BufferedProtocol):
    """Has the connection for as long as bytes of one body are to come."""

    def __init__(self, request: web.Request, left: int) -> None:
        assert request.transport is not None  # noqa: S101 - looked at just before
        self._handler = request.protocol
        self._content = request.content
        self._transport = request.transport
        self._left = left
        self._basin: Basin | None = None
        self._spare = memoryview(b"")
        self._in_spare = 0
        self._reading_into_spare = False
        self._lost: BaseException | None = None
        self._needs_us = asyncio.Event()

    async def pour(self, basin: Basin) -> None:
        """Receive the body into a basin; afterwards the connection is aiohttp's again, at once or once it is read."""
        self._basin = basin
        _change_protocol(self._transport, self)
        try:
            while True:
                await self._make_room(basin)
                if not self._left:
                    break
                if self._lost is not None:
                    raise ConnectionResetError("the connection was lost") from self._lost
                self._transport.resume_reading()
                await self._needs_us.wait()
                self._needs_us.clear()
        finally:
            self._basin = None
            if self._left:
                self._transport.resume_reading()
            else:
                self._give_back()

    async def _make_room(self, basin: Basin) -> None:
        spare, self._in_spare = self._spare[: self._in_spare], 0
        await pour_piece(basin, spare)
        if self._left:
            await basin.room()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go; never beyond the end of the body."""
        room = None if self._basin is None else self._basin.room_now()
        self._reading_into_spare = room is None
        if room is None:
            # Rare: the room was handed over half full while we waited for bytes.
            if not self._spare:
                self._spare = memoryview(bytearray(_SPARE_BYTES))
            room = self._spare
        return room[: self._left]

    def buffer_updated(self, nbytes: int) -> None:
        """Take over what was received."""
        self._left -= nbytes
        if self._basin is None:
            if not self._left:
                self._give_back()
            return
        if self._reading_into_spare:
            self._in_spare = nbytes
        else:
            self._basin.took(nbytes)
        if not self._left or self._in_spare or self._basin.room_now() is None:
            self._transport.pause_reading()
            self._needs_us.set()

    def _give_back(self) -> None:
        if self._lost is not None or self._transport.is_closing():
            return
        handler = self._handler
        # The parser that read the head still waits for the body; this one begins with the next request.
        handler._parser = HttpRequestParser(
            handler,
            asyncio.get_running_loop(),
            handler._read_bufsize,
            max_line_size=handler.max_line_size,
            max_field_size=handler.max_field_size,
            max_headers=handler.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=MAX_MSG_QUEUE_SIZE,
        )
        self._content.feed_eof()
        _change_protocol(self._transport, handler)
        self._transport.resume_reading()

    def eof_received(self) -> None:
        """Let the connection close: a body is missing."""
        self._handler.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits, and aiohttp."""
        self._lost = exc or ConnectionResetError("the connection ended")
        self._needs_us.set()
        self._handler.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell aiohttp."""
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Tell aiohttp."""
        self._handler.resume_writing()


@cache
def _is_granted() -> bool:
    try:
        return int(_GRANTED_MAX.read_text(encoding="ascii")) >= RECEIVE_BUFFER_BYTES
    except OSError:
        return False


def _bound_receive_buffer(transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    if connection is not None and _is_granted():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)


def _change_protocol(transport: asyncio.Transport, protocol: asyncio.BaseProtocol) -> None:
    # Paused, because uvloop chooses how to read when reading begins.
    transport.pause_reading()
    transport.set_protocol(protocol)
