"""What each route that can be repeated is asked for in tests: made afresh each time, so that it could be done once.

A maker returns a wish for its route. Those of a part of the API stand together, in `wishes_of_parties`,
`wishes_of_clips` and `wishes_of_cases`; `WISHES` has them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from evidence.core.clock import utc_now
from evidence.parties.roles import Role
from evidence.registers.validity import CHINA
from tests.support.clock import SeededEntropy
from tests.support.payloads import Scribe
from tests.support.service import RunningService


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A request that can be done once.

    Attributes:
        role: Who asks.
        named: Values of the path's parameters.
        body: What is asked for.
        other: What another request would change of the body; empty where the body has no fields.
        seen: The version it is based on, where a version is wanted.
        entries: How many entries it writes when it is done.
    """

    role: Role
    body: dict[str, Any]
    other: dict[str, Any]
    named: dict[str, str]
    seen: int | None
    entries: int


Maker = Callable[[RunningService], Awaitable[Wish]]
WISHES: dict[str, Maker] = {}


def makes(route: str) -> Callable[[Maker], Maker]:
    """Keep a function as the maker of a route's wishes."""

    def keep(maker: Maker) -> Maker:
        assert route not in WISHES, route
        WISHES[route] = maker
        return maker

    return keep


def wish(
    role: Role,
    body: dict[str, Any],
    other: dict[str, Any],
    *,
    seen: int | None = None,
    entries: int = 1,
    **named: object,
) -> Wish:
    """Return a wish; what else is named are the path's parameters."""
    path = {name: str(one) for name, one in named.items()}
    return Wish(role=role, body=body, other=other, named=path, seen=seen, entries=entries)


def word(begin: str = "") -> str:
    """Return a word that nobody said before."""
    return begin + uuid4().hex[:12]


def today() -> str:
    """Return the day it is in China."""
    return datetime.now(CHINA).date().isoformat()


async def post(service: RunningService, role: Role, path: str, body: Any, seen: int | None = None) -> Any:
    """Have something done that a wish needs; return the answer's JSON."""
    headers = {} if seen is None else {"If-Match": f'"{seen}"'}
    reply = await service.ask("POST", path, role=role, json=body, headers=headers)
    assert reply.status in {200, 201, 202}, (path, reply.body)
    return reply.json()


async def get(service: RunningService, role: Role, path: str) -> Any:
    """Return the JSON of what is at an address."""
    reply = await service.ask("GET", path, role=role)
    assert reply.status == 200, (path, reply.body)
    return reply.json()


async def staff_of(service: RunningService, role: Role) -> str:
    """Return the person who asks in a role."""
    return str((await get(service, role, "/v1/session"))["staff"])


async def sealed(service: RunningService, **changes: Any) -> str:
    """Put a clip on record, without bytes that nobody looks at here."""
    async with service.services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=utc_now, entropy=SeededEntropy(uuid4().int))
        return str(await scribe.seal(**changes))


async def unit(service: RunningService) -> tuple[str, str]:
    """Register a unit; return its id and its name."""
    name = word("队")
    return str((await post(service, Role.ADMINISTRATOR, "/v1/units", {"name": name}))["unit"]), name


async def officer(service: RunningService) -> tuple[str, str, str]:
    """Register an officer of a unit; return their id, number and unit."""
    _, where = await unit(service)
    said = {"number": word(), "name": "李四", "unit": where}
    return str((await post(service, Role.ADMINISTRATOR, "/v1/officers", said))["officer"]), said["number"], where


async def case(service: RunningService, **more: Any) -> str:
    """Open a case."""
    said = {"number": word("罚"), "title": "某厂案", **more}
    return str((await post(service, Role.INVESTIGATOR, "/v1/cases", said))["case"])


async def exhibit(service: RunningService, case_id: str, clip: str | None = None) -> str:
    """Make a clip the next exhibit of a case, once somebody answers for whose it is."""
    clip = clip or await sealed(service)
    address = f"/v1/clips/{clip}/attribution"
    attribution = await get(service, Role.ARCHIVIST, address)
    if attribution["blocked"]:
        said = {"officer": None, "reason": "与值班记录核对无误"}
        await post(service, Role.ARCHIVIST, f"{address}/resolution", said, seen=attribution["version"])
    await post(service, Role.INVESTIGATOR, f"/v1/cases/{case_id}/clips", {"clip": clip})
    return clip


async def published(service: RunningService) -> None:
    """Wait until everything on record has its place in the published log."""
    async with asyncio.timeout(20):
        while await service.services.pool.fetchval(
            "SELECT (SELECT count(*) FROM ledger_entry) > (SELECT coalesce(max(size), 0) FROM ledger_publication)"
        ):
            await asyncio.sleep(0.02)
