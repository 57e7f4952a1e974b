"""Uploads over bare sockets: connections that break in the middle, and bytes that no decent client would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from api.app import LINE_BYTES_MAX
from api.tus import OFFSET_MEDIA_TYPE, format_metadata
from evidence.parties.roles import Role
from tests.support.service import TUS, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON = Role.ARCHIVIST
SIZE = 3_000_000


@asynccontextmanager
async def connection(service: RunningService) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def announced(service: RunningService, size: int = SIZE) -> str:
    metadata = format_metadata({"filename": "raw.mp4"})
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
    reply = await service.ask("POST", "/uploads", role=PERSON, headers=headers)
    return reply.headers["Location"].removeprefix(service.url)


async def head(service: RunningService, upload: str, offset: int = 0, /, **more: str) -> bytes:
    lines = {
        "Host": "test",
        "Authorization": f"Bearer {await service.token(PERSON)}",
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": str(offset),
        "Content-Type": OFFSET_MEDIA_TYPE,
        **more,
    }
    return f"PATCH {upload} HTTP/1.1\r\n".encode() + b"".join(
        f"{name}: {value}\r\n".encode() for name, value in lines.items()
    )


async def offset_of(service: RunningService, upload: str) -> int:
    reply = await service.ask("HEAD", upload, role=PERSON, headers=TUS)
    return int(reply.headers["Upload-Offset"])


async def settled_offset(service: RunningService, upload: str, *, at_least: int) -> int:
    """Wait until what was sent before the connection broke is acknowledged."""
    for _ in range(200):
        offset = await offset_of(service, upload)
        if offset >= at_least:
            return offset
        await asyncio.sleep(0.02)
    return offset


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_what_came_before_the_line_was_cut_never_has_to_be_sent_again(shared: RunningService, how: str) -> None:
    upload = await announced(shared)
    sent = 1_234_567
    async with connection(shared) as (_, writer):
        writer.write(await head(shared, upload, **{"Content-Length": str(SIZE)}) + b"\r\n" + b"a" * sent)
        await writer.drain()
        await settled_offset(shared, upload, at_least=1)
        if how == "reset":
            writer.transport.abort()
    offset = await settled_offset(shared, upload, at_least=sent if how == "close" else 1)
    assert 0 < offset <= sent
    if how == "close":
        assert offset == sent
    rest = SIZE - offset
    async with connection(shared) as (reader, writer):
        request = await head(shared, upload, offset, **{"Content-Length": str(rest)})
        writer.write(request + b"\r\n" + b"a" * rest)
        status = await reader.readline()
    assert b" 204 " in status or b" 409 " in status  # 409: the other parameter has sealed these very bytes


async def test_a_second_writer_takes_over_and_the_first_one_stops(shared: RunningService) -> None:
    upload = await announced(shared, 1000)
    async with connection(shared) as (reader, writer):
        writer.write(await head(shared, upload, **{"Content-Length": "1000"}) + b"\r\n" + b"b" * 100)
        await writer.drain()
        offset = await settled_offset(shared, upload, at_least=100)
        assert offset == 100
        headers = {**TUS, "Upload-Offset": "100", "Content-Type": OFFSET_MEDIA_TYPE}
        second = await shared.ask("PATCH", upload, role=PERSON, headers=headers, data=b"c" * 400)
        assert (second.status, second.headers["Upload-Offset"]) == (204, "500")
        first = await asyncio.wait_for(reader.readuntil(b"}"), 20)
    assert b" 409 " in first.split(b"\r\n")[0]
    assert b"upload.taken_over" in first
    assert await offset_of(shared, upload) == 500


async def test_chunked_bodies_count_like_others(shared: RunningService) -> None:
    upload = await announced(shared, 1000)
    async with connection(shared) as (reader, writer):
        writer.write(await head(shared, upload, **{"Transfer-Encoding": "chunked"}) + b"\r\n")
        writer.write(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert b"204" in answer.split(b"\r\n")[0]
    assert b"upload-offset: 11" in answer.lower()


async def test_a_chunked_body_that_breaks_off_keeps_its_bytes(shared: RunningService) -> None:
    upload = await announced(shared, 1000)
    async with connection(shared) as (_, writer):
        writer.write(await head(shared, upload, **{"Transfer-Encoding": "chunked"}) + b"\r\n5\r\nhello\r\nffff\r\nwo")
        await writer.drain()
        await settled_offset(shared, upload, at_least=5)
    assert await settled_offset(shared, upload, at_least=7) == 7


@pytest.mark.parametrize(
    "request_head",
    [
        b"GARBAGE\r\n\r\n",
        b"PATCH /uploads/x HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * (LINE_BYTES_MAX + 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /v1/cases HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/cases HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/cases HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_turned_away_and_the_server_lives_on(
    shared: RunningService, request_head: bytes
) -> None:
    async with connection(shared) as (reader, writer):
        writer.write(request_head)
        answer = await asyncio.wait_for(reader.read(4096), 10)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")) or not answer
    assert (await shared.ask("GET", "/healthz")).status == 200
