"""Conditional and repeated requests, made from the routes table: no lost update, no second effect."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from api.bodies import JsonBody
from api.route import Route
from api.routes.repeats import UNCONDITIONAL
from api.routes.table import ROUTES
from evidence.parties.roles import STAFF_ROLES, Role
from tests.integration.api.test_access import EXAMPLES
from tests.integration.api.test_permits import BODIES
from tests.support.samples import smallest
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
VERSIONED = [
    route for route in ROUTES if any(header.name == "If-Match" and header.required for header in route.headers)
]


def headers_of(route: Route) -> set[str]:
    return {header.name for header in route.headers}


async def test_every_changing_route_says_what_a_repeat_does() -> None:
    changing = {route.name for route in ROUTES if route.method in CHANGING}
    conditional = {
        route.name
        for route in ROUTES
        if route.method in CHANGING and headers_of(route) & {"If-Match", "Idempotency-Key"}
    }
    assert set(UNCONDITIONAL) == changing - conditional


def path_of(route: Route) -> str:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", EXAMPLES[name])
    return path


@pytest.mark.parametrize("route", VERSIONED, ids=lambda route: route.name)
async def test_a_versioned_change_names_the_version_that_was_seen(shared: RunningService, route: Route) -> None:
    role = min((route.roles or STAFF_ROLES) & STAFF_ROLES)
    body = BODIES.get(route.name) or smallest(route.body.model) if isinstance(route.body, JsonBody) else None
    entries = await count(shared)
    for given, code, status in (
        ({}, "request.precondition_required", 428),
        ({"If-Match": "*"}, "request.header", 400),
        ({"If-Match": 'W/"0"'}, "request.header", 400),
    ):
        reply = await shared.ask(route.method, path_of(route), role=role, headers=given, json=body)
        assert (reply.status, reply.code) == (status, code), (route.name, given)
    assert await count(shared) == entries


async def count(shared: RunningService) -> int:
    entries: int = await shared.services.pool.fetchval(
        "SELECT count(*) FROM custody_payload WHERE type <> 'staff.token_issued'"
    )
    return entries


async def clip(shared: RunningService) -> str:
    return str(await shared.clip(uuid4().bytes))


async def unit(shared: RunningService) -> str:
    reply = await shared.ask("POST", "/v1/units", role=Role.ADMINISTRATOR, json={"name": f"队{uuid4().hex}"})
    return str(reply.json()["unit"])


async def stale(shared: RunningService, name: str) -> tuple[Reply, Reply]:
    """Change something twice on the ground of one version; return both answers."""
    admin = Role.ADMINISTRATOR
    body: dict[str, Any]
    match name:
        case "change_unit":
            ask, path, role, body = "PUT", f"/v1/units/{await unit(shared)}", admin, {"name": f"新{uuid4().hex}"}
        case "annotate_clip":
            path, role = f"/v1/clips/{await clip(shared)}/annotations", Role.INVESTIGATOR
            ask, body = "POST", {"remark": "现场"}
        case "register_recorder":
            ask, path, role = "POST", "/v1/recorders/registrations", admin
            body = {"recorder": f"Z{uuid4().hex[:8]}", "kind": "body_worn", "state": "in_use"}
        case "change_officer":
            word = uuid4().hex
            await shared.ask("POST", "/v1/units", role=admin, json={"name": f"处{word}"})
            made = {"number": word, "name": "张三", "unit": f"处{word}"}
            known = (await shared.ask("POST", "/v1/officers", role=admin, json=made)).json()["officer"]
            ask, path, role = "PUT", f"/v1/officers/{known}", admin
            body = {"name": "张四", "unit": made["unit"]}
        case _:
            raise AssertionError(name)
    headers = {"If-Match": '"1"' if name in {"change_unit", "change_officer"} else '"0"'}
    first = await shared.ask(ask, path, role=role, json=body, headers=headers)
    entries = await count(shared)
    second = await shared.ask(ask, path, role=role, json=body, headers=headers)
    assert await count(shared) == entries
    return first, second


@pytest.mark.parametrize("name", ["change_unit", "annotate_clip", "register_recorder", "change_officer"])
async def test_of_two_changes_of_one_version_the_second_has_no_effect(shared: RunningService, name: str) -> None:
    first, second = await stale(shared, name)
    assert first.status in {200, 201}, first
    assert second.status == 412, second


KEYED: dict[str, tuple[Role, dict[str, Any], dict[str, Any]]] = {
    "open_case": (Role.ARCHIVIST, {"number": "罚{}", "title": "甲"}, {"title": "乙"}),
    "register_unit": (Role.ADMINISTRATOR, {"name": "队{}"}, {"name": "组{}"}),
    "register_officer": (Role.ADMINISTRATOR, {"number": "{}", "name": "李四", "unit": "{unit}"}, {"name": "李五"}),
    "assign_recorder": (Role.ADMINISTRATOR, {"recorder": "R{}", "officer": None}, {"recorder": "Q{}"}),
    "classify_clip": (Role.ARCHIVIST, {"classes": ["minors"], "reason": "未成年人"}, {"classes": []}),
    "annotate_clip": (Role.INVESTIGATOR, {"remark": "现场{}"}, {"remark": "别处"}),
    "save_search": (Role.INVESTIGATOR, {"name": "查{}", "q": "现场"}, {"name": "另{}"}),
    "state_price": (
        Role.ADMINISTRATOR,
        {"hundredths": 1, "currency": "CNY", "citation": "合同"},
        {"hundredths": 2},
    ),
}
"""Routes that put something new on record: who asks, what for, and what another request changes of it."""


@pytest.mark.parametrize("name", KEYED)
async def test_a_key_makes_a_repeat_harmless_and_is_refused_for_another_body(shared: RunningService, name: str) -> None:
    (route,) = [one for one in ROUTES if one.name == name]
    role, body, other = KEYED[name]
    word = uuid4().hex[:12]
    named = f"单位{word}"
    if name == "register_officer":
        await shared.ask("POST", "/v1/units", role=Role.ADMINISTRATOR, json={"name": named})

    def filled(said: dict[str, Any]) -> dict[str, Any]:
        words = {"{unit}": named}
        return {
            key: words.get(value, value.replace("{}", word)) if isinstance(value, str) else value
            for key, value in said.items()
        }

    path = route.path.replace("{clip}", await clip(shared) if "clip" in route.parameters else "")
    headers = {"Idempotency-Key": word, "If-Match": '"0"'}
    replies, entries = [], [await count(shared)]
    for said in (body, body, {**body, **other}):
        replies.append(await shared.ask(route.method, path, role=role, json=filled(said), headers=headers))
        entries.append(await count(shared))
    first, again, refused = replies
    assert first.status == 201, first
    assert (again.status, again.body) == (first.status, first.body)
    assert (refused.status, refused.code) == (409, "idempotency.conflict"), refused
    assert len(set(entries[1:])) == 1, "one effect"
