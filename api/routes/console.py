"""Routes of the console: files for a browser."""

from __future__ import annotations

from api.console.assets import MEDIA_TYPES
from api.handlers import console
from api.models.console import ConsoleQuery
from api.route import Answer, Route
from api.routes.access import ANYBODY

_SAME = Answer(status=304, means="The browser has it already")

CONSOLE_ROUTES: tuple[Route, ...] = (
    Route(
        name="console",
        method="GET",
        path="/console/",
        summary="The console, a page for people who work here",
        roles=ANYBODY,
        handle=console.index,
        query=ConsoleQuery,
        answers=(Answer(status=200, means="The page", media_type="text/html"), _SAME),
        always=console.ALWAYS,
        tag="console",
    ),
    Route(
        name="console_asset",
        method="GET",
        path="/console/{asset}",
        summary="A file that the page needs",
        roles=ANYBODY,
        handle=console.asset,
        answers=(*(Answer(status=200, means="The file", media_type=kind) for kind in MEDIA_TYPES.values()), _SAME),
        errors=("route.unknown",),
        always=console.ALWAYS,
        tag="console",
    ),
)
