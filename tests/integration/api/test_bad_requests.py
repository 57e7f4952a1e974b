"""Hostile and broken requests: each gets a problem with its code, none gets through, none breaks the server."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from yarl import URL

from api.bodies import JsonBody
from api.routes.table import ROUTES
from evidence.parties.roles import Role
from tests.support.service import NOTE, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
CASE = {"number": "晋环罚〔2026〕1号", "title": "某公司未验先投案"}


async def post_case(shared: RunningService, **more: Any) -> Any:
    return await shared.ask("POST", "/v1/cases", role=Role.ARCHIVIST, **more)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "request.malformed"),
        (b"{", "request.malformed"),
        (b"nothing", "request.malformed"),
        (b'{"number": "1", "title": "\xff"}', "request.malformed"),
        (b'{"number": "1", "title": "\\ud800"}', "request.malformed"),
        (b"\xff\xfe{\x00}\x00", "request.malformed"),
        (b"[" * 100_000, "request.malformed"),
        (b'{"number":' * 5000, "request.malformed"),
        (b"[]", "request.invalid"),
        (b"null", "request.invalid"),
        (b"7", "request.invalid"),
        (b"{}", "request.invalid"),
        (b'{"number": 1, "title": "x"}', "request.invalid"),
        (b'{"number": "1", "title": null}', "request.invalid"),
        (b'{"number": "1", "title": ["x"]}', "request.invalid"),
        (b'{"number": "1", "title": "x", "more": 1}', "request.invalid"),
        (b'{"number": "", "title": "x"}', "request.invalid"),
        (b'{"number": "1", "title": "a\\u0000b"}', "request.invalid"),
        (json.dumps({"number": "1" * 101, "title": "x"}).encode(), "request.invalid"),
        (json.dumps({"number": "1", "title": "题" * 401}).encode(), "request.invalid"),
        (b'{"number": "1", "title": "a\\u0007b"}', "case.invalid"),
        (b'{"number": "   ", "title": "x"}', "case.invalid"),
    ],
)
async def test_bodies_that_do_not_fit(shared: RunningService, body: bytes, code: str) -> None:
    reply = await post_case(shared, data=body, headers=JSON)
    assert (reply.status, reply.code) == (400, code)
    assert (await shared.ask("GET", "/v1/cases", role=Role.ARCHIVIST)).json()["items"] == []


async def test_a_long_question_gets_a_problem_and_not_the_parsers_own_answer(shared: RunningService) -> None:
    reply = await shared.ask("GET", "/v1/clips?q=" + "x" * 20_000, role=Role.AUDITOR)
    assert (reply.status, reply.code) == (400, "request.query")


async def test_field_errors_name_fields_and_never_repeat_the_input(shared: RunningService) -> None:
    reply = await post_case(shared, json={"number": 5, "title": "geheim", "secret": "geheim"})
    assert {item["field"] for item in reply.json()["details"]["fields"]} == {"number", "secret"}
    assert "geheim" not in reply.body.decode()


@pytest.mark.parametrize("name", [route.name for route in ROUTES if isinstance(route.body, JsonBody)])
async def test_every_json_route_refuses_what_is_no_json(shared: RunningService, name: str) -> None:
    route = next(route for route in ROUTES if route.name == name)
    path = route.path
    for parameter in route.parameters:
        path = path.replace(f"{{{parameter}}}", str(UUID(int=9)))
    role = None if route.roles is None else min(route.roles - {Role.DOCK}, default=Role.DOCK)
    for body, kind, code in (
        (b"{", JSON, "request.malformed"),
        (b"\xff", JSON, "request.malformed"),
        (b'"x"', JSON, "request.invalid"),
        (b"{}", NOTE, "request.media_type"),
        (b"{}", {"Content-Type": "application/xml"}, "request.media_type"),
        (b"\x1f\x8b", {**JSON, "Content-Encoding": "gzip"}, "request.encoding"),
    ):
        reply = await shared.ask(route.method, path, role=role, data=body, headers=kind)
        assert reply.code == code, (path, body)


async def test_a_long_body_is_refused_by_its_announcement_and_by_its_length(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", json_bytes_max=2000)
    async with running_service(config) as service:
        fitting = json.dumps(CASE).encode().ljust(2000)
        assert (await post_case(service, data=fitting, headers=JSON)).status == 201
        reply = await post_case(service, data=fitting + b" ", headers=JSON)
        assert (reply.status, reply.code, reply.json()["details"]["bytes_max"]) == (413, "request.too_large", 2000)

        async def unannounced() -> Any:
            for _ in range(3):
                yield b" " * 1000

        assert (await post_case(service, data=unannounced(), headers=JSON)).code == "request.too_large"


async def test_a_note_that_is_too_long_is_refused(shared: RunningService) -> None:
    reply = await shared.ask(
        "POST", "/v1/inventories", role=Role.DOCK, data=io.BytesIO(b"x" * (7 * 1024 * 1024 + 1)), headers=NOTE
    )
    assert reply.code == "request.too_large"


async def test_a_body_that_stops_coming_is_given_up(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", body_seconds_max=0.2)
    async with running_service(config) as service:

        async def slow() -> Any:
            yield b"{"
            await asyncio.sleep(1)
            yield b"}"

        reply = await post_case(service, data=slow(), headers=JSON)
        assert (reply.status, reply.code) == (408, "request.timeout")


@pytest.mark.parametrize(
    "query",
    [
        "no=such",
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=ten",
        "limit=1e2",
        "limit=5&limit=5",
        "limit",
        "cursor=%ff",
        "cursor=%00",
        "cursor=" + "a" * 401,
        "&".join(f"a{number}=1" for number in range(41)),
        "limit=9999999999999999999999",
    ],
)
async def test_queries_that_do_not_fit(shared: RunningService, query: str) -> None:
    reply = await shared.ask("GET", f"/v1/cases?{query}", role=Role.AUDITOR)
    assert (reply.status, reply.code) == (400, "request.query")


@pytest.mark.parametrize("cursor", ["x", "1", "../../etc/passwd", "00000000-0000-0000-0000-00000000000G", "' OR 1=1"])
@pytest.mark.parametrize("path", ["/v1/cases", "/v1/docks", "/v1/staff/tokens"])
async def test_cursors_nobody_gave_are_refused(shared: RunningService, path: str, cursor: str) -> None:
    reply = await shared.ask("GET", path, role=Role.AUDITOR, params={"cursor": cursor})
    assert reply.code == "request.cursor"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/v1",
        "/v1/",
        "/v1/cases/",
        "/v1/cases/1",
        "/v1/clips/..",
        "/v1/clips/%2e%2e",
        "/v1/clips/..%2f..%2fetc%2fpasswd",
        "/v1/clips/00000000-0000-0000-0000-000000000001%00",
        "/v1/clips/00000000-0000-0000-0000-00000000000A",
        "/v1/clips/{clip}",
        "/v1/clips/00000000-0000-0000-0000-000000000001/../../docks",
        "/v1/clips/%ff",
        "/v1/clips/" + "a" * 3000,
        "/v1/clips/';%20DROP%20TABLE%20clip;%20--",
        "/media/../keys/log.key",
        "/media/x",
        "/uploads/../../spool",
        "/log/../keys/log.key",
        "/log/%2e%2e/keys/log.key",
        "/log/tile/../../keys/log.key",
        "/log/tile/..%2f..%2fkeys%2flog.key",
        "/log/tile/0/000.p/../../../keys/log.key",
        "/log/tile/0/0",
        "/log/tile/00/000",
        "/log/tile/0/x000",
        "/log/tile/0/000.p/0",
        "/log/tile/0/000.p/256",
        "/log/tile/entries/../0/000",
        "/log/.lock",
        "/openapi.json/",
        "/HEALTHZ",
    ],
)
async def test_addresses_that_are_none(shared: RunningService, path: str) -> None:
    # Encoded as it stands: the client must not tidy the path up before it is sent.
    url = URL(shared.url + path, encoded=True)
    headers = {"Authorization": f"Bearer {await shared.token(Role.AUDITOR)}"}
    async with shared.session.get(url, headers=headers) as answer:
        assert (answer.status, answer.headers["X-Problem-Code"]) == (404, "route.unknown")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/cases", "GET, HEAD, POST"),
        ("PUT", "/healthz", "GET, HEAD"),
        ("GET", "/v1/inventories", "POST"),
        ("POST", "/log/checkpoint", "GET, HEAD"),
    ],
)
async def test_methods_that_are_none(shared: RunningService, method: str, path: str, allowed: str) -> None:
    reply = await shared.ask(method, path)
    assert (reply.status, reply.code, reply.headers["Allow"]) == (405, "route.method", allowed)


async def test_a_caller_may_name_the_request_and_cannot_write_into_the_log(shared: RunningService) -> None:
    given = "0192f0c1-2f5e-7cc3-98c4-dc0c0c07398f"
    assert (await shared.ask("GET", "/healthz", headers={"X-Request-Id": given})).headers["X-Request-Id"] == given
    for forged in ("x" * 100, "a\tb", given.upper(), "'"):
        reply = await shared.ask("GET", "/healthz", headers={"X-Request-Id": forged})
        assert reply.headers["X-Request-Id"] != forged
