"""Questions to a running service in one's own name, for commands whose deeds stand on record under a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.cli.run import run
from api.client import open_client

_PATIENCE_SECONDS = 5.0


def get(url: str, token: str, path: str, **query: str) -> dict[str, Any]:
    """Return the JSON answer to a GET.

    Raises:
        RequestRefused, ServiceUnreachable: See `api.client`.
    """

    async def question() -> dict[str, Any]:
        async with open_client(url, token, patience_seconds=_PATIENCE_SECONDS) as client:
            return await client.get(path, **query)

    return run(question())


def post(url: str, token: str, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    """Return the JSON answer to a POST; what is not given (None) is not sent.

    Raises:
        RequestRefused, ServiceUnreachable: See `api.client`.
    """

    async def question() -> dict[str, Any]:
        async with open_client(url, token, patience_seconds=_PATIENCE_SECONDS) as client:
            return await client.post(path, {name: value for name, value in body.items() if value is not None})

    return run(question())


def pages(url: str, token: str, path: str, **query: str) -> list[dict[str, Any]]:
    """Return the items of every page of a list.

    Raises:
        RequestRefused, ServiceUnreachable: See `api.client`.
    """

    async def question() -> list[dict[str, Any]]:
        async with open_client(url, token, patience_seconds=_PATIENCE_SECONDS) as client:
            return await client.pages(path, **query)

    return run(question())


def rows(items: list[dict[str, Any]], *names: str) -> list[list[str]]:
    """Return fields of items as cells of a table, `-` for what is not there."""
    return [["-" if item[name] is None else _cell(item[name]) for name in names] for item in items]


def _cell(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
