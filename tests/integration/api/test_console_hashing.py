"""Hashing in a worker: an original over the network and a file of one's own, the page alive, given up at will (G.4)."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from tests.support.browser import Tab
from tests.support.console import House, at, chosen_purpose, clicked, shot

pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGE_BYTES = 200 * 1024 * 1024
TASK_MS_MAX = 100
WATCHED = """
self.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) self.longest = Math.max(self.longest, task.duration);
}).observe({ type: 'longtask' });
undefined
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(house: House) -> UUID:
    return await house.service.clip(random.Random(200).randbytes(LARGE_BYTES), path="DCIM/large.mp4")


async def begun(tab: Tab, house: House, clip: UUID) -> None:
    """Have a clip verified, up to the first bytes hashed."""
    await at(tab, house, f"#/clips/{clip}")
    await clicked(tab, "#tab-verify")
    await chosen_purpose(tab, ".check")
    await clicked(tab, ".check button.primary")
    await tab.until(
        "document.querySelector('.check progress')?.value > 0 || !!document.querySelector('.check .verdict')"
    )


async def test_the_page_stays_alive_while_an_original_is_hashed(tab: Tab, house: House, large: UUID) -> None:
    await begun(tab, house, large)
    assert await tab.evaluate("!!document.querySelector('.check progress')"), "it is not done yet"
    await tab.evaluate(WATCHED)
    await shot(tab, "hashing")
    await tab.until("!!document.querySelector('.check .verdict, .check .failure')", seconds=120)
    assert await tab.evaluate("document.querySelector('.check .verdict')?.className") == "verdict ok"
    assert await tab.evaluate("self.longest") < TASK_MS_MAX


async def test_who_gives_up_is_done_at_once_and_nothing_more_is_fetched(tab: Tab, house: House, large: UUID) -> None:
    await begun(tab, house, large)
    await clicked(tab, ".check .give-up")
    await tab.until("!document.querySelector('.check progress')")
    assert not await tab.evaluate("!!document.querySelector('.check .verdict, .check .failure')")
    assert await tab.evaluate("document.querySelector('.check button.primary').disabled") is False
    await clicked(tab, ".check button.primary")
    await tab.until("document.querySelector('.check progress')?.value > 0")
    await clicked(tab, ".check .give-up")


async def test_damage_is_found_where_it_is_by_the_worker_too(tab: Tab, house: House) -> None:
    content = random.Random(3).randbytes(3 * 1024 * 1024)
    clip = await house.service.clip(content, path="DCIM/spoiled.mp4")
    path = house.service.services.objects.open_path(hashlib.sha256(content).hexdigest())
    path.chmod(0o600)
    path.write_bytes(content[: 2 * 1024 * 1024] + b"spoiled" + content[2 * 1024 * 1024 + 7 :])
    await at(tab, house, f"#/clips/{clip}")
    await clicked(tab, "#tab-verify")
    await chosen_purpose(tab, ".check")
    await clicked(tab, ".check button.primary")
    await tab.until("!!document.querySelector('.check .verdict, .check .failure')")
    assert await tab.evaluate("document.querySelector('.check .verdict')?.className") == "verdict error"
    assert "2097152" in await tab.evaluate("document.querySelector('.check .steps').textContent")


async def test_a_file_of_ones_own_is_hashed_with_the_page_alive(
    tab: Tab, house: House, large: UUID, tmp_path: Path
) -> None:
    path = tmp_path / "large.mp4"
    path.write_bytes(random.Random(200).randbytes(LARGE_BYTES))
    await at(tab, house, "#/verify")
    await tab.until("!!document.querySelector('input[type=file]')")
    await tab.evaluate(WATCHED)
    await tab.choose_files("input[type=file]", [path])
    await tab.until("!!document.querySelector('.drop .verdict.ok')", seconds=120)
    assert await tab.evaluate("self.longest") < TASK_MS_MAX
