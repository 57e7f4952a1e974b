"""Every page of the console as it looks on a working day, in both languages, light and dark, at a desk and on a tablet.

`make pictures` writes them into a folder for people to look at; without one the pages are held to what a picture must
have: all of it within its frame, nothing still loading, no complaint of the browser's.
"""

from __future__ import annotations

import json

import pytest
import pytest_asyncio

from api.console.assets import assets
from tests.support.browser import Tab
from tests.support.console import chosen_purpose, clicked, shot, typed
from tests.support.furnished import Furnished, furnish
from tests.support.people import PASSWORD
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKS = [(language, theme) for language in ("zh-CN", "en") for theme in ("light", "dark")]
WIDTHS = {"desk": (1366, 900), "tablet": (768, 1024)}
PAGES = {
    "archivist": {
        "search": ("#/search", "table.dense tbody tr"),
        "clip": ("#/clips/{clip}", "video"),
        "cases": ("#/cases", "main table tbody tr"),
        "case": ("#/cases/{case}", "article.case table tbody tr"),
        "publicity": ("#/publicity", "main table tbody tr"),
        "publication": ("#/publicity/{publication}", ".text"),
        "verify": ("#/verify", ".drop"),
    },
    "reviewer": {"queue": ("#/review", "main table tbody tr"), "review": ("#/review/{case}", ".opinion")},
    "administrator": {
        "operations": ("#/operations", ".part table tbody tr"),
        "statistics": ("#/statistics", "tfoot td"),
        "registers": ("#/registers/officers", ".registers table tbody tr"),
    },
}
SETTLED = """(selector => document.querySelector(selector)
  && !/正在读取…|Reading…|Loading…/.test(document.body.innerText)
  && [...document.images].every(one => one.complete))"""
WIDER = "document.documentElement.scrollWidth - innerWidth"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return await furnish(shared, tmp_path_factory.mktemp("furnished"))


async def entered(tab: Tab, house: Furnished, role: str, name: str) -> None:
    """Sign in as a person, and picture the page where that is done."""
    await tab.call("Network.clearBrowserCookies")
    await tab.go(f"{house.service.url}/console/")
    await typed(tab, "input[name=login]", house.people[role].login)
    await typed(tab, "input[name=password]", PASSWORD)
    await tab.evaluate("document.activeElement.blur()")
    await shot(tab, f"sign-in-{name}")
    await clicked(tab, ".sign-in button.primary")
    await tab.until("!!document.querySelector('.bar')")


async def watched(tab: Tab) -> None:
    """Say what for, and wait for the film."""
    await tab.until("!!document.querySelector('video, .screen.closed .purpose select')")
    if await tab.evaluate("!!document.querySelector('.screen.closed')"):
        await chosen_purpose(tab, ".screen.closed")
        await clicked(tab, ".screen.closed button.primary")
    await tab.until("document.querySelector('video')?.readyState >= 2 && !!document.querySelector('path.sound')")


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_every_page_lies_within_its_frame(tab: Tab, house: Furnished, language: str, theme: str) -> None:
    named, wrong = {"clip": house.clip, "case": house.case, "publication": house.publication}, []
    await tab.go(f"{house.service.url}/console/")
    kept = {"shilu.language": language[:2], "shilu.theme": theme}
    await tab.evaluate(
        f"Object.entries({json.dumps(kept)}).forEach(([key, value]) => localStorage.setItem(key, value))"
    )
    for role, pages in PAGES.items():
        await entered(tab, house, role, f"{language}-{theme}")
        for page, (place, shows) in pages.items():
            await tab.evaluate(f"location.hash = {json.dumps(place.format(**named))}; undefined")
            if page == "clip":
                await watched(tab)
            for width, (across, down) in WIDTHS.items():
                size = {"width": across, "height": down, "deviceScaleFactor": 1, "mobile": False}
                await tab.call("Emulation.setDeviceMetricsOverride", **size)
                await tab.until(f"{SETTLED}({json.dumps(shows)})", seconds=20)
                if (too_far := await tab.evaluate(WIDER)) > 0:
                    wrong.append(f"{page} in {language} is {too_far} wider than {across}")
                await shot(tab, f"{page}-{language}-{theme}-{width}")
    assert not wrong
    assert [text for text in tab.complaints if not text.startswith("Failed to load resource")] == []
    await tab.evaluate("localStorage.clear()")


async def test_every_page_there_is_has_a_picture() -> None:
    """A page that `pages.js` lists is pictured; a new one is missed here."""
    listed = assets()["pages.js"].body.decode().partition("PAGES = {")[2].partition("\n};")[0]
    names = {line.split(":")[0].strip() for line in listed.splitlines() if "load:" in line}
    shown = {place.split("/")[1] for pages in PAGES.values() for place, _ in pages.values()}
    assert names
    assert names - shown - {"case"} == set(), "give it a line in PAGES"
