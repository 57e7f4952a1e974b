"""Writing answers: JSON of a model, strong ETags, and the addresses we give."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from pydantic import BaseModel

from api.bodies import JSON


def json_answer(model: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with a model as JSON in UTF-8."""
    return web.Response(
        status=status, body=model.model_dump_json().encode(), headers={"Content-Type": JSON, **(headers or {})}
    )


def etag(value: str) -> str:
    """Write a strong ETag."""
    return f'"{value}"'
