"""A small client of the service's own HTTP interface, as any other program would use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from uuid import uuid4

import aiohttp

from ledger.errors import Blame, CodedError

PATIENCE_SECONDS = 30.0
_RETRY_PAUSE_SECONDS = 0.3


class RequestRefused(CodedError):
    """The service refused a request; the message carries the service's own stable code and reason."""

    code = "client.refused"
    blame: ClassVar[Blame] = Blame.INPUT


class ServiceUnreachable(CodedError):
    """The service does not answer, or answers with errors of its own; trying again later may help."""

    code = "client.unreachable"
    blame: ClassVar[Blame] = Blame.WAY


class ServiceClient:
    """Speaks JSON with the service on behalf of one person.

    Args:
        session: An open aiohttp session.
        url: Base URL without a trailing slash.
        token: API token of the person.
        patience_seconds: How long to ask again while the service is coming back.
    """

    def __init__(self, session: aiohttp.ClientSession, *, url: str, token: str, patience_seconds: float) -> None:
        self._session = session
        self._patience_seconds = patience_seconds
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

    @asynccontextmanager
    async def stream(
        self, url: str, *, headers: Mapping[str, str], silence_seconds: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer to one GET of an address that is a credential by itself, however long its body takes.

        Args:
            url: Whole, or a path of this service.
            silence_seconds: How long nothing may come.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=silence_seconds, sock_read=silence_seconds)
        whole = url if "://" in url else self.url + url
        async with self._session.get(whole, headers=headers, timeout=timeout) as answer:
            yield answer

    async def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        headers = {**self._headers, **arguments.pop("headers", {})}
        deadline = asyncio.get_running_loop().time() + self._patience_seconds
        while True:
            try:
                async with self._session.request(method, self.url + path, headers=headers, **arguments) as answer:
                    body: dict[str, Any] = await answer.json(content_type=None)
                    if answer.status < 400:
                        return body
                    if answer.status < 500:
                        raise RequestRefused(
                            f"{method} {path}: {answer.status} {body.get('code')}: {body.get('detail')}"
                        )
                    problem: object = body.get("code")
            except (aiohttp.ClientConnectionError, TimeoutError, ValueError) as error:
                problem = error
            if asyncio.get_running_loop().time() > deadline:
                raise ServiceUnreachable(f"{method} {path} was not answered: {problem}")
            await asyncio.sleep(_RETRY_PAUSE_SECONDS)


@asynccontextmanager
async def open_client(
    url: str, token: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[ServiceClient]:
    """Yield a client and close its connections at the end; a service that is away is asked again for a while."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield ServiceClient(session, url=url.rstrip("/"), token=token, patience_seconds=patience_seconds)
