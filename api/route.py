"""What a route is: data that dispatch, authorisation, the OpenAPI document and the tests all read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from api.bodies import JSON, Body, Nothing
from api.call import Call
from evidence.parties.roles import Role

UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

PATH_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "clip": UUID_PATTERN,
        "case": UUID_PATTERN,
        "items": UUID_PATTERN,
        "dock": UUID_PATTERN,
        "grant": UUID_PATTERN,
        "token": UUID_PATTERN,
        "staff": UUID_PATTERN,
        "session": UUID_PATTERN,
        "subscription": UUID_PATTERN,
        "upload": UUID_PATTERN,
        "redaction": UUID_PATTERN,
        "hold": UUID_PATTERN,
        "publication": UUID_PATTERN,
        "report": UUID_PATTERN,
        "sample": UUID_PATTERN,
        "appraisal": UUID_PATTERN,
        "export": UUID_PATTERN,
        "link": UUID_PATTERN,
        "version": "[1-9][0-9]{0,8}",
        "officer": UUID_PATTERN,
        "unit": UUID_PATTERN,
        "register": "units|officers|recorders",
        "search": UUID_PATTERN,
        "kind": "[a-z][a-z0-9_.-]{0,63}",
        "ticket": "[0-9a-f]{32}_[A-Za-z0-9_-]{43}",
        "account": "AUTH_[0-9a-f]{32}",
        "container": "[^/]+",
        "object": ".+",
        "asset": "(?:[a-z]+/)?[a-z][a-z0-9_.-]{0,59}",
        "place": "[1-9][0-9]{0,3}",
        "tile": "[0-9a-z/.]{1,80}",
    }
)
"""Path parameters and the one spelling each takes; what does not match is no address of ours."""

NO_STORE: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})
"""Headers of everything that is neither public nor unchanging."""

_PARAMETER = re.compile(r"\{(\w+)\}")


class NoQuery(BaseModel):
    """No query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One way in which a route succeeds.

    Attributes:
        status: HTTP status.
        means: What it tells.
        model: The JSON body's model; None when the body is something else or absent.
        media_type: The body's type; None when there is no body.
    """

    status: int
    means: str
    model: type[BaseModel] | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A request header that a route reads, for the document."""

    name: str
    means: str
    required: bool = False


def json_of(status: int, model: type[BaseModel], means: str) -> Answer:
    """Describe an answer whose body is a model in JSON."""
    return Answer(status=status, means=means, model=model, media_type=JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method at one address.

    Attributes:
        name: Stable name, the operation id of the document and the label in metrics and logs.
        path: Address with `{parameter}` parts out of `PATH_PATTERNS`.
        roles: Who may call; None for anybody, known or not.
        handle: Called behind the gate; a test compares the types of its call with `body` and `query`.
        errors: Codes of its own; what its roles, body and query can lead to is added by `api.openapi.codes_of`.
        open_on_loopback: Whether the setting METRICS_ON_LOOPBACK lets this very host call without a token.
        setting: Name of the setting that has to be on; while it is off there is nothing at this address.
        always: Headers that every answer of it has unless the handler sets them, problems included.
    """

    name: str
    method: str
    path: str
    summary: str
    roles: frozenset[Role] | None
    handle: Callable[[Call[Any, Any]], Awaitable[web.StreamResponse]]
    answers: tuple[Answer, ...]
    body: Body[Any] = Nothing()  # noqa: RUF009 - frozen
    query: type[BaseModel] = NoQuery
    errors: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()
    always: Mapping[str, str] = field(default_factory=lambda: NO_STORE)
    tag: str = "service"
    open_on_loopback: bool = False
    setting: str | None = None

    @property
    def pattern(self) -> str:
        """The path as aiohttp's router takes it."""
        return _PARAMETER.sub(lambda match: f"{{{match[1]}:{PATH_PATTERNS[match[1]]}}}", self.path)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path parameters, in order."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods it answers: whoever may GET may ask for the HEAD alone."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)
