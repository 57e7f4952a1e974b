"""Conditional and repeated requests, made from the routes table: no lost update, no second effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

import pytest
import pytest_asyncio

from api.bodies import JsonBody
from api.route import Route
from api.routes.repeats import UNCONDITIONAL
from api.routes.table import ROUTES
from evidence.parties.roles import STAFF_ROLES
from tests.integration.api.test_access import EXAMPLES
from tests.integration.api.test_permits import BODIES
from tests.support import wishes_of_cases, wishes_of_clips, wishes_of_parties
from tests.support.database import fresh_database
from tests.support.samples import smallest
from tests.support.service import Reply, RunningService, config_for, running_service
from tests.support.wishes import WISHES, Wish, word
from tests.support.wishes_of_parties import PLATFORM

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEYED = [route for route in ROUTES if any(header.name == "Idempotency-Key" for header in route.headers)]
CONDITIONAL = [route for route in ROUTES if any(header.name == "If-Match" for header in route.headers)]
VERSIONED = [
    route for route in CONDITIONAL if any(header.name == "If-Match" and header.required for header in route.headers)
]
NOTHING: Mapping[str, object] = MappingProxyType({})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    """The service, which may tell a platform that nobody runs."""
    folder = tmp_path_factory.mktemp("repeats") / "data"
    async with (
        fresh_database(postgres) as database,
        running_service(config_for(database, folder, outbox_targets=PLATFORM)) as running,
    ):
        yield running


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


PARTS = (wishes_of_cases, wishes_of_clips, wishes_of_parties)
STALE = {
    "accept_proposals": "annotation.stale",
    "amend_case": "case.stale",
    "annotate_clip": "annotation.stale",
    "arrange_case": "case.stale",
    "change_account": "account.stale",
    "change_officer": "register.stale",
    "change_unit": "register.stale",
    "register_recorder": "register.stale",
    "resolve_attribution": "register.stale",
}
"""How a route answers whoever saw an older version."""

ASIDE = (
    *("ledger_", "stored_answer", "deadline_clock", "deadline_fact", "deadline_cursor"),
    *("search_term", "search_document"),
)
"""Tables that duties go on with on the ground of entries, and earlier answers: none tells of what was asked for."""


async def everything(shared: RunningService) -> dict[str, str]:
    """Return a digest of the rows of each table, apart from those that stand aside."""
    async with shared.services.pool.acquire() as conn:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [row["tablename"] for row in tables if not row["tablename"].startswith(ASIDE)]
        rows = "md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)))"
        parts = [f"SELECT '{name}' AS name, {rows} AS rows FROM {name} t" for name in names]
        return {row["name"]: row["rows"] for row in await conn.fetch(" UNION ALL ".join(parts))}


async def send(
    shared: RunningService, route: Route, wish: Wish, key: str | None, other: Mapping[str, object] = NOTHING
) -> Reply:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", wish.named[name])
    headers = {} if key is None else {"Idempotency-Key": key}
    if wish.seen is not None:
        headers["If-Match"] = f'"{wish.seen}"'
    return await shared.ask(route.method, path, role=wish.role, json={**wish.body, **other}, headers=headers)


async def test_every_route_that_can_be_repeated_is_repeated_here() -> None:
    assert {route.name for route in (*KEYED, *CONDITIONAL)} == set(WISHES), (
        "make a wish for it in tests/support/wishes_of_*"
    )


@pytest.mark.parametrize("route", KEYED, ids=lambda route: route.name)
async def test_a_key_makes_a_repeat_harmless_and_is_refused_for_another_body(
    shared: RunningService, route: Route
) -> None:
    wish, key = await WISHES[route.name](shared), word()
    before, entries = await everything(shared), await count(shared)
    first = await send(shared, route, wish, key)
    assert first.status in {answer.status for answer in route.answers}, first.body
    done = await everything(shared)
    assert (done != before, await count(shared) - entries) == (True, wish.entries)
    again = await send(shared, route, wish, key)
    assert (again.status, again.body) == (first.status, first.body)
    if wish.other:
        refused = await send(shared, route, wish, key, wish.other)
        assert (refused.status, refused.code) == (409, "idempotency.conflict"), refused
    else:
        assert isinstance(route.body, JsonBody)
        assert not route.body.model.model_fields, "another body is possible: say which"
    assert await everything(shared) == done


@pytest.mark.parametrize("route", KEYED, ids=lambda route: route.name)
async def test_of_requests_with_one_key_at_once_one_has_an_effect(shared: RunningService, route: Route) -> None:
    wish, key = await WISHES[route.name](shared), word()
    entries = await count(shared)
    first, *others = await asyncio.gather(*(send(shared, route, wish, key) for _ in range(3)))
    assert first.status in {answer.status for answer in route.answers}, first.body
    assert [(one.status, one.body) for one in others] == [(first.status, first.body)] * 2
    assert await count(shared) - entries == wish.entries
    done = await everything(shared)
    await send(shared, route, wish, key)
    assert await everything(shared) == done


@pytest.mark.parametrize("route", CONDITIONAL, ids=lambda route: route.name)
async def test_of_two_changes_of_one_version_the_second_has_no_effect(shared: RunningService, route: Route) -> None:
    wish = await WISHES[route.name](shared)
    entries = await count(shared)
    first = await send(shared, route, wish, None)
    assert first.status in {answer.status for answer in route.answers}, first.body
    done = await everything(shared)
    assert await count(shared) - entries == wish.entries
    second = await send(shared, route, wish, None, wish.other)
    assert (second.status, second.code) == (412, STALE[route.name]), second.body
    assert await everything(shared) == done
