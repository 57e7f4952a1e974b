"""The IETF's resumable uploads, interop version 8, at the addresses of tus: real sockets, interim answer included."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio

from evidence.parties.roles import Role
from tests.support.database import fresh_database
from tests.support.service import TUS, Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

DRAFT = {"Upload-Draft-Interop-Version": "8"}
PART = {**DRAFT, "Content-Type": "application/partial-upload"}
PERSON = Role.INVESTIGATOR


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def drafty(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    """A service that speaks the draft."""
    folder = tmp_path_factory.mktemp("drafty")
    async with (
        fresh_database(postgres) as database,
        running_service(config_for(database, folder / "data", resumable_uploads=True)) as running,
    ):
        yield running


def unique(size: int) -> bytes:
    """Bytes that no other test has sent."""
    return (uuid4().bytes * (size // 16 + 1))[:size]


async def create(service: RunningService, data: Any = None, /, **headers: str) -> Reply:
    named = {"Content-Disposition": "inline; filename=\"x.mp4\"; filename*=UTF-8''%E7%8E%B0%E5%9C%BA.mp4"}
    return await service.ask(
        "POST", "/uploads", role=PERSON, headers={**DRAFT, "Upload-Complete": "?1", **named, **headers}, data=data
    )


async def append(service: RunningService, upload: str, data: Any, offset: int, /, **headers: str) -> Reply:
    stated = {**PART, "Upload-Offset": str(offset), "Upload-Complete": "?1", **headers}
    return await service.ask("PATCH", upload, role=PERSON, headers=stated, data=data)


async def head(service: RunningService, upload: str) -> dict[str, str]:
    reply = await service.ask("HEAD", upload, role=PERSON, headers=DRAFT)
    assert reply.status == 204, reply
    return {name: value for name, value in reply.headers.items() if name.startswith("Upload-")}


def path_of(service: RunningService, reply: Reply) -> str:
    return reply.headers["Location"].removeprefix(service.url)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    for part in parts:
        yield part


async def test_all_at_once(drafty: RunningService) -> None:
    data = unique(3000)
    reply = await create(drafty, data)
    assert (reply.status, reply.headers["Upload-Complete"]) == (201, "?1")
    state = await head(drafty, path_of(drafty, reply))
    assert (state["Upload-Complete"], state["Upload-Offset"], state["Upload-Length"]) == ("?1", "3000", "3000")
    found = await drafty.ask("GET", "/v1/clips", role=PERSON, params={"q": "现场.mp4"})
    assert 3000 in {item["size"] for item in found.json()["items"]}


async def test_piece_by_piece_with_the_end_said_at_the_end(drafty: RunningService) -> None:
    data = unique(5000)
    reply = await create(drafty, data[:1000], **{"Upload-Complete": "?0"})
    assert (reply.status, reply.headers["Upload-Complete"], reply.headers["Upload-Offset"]) == (201, "?0", "1000")
    assert re.fullmatch(r"max-size=\d+, max-age=\d+", reply.headers["Upload-Limit"])
    upload = path_of(drafty, reply)
    reply = await append(drafty, upload, data[1000:2500], 1000, **{"Upload-Complete": "?0"})
    assert (reply.status, reply.headers["Upload-Complete"], reply.headers["Upload-Offset"]) == (204, "?0", "2500")
    assert "Upload-Length" not in await head(drafty, upload)
    reply = await append(drafty, upload, data[2500:], 2500)
    assert (reply.status, reply.headers["Upload-Complete"]) == (201, "?1")
    assert (await head(drafty, upload))["Upload-Length"] == "5000"


async def test_the_end_may_come_without_bytes(drafty: RunningService) -> None:
    data = unique(700)
    upload = path_of(drafty, await create(drafty, data, **{"Upload-Complete": "?0"}))
    for _ in range(2):
        reply = await append(drafty, upload, b"", 700)
        assert (reply.status, reply.headers["Upload-Complete"]) == (201, "?1")
    refused = await append(drafty, upload, b"more", 700)
    assert (refused.status, refused.code) == (409, "upload.length_declared")


async def test_a_body_of_unknown_length(drafty: RunningService) -> None:
    data = unique(4000)
    reply = await create(drafty, pieces(data[:1500], data[1500:]))
    assert (reply.status, reply.headers["Upload-Complete"], reply.headers["Upload-Offset"]) == (201, "?1", "4000")


async def test_a_wrong_offset_is_answered_with_the_right_one(drafty: RunningService) -> None:
    data = unique(2000)
    upload = path_of(drafty, await create(drafty, data[:800], **{"Upload-Complete": "?0"}))
    for offset in (0, 799, 801, 2000):
        reply = await append(drafty, upload, data[800:], offset, **{"Upload-Complete": "?0"})
        assert (reply.status, reply.code, reply.headers["Upload-Offset"]) == (409, "upload.offset_mismatch", "800")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Upload-Complete": "1"}, "request.header"),
        ({"Upload-Complete": "?2"}, "request.header"),
        ({"Upload-Draft-Interop-Version": "7"}, "request.header"),
        ({"Upload-Length": "99"}, "request.header"),
        ({"Content-Disposition": "inline"}, "upload.name_invalid"),
    ],
)
async def test_beginnings_that_cannot_be_understood(drafty: RunningService, headers: dict[str, str], code: str) -> None:
    reply = await create(drafty, unique(100), **headers)
    assert (reply.status, reply.code) == (400, code)


async def test_what_is_too_long_is_refused_with_the_limit(drafty: RunningService) -> None:
    limit = drafty.services.config.upload_bytes_max
    reply = await create(drafty, b"x", **{"Upload-Complete": "?0", "Upload-Length": str(limit + 1)})
    assert (reply.status, reply.code, reply.headers["Upload-Limit"]) == (413, "upload.too_large", f"max-size={limit}")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "application/offset+octet-stream"}, 415, "request.media_type"),
        ({"Upload-Offset": "-1"}, 400, "request.header"),
        ({"Upload-Offset": "?0"}, 400, "request.header"),
        ({"Upload-Complete": ""}, 400, "request.header"),
        ({"Upload-Length": "5"}, 400, "request.header"),
        ({"Content-Encoding": "gzip"}, 415, "request.encoding"),
    ],
)
async def test_continuations_that_cannot_be_understood(
    drafty: RunningService, headers: dict[str, str], status: int, code: str
) -> None:
    upload = path_of(drafty, await create(drafty, unique(100), **{"Upload-Complete": "?0"}))
    reply = await append(drafty, upload, b"abc", 100, **headers)
    assert (reply.status, reply.code) == (status, code)
    assert (await head(drafty, upload))["Upload-Offset"] == "100"


async def test_an_end_that_is_none_is_named(drafty: RunningService) -> None:
    reply = await create(drafty, unique(100), **{"Upload-Complete": "?0", "Upload-Length": "300"})
    upload = path_of(drafty, reply)
    refused = await append(drafty, upload, pieces(unique(50)), 100)
    assert (refused.status, refused.code) == (409, "upload.incomplete")
    assert (await head(drafty, upload))["Upload-Offset"] == "150"


async def test_giving_up(drafty: RunningService) -> None:
    upload = path_of(drafty, await create(drafty, unique(100), **{"Upload-Complete": "?0"}))
    assert (await drafty.ask("DELETE", upload, role=PERSON, headers=DRAFT)).status == 204
    assert (await drafty.ask("HEAD", upload, role=PERSON, headers=DRAFT)).status == 410


async def test_the_address_is_told_before_the_bytes(drafty: RunningService) -> None:
    """A connection that breaks in the very first request: the interim response has said where to go on."""
    data = unique(50_000)
    where = urlsplit(drafty.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    token = await drafty.token(PERSON)
    lines = [
        "POST /uploads HTTP/1.1",
        f"Host: {where.netloc}",
        f"Authorization: Bearer {token}",
        "Upload-Draft-Interop-Version: 8",
        "Upload-Complete: ?1",
        'Content-Disposition: inline; filename="cut.mp4"',
        f"Content-Length: {len(data)}",
    ]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data[:20_000])
    interim = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
    assert interim.startswith("HTTP/1.1 104 ")
    told = dict(line.split(": ", 1) for line in interim.splitlines()[1:] if line)
    assert told["Upload-Draft-Interop-Version"] == "8"
    assert "max-size=" in told["Upload-Limit"]
    upload = told["Location"].removeprefix(drafty.url)
    async with asyncio.timeout(10):
        while int((await head(drafty, upload))["Upload-Offset"]) < 20_000:
            await asyncio.sleep(0.02)
    writer.close()
    reply = await append(drafty, upload, data[20_000:], 20_000)
    assert (reply.status, reply.headers["Upload-Complete"]) == (201, "?1")


async def test_the_interim_response_does_not_spoil_the_answer(drafty: RunningService) -> None:
    """Two requests on one connection: what was written in between is counted into neither."""
    where = urlsplit(drafty.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    token = await drafty.token(PERSON)
    for index in range(2):
        body = unique(100 + index)
        head_lines = (
            f"POST /uploads HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Upload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1\r\n"
            f'Content-Disposition: inline; filename="k{index}.mp4"\r\nContent-Length: {len(body)}\r\n\r\n'
        )
        writer.write(head_lines.encode() + body)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 104 ")
        final = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
        assert final.startswith("HTTP/1.1 201 ")
        length = re.search(r"Content-Length: (\d+)", final)
        await reader.readexactly(int(length[1]) if length else 0)
    writer.close()


async def test_tus_stays_tus_beside_it(drafty: RunningService) -> None:
    reply = await drafty.ask("OPTIONS", "/uploads", role=PERSON)
    assert reply.headers["Accept-Patch"] == "application/partial-upload"
    assert reply.headers["Tus-Version"] == "1.0.0"
    created = await drafty.ask(
        "POST", "/uploads", role=PERSON, headers={**TUS, "Upload-Length": "10", "Upload-Metadata": "filename YS5tcDQ="}
    )
    assert created.status == 201
    assert "Upload-Complete" not in created.headers


async def test_without_the_setting_it_is_not_spoken(shared: RunningService) -> None:
    assert (await create(shared, b"abc")).code == "tus.version"
    assert "Accept-Patch" not in (await shared.ask("OPTIONS", "/uploads", role=PERSON)).headers
