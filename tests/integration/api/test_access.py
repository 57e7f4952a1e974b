"""The authorisation matrix, made from the routes table: every route, called by everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from api.bodies import JsonBody
from api.route import Route
from api.routes.table import ROUTES
from evidence.parties.roles import Role
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = {
    "clip": str(UUID(int=1)),
    "case": str(UUID(int=2)),
    "items": str(UUID(int=7)),
    "dock": str(UUID(int=3)),
    "grant": str(UUID(int=31)),
    "token": str(UUID(int=4)),
    "staff": str(UUID(int=104)),
    "session": str(UUID(int=105)),
    "subscription": str(UUID(int=106)),
    "upload": str(UUID(int=5)),
    "ticket": "0" * 32 + "_" + "A" * 43,
    "asset": "nothing.js",
    "tile": "0/000",
    "account": "AUTH_" + "0" * 32,
    "container": "user_serial_1700000000",
    "object": "1700000000_1.mkv",
    "place": "1",
    "kind": "playlist",
    "redaction": str(UUID(int=6)),
    "hold": str(UUID(int=7)),
    "publication": str(UUID(int=40)),
    "report": str(UUID(int=41)),
    "sample": str(UUID(int=9)),
    "appraisal": str(UUID(int=8)),
    "export": str(UUID(int=30)),
    "link": str(UUID(int=31)),
    "version": "1",
    "officer": str(UUID(int=7)),
    "unit": str(UUID(int=8)),
    "register": "units",
    "search": str(UUID(int=8)),
}


def requests() -> Iterator[tuple[Route, str, str]]:
    for route in ROUTES:
        path = route.path
        for name in route.parameters:
            path = path.replace(f"{{{name}}}", EXAMPLES[name])
        for method in route.methods:
            yield route, method, path


def body_for(route: Route) -> dict[str, Any]:
    return {"json": {}} if isinstance(route.body, JsonBody) else {}


async def test_nobody_gets_in_without_a_token(shared: RunningService) -> None:
    wrong = []
    for route, method, path in requests():
        reply = await shared.ask(method, path, **body_for(route))
        if (reply.code == "auth.missing") != (route.roles is not None):
            wrong.append((method, path, reply.code))
    assert not wrong


async def test_every_role_gets_exactly_where_the_table_lets_it(shared: RunningService) -> None:
    wrong = []
    for route, method, path in requests():
        for role in Role:
            reply = await shared.ask(method, path, role=role, **body_for(route))
            let_in = reply.status not in {401, 403} or reply.code == "swift.foreign"
            if let_in != (route.roles is None or role in route.roles):
                wrong.append((method, path, role, reply.code))
    assert not wrong


async def test_a_refusal_says_who_may_and_leaves_no_trace(shared: RunningService) -> None:
    count = "SELECT count(*) FROM dock_enrolment_code"
    async with shared.services.pool.acquire() as conn:
        before = await conn.fetchval(count)
    reply = await shared.ask("POST", "/v1/docks/codes", role=Role.INVESTIGATOR, json={})
    assert reply.code == "auth.role"
    assert reply.json()["details"] == {"roles": ["administrator"]}
    async with shared.services.pool.acquire() as conn:
        assert await conn.fetchval(count) == before


async def test_what_is_sent_is_not_judged_before_the_caller_is(shared: RunningService) -> None:
    for headers in ({}, {"Content-Encoding": "gzip"}, {"Content-Type": "text/html"}):
        reply = await shared.ask("POST", "/v1/cases?no=such", data=b"{", headers=headers)
        assert reply.code == "auth.missing"
        reply = await shared.ask("POST", "/v1/cases?no=such", data=b"{", headers=headers, role=Role.REVIEWER)
        assert reply.code == "auth.role"
