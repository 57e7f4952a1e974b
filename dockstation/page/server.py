"""Server of the status page: two answers, to GET alone, for the station's own screen or the office's network.

`/` is `status.html`, which needs nothing from anywhere else; `/status.json` are the figures of `board.py`. Nothing can
be changed here, nobody logs in, and what is shown is meant for whoever stands before the dock. The policy in the header
lets exactly this script and this style run, and ask nobody but this server.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

from aiohttp import web

from dockstation.errors import PageUnavailable
from dockstation.page.board import Board

_PART = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


@asynccontextmanager
async def serving_page(listen: str, board: Board) -> AsyncIterator[str]:
    """Serve the page for the length of the block and yield its address.

    Args:
        listen: `HOST:PORT`; port 0 for a free one.

    Raises:
        PageUnavailable: Nothing can listen there.
    """
    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(_application(board), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            raise PageUnavailable(f"the status page cannot listen at {listen}: {error.strerror}") from error
        bound = runner.addresses[0][1]
        yield f"http://{host}:{bound}/"
    finally:
        await runner.cleanup()


def policy_of(html: str) -> str:
    """Return the content security policy that lets a page's own script and style run, and nothing else."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _PART.findall(html):
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        hashes[kind].append(f"'sha256-{digest}'")
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes['script'])}",
            f"style-src {' '.join(hashes['style'])}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _application(board: Board) -> web.Application:
    html = resources.files("dockstation.page").joinpath("status.html").read_text(encoding="utf-8")
    headers = {
        "Content-Security-Policy": policy_of(html),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def figures(_: web.Request) -> web.Response:
        return web.json_response(await board.figures(), headers=headers)

    app = web.Application(client_max_size=1024)
    app.router.add_get("/", page)
    app.router.add_get("/status.json", figures)
    return app
