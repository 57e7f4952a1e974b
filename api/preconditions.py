"""Conditional requests: ETags that were seen, and creates that are made once however often they are asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from api.answers import json_answer
from api.bodies import JSON
from api.call import Call
from api.errors import HeaderInvalid, PreconditionRequired
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.errors import KeyReused
from evidence.parties.ticket_store import StoredAnswer, find_answer, insert_answer

KEY_HEADER = "Idempotency-Key"

_VERSION = re.compile(r'"(0|[1-9][0-9]{0,8})"')
_KEY = re.compile(r"[\x21-\x7e]{1,200}")

BodyT = TypeVar("BodyT", bound=BaseModel)
QueryT = TypeVar("QueryT")
PartT = TypeVar("PartT")
AnswerT = TypeVar("AnswerT", bound=BaseModel)


def expected_version(request: web.Request) -> int:
    """Read from `If-Match` which version a change is based on.

    Raises:
        PreconditionRequired: The header is missing.
        HeaderInvalid: It is not one version number in quotes.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired('say in If-Match which version the change is based on, for example "0"')
    match = _VERSION.fullmatch(header.strip())
    if match is None:
        raise HeaderInvalid("If-Match has to be one version number in quotes", header="If-Match")
    return int(match[1])


def seen_version(request: web.Request) -> int | None:
    """Read the version a change is based on where it may be left out, because the change only adds.

    Raises:
        HeaderInvalid: `If-Match` is there and is not one version number in quotes.
    """
    return expected_version(request) if "If-Match" in request.headers else None


def is_unchanged(request: web.Request, tag: str) -> bool:
    """Tell whether the caller has this very representation already (`If-None-Match`)."""
    given = request.headers.get("If-None-Match", "")
    return given.strip() == "*" or tag in {part.strip().removeprefix("W/") for part in given.split(",")}


async def once(
    call: Call[BodyT, QueryT], *, route: str, work: Callable[[Connection], Awaitable[BaseModel]], status: int = 201
) -> web.Response:
    """Do what a create asks for in one transaction; with an Idempotency-Key, a repeat gets the first answer again.

    Args:
        route: Stable name; the same key means something else on another route.
        work: Makes the change and returns what to answer.

    Raises:
        KeyReused: The key was used for a request with another body.
        HeaderInvalid: The key is not 1 to 200 visible ASCII characters.
    """
    key = _key(call.request)
    async with call.services.pool.acquire() as conn, conn.transaction():
        if key is None:
            return json_answer(await work(conn), status=status)
        stored = await _once(call, conn, route=f"{route} {call.request.path}", key=key, work=work, status=status)
    return web.Response(status=stored.status, body=stored.body, headers={"Content-Type": JSON})


async def once_in_parts(
    call: Call[BodyT, QueryT],
    *,
    route: str,
    parts: Sequence[PartT],
    work: Callable[[Connection, PartT], Awaitable[AnswerT]],
    model: type[AnswerT],
) -> list[AnswerT]:
    """Do what a request asks for part by part, each in a transaction of its own; return the parts' answers.

    With an Idempotency-Key each part's answer is stored in its own transaction. So a repeat after a crash between two
    parts gets the answers of those that were done, and does the others.

    Raises:
        KeyReused: The key was used for a request with another body.
        HeaderInvalid: The key is not 1 to 200 visible ASCII characters.
    """
    key = _key(call.request)
    answers = []
    for place, part in enumerate(parts):

        async def one(conn: Connection, part: PartT = part) -> AnswerT:
            return await work(conn, part)

        async with call.services.pool.acquire() as conn, conn.transaction():
            if key is None:
                answers.append(await one(conn))
            else:
                stored = await _once(call, conn, route=f"{route} {place}", key=key, work=one, status=200)
                answers.append(model.model_validate_json(stored.body))
    return answers


def _key(request: web.Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise HeaderInvalid(f"{KEY_HEADER} has to be 1 to 200 visible ASCII characters", header=KEY_HEADER)
    return key


async def _once(
    call: Call[BodyT, QueryT],
    conn: Connection,
    *,
    route: str,
    key: str,
    work: Callable[[Connection], Awaitable[BaseModel]],
    status: int,
) -> StoredAnswer:
    digest = hashlib.sha256(call.body.model_dump_json().encode()).digest()
    # Of two equal requests at once the second waits here, and finds the first one's answer.
    await lock_subject(conn, f"answer:{call.actor}:{route}:{key}")
    stored = await find_answer(conn, actor=call.actor, route=route, key=key)
    if stored is None:
        body = (await work(conn)).model_dump_json().encode()
        stored = StoredAnswer(request_sha256=digest, status=status, body=body)
        await insert_answer(conn, stored, actor=call.actor, route=route, key=key, at=call.services.clock())
    elif stored.request_sha256 != digest:
        raise KeyReused(f"this {KEY_HEADER} was used for a request with another body")
    return stored
