"""The routes table: whole, consistent, and the same as the document made from it."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from typing import Any, get_args, get_type_hints

import pytest
from aiohttp import web
from openapi_pydantic.v3.v3_1 import OpenAPI

from api.bodies import FileBody, JsonBody, NoteBody
from api.call import Call
from api.openapi import codes_of, make_document, write_document
from api.problems import PROBLEMS
from api.route import PATH_PATTERNS, Route
from api.routes.table import ROUTES
from evidence.parties.roles import Role

BY_NAME = {route.name: route for route in ROUTES}


@cache
def document() -> dict[str, Any]:
    """Return the document, made once: it takes a tenth of a second, and every route looks at it."""
    return make_document(None)


def test_names_and_addresses_are_unique() -> None:
    assert len(BY_NAME) == len(ROUTES)
    places = [(method, route.path) for route in ROUTES for method in route.methods]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_handler_takes_what_the_route_says(name: str) -> None:
    route = BY_NAME[name]
    call = get_type_hints(route.handle)["call"]
    body, query = get_args(call)
    expected = (
        route.body.model
        if isinstance(route.body, JsonBody)
        else bytes
        if isinstance(route.body, NoteBody | FileBody)
        else None
    )
    assert getattr(call, "__origin__", None) is Call
    assert body is (type(None) if expected is None else expected)
    assert query is route.query
    assert inspect.iscoroutinefunction(route.handle)


@pytest.mark.parametrize("name", BY_NAME)
def test_every_part_of_a_route_is_known(name: str) -> None:
    route = BY_NAME[name]
    assert set(route.errors) <= PROBLEMS.keys()
    assert len(set(route.errors)) == len(route.errors)
    assert set(route.parameters) <= PATH_PATTERNS.keys()
    assert route.summary
    assert route.answers
    assert route.roles is None or route.roles


def test_only_what_the_contract_names_is_open() -> None:
    opened = {route.path for route in ROUTES if route.roles is None}
    assert opened == {
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/log/policy",
        "/console/",
        "/console/{asset}",
        "/log/checkpoint",
        "/log/keys",
        "/log/keys/{place}",
        "/log/tile/{tile}",
        # The code and the ticket are the credentials.
        "/v1/docks/enrol",
        "/media/{ticket}",
        "/media/{ticket}/{kind}",
        "/media/{ticket}/{clip}/{kind}",
        # Name and password, name and code.
        "/v1/session",
        "/v1/session/activate",
        # Which ways of signing in there are, told to who has not signed in yet.
        "/v1/session/ways",
        # The provider answers for the person; the cookie says which sign-in it is.
        "/v1/session/oidc",
        "/v1/session/oidc/return",
        "/packages/{ticket}",
        "/share/{ticket}",
        "/share/{ticket}/verify.html",
        "/watch/{ticket}",
        "/watching/{ticket}",
        "/watching/{ticket}/copy",
        # What is told the public.
        "/public",
        "/public/feed.json",
        "/public/records/{publication}",
        "/public/records/{publication}/proof",
        "/public/registers",
        "/public/reports",
        "/public/v1/records",
        "/public/v1/records/{publication}",
        "/public/v1/registers",
        "/public/v1/reports",
        # User name and key of the connection file.
        "/auth/v1.0",
    }
    assert {route.path for route in ROUTES if route.open_on_loopback} == {"/metrics"}


def test_an_administrator_sees_nothing_of_footage() -> None:
    for route in ROUTES:
        if route.tag in {"clips", "cases", "exports", "uploads"} and route.roles is not None:
            assert Role.ADMINISTRATOR not in route.roles, route.name


def test_an_auditor_changes_nothing_but_the_record_of_own_views_the_own_token_and_own_searches() -> None:
    changing = {
        route.name
        for route in ROUTES
        if route.roles is not None and Role.AUDITOR in route.roles and route.method not in {"GET", "HEAD"}
    }
    own = {route.name for route in ROUTES if route.tag == "session"}
    own |= {"save_search", "run_search", "forget_search"}
    assert changing - own == {
        "view_clip",
        "look_at_clips",
        "order_excerpt",
        "order_still",
        "download_export",
        "rotate_token",
    }


def test_a_dock_only_brings() -> None:
    for route in ROUTES:
        if route.roles is not None and Role.DOCK in route.roles:
            assert route.tag in {"uploads", "docks"} or route.name == "clip_receipt"


async def test_the_router_takes_every_pattern() -> None:
    app = web.Application()

    async def nothing(_: web.Request) -> web.Response:
        return web.Response()

    for route in ROUTES:
        for method in route.methods:
            app.router.add_route(method, route.pattern, nothing)


def test_the_document_is_openapi_and_names_every_route() -> None:
    document = json.loads(write_document(None))
    OpenAPI.model_validate(document)
    named = {
        operation["operationId"]: (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert named == {route.name: (route.method.lower(), route.path) for route in ROUTES}


def test_every_reference_in_the_document_leads_somewhere() -> None:
    document = make_document(None)
    text = json.dumps(document)
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert name in document["components"]["schemas"]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_document_tells_every_code_at_its_status(name: str) -> None:
    route = BY_NAME[name]
    responses = document()["paths"][route.path][route.method.lower()]["responses"]
    for code in codes_of(route):
        described = responses[str(PROBLEMS[code].status)]["description"]
        assert re.search(rf"\b{re.escape(code)}\b", described), code
    for answer in route.answers:
        assert answer.means in responses[str(answer.status)]["description"]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_document_tells_who_may(name: str) -> None:
    route = BY_NAME[name]
    security: list[dict[str, Any]] = document()["paths"][route.path][route.method.lower()]["security"]
    told = {role for scheme in security for roles in scheme.values() for role in roles}
    assert told == {role.value for role in route.roles or ()}


def test_public_url_is_the_documents_server() -> None:
    assert make_document("https://evidence.example.cn/x")["servers"] == [{"url": "https://evidence.example.cn/x"}]


def test_patterns_take_nothing_that_could_be_a_path_elsewhere() -> None:
    hostile = ["..", "../..", "%2e%2e", "a/../b", "a\\b", "a\0b", "A" * 400, "", " ", "*", "'; --", "é"]
    for kind, pattern in PATH_PATTERNS.items():
        for text in hostile:
            # Tiles keep their slashes and dots here, and are parsed by the log's own strict reader afterwards; Swift's
            # names are read from the address as it was sent, and are never a path.
            if kind not in {"tile", "container", "object"}:
                assert not re.fullmatch(pattern, text), (kind, text)


def test_a_route_is_a_value() -> None:
    assert isinstance(ROUTES, tuple)
    assert all(isinstance(route, Route) for route in ROUTES)
