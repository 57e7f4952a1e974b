"""The status page: what it tells, to whom, and what a browser makes of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

import aiohttp
import pytest

from dockstation.errors import PageUnavailable
from dockstation.page.board import Board
from dockstation.page.server import policy_of, serving_page
from dockstation.watch import Watch
from evidence.core.clock import utc_now
from tests.support.browser import chromium, open_tab
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, make_recorder

HTML = resources.files("dockstation.page").joinpath("status.html").read_text(encoding="utf-8")


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return make_recorder(tmp_path / "<b>槽 1", count=3)


@asynccontextmanager
async def page_of(watch: Watch) -> AsyncIterator[str]:
    """Serve the page of a station."""
    board = Board(name="走廊 <1>", showcase=watch.showcase, books=watch.books, clock=utc_now)
    async with serving_page("127.0.0.1:0", board) as address:
        yield address


async def figures(address: str) -> dict[str, object]:
    async with aiohttp.ClientSession() as session, session.get(f"{address}status.json") as answer:
        assert answer.status == 200
        (slot,) = (await answer.json())["slots"]
        return dict(slot)


async def test_a_slot_is_safe_only_when_everything_is_receipted(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.faults.receipt_later = 10_000
    async with station.watching(card, receipt_seconds=0.1, patience_seconds=0.3) as watch, page_of(watch) as address:
        await watch.once()
        slot = await figures(address)
        assert (slot["safe"], slot["phase"], slot["recorder"]) == (False, "waiting", "D200001")
        assert (slot["files"], slot["safe_files"], slot["receipted_files"]) == (3, 0, 0)
        service.faults.receipt_later = 0
        await watch.once()
        await asyncio.sleep(1)
        slot = await figures(address)
        assert (slot["safe"], slot["phase"]) == (True, "done")
        assert (slot["safe_files"], slot["done_bytes"]) == (3, slot["bytes"])


async def test_what_is_told_holds_no_name_of_a_file_nor_an_officer(station: TestStation, card: Path) -> None:
    async with station.watching(card) as watch, page_of(watch) as address, aiohttp.ClientSession() as session:
        await watch.once()
        async with session.get(f"{address}status.json") as answer:
            told = await answer.text()
    assert "DCIM" not in told
    assert "100001" not in told
    assert str(card.parent) not in told


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_can_be_changed_there(station: TestStation, card: Path, method: str) -> None:
    async with station.watching(card) as watch, page_of(watch) as address, aiohttp.ClientSession() as session:
        for path in ("", "status.json"):
            async with session.request(method, address + path) as answer:
                assert answer.status == 405
        async with session.get(f"{address}../../etc/passwd") as answer:
            assert answer.status == 404


async def test_the_policy_lets_this_script_and_this_style_run_and_nothing_else(
    station: TestStation, card: Path
) -> None:
    async with (
        station.watching(card) as watch,
        page_of(watch) as address,
        aiohttp.ClientSession() as session,
        session.get(address) as answer,
    ):
        policy, cached = answer.headers["Content-Security-Policy"], answer.headers["Cache-Control"]
        assert await answer.text() == HTML
    assert policy == policy_of(HTML)
    assert "unsafe" not in policy
    assert cached == "no-store"
    assert len(re.findall("'sha256-", policy)) == 2


def test_the_page_needs_nothing_from_elsewhere() -> None:
    assert not re.findall(r"(?:src|href|url|import)\s*[=(]", HTML)
    assert "http" not in HTML
    assert "innerHTML" not in HTML


async def test_an_address_that_is_taken_is_said_and_the_station_works(station: TestStation, card: Path) -> None:
    async with station.watching(card) as watch, page_of(watch) as address:
        board = Board(name="x", showcase=watch.showcase, books=watch.books, clock=utc_now)
        taken = address.removeprefix("http://").rstrip("/")
        with pytest.raises(PageUnavailable, match="cannot listen"):
            async with serving_page(taken, board):
                pass
        assert (await watch.once()).complete


async def test_a_browser_shows_it_and_forgets_what_is_stale(station: TestStation, card: Path) -> None:
    with chromium() as browser:
        async with station.watching(card) as watch, page_of(watch) as address, open_tab(browser) as tab:
            await tab.go(address)
            await tab.until("document.getElementById('none').textContent.includes('Put a recorder in')")
            await watch.once()
            await tab.until("document.querySelector('.slot.yes') !== null")
            text = await tab.evaluate("document.querySelector('.slot').innerText")
            assert "可以取下" in text
            assert "<b>槽 1" in text
            assert "SAFE TO REMOVE" in text
            assert await tab.evaluate("document.querySelector('b').textContent.startsWith('走廊 <1>')")
            assert await tab.evaluate("heard = -1e9, stale(), document.querySelector('.slot.yes') === null")
            assert "请勿取下" in await tab.evaluate("document.querySelector('.slot').innerText")
            assert tab.complaints == []
            assert all(request.startswith(address) for request in tab.requests if not request.startswith("data:"))
