"""The HTTP application: routes behind the gate, middleware around them, a runner that starts and stops gracefully."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from api.dispatch import EVERY_ROUTE, SERVICES, handler_of
from api.dock_watch import DOCK_WATCH, DockWatch
from api.handlers.public import PUBLIC_RATE
from api.handlers.service import DOCUMENT
from api.metrics import METRICS, make_metrics
from api.middleware import dress, explain, observe
from api.openapi import write_document
from api.public_rate import PublicRate
from api.routes.table import ROUTES
from api.services import Services
from api.traffic import TRAFFIC, Traffic

CUT_OFF_SECONDS = 2.0
"""How long in seconds a request may take to end once its connection is taken down."""

LINE_BYTES_MAX = 64 * 1024
"""Longest first line of a request that reaches the gate; a longer one gets the parser's own answer in plain text."""

KEEPALIVE_SECONDS = 75.0
"""How long an idle connection stays open; longer than the usual proxy's 60, so that the proxy closes first."""


def make_app(services: Services) -> web.Application:
    """Build the application around the house's parts."""
    app = web.Application(middlewares=[observe, explain])
    app[SERVICES] = services
    app[METRICS] = make_metrics()
    app[TRAFFIC] = Traffic()
    app[DOCK_WATCH] = DockWatch(services, time.monotonic)
    app[PUBLIC_RATE] = PublicRate(services.config.public_requests_per_minute, time.monotonic)
    app[EVERY_ROUTE] = ROUTES
    app[DOCUMENT] = write_document(services.config.public_url)
    app.on_response_prepare.append(dress)
    for route in ROUTES:
        handler = handler_of(route)
        for method in route.methods:
            app.router.add_route(method, route.pattern, handler)
    return app


@asynccontextmanager
async def serve(services: Services) -> AsyncIterator[str]:
    """Serve for the length of the block and yield the base URL, without a slash at the end.

    On leaving, no new connection is taken; requests that run may end within `shutdown_seconds_max`.
    """
    config = services.config
    runner = web.AppRunner(
        make_app(services),
        access_log=None,
        # Offsets and digests are of the bytes as sent; a content encoding is refused, never undone.
        auto_decompress=False,
        handle_signals=False,
        keepalive_timeout=KEEPALIVE_SECONDS,
        max_line_size=LINE_BYTES_MAX,
        shutdown_timeout=CUT_OFF_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.listen_host, config.listen_port)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield config.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        await site.stop()
        await runner.app[TRAFFIC].drain(seconds_max=config.shutdown_seconds_max)
    finally:
        await runner.cleanup()
