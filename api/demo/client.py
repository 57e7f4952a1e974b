"""A small client of the service's own HTTP interface, as any other program would use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

from api.demo.errors import DemoError, DemoTimeout

_TIMEOUT_SECONDS = 30
_RETRY_PAUSE_SECONDS = 0.3


class DemoRequestRefused(DemoError):
    """The service refused a request of the demonstration; the message carries its stable code."""

    code = "demo.request_refused"


class ServiceClient:
    """Speaks JSON with the service on behalf of one person.

    Args:
        session: An open aiohttp session.
        url: Base URL without a trailing slash.
        token: API token of the person.
    """

    def __init__(self, session: aiohttp.ClientSession, *, url: str, token: str) -> None:
        self._session = session
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the JSON body of a GET, asked again while the service is coming back."""
        return await self._ask("GET", path, params=query)

    async def post(
        self, path: str, body: Mapping[str, object], *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return the JSON body of a POST; safe to repeat because it carries an Idempotency-Key."""
        merged = {"Idempotency-Key": uuid4().hex, **(headers or {})}
        return await self._ask("POST", path, json=dict(body), headers=merged)

    async def pages(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return the items of every page of a listing."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page.get("next")
            if cursor is None:
                return items

    async def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        headers = {**self._headers, **arguments.pop("headers", {})}
        deadline = asyncio.get_running_loop().time() + _TIMEOUT_SECONDS
        while True:
            try:
                async with self._session.request(method, self.url + path, headers=headers, **arguments) as answer:
                    body: dict[str, Any] = await answer.json(content_type=None)
                    if answer.status < 400:
                        return body
                    if answer.status < 500:
                        raise DemoRequestRefused(
                            f"{method} {path}: {answer.status} {body.get('code')}: {body.get('detail')}"
                        )
                    problem: object = body.get("code")
            except (aiohttp.ClientConnectionError, TimeoutError, ValueError) as error:
                problem = error
            if asyncio.get_running_loop().time() > deadline:
                raise DemoTimeout(f"{method} {path} was not answered: {problem}")
            await asyncio.sleep(_RETRY_PAUSE_SECONDS)


@asynccontextmanager
async def open_client(url: str, token: str) -> AsyncIterator[ServiceClient]:
    """Yield a client and close its connections at the end."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield ServiceClient(session, url=url, token=token)
