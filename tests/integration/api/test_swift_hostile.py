"""Deliveries gone wrong: names, headers, sizes, bodies that break, accounts of others, two at once."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from yarl import URL

from evidence.core.clock import utc_now
from evidence.parties.controllers import revoke_controller
from evidence.parties.roles import Role
from tests.support.service import RunningService, config_for, running_service
from tests.support.swift import BOOKMARK, CLIP, CLIP_STATED, CONTAINER, PaperSystem, meta

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def system(shared: RunningService, number: int, *, controller: str = "一号系统控制器") -> PaperSystem:
    return PaperSystem(shared, await shared.controller(controller), container=f"{CONTAINER}{number:02}")


async def raw(paper: PaperSystem, request: str, body: bytes = b"", *, close: bool = False) -> bytes:
    """Send bytes as they are over a socket and return the first line of the answer; none when we hang up first."""
    url = URL(paper.service.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = request.format(account=paper.controller.account, token=paper.controller.token)
    writer.write(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
    await writer.drain()
    line = b"" if close else await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line


async def uploads_of(paper: PaperSystem, *, open_only: bool = False) -> int:
    async with paper.service.services.pool.acquire() as conn:
        count: int = await conn.fetchval(
            "SELECT count(*) FROM upload WHERE path LIKE $1 || '/%' AND (NOT $2 OR state = 'open')",
            paper.container,
            open_only,
        )
    return count


@pytest.mark.parametrize(
    "path",
    [
        "/%2e%2e/a.mkv",
        "/..%2fetc/a.mkv",
        "/c/%2e%2e/%2e%2e/etc/passwd",
        "/c//a.mkv",
        "/c/a%00.mkv",
        "/c/a%0d%0aX-Evil:%201",
        "/c/%ff%fe.mkv",
        "/c/a%e2%80%a8/.",
        f"/{'n' * 257}/a.mkv",
        f"/c/{'n' * 1100}.mkv",
        "/a%2fb/c.mkv",
    ],
)
async def test_names_that_lead_anywhere_are_refused(shared: RunningService, path: str) -> None:
    paper = await system(shared, 1)
    line = await raw(
        paper, f"PUT {{account}}{path} HTTP/1.1\nHost: x\nX-Auth-Token: {{token}}\nContent-Length: 1", b"x"
    )
    assert line.split()[1] in {b"400", b"404"}
    assert not list(shared.services.folders.root.glob("**/*passwd*"))


async def test_names_are_data(shared: RunningService) -> None:
    paper = await system(shared, 2)
    await paper.create()
    for name in ("现场 检查.mkv", "C:\\a.mkv", "a/b/c.mkv", "'; DROP TABLE clip; --.mkv", "😀.mkv"):
        reply = await paper.put(str(URL.build(path="/" + name).raw_path[1:]), name.encode(), CLIP_STATED)
        assert reply.status == 201, name
    assert (await paper.complete()).status == 204
    async with shared.services.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM clip WHERE name = '现场 检查.mkv'") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Object-Meta-Name": "%0d%0aSet-Cookie: a"},
        {"X-Object-Meta-Name": "%00"},
        {"X-Object-Meta-Name": "%zz"},
        {"X-Object-Meta-Name": "%ff"},
        {"X-Object-Meta-Name": "n" * 1025},
        {"X-Object-Meta-" + "n" * 129: "a"},
        {f"X-Object-Meta-N{number}": "a" for number in range(91)},
    ],
    ids=["line ends", "nul", "no escape", "not utf-8", "long value", "long name", "many"],
)
async def test_metadata_that_could_do_harm_are_refused(shared: RunningService, headers: dict[str, str]) -> None:
    paper = await system(shared, 3)
    await paper.create()
    for name in (CLIP, BOOKMARK):
        reply = await paper.put(name, b"x", headers=headers)
        assert (reply.status, reply.code) == (400, "swift.metadata_invalid")
    assert (await paper.ask("HEAD", f"/{paper.container}/{CLIP}")).status == 404


async def test_metadata_come_back_as_they_were(shared: RunningService) -> None:
    paper = await system(shared, 4)
    await paper.create()
    said = '张三 100% \u00e9 "x" ; a=b'
    await paper.put(BOOKMARK, b"", {"CategoryName": said})
    head = await paper.ask("HEAD", f"/{paper.container}/{BOOKMARK}")
    given = head.headers["X-Object-Meta-Categoryname"]
    assert (await paper.ask("POST", f"/{paper.container}/{BOOKMARK}", headers={"X-Object-Meta-A": given})).status == 202
    head = await paper.ask("HEAD", f"/{paper.container}/{BOOKMARK}")
    assert head.headers["X-Object-Meta-A"] == given
    assert "X-Object-Meta-Categoryname" not in head.headers


async def test_bytes_that_are_not_what_was_said_are_dropped(shared: RunningService) -> None:
    paper = await system(shared, 5)
    await paper.create()
    for name in (CLIP, BOOKMARK):
        reply = await paper.put(name, b"damaged", headers={"ETag": hashlib.md5(b"whole").hexdigest()})
        assert (reply.status, reply.code) == (422, "swift.etag_mismatch")
        assert (await paper.put(name, b"x", headers={"ETag": "no digest"})).code == "request.header"
        assert (await paper.ask("HEAD", f"/{paper.container}/{name}")).code == "swift.object_unknown"
    reply = await paper.put(CLIP, b"whole", headers={"ETag": f'"{hashlib.md5(b"whole").hexdigest().upper()}"'})
    assert reply.status == 201
    assert await uploads_of(paper, open_only=True) == 1


async def test_a_body_that_breaks_off_leaves_no_object(shared: RunningService) -> None:
    paper = await system(shared, 6)
    await paper.create()
    request = f"PUT {{account}}/{paper.container}/{CLIP} HTTP/1.1\nHost: x\nX-Auth-Token: {{token}}\n"
    await raw(paper, request + "Content-Length: 5000", b"x" * 1000, close=True)
    await raw(paper, request + "Transfer-Encoding: chunked", b"5\r\nhello\r\n", close=True)
    async with asyncio.timeout(20):
        while await uploads_of(paper) < 2 or await uploads_of(paper, open_only=True):
            await asyncio.sleep(0.02)
    assert (await paper.complete()).code == "swift.nothing_recorded"
    line = await raw(paper, request + "Transfer-Encoding: chunked", b"5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n")
    assert line.split()[1] == b"201"
    assert (await paper.complete()).status == 204


async def test_what_is_never_evidence_is_refused_for_good(shared: RunningService) -> None:
    paper = await system(shared, 7)
    assert (await paper.put(CLIP, b"x")).code == "swift.container_unknown"
    await paper.create()
    assert (await paper.put(CLIP, b"")).code == "upload.empty"
    assert (await paper.put(CLIP, b"x", headers={"X-Object-Manifest": "c/a"})).code == "swift.unsupported"
    assert (await paper.ask("PUT", f"/{paper.container}/{CLIP}?multipart-manifest=put", data=b"[]")).status == 400
    assert (await paper.put("a.key", io.BytesIO(bytes(16 * 1024 * 1024 + 1)))).code == "swift.too_large"
    assert (await paper.put(CLIP, b"x", headers={"Content-Encoding": "gzip"})).code == "request.encoding"
    assert (await paper.complete()).code == "swift.nothing_recorded"
    # Being refused did not make it complete.
    assert (await paper.put(CLIP, b"now")).status == 201


async def test_an_account_is_one_controllers(shared: RunningService) -> None:
    mine, other = await system(shared, 8), await system(shared, 8, controller="二号系统控制器")
    await mine.create()
    await mine.put(CLIP, b"mine")
    theirs = {"X-Auth-Token": other.controller.token}
    for method, path in (("HEAD", ""), ("PUT", "/x"), ("POST", f"/{mine.container}"), ("PUT", f"/{mine.container}/a")):
        assert (await mine.ask(method, path, headers=theirs)).code == "swift.foreign"
    assert (await other.ask("HEAD", f"/{other.container}")).code == "swift.container_unknown"
    # People's tokens and docks' open nothing here, and a controller's nothing elsewhere.
    assert (await shared.ask("HEAD", mine.controller.account, role=Role.ADMINISTRATOR)).code == "auth.role"
    bearer = {"Authorization": f"Bearer {mine.controller.token}"}
    assert (await shared.ask("GET", "/v1/clips", headers=bearer)).code == "auth.role"
    both = {"X-Auth-Token": mine.controller.token}
    assert (await shared.ask("GET", "/v1/clips", headers=both)).code == "auth.missing"


async def test_sessions_end(shared: RunningService) -> None:
    paper = await system(shared, 9, controller="三号系统控制器")
    for token in ("axis_x", paper.controller.token[:-1] + "!", paper.controller.token[:-4] + "AAAA"):
        reply = await paper.ask("HEAD", headers={"X-Auth-Token": token})
        assert (reply.status, reply.code) in {(401, "auth.malformed"), (401, "auth.unknown_token")}
    async with shared.services.pool.acquire() as conn:
        await conn.execute(
            "UPDATE controller_session SET expires_at = $2 WHERE controller = $1",
            paper.controller.controller,
            utc_now() - timedelta(seconds=1),
        )
    assert (await paper.ask("HEAD")).code == "auth.expired"
    headers = {"X-Auth-User": str(paper.controller.controller), "X-Auth-Key": paper.controller.key}
    reply = await shared.ask("GET", "/auth/v1.0", headers=headers)
    fresh = {"X-Auth-Token": reply.headers["X-Auth-Token"]}
    assert (await paper.ask("HEAD", headers=fresh)).status == 204
    async with shared.services.pool.acquire() as conn, conn.transaction():
        await revoke_controller(
            conn,
            controller=paper.controller.controller,
            reason="丢失",
            actor="service",
            clock=shared.services.clock,
            entropy=shared.entropy,
        )
    assert (await paper.ask("HEAD", headers=fresh)).code == "auth.revoked"
    assert (await shared.ask("GET", "/auth/v1.0", headers=headers)).code == "auth.unknown_token"


async def test_the_last_of_two_writers_wins_and_the_other_is_kept(shared: RunningService) -> None:
    paper = await system(shared, 10)
    await paper.create()
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"slow " * 100
        begun.set()
        await go.wait()
        yield b"slow " * 100

    slow = asyncio.create_task(paper.put(CLIP, slowly(), CLIP_STATED))
    await begun.wait()
    assert (await paper.put(CLIP, b"quick", CLIP_STATED)).status == 201
    go.set()
    assert (await slow).status == 201
    head = await paper.ask("HEAD", f"/{paper.container}/{CLIP}")
    assert head.headers["Content-Length"] == "1000"
    async with shared.services.pool.acquire() as conn:
        row = await conn.fetchrow("SELECT offset_bytes FROM upload WHERE code = 'swift.replaced'")
    assert row is not None
    assert row["offset_bytes"] == 5
    # Once more the same: nothing is kept twice.
    again = await asyncio.gather(*(paper.put(CLIP, b"slow " * 200, CLIP_STATED) for _ in range(3)))
    assert [reply.status for reply in again] == [201, 201, 201]
    assert await uploads_of(paper, open_only=True) == 1


async def test_a_recording_called_complete_twice_at_once_is_sealed_once(shared: RunningService) -> None:
    paper = await system(shared, 11)
    await paper.create()
    await paper.put(CLIP, b"twice at once", CLIP_STATED)
    replies = await asyncio.gather(*(paper.complete() for _ in range(4)))
    assert {reply.status for reply in replies} == {204}
    async with shared.services.pool.acquire() as conn:
        count = "SELECT count(*) FROM recording WHERE container = $1"
        assert await conn.fetchval(count, paper.container) == 1


async def test_bytes_that_are_a_clip_already_join_the_recording(shared: RunningService) -> None:
    first, second = await system(shared, 12), await system(shared, 13)
    for paper in (first, second):
        await paper.create()
        await paper.put(CLIP, b"the same bytes", CLIP_STATED)
        assert (await paper.complete()).status == 204
    async with shared.services.pool.acquire() as conn:
        clips = await conn.fetch("SELECT DISTINCT clip FROM recording_clip WHERE size = 14")
    assert len(clips) == 1


async def test_an_original_that_is_lost_is_said_and_can_be_sent_again(shared: RunningService) -> None:
    paper = await system(shared, 14)
    await paper.create()
    await paper.put(CLIP, b"about to be lost", CLIP_STATED)
    async with shared.services.pool.acquire() as conn:
        upload = await conn.fetchval("SELECT id FROM upload WHERE path = $1", f"{paper.container}/{CLIP}")
    shared.services.uploads.spool.bytes_path(upload).unlink()
    reply = await paper.complete()
    assert (reply.status, reply.code) == (400, "swift.lost")
    assert (await paper.put(CLIP, b"about to be lost", CLIP_STATED)).status == 201
    assert (await paper.complete()).status == 204


async def test_a_full_disk_and_another_host_are_told_as_the_controller_understands(
    shared: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = await system(shared, 15)
    await paper.create()
    with monkeypatch.context() as patch:
        patch.setattr(type(shared.services.uploads.spool), "free_bytes", lambda _: -1)
        for name in (CLIP, BOOKMARK):
            reply = await paper.put(name, b"x")
            assert (reply.status, reply.code) == (507, "upload.no_space")
            assert "Retry-After" in reply.headers
    async with shared.services.pool.acquire() as conn:
        await conn.execute("UPDATE swift_container SET spool = gen_random_uuid() WHERE name = $1", paper.container)
    assert (await paper.put(CLIP, b"x")).code == "swift.elsewhere"
    assert (await paper.complete()).status == 503


async def test_it_is_off_unless_it_is_turned_on(shared: RunningService, database: str) -> None:
    folder = shared.services.folders.root.parent / "off"
    async with running_service(config_for(database, folder, axis_destination=False)) as off:
        for method, path in (
            ("GET", "/auth/v1.0"),
            ("HEAD", "/v1/AUTH_" + "0" * 32),
            ("PUT", "/v1/AUTH_" + "0" * 32 + "/c"),
        ):
            reply = await off.ask(method, path, headers=meta("Container", {"A": "b"}))
            assert (reply.status, reply.code) == (404, "route.unknown")
