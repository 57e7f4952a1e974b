"""tus 1.0.0 over HTTP, where servers usually go wrong; the bytes themselves are the intake's own tests."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest

from api.tus import OFFSET_MEDIA_TYPE, format_metadata
from evidence.parties.roles import Role
from tests.support.parties import file_of
from tests.support.service import TUS, Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = {**TUS, "Content-Type": OFFSET_MEDIA_TYPE}
PERSON = Role.INVESTIGATOR


def unique(size: int = 100) -> bytes:
    """Bytes that no other test has sent."""
    return (uuid4().bytes * (size // 16 + 1))[:size]


async def create(service: RunningService, *, name: str = "a.mp4", **headers: str) -> Reply:
    return await service.ask(
        "POST",
        "/uploads",
        role=PERSON,
        headers={**TUS, "Upload-Metadata": format_metadata({"filename": name}), **headers},
    )


def location_of(service: RunningService, reply: Reply) -> str:
    """Return the path of what was created; its address comes with scheme and host, or aiotus would not take it."""
    location = reply.headers["Location"]
    assert location.startswith(service.url)
    return location.removeprefix(service.url)


async def announced(service: RunningService, size: int = 100) -> str:
    reply = await create(service, **{"Upload-Length": str(size)})
    assert reply.status == 201, reply
    return location_of(service, reply)


async def patch(service: RunningService, upload: str, data: Any, offset: int = 0, /, **headers: str) -> Reply:
    return await service.ask(
        "PATCH", upload, role=PERSON, headers={**BODY, "Upload-Offset": str(offset), **headers}, data=data
    )


async def offset_of(service: RunningService, upload: str) -> int:
    reply = await service.ask("HEAD", upload, role=PERSON, headers=TUS)
    assert reply.status == 200, reply
    return int(reply.headers["Upload-Offset"])


async def test_options_say_what_is_spoken_without_a_version(shared: RunningService) -> None:
    reply = await shared.ask("OPTIONS", "/uploads", role=PERSON)
    assert reply.status == 204
    assert reply.headers["Tus-Version"] == "1.0.0"
    assert set(reply.headers["Tus-Extension"].split(",")) >= {"creation", "termination", "creation-with-upload"}
    assert int(reply.headers["Tus-Max-Size"]) == shared.services.config.upload_bytes_max


@pytest.mark.parametrize("version", [None, "1.0.1", "0.2.2", ""])
async def test_without_our_version_nothing_is_done(shared: RunningService, version: str | None) -> None:
    upload = await announced(shared)
    headers = {} if version is None else {"Tus-Resumable": version}
    for method, path in (("POST", "/uploads"), ("HEAD", upload), ("PATCH", upload), ("DELETE", upload)):
        reply = await shared.ask(
            method, path, role=PERSON, headers={"Upload-Length": "5", "Upload-Offset": "0", **headers}
        )
        assert (reply.status, reply.code) == (412, "tus.version")
        assert reply.headers["Tus-Version"] == "1.0.0"
        assert reply.headers["Tus-Resumable"] == "1.0.0"
    assert await offset_of(shared, upload) == 0


async def test_a_file_comes_in_pieces(shared: RunningService) -> None:
    data = unique(300)
    upload = await announced(shared, 300)
    assert (await patch(shared, upload, data[:100])).headers["Upload-Offset"] == "100"
    head = await shared.ask("HEAD", upload, role=PERSON, headers=TUS)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("100", "300")
    assert head.headers["Cache-Control"] == "no-store"
    assert head.headers["Upload-Metadata"] == format_metadata({"filename": "a.mp4"})
    assert (await patch(shared, upload, data[100:250], 100)).headers["Upload-Offset"] == "250"
    assert (await patch(shared, upload, b"", 250)).headers["Upload-Offset"] == "250"
    reply = await patch(shared, upload, data[250:], 250)
    assert (reply.status, reply.headers["Upload-Offset"]) == (204, "300")
    listed = await shared.ask("GET", "/v1/clips", role=PERSON, params={"q": "a.mp4"})
    assert any(item["size"] == 300 for item in listed.json()["items"])


@pytest.mark.parametrize("offset", ["1", "99", "101", "10000000000"])
async def test_bytes_at_another_offset_change_nothing(shared: RunningService, offset: str) -> None:
    upload = await announced(shared, 200)
    await patch(shared, upload, unique(100))
    reply = await patch(shared, upload, b"x", **{"Upload-Offset": offset})
    assert (reply.status, reply.code) == (409, "upload.offset_mismatch")
    assert reply.json()["details"]["offset"] == 100
    assert await offset_of(shared, upload) == 100


@pytest.mark.parametrize("offset", ["", "-1", "abc", "1.0", "0x0", "00", " ", "99999999999999999999"])
async def test_offsets_that_are_no_numbers(shared: RunningService, offset: str) -> None:
    upload = await announced(shared)
    reply = await patch(shared, upload, b"x", **{"Upload-Offset": offset})
    assert (reply.status, reply.code) == (400, "request.header")


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain", "multipart/form-data"])
async def test_only_the_protocols_media_type_is_taken(shared: RunningService, kind: str) -> None:
    upload = await announced(shared)
    reply = await patch(shared, upload, b"x", **{"Content-Type": kind})
    assert (reply.status, reply.code) == (415, "request.media_type")
    assert await offset_of(shared, upload) == 0


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "x-unknown", "identity, gzip"])
async def test_encoded_bodies_are_refused(shared: RunningService, encoding: str) -> None:
    upload = await announced(shared)
    async with shared.session.patch(
        shared.url + upload,
        headers={
            **BODY,
            "Upload-Offset": "0",
            "Content-Encoding": encoding,
            "Authorization": f"Bearer {await shared.token(PERSON)}",
        },
        data=b"x",
        skip_auto_headers=(),
    ) as answer:
        assert (answer.status, answer.headers["X-Problem-Code"]) == (415, "request.encoding")
    assert await offset_of(shared, upload) == 0


async def test_more_than_announced_is_refused_before_a_byte_is_taken(shared: RunningService) -> None:
    upload = await announced(shared, 10)
    reply = await patch(shared, upload, b"x" * 11)
    assert (reply.status, reply.code) == (413, "upload.length_exceeded")
    assert await offset_of(shared, upload) == 0


async def test_more_than_announced_in_chunks_is_refused_too(shared: RunningService) -> None:
    upload = await announced(shared, 10)

    async def chunks() -> Any:
        for _ in range(5):
            yield b"xxxx"

    reply = await patch(shared, upload, chunks())
    assert reply.code == "upload.length_exceeded"
    assert await offset_of(shared, upload) <= 10


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "request.header"),
        ({"Upload-Length": "-1"}, "request.header"),
        ({"Upload-Length": "ten"}, "request.header"),
        ({"Upload-Length": "0"}, "upload.empty"),
        ({"Upload-Length": str(10**15)}, "upload.too_large"),
        ({"Upload-Length": "5", "Upload-Defer-Length": "1"}, "request.header"),
        ({"Upload-Defer-Length": "2"}, "request.header"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename !"}, "tus.metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename YQ==,filename Yg=="}, "tus.metadata"),
        ({"Upload-Length": "5", "Upload-Metadata": ""}, "upload.name_invalid"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename /w=="}, "upload.name_invalid"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename AA=="}, "upload.name_invalid"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename Li4vYQ=="}, "upload.name_invalid"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename L2V0Yy9wYXNzd2Q="}, "upload.name_invalid"),
        ({"Upload-Length": "5", "Upload-Metadata": format_metadata({"filename": "a" * 1025})}, "upload.name_invalid"),
    ],
)
async def test_announcements_that_are_refused(shared: RunningService, headers: dict[str, str], code: str) -> None:
    reply = await create(shared, **headers)
    assert reply.code == code


@pytest.mark.parametrize(
    "name", ["现场 1.mp4", "a'; DROP TABLE clip; --.mp4", "<script>.mp4", "a\\b.mp4", "%2e%2e.mp4"]
)
async def test_names_are_data(shared: RunningService, name: str) -> None:
    data = unique()
    reply = await create(shared, name=name, **{"Upload-Length": "100"})
    assert (await patch(shared, location_of(shared, reply), data)).status == 204
    listed = (await shared.ask("GET", "/v1/clips", role=PERSON)).json()["items"]
    assert name in [item["name"] for item in listed]


async def test_the_first_bytes_may_come_with_the_announcement(shared: RunningService) -> None:
    data = unique()
    reply = await shared.ask(
        "POST",
        "/uploads",
        role=PERSON,
        headers={**BODY, "Upload-Length": "100", "Upload-Metadata": format_metadata({"filename": "b.mp4"})},
        data=data[:60],
    )
    assert (reply.status, reply.headers["Upload-Offset"]) == (201, "60")
    assert (await patch(shared, location_of(shared, reply), data[60:], 60)).status == 204


async def test_an_announcement_with_a_body_of_another_type_is_refused(shared: RunningService) -> None:
    reply = await shared.ask(
        "POST",
        "/uploads",
        role=PERSON,
        headers={**TUS, "Upload-Length": "5", "Upload-Metadata": format_metadata({"filename": "b.mp4"})},
        data=b"hello",
    )
    assert reply.code == "request.media_type"


async def test_a_deferred_length_is_declared_once(shared: RunningService) -> None:
    data = unique()
    upload = location_of(shared, await create(shared, **{"Upload-Defer-Length": "1"}))
    head = await shared.ask("HEAD", upload, role=PERSON, headers=TUS)
    assert head.headers["Upload-Defer-Length"] == "1"
    assert "Upload-Length" not in head.headers
    assert (await patch(shared, upload, data[:50], **{"Upload-Length": "100"})).status == 204
    again = await patch(shared, upload, data[50:], 50, **{"Upload-Length": "101"})
    assert (again.status, again.code) == (409, "upload.length_declared")
    assert (await patch(shared, upload, data[50:], 50)).status == 204


async def test_an_upload_is_given_up(shared: RunningService) -> None:
    upload = await announced(shared)
    await patch(shared, upload, unique(50))
    assert (await shared.ask("DELETE", upload, role=PERSON, headers=TUS)).status == 204
    head = await shared.ask("HEAD", upload, role=PERSON, headers=TUS)
    assert (head.status, head.code) == (410, "upload.terminated")
    assert (await patch(shared, upload, b"x", 50)).code == "upload.terminated"
    assert (await shared.ask("DELETE", upload, role=PERSON, headers=TUS)).status == 204


async def test_what_is_sealed_cannot_be_given_up(shared: RunningService) -> None:
    upload = await announced(shared)
    await patch(shared, upload, unique())
    assert (await shared.ask("DELETE", upload, role=PERSON, headers=TUS)).code == "upload.finished"
    assert (await patch(shared, upload, b"x", 100)).code == "upload.finished"
    assert await offset_of(shared, upload) == 100


async def test_the_method_may_be_named_in_a_header(shared: RunningService) -> None:
    upload = await announced(shared)
    reply = await shared.ask(
        "POST",
        upload,
        role=PERSON,
        headers={**BODY, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"},
        data=unique(40),
    )
    assert (reply.status, reply.headers["Upload-Offset"]) == (204, "40")
    for method in ("GET", "", "patch", "POST"):
        reply = await shared.ask("POST", upload, role=PERSON, headers={**TUS, "X-HTTP-Method-Override": method})
        assert reply.code == "request.header"
    reply = await shared.ask("POST", upload, role=PERSON, headers={**TUS, "X-HTTP-Method-Override": "DELETE"})
    assert reply.status == 204


async def test_an_upload_belongs_to_who_began_it(shared: RunningService) -> None:
    upload = await announced(shared)
    for role in (Role.ARCHIVIST, Role.DOCK):
        for method in ("HEAD", "PATCH", "DELETE"):
            reply = await shared.ask(method, upload, role=role, headers={**BODY, "Upload-Offset": "0"}, data=b"")
            assert (reply.status, reply.code) == (404, "upload.unknown")
    assert await offset_of(shared, upload) == 0


async def test_the_same_file_again_names_the_clip(shared: RunningService) -> None:
    data = unique()
    await patch(shared, await announced(shared), data)
    reply = await patch(shared, await announced(shared), data)
    assert (reply.status, reply.code) == (409, "clip.already_sealed")
    clip = reply.json()["details"]["clip"]
    assert (await shared.ask("GET", f"/v1/clips/{clip}", role=PERSON)).json()["size"] == 100


async def test_a_dock_sends_only_what_it_has_stated(shared: RunningService) -> None:
    dock = await shared.dock()
    inventory = dock.inventory(file_of("DCIM/a.mp4", size=10))
    stated = {"inventory": str(inventory.id), "path": "DCIM/a.mp4", "recorder": dock.recorder}

    async def announce(**changes: str) -> Reply:
        size = changes.pop("size", "10")
        metadata = format_metadata({**stated, **changes})
        headers = {**TUS, "Upload-Length": size, "Upload-Metadata": metadata}
        return await shared.ask("POST", "/uploads", dock=dock, headers=headers)

    assert (await announce()).code == "upload.not_inventoried"
    await shared.ask(
        "POST",
        "/v1/inventories",
        dock=dock,
        data=dock.inventory_note(inventory),
        headers={"Content-Type": "text/plain"},
    )
    assert (await announce()).status == 201
    for change in ({"path": "DCIM/b.mp4"}, {"size": "11"}, {"recorder": "OTHER"}, {"inventory": str(uuid4())}):
        reply = await announce(**change)
        assert (reply.status, reply.code, reply.json()["retry"]) == (409, "upload.not_inventoried", "fixed")
    assert (await announce(inventory="none")).code == "upload.metadata_invalid"
    assert (await announce(path="../a.mp4")).code == "upload.name_invalid"


def stated(data: bytes, algorithm: str = "sha256") -> dict[str, str]:
    """Make the header that says what a body comes to."""
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"}


@pytest.mark.parametrize("algorithm", ["sha256", "sha1"])
async def test_a_body_with_a_checksum_is_taken_whole_or_not_at_all(shared: RunningService, algorithm: str) -> None:
    data = unique(300)
    upload = await announced(shared, 300)
    wrong = await patch(shared, upload, data[:200], **stated(data[:199], algorithm))
    assert (wrong.status, wrong.code) == (460, "upload.checksum_mismatch")
    assert await offset_of(shared, upload) == 0
    right = await patch(shared, upload, data[:200], **stated(data[:200], algorithm))
    assert (right.status, right.headers["Upload-Offset"]) == (204, "200")


async def test_creation_takes_a_checksum_with_its_bytes(shared: RunningService) -> None:
    data = unique(100)
    reply = await shared.ask(
        "POST",
        "/uploads",
        role=PERSON,
        headers={
            **BODY,
            "Upload-Metadata": format_metadata({"filename": "c.mp4"}),
            "Upload-Length": "300",
            **stated(data),
        },
        data=data,
    )
    assert (reply.status, reply.headers["Upload-Offset"]) == (201, "100")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("md5 1B2M2Y8AsgTpgAmY7PhCfg==", "tus.checksum_unsupported"),
        ("", "tus.checksum_unsupported"),
        ("SHA256 AAAA", "tus.checksum_unsupported"),
        ("sha256", "request.header"),
        ("sha256 ", "request.header"),
        ("sha256 AAAA", "request.header"),
        ("sha256 !!!!", "request.header"),
        ("sha1 " + "A" * 44, "request.header"),
    ],
)
async def test_checksums_that_cannot_be_read_stop_the_request(shared: RunningService, header: str, code: str) -> None:
    upload = await announced(shared, 50)
    reply = await patch(shared, upload, unique(50), **{"Upload-Checksum": header})
    assert (reply.status, reply.code) == (400, code)
    assert await offset_of(shared, upload) == 0


async def test_the_checksums_that_are_spoken_are_named(shared: RunningService) -> None:
    reply = await shared.ask("OPTIONS", "/uploads", role=PERSON)
    assert reply.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"
    assert "checksum" in reply.headers["Tus-Extension"].split(",")


async def test_when_an_upload_will_be_closed_is_said_each_time(shared: RunningService) -> None:
    created = await create(shared, **{"Upload-Length": "100"})
    upload = location_of(shared, created)
    told = [
        created,
        await patch(shared, upload, unique(40)),
        await shared.ask("HEAD", upload, role=PERSON, headers=TUS),
    ]
    limit = shared.services.config.upload_expiry_seconds
    for reply in told:
        seconds = (parsedate_to_datetime(reply.headers["Upload-Expires"]) - datetime.now(UTC)).total_seconds()
        assert limit - 60 < seconds <= limit
    last = await patch(shared, upload, unique(60), 40)
    assert "Upload-Expires" not in last.headers


async def part(service: RunningService, data: bytes) -> str:
    reply = await service.ask(
        "POST",
        "/uploads",
        role=PERSON,
        headers={**BODY, "Upload-Concat": "partial", "Upload-Length": str(len(data))},
        data=data,
    )
    assert (reply.status, reply.headers["Upload-Offset"]) == (201, str(len(data)))
    return location_of(service, reply)


async def test_parts_are_put_together(shared: RunningService) -> None:
    data = unique(3000)
    parts = [await part(shared, data[:1000]), await part(shared, data[1000:])]
    head = await shared.ask("HEAD", parts[0], role=PERSON, headers=TUS)
    assert head.headers["Upload-Concat"] == "partial"
    stated = f"final;{parts[0]} {shared.url}{parts[1]}"
    created = await create(shared, name="parts.mp4", **{"Upload-Concat": stated})
    assert created.status == 201, created
    final = location_of(shared, created)
    refused = await patch(shared, final, b"x")
    assert (refused.status, refused.code) == (403, "upload.final")
    async with asyncio.timeout(20):
        while "Upload-Offset" not in (head := await shared.ask("HEAD", final, role=PERSON, headers=TUS)).headers:
            assert head.headers["Upload-Length"] == "3000"
            await asyncio.sleep(0.02)
    assert head.headers["Upload-Offset"] == "3000"
    assert head.headers["Upload-Concat"] == f"final;{shared.url}{parts[0]} {shared.url}{parts[1]}"
    async with asyncio.timeout(20):
        while not (await shared.ask("GET", "/v1/clips", role=PERSON, params={"q": "parts.mp4"})).json()["items"]:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Partial",
        "final",
        "final;",
        "final; ",
        "partial;/uploads/0195a000-0000-7000-8000-000000000001",
        "final;/uploads/x",
        "final;/uploads/0195a000-0000-7000-8000-000000000001 /elsewhere/1",
        "final;/uploads/0195a000-0000-7000-8000-000000000001?a=b",
        "final;ftp://h/uploads/0195a000-0000-7000-8000-000000000001",
    ],
)
async def test_lists_of_parts_that_cannot_be_read(shared: RunningService, text: str) -> None:
    reply = await create(shared, **{"Upload-Concat": text})
    assert (reply.status, reply.code) == (400, "request.header")


async def test_a_final_upload_has_neither_length_nor_body_of_its_own(shared: RunningService) -> None:
    stated = {"Upload-Concat": f"final;{await part(shared, unique(10))}"}
    for headers, body in (({"Upload-Length": "10"}, None), ({"Upload-Defer-Length": "1"}, None), ({}, b"x")):
        reply = await shared.ask("POST", "/uploads", role=PERSON, headers={**BODY, **stated, **headers}, data=body)
        assert (reply.status, reply.code) == (400, "request.header")
