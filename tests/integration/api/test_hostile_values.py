"""Values nobody should send, in every field of every JSON body: made from the table and the examples of the document.

Each request is well-formed but for one value. Whatever it is, the answer is one that the route declares (`service.ask`
holds it to that), never a failure of ours; lists far too long and characters that no text may have are refused.
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import pytest

from api.bodies import JSON, JsonBody
from api.openapi import make_document
from api.route import Route
from api.routes.table import ROUTES
from evidence.parties.roles import Role
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODIES = [route for route in ROUTES if isinstance(route.body, JsonBody)]
Place = tuple[str | int, ...]

REFUSED = ("a\0b",)
"""No text may hold these."""

ODD = (
    "'; DROP TABLE clip; --",
    "../../../../etc/passwd",
    "%2e%2e%2f",
    "%_\\",
    "王\u202e芳",
    "Ꮃang Ϝang",
    "ﬁ①Ａ",
    "\ufeff",
    "${7*7}{{7*7}}",
    "x" * 20_000,
)
"""What a text may look like without being one."""


@cache
def document() -> dict[str, Any]:
    """Return the document, made once."""
    return make_document(None)


def example_of(route: Route, document: dict[str, Any]) -> Any:
    assert isinstance(route.body, JsonBody)
    body = document["paths"][route.path][route.method.lower()]["requestBody"]
    return body["content"][route.body.media_type]["example"]


def places(value: Any, kind: type, at: Place = ()) -> Iterator[Place]:
    """Where values of a kind stand in a body."""
    if isinstance(value, kind) and at:
        yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, kind, (*at, name))


def put(body: Any, at: Place, value: Any) -> Any:
    """Return the body with another value at a place."""
    changed = copy.deepcopy(body)
    holder = changed
    for name in at[:-1]:
        holder = holder[name]
    holder[at[-1]] = value
    return changed


def value_at(body: Any, at: Place) -> Any:
    for name in at:
        body = body[name]
    return body


async def send(shared: RunningService, route: Route, body: Any) -> Any:
    path = route.path
    for parameter in route.parameters:
        path = path.replace(f"{{{parameter}}}", str(uuid4()))
    role = None if route.roles is None else min(route.roles - {Role.DOCK}, default=Role.DOCK)
    headers = {"If-Match": '"1"'} if any(header.name == "If-Match" for header in route.headers) else {}
    data = io.BytesIO(json.dumps(body).encode())
    return await shared.ask(route.method, path, role=role, data=data, headers={"Content-Type": JSON, **headers})


async def test_a_list_of_ten_thousand_is_refused_everywhere(shared: RunningService) -> None:
    wrong, asked = [], 0
    for route in BODIES:
        body = example_of(route, document())
        for at in places(body, list):
            if not (first := value_at(body, at)[:1]):
                continue
            reply = await send(shared, route, put(body, at, first * 10_001))
            asked += 1
            if reply.status not in {400, 413}:
                wrong.append((route.name, at, reply.status, reply.code))
    assert asked > 20
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("route", BODIES, ids=lambda route: route.name)
async def test_no_value_of_a_text_gets_further_than_it_may(shared: RunningService, route: Route) -> None:
    body = example_of(route, document())
    for at in places(body, str):
        for value in REFUSED:
            reply = await send(shared, route, put(body, at, value))
            assert reply.status == 400, (at, value, reply)
        for value in ODD:
            reply = await send(shared, route, put(body, at, value))
            assert reply.status < 500, (at, value, reply)
