"""The gate before every handler: who calls, may they, is what they sent what the route takes, may they touch this.

Order matters and is the same everywhere: caller, role, scope, query, body, access. Nobody learns what a route would say
to a malformed request before they have shown that they may call it, and no byte of a body is read for a stranger.
Whether they may touch the very clip or case is asked last (`api.permits`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ValidationError

from api.auth import Caller, StaffCaller, authenticate
from api.bodies import BodyLimits, field_errors
from api.call import Call
from api.cookies import address_of, session_cookie
from api.errors import ApiError, QueryInvalid, RoleRefused, RouteUnknown, ScopeRefused
from api.permits import admit
from api.route import Route
from api.routes.access import CONTROLLERS
from api.scopes import opens
from api.services import Services
from evidence.db.pool import Connection
from evidence.parties.errors import TicketForeign

SERVICES = web.AppKey("services", Services)
CALLER = web.RequestKey("caller", object)
ROUTE = web.RequestKey("route", Route)
EVERY_ROUTE = web.AppKey("every_route", tuple[Route, ...])

QUERY_PARAMETERS_MAX = 40

QueryT = TypeVar("QueryT", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def handler_of(route: Route) -> Handler:
    """Return a route's handler behind its gate."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request[ROUTE] = route
        services = request.app[SERVICES]
        if route.setting is not None and not getattr(services.config, route.setting):
            raise RouteUnknown("there is nothing at this address")
        caller = await _let_in(route, request, services)
        query = parse_query(route.query, request.rel_url.raw_query_string)
        config = services.config
        limits = BodyLimits(json_bytes_max=config.json_bytes_max, seconds_max=config.body_seconds_max)
        body = await route.body.read(request, limits)
        asking = await admit(route, request, services, caller, body)
        return await route.handle(
            Call(request=request, services=services, caller=caller, body=body, query=query, asking=asking)
        )

    return handle


def parse_query(model: type[QueryT], text: str) -> QueryT:
    """Read a query string as a model; each parameter stands once, names and values are UTF-8.

    Raises:
        QueryInvalid: It does not fit.
    """
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=QUERY_PARAMETERS_MAX,
        )
    except ValueError as error:
        raise QueryInvalid("the query string is malformed or not UTF-8") from error
    given = dict(pairs)
    if len(given) != len(pairs):
        raise QueryInvalid("a query parameter is given twice")
    if any("\0" in value for value in given.values()):
        raise QueryInvalid("a query parameter holds a NUL character")
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise QueryInvalid("the query does not fit", fields=field_errors(error)) from error


async def _let_in(route: Route, request: web.Request, services: Services) -> Caller | None:
    if route.roles is None or (route.open_on_loopback and _is_trusted_scraper(request, services)):
        return None
    async with services.pool.acquire() as conn:
        caller = await _authenticated(conn, request, services, _credentials(route, request, services))
    request[CALLER] = caller
    if caller.role not in route.roles:
        raise RoleRefused(
            f"this is not for the role {caller.role.value}", roles=sorted(role.value for role in route.roles)
        )
    if isinstance(caller, StaffCaller) and not opens(caller.scopes, route):
        raise ScopeRefused("this token does not open this", scopes=sorted(caller.scopes or ()))
    return caller


async def staff_shown(conn: Connection, route: Route, request: web.Request, services: Services) -> UUID | None:
    """Return whose session or token came along to a route that is open to anybody; None without any.

    Raises:
        TicketForeign: Something came along that opens nothing, or is no person's.
    """
    shown = _credentials(route, request, services)
    if not shown:
        return None
    try:
        caller = await _authenticated(conn, request, services, shown)
    except ApiError as error:
        raise TicketForeign("what came along with the ticket opens nothing") from error
    if not isinstance(caller, StaffCaller):
        raise TicketForeign("the ticket is a person's")
    return caller.staff


async def _authenticated(conn: Connection, request: web.Request, services: Services, shown: list[str]) -> Caller:
    return await authenticate(
        conn,
        shown,
        origin=services.origin,
        now=services.clock(),
        leeway=timedelta(seconds=services.config.token_leeway_seconds),
        idle=timedelta(seconds=services.config.session_idle_seconds),
        address=address_of(request, services.config.trusted_proxies),
    )


def _credentials(route: Route, request: web.Request, services: Services) -> list[str]:
    """Return what a request shows as its credential; controllers have a header of Swift's for it, browsers a cookie."""
    swift = request.headers.getall("X-Auth-Token", [])
    if swift and route.roles == CONTROLLERS:
        return [f"Bearer {token}" for token in swift]
    if "Authorization" in request.headers:
        return request.headers.getall("Authorization")
    return [f"Bearer {session}" for session in session_cookie(request, public_url=services.config.public_url)]


def _is_trusted_scraper(request: web.Request, services: Services) -> bool:
    if not services.config.metrics_on_loopback or "Authorization" in request.headers or request.remote is None:
        return False
    return ip_address(request.remote).is_loopback
