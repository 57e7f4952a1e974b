"""The case page orders a package with an excerpt (E.8): the seconds that were typed, and what is against them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from api.exports import maker_of
from evidence.parties.roles import Role
from tests.support.browser import Tab, open_tab
from tests.support.console import House, at, clicked, console_house, shot, typed
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> House:
    return await console_house(shared, tmp_path_factory.mktemp("film"))


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: str) -> AsyncIterator[Tab]:
    async with open_tab(browser) as opened:
        yield opened


async def case_with(service: RunningService, clip: UUID) -> str:
    """Return the house's case with one exhibit, published."""
    (case,) = (await service.ask("GET", "/v1/cases", role=Role.ARCHIVIST)).json()["items"]
    linked = await service.ask("POST", f"/v1/cases/{case['case']}/clips", role=Role.ARCHIVIST, json={"clip": str(clip)})
    assert await service.services.waiter.wait(UUID(linked.json()["entry"]), timeout_seconds=20) is not None
    found: str = case["case"]
    return found


async def emptied(tab: Tab, selector: str) -> None:
    await tab.evaluate(
        f"(f => {{ f.value = ''; f.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
        f"(document.querySelector({json.dumps(selector)}))"
    )


async def packages(service: RunningService) -> list[Any]:
    items: list[Any] = (await service.ask("GET", "/v1/exports", role=Role.ARCHIVIST)).json()["items"]
    return items


async def test_e8_seconds_are_ordered_from_the_case_page(shared: RunningService, house: House, tab: Tab) -> None:
    case = await case_with(shared, house.clip)
    await at(tab, house, f"#/cases/{case}")
    order = "document.querySelector('.side button.order')"
    await tab.until("!!document.querySelector('.side .purpose select option[value=litigation]')")
    await tab.evaluate(
        "(s => { s.value = 'litigation'; s.dispatchEvent(new Event('change', {bubbles: true})); })"
        "(document.querySelector('.side .purpose select'))"
    )
    await tab.until(f"{order} && !{order}.disabled")
    await clicked(tab, ".enclosing summary")
    await clicked(tab, ".enclosing button.add")
    await tab.until(f"{order}.disabled")
    await typed(tab, ".enclosing input[name=from]", "0:02")
    await typed(tab, ".enclosing input[name=to]", "1.5")
    await tab.until("document.querySelector('.enclosing .wrong [role=alert]')?.textContent === '结束须晚于开始'")
    assert await tab.evaluate(f"{order}.disabled")
    await emptied(tab, ".enclosing input[name=to]")
    await typed(tab, ".enclosing input[name=to]", "15:00")
    await emptied(tab, ".enclosing input[name=from]")
    await typed(tab, ".enclosing input[name=from]", "14:00")
    await clicked(tab, ".side button.order")
    await tab.until("document.querySelector('.side .failure')?.textContent.includes('excerpt.impossible')")
    assert await packages(shared) == []
    for name, text in (("from", "0:01"), ("to", "0:03.5")):
        await emptied(tab, f".enclosing input[name={name}]")
        await typed(tab, f".enclosing input[name={name}]", text)
    await clicked(tab, ".side button.order")
    await tab.until("document.querySelector('.packages')?.textContent.includes('1 件仅附节选')")
    await shot(tab, "package-excerpt")
    assert await tab.evaluate("document.querySelectorAll('.enclosing fieldset').length") == 0
    (made,) = await packages(shared)
    assert [(one["clip"], one["from_ms"], one["to_ms"]) for one in made["excerpts"]] == [
        (str(house.clip), 1000, 3500),
    ]
    maker = maker_of(shared.services)
    maker.folder.mkdir(exist_ok=True)
    assert await maker.attempt()
    (done,) = await packages(shared)
    assert done["state"] == "done"
