"""The console's links for people outside: made by hand, watched without a login, ended with a reason (R42)."""

from __future__ import annotations

import json

import pytest

from api.clip_links import marker_of
from evidence.parties.roles import Role
from tests.support.browser import Tab
from tests.support.console import House, at, chosen_purpose, clicked, shot, typed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def sharing(tab: Tab, house: House) -> None:
    """Open the part of the clip's page that makes links."""
    await at(tab, house, f"#/clips/{house.clip}")
    await clicked(tab, "#tab-share")
    await tab.until("!!document.querySelector('.sharing form.new')")


async def made(tab: Tab, house: House, recipient: str) -> str:
    """Make a link by its form; return the address that is shown."""
    await sharing(tab, house)
    await typed(tab, ".sharing input[name=recipient]", recipient)
    await chosen_purpose(tab, ".sharing")
    await clicked(tab, "button.share")
    await tab.until("!!document.querySelector('.sharing input.address')")
    address: str = await tab.evaluate("document.querySelector('.sharing input.address').value")
    maker = marker_of(house.service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    return address


def row_of(recipient: str) -> str:
    return f"[...document.querySelectorAll('.links li')].find(row => row.textContent.includes({json.dumps(recipient)}))"


async def test_r42_counsel_watches_by_a_link_once_and_the_list_says_so(tab: Tab, house: House) -> None:
    address = await made(tab, house, "李律师")
    await tab.until(f"{row_of('李律师')}?.textContent.includes('可用')")
    await shot(tab, "share")
    await tab.go(address)
    await tab.until("!!document.querySelector('form button')")
    assert "李律师" in await tab.evaluate("document.body.textContent")
    await shot(tab, "watch-page")
    await tab.evaluate("document.querySelector('form button').click()")
    await tab.until("document.querySelector('video')?.readyState >= 1")
    assert await tab.evaluate("document.querySelector('video').duration") == pytest.approx(6, abs=0.5)
    await tab.evaluate("(film => { film.muted = true; void film.play(); })(document.querySelector('video'))")
    await tab.until("document.querySelector('video').currentTime > 0.5")
    await shot(tab, "watching")
    await sharing(tab, house)
    await tab.until(f"{row_of('李律师')}?.textContent.includes('次数已用完')")
    history = await house.service.ask("GET", f"/v1/clips/{house.clip}/history", role=Role.AUDITOR)
    told = [item["type"] for item in history.json()["items"]]
    assert [one for one in told if one in {"clip.shared", "clip.marked", "clip.watched"}][-3:] == [
        "clip.shared",
        "clip.marked",
        "clip.watched",
    ]


async def test_a_link_is_ended_with_a_reason_and_opens_nothing(tab: Tab, house: House) -> None:
    address = await made(tab, house, "王律师")
    await tab.until(f"!!{row_of('王律师')}?.querySelector('input[name=reason]')")
    await tab.evaluate(f"{row_of('王律师')}.querySelector('input[name=reason]').focus()")
    await tab.call("Input.insertText", text="委托终止")
    await tab.until(f"!{row_of('王律师')}.querySelector('button.revoke').disabled")
    await tab.evaluate(f"{row_of('王律师')}.querySelector('button.revoke').click()")
    await tab.until(f"{row_of('王律师')}?.textContent.includes('已撤销')")
    path = address.removeprefix(house.service.url)
    assert (await house.service.ask("POST", path)).status == 404


async def test_a_span_that_is_none_cannot_be_sent_and_is_said_beside_the_field(tab: Tab, house: House) -> None:
    await sharing(tab, house)
    await typed(tab, ".sharing input[name=recipient]", "赵律师")
    await chosen_purpose(tab, ".sharing")
    await typed(tab, ".sharing input[name=from]", "0:05")
    await typed(tab, ".sharing input[name=to]", "0:02")
    await tab.until("document.querySelector('.sharing .wrong [role=alert]')?.textContent === '结束须晚于开始'")
    assert await tab.evaluate("document.querySelector('button.share').disabled")


async def test_a_name_with_markup_is_text_in_the_list(tab: Tab, house: House) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    await made(tab, house, hostile)
    await tab.until(f"!!{row_of(hostile)}")
    assert await tab.evaluate("!!document.querySelector('.sharing img')") is False
    assert [text for text in tab.complaints if "401" not in text and "404" not in text] == []
