"""The published log, as its files lie on disk (C2SP tlog-tiles); open to anybody, tokens are not asked for."""

from __future__ import annotations

from aiohttp import web

from api.call import Call
from api.errors import RouteUnknown
from api.route import NoQuery
from ledger.errors import TilePathMalformed
from ledger.key_history import statement_path
from ledger.publish import CHECKPOINT_TYPE, TILE_CACHE, TILE_TYPE
from ledger.tiles import parse_bundle_path, parse_tile_path

PUBLIC = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""A log may be read from anywhere, a browser page of a monitor included."""

CHECKPOINT_CACHE = "public, max-age=1"
"""tlog-tiles: a checkpoint is cached for seconds only."""


async def checkpoint(call: Call[None, NoQuery]) -> web.Response:
    """Return the newest published checkpoint."""
    note = await call.services.reader.checkpoint()
    return web.Response(body=note, headers={"Content-Type": CHECKPOINT_TYPE, "Cache-Control": CHECKPOINT_CACHE})


async def keys(call: Call[None, NoQuery]) -> web.Response:
    """Return the statements by which the log's keys followed each other."""
    history = await call.services.log_keys()
    if not history.statements:
        raise RouteUnknown("the log has the key that it began with")
    return web.Response(
        body=history.format(), headers={"Content-Type": CHECKPOINT_TYPE, "Cache-Control": CHECKPOINT_CACHE}
    )


async def policy(call: Call[None, NoQuery]) -> web.Response:
    """Return whom to believe about the log, as the house says it: to be compared with what came another way."""
    text = (await call.services.policy()).format()
    return web.Response(body=text, headers={"Content-Type": CHECKPOINT_TYPE, "Cache-Control": CHECKPOINT_CACHE})


async def statement(call: Call[None, NoQuery]) -> web.Response:
    """Return one statement about the log's keys, as its file lies beside the checkpoint."""
    raw = await call.services.storage.get(statement_path(int(call.request.match_info["place"])))
    if raw is None:
        raise RouteUnknown("there is no such statement")
    return web.Response(body=raw, headers={"Content-Type": CHECKPOINT_TYPE, "Cache-Control": TILE_CACHE})


async def tile(call: Call[None, NoQuery]) -> web.Response:
    """Return a tile or an entry bundle."""
    path = f"tile/{call.request.match_info['tile']}"
    try:
        (parse_bundle_path if path.startswith("tile/entries/") else parse_tile_path)(path)
    except TilePathMalformed as error:
        raise RouteUnknown("there is no such tile") from error
    raw = await call.services.storage.get(path)
    if raw is None:
        raise RouteUnknown("there is no such tile")
    return web.Response(body=raw, headers={"Content-Type": TILE_TYPE, "Cache-Control": TILE_CACHE})
