"""Whether everybody can use the console: every page before an accessibility engine. By keys: `test_console_keys.py`.

The pages are those that the console itself lists (`pages.js`) and those of the frame, so that a new one is looked at as
soon as it is there.
"""

from __future__ import annotations

import hashlib
import json

import pytest

from evidence.parties.roles import Role
from tests.support.axe import VENDOR, barriers, engine, grave
from tests.support.browser import Tab
from tests.support.console import House, at, chosen_purpose, clicked, shot, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABS = ("annotation", "continuity", "history", "verify", "case")
PAGES = "import('/console/pages.js').then(({PAGES}) => Object.keys(PAGES))"
READY = """
(content => content?.firstElementChild && content.firstElementChild !== self.left
  && ![...content.querySelectorAll('[role=status]')].some(one => /正在读取|Loading/.test(one.textContent)))
(document.querySelector('#content'))
"""
LEAVING = "self.left = document.querySelector('#content').firstElementChild; undefined"
SPOILT = """
document.querySelector('.drop').append(...['button', 'input', 'p'].map(name => document.createElement(name)));
document.querySelector('.drop').lastChild.textContent = 'pale';
document.querySelector('.drop').lastChild.style.color = '#ddd';
"""
TURNED = "document.documentElement.dataset.theme = {}; undefined"


async def test_the_engine_is_what_was_published() -> None:
    stated = (VENDOR / "licences.txt").read_text().partition("\naxe.min.js\n")[2]
    assert stated.partition("sha256 ")[2][:64] == hashlib.sha256((VENDOR / "axe.min.js").read_bytes()).hexdigest()
    assert "axe v4.10.3" in engine()[:40]


async def test_the_engine_sees_what_keeps_people_out(tab: Tab, house: House) -> None:
    await at(tab, house, "#/verify")
    await tab.until("!!document.querySelector('.drop')")
    assert grave(await barriers(tab)) == []
    await tab.evaluate(SPOILT)
    assert {one.rule for one in grave(await barriers(tab))} >= {"button-name", "label", "color-contrast"}


async def looked(tab: Tab, language: str, theme: str) -> None:
    """Have the console in a language and a theme."""
    kept = json.dumps({"shilu.language": language, "shilu.theme": theme})
    await tab.evaluate(f"Object.entries({kept}).forEach(([key, value]) => localStorage.setItem(key, value))")
    await tab.call("Page.reload")
    await tab.until(f"document.documentElement?.lang?.startsWith('{language}') && !!document.querySelector('.bar')")


async def judged(tab: Tab, name: str, *, theme: str) -> list[str]:
    """Wait until the page shows what it has; return what keeps somebody out, in both themes' colours."""
    await tab.until(READY)
    other = {"light": "dark", "dark": "light"}[theme]
    await shot(tab, f"access-{name}")
    found = grave(await barriers(tab))
    await tab.evaluate(TURNED.format(json.dumps(other)))
    found += grave(await barriers(tab, rules=["color-contrast"]))
    await tab.evaluate(TURNED.format(json.dumps(theme)))
    return [f"{name}: {one}" for one in found]


async def walked(tab: Tab, house: House, language: str, theme: str) -> list[str]:
    """Go to every page, in a language and a theme, and return all barriers."""
    await signed_in(tab, house)
    await looked(tab, language, theme)
    cases = (await house.service.ask("GET", "/v1/cases", role=Role.ARCHIVIST)).json()["items"]
    places = ["cases", *(f"cases/{case['case']}" for case in cases[:1]), "verify", *await tab.evaluate(PAGES), "search"]
    found: list[str] = []
    for place in places:
        await tab.evaluate(LEAVING)
        await at(tab, house, f"#/{place}")
        found += await judged(tab, f"{language}-{theme}-{place[:9].replace('/', '-')}", theme=theme)
    await tab.evaluate(LEAVING)
    await at(tab, house, f"#/clips/{house.clip}")
    await chosen_purpose(tab, ".screen")
    await clicked(tab, ".screen button.primary")
    await tab.until("document.querySelector('video')?.readyState >= 1")
    for one in TABS:
        await clicked(tab, f"#tab-{one}")
        found += await judged(tab, f"{language}-{theme}-clip-{one}", theme=theme)
    await tab.evaluate("fetch('/v1/session', {method: 'DELETE'}).then(() => 0)")
    await clicked(tab, "#tab-history")
    await tab.until("!!document.querySelector('.over .sign-in')")
    found += await judged(tab, f"{language}-{theme}-ended", theme=theme)
    await tab.evaluate("localStorage.clear()")
    return found


async def test_no_page_keeps_anybody_out(tab: Tab, house: House) -> None:
    """Every page in Chinese, with the colours of both themes."""
    assert await walked(tab, house, "zh", "light") == []


@pytest.mark.slow
@pytest.mark.parametrize(("language", "theme"), [("zh", "dark"), ("en", "light"), ("en", "dark")])
async def test_no_page_keeps_anybody_out_in_any_look(tab: Tab, house: House, language: str, theme: str) -> None:
    assert await walked(tab, house, language, theme) == []
