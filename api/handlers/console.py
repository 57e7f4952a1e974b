"""The console's files; open to anybody, for they hold nothing: what people see in them comes from the API."""

from __future__ import annotations

from aiohttp import web

from api.call import Call
from api.console.assets import INDEX, POLICY, assets
from api.errors import RouteUnknown
from api.models.console import ConsoleQuery
from api.route import NoQuery

ALWAYS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
"""Kept by the browser, and asked about each time: after an update nobody works with an old page."""


async def index(call: Call[None, ConsoleQuery]) -> web.Response:
    """Return the page; all its views are one document."""
    return _answer(call, INDEX)


async def asset(call: Call[None, NoQuery]) -> web.Response:
    """Return a file of the console."""
    return _answer(call, call.request.match_info["asset"])


def _answer(call: Call[None, NoQuery] | Call[None, ConsoleQuery], name: str) -> web.Response:
    found = assets().get(name)
    if found is None:
        raise RouteUnknown("there is no such file")
    headers = {"ETag": found.etag, "Vary": "Accept-Encoding"}
    if call.request.headers.get("If-None-Match") == found.etag:
        return web.Response(status=304, headers=headers)
    body = found.body
    if "gzip" in call.request.headers.get("Accept-Encoding", ""):
        body = found.compressed
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, headers=headers, content_type=found.media_type, charset="utf-8")
