"""A platform that is told of entries: a real HTTP server that checks signatures as Standard Webhooks asks for."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Platform:
    """What came in, and what is answered.

    Attributes:
        statuses: Answers to come, one each; 204 when there are none left.
        attempts: Every request: message id and body, refused ones included.
        records: What had an effect: message id -> message. The receiver keeps the ids it has seen.
        before_answer: Called before a request is answered, to do harm.
    """

    url: str
    secret: str = ""
    statuses: list[int] = field(default_factory=list)
    attempts: list[tuple[str, bytes]] = field(default_factory=list)
    records: dict[str, Any] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    unsigned: int = 0
    before_answer: Callable[[], Awaitable[None]] | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """Take a message."""
        body = await request.read()
        id_ = request.headers["webhook-id"]
        self.attempts.append((id_, body))
        status = self.statuses.pop(0) if self.statuses else 204
        if not self._is_signed(request, body):
            self.unsigned += 1
            return web.Response(status=401)
        if status == 204 and id_ not in self.records:
            self.records[id_] = json.loads(body)
            self.order.append(self.records[id_]["data"]["index"])
        if self.before_answer is not None:
            await self.before_answer()
        headers = {"Location": self.url + "/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        return expected in request.headers["webhook-signature"].split(" ")


@asynccontextmanager
async def open_platform() -> AsyncIterator[Platform]:
    """Run a platform on a free port for the length of the block."""
    app = web.Application()
    platform = Platform("")
    app.router.add_route("*", "/{tail:.*}", platform.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        platform.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield platform
    finally:
        await runner.cleanup()
