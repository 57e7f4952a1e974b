"""Scoped tokens over HTTP: what they open, route by route, and that a rotation gives away nothing."""

from __future__ import annotations

from typing import Any

import pytest

from api.bodies import JsonBody
from api.route import Route
from api.routes.table import ROUTES
from api.scopes import opens
from evidence.parties.roles import Role
from tests.integration.api.test_access import EXAMPLES
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def scoped(shared: RunningService, role: Role, *scopes: str) -> dict[str, str]:
    body = {"name": "对接程序", "role": role.value, "scopes": list(scopes)}
    reply = await shared.ask("POST", "/v1/staff/tokens", role=Role.ADMINISTRATOR, json=body)
    assert reply.status == 201, reply.body
    return {"Authorization": f"Bearer {reply.json()['text']}", "token": reply.json()["token"]}


async def ask(shared: RunningService, route: Route, bearer: dict[str, str]) -> Reply:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", EXAMPLES[name])
    body: dict[str, Any] = {"json": {}} if isinstance(route.body, JsonBody) else {}
    return await shared.ask(route.method, path, headers={"Authorization": bearer["Authorization"]}, **body)


@pytest.mark.parametrize(
    ("role", "scopes"), [(Role.ARCHIVIST, ("clips.read", "cases")), (Role.AUDITOR, ("staff.read",))]
)
async def test_a_scoped_token_opens_its_groups_and_nothing_else(
    shared: RunningService, role: Role, scopes: tuple[str, ...]
) -> None:
    bearer = await scoped(shared, role, *scopes)
    wrong = []
    for route in ROUTES:
        if route.roles is None or role not in route.roles:
            continue
        reply = await ask(shared, route, bearer)
        if (reply.code == "auth.scope") == opens(frozenset(scopes), route):
            wrong.append((route.name, reply.code))
    assert not wrong


async def test_a_scope_never_gives_what_the_role_may_not(shared: RunningService) -> None:
    bearer = await scoped(shared, Role.AUDITOR, "cases", "staff")
    for name in ("issue_token", "revoke_token"):
        route = next(route for route in ROUTES if route.name == name)
        assert (await ask(shared, route, bearer)).code == "auth.role"


async def test_a_rotated_token_keeps_its_scopes(shared: RunningService) -> None:
    bearer = await scoped(shared, Role.REVIEWER, "clips.read", "staff")
    path = f"/v1/staff/tokens/{bearer['token']}/rotate"
    reply = await shared.ask("POST", path, headers={"Authorization": bearer["Authorization"]}, json={"reason": "轮换"})
    assert reply.status == 201
    listed = await shared.ask("GET", "/v1/staff/tokens?limit=200", role=Role.AUDITOR)
    scopes = {item["token"]: item["scopes"] for item in listed.json()["items"]}
    assert scopes[reply.json()["token"]] == ["clips.read", "staff"]


async def test_scopes_that_are_none_are_refused(shared: RunningService) -> None:
    for scopes in ([], ["clip"], ["*"], ["clips", "clips.write"], ["clips"] * 5 + ["no"]):
        body = {"name": "对接程序", "role": "auditor", "scopes": scopes}
        reply = await shared.ask("POST", "/v1/staff/tokens", role=Role.ADMINISTRATOR, json=body)
        assert reply.code == "token.scope_unknown", scopes
