"""Around every request: an id, one line in the log, metrics, security headers, and errors turned into problems.

Secrets stay out of the log: it has the route's name, never the path (a view ticket is part of one), never a header, and
the actor instead of the token.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable

import asyncpg
import structlog
from aiohttp import web

from api.auth import ControllerCaller, DockCaller, StaffCaller
from api.dispatch import CALLER, ROUTE
from api.errors import MethodRefused, RouteUnknown, SystemAway
from api.metrics import METRICS
from api.problems import INTERNAL, PROBLEMS, problem_response, treatment_of
from api.traffic import TRAFFIC
from evidence.errors import DatabaseUnreachable, DatabaseUnwritable
from ledger.errors import CodedError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = web.RequestKey("request_id", str)
ANSWER_BEGUN = web.RequestKey("answer_begun", bool)
CODE = web.RequestKey("code", str)

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Set on every answer."""

UNROUTED = "unrouted"
"""Label of requests that no route took."""

_REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DATABASE_GONE = (
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    # What asyncpg raises when a connection is cut while a statement is being sent.
    asyncpg.InternalClientError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
)
_DATABASE_UNWRITABLE = (
    asyncpg.ReadOnlySQLTransactionError,
    # Disk full, out of memory, a limit of its configuration.
    asyncpg.InsufficientResourcesError,
)

_log = structlog.get_logger("shilu.http")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, time it, count it, and write one line about it."""
    given = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = given if _REQUEST_ID.fullmatch(given) else _new_request_id()
    metrics = request.app[METRICS]
    begun = time.perf_counter()
    status = 499
    metrics.running.inc()
    request.app[TRAFFIC].enter()
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        seconds = time.perf_counter() - begun
        metrics.running.dec()
        request.app[TRAFFIC].leave()
        route = request.get(ROUTE)
        name = UNROUTED if route is None else route.name
        metrics.requests.labels(route=name, method=_method(request), status=str(status)).inc()
        metrics.seconds.labels(route=name).observe(seconds)
        caller = request.get(CALLER)
        await _log.ainfo(
            "request",
            request_id=request[REQUEST_ID],
            method=_method(request),
            route=name,
            status=status,
            code=request.get(CODE),
            actor=caller.actor if isinstance(caller, StaffCaller | DockCaller | ControllerCaller) else None,
            peer=request.remote,
            milliseconds=round(seconds * 1000, 1),
        )


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong into a problem document; an answer that has begun is cut off instead."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _problem(request, _of_router(error))
    except CodedError as error:
        return _problem(request, error)
    except _DATABASE_GONE as error:
        return _problem(request, DatabaseUnreachable(f"the database went away: {type(error).__name__}"))
    except _DATABASE_UNWRITABLE as error:
        return _problem(request, DatabaseUnwritable(f"the database takes no entries: {type(error).__name__}"))
    except OSError as error:
        if request.get(ANSWER_BEGUN):
            raise
        await _log.awarning("system error", request_id=request[REQUEST_ID], error=str(error))
        return _problem(request, SystemAway("the disk or the database did not answer"))
    except Exception as error:  # broad: whatever nobody foresaw becomes 500 with a traceback in the log, never silence
        if _ends_what_was_cut(error):
            return _problem(request, DatabaseUnreachable("the database went away in a transaction"))
        await _log.aexception("unforeseen", request_id=request[REQUEST_ID], kind=type(error).__name__)
        if request.get(ANSWER_BEGUN):
            raise
        return _problem(request, INTERNAL)


def _ends_what_was_cut(error: Exception) -> bool:
    """Whether it is what the end of a transaction says whose connection went away; nothing of that was committed."""
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error.__context__, _DATABASE_GONE)


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that every answer has; called when an answer begins."""
    request[ANSWER_BEGUN] = True
    if request.app[TRAFFIC].stopping:
        response.force_close()
    route = request.get(ROUTE)
    always = {"Cache-Control": "no-store"} if route is None else route.always
    for name, value in {**SECURITY_HEADERS, **always}.items():
        response.headers.setdefault(name, value)
    # Versions are nobody's business.
    response.headers["Server"] = "shilu"
    response.headers["X-Request-Id"] = request.get(REQUEST_ID) or _new_request_id()


def _problem(request: web.Request, error: CodedError) -> web.Response:
    if request.get(ANSWER_BEGUN):
        raise error
    treatment = treatment_of(error)
    if treatment is None:
        _log.error("unforeseen", request_id=request[REQUEST_ID], kind=type(error).__name__, error=str(error))
        error, treatment = INTERNAL, PROBLEMS[INTERNAL.code]
    request[CODE] = error.code
    return problem_response(error, treatment, request_id=request[REQUEST_ID])


def _of_router(error: web.HTTPException) -> CodedError:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = sorted(error.allowed_methods)
        return MethodRefused(f"only {', '.join(allowed)} here", methods=allowed)
    if isinstance(error, web.HTTPNotFound):
        return RouteUnknown("there is nothing at this address")
    return INTERNAL


def _new_request_id() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _method(request: web.Request) -> str:
    # A client may invent methods; the metrics' labels and the log's fields may not grow with them.
    return request.method if request.method in {"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"} else "OTHER"
