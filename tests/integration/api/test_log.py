"""The published log over HTTP: the same bytes as on disk, with the headers that tlog-tiles asks for."""

from __future__ import annotations

import pytest

from evidence.parties.roles import Role
from ledger.checkpoint import open_checkpoint
from ledger.tiles import TILE_WIDTH, decode_bundle, decode_tile
from ledger.tree import CompactRange, leaf_hash
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_anybody_can_recompute_the_log_from_what_is_served(shared: RunningService) -> None:
    for number in range(3):
        await shared.clip(f"clip {number}".encode(), path=f"{number}.mp4")
    reply = await shared.ask("GET", "/log/checkpoint")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Cache-Control"] == "public, max-age=1"
    checkpoint = open_checkpoint(reply.body, shared.services.log_verifier)
    assert 0 < checkpoint.size < TILE_WIDTH
    bundle = await shared.ask("GET", f"/log/tile/entries/000.p/{checkpoint.size}")
    tile = await shared.ask("GET", f"/log/tile/0/000.p/{checkpoint.size}")
    for part in (bundle, tile):
        assert part.headers["Content-Type"] == "application/octet-stream"
        assert "immutable" in part.headers["Cache-Control"]
        assert part.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    hashes = [leaf_hash(entry) for entry in decode_bundle(bundle.body, width=checkpoint.size)]
    assert tuple(hashes) == decode_tile(tile.body, width=checkpoint.size)
    tree = CompactRange()
    for value in hashes:
        tree.append(value)
    assert tree.root() == checkpoint.root


async def test_the_log_says_nothing_about_people(shared: RunningService) -> None:
    await shared.token(Role.INVESTIGATOR)
    await shared.clip(b"secret name", path="嫌疑人张三.mp4")
    size = open_checkpoint((await shared.ask("GET", "/log/checkpoint")).body, shared.services.log_verifier).size
    bundle = (await shared.ask("GET", f"/log/tile/entries/000.p/{size}")).body
    for word in ("张三", "测试", shared.docks[1].recorder):
        assert word.encode() not in bundle


@pytest.mark.parametrize(
    "path", ["/log/tile/0/000", "/log/tile/5/000", "/log/tile/entries/x001/000", "/log/tile/0/000.p/255"]
)
async def test_tiles_that_are_not_there_yet_are_never_cached(shared: RunningService, path: str) -> None:
    reply = await shared.ask("GET", path)
    assert (reply.status, reply.code) == (404, "route.unknown")
    assert reply.headers["Cache-Control"] == "no-store"


async def test_head_is_answered_too(shared: RunningService) -> None:
    reply = await shared.ask("HEAD", "/log/checkpoint")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["Content-Length"]) > 100
