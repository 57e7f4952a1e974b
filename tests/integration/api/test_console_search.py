"""The search page in a real browser: pictures by one entry, their storyboards, and working on many clips at once."""

from __future__ import annotations

import json

import pytest

from api.exports import maker_of
from evidence.parties.roles import Role
from tests.support.browser import Tab
from tests.support.console import House, at, clicked, pressed, shot, typed

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRID = ".tools [aria-pressed]:last-child"
FILM = ".shot:has(.picture > :is(img, svg:not(.icon)))"
TILE = ".picture svg:has(image)"


async def looks(house: House) -> list[list[str]]:
    """Return the clips of every look on record."""
    async with house.service.services.pool.acquire() as conn:
        rows = await conn.fetch("SELECT payload FROM custody_payload WHERE type = 'clips.viewed' ORDER BY entry_id")
    return [json.loads(row["payload"])["clips"] for row in rows]


async def at_pictures(tab: Tab, house: House, place: str = "#/search") -> None:
    """Go to the results as pictures, with the purpose of the tab said."""
    await at(tab, house, place)
    await tab.evaluate("sessionStorage.setItem('shilu.purpose', 'legal_review'); undefined")
    await tab.evaluate("localStorage.setItem('shilu.results', 'grid'); undefined")
    await tab.call("Page.reload")
    await tab.until(f"document.querySelector('{FILM} img')?.complete")


async def key(tab: Tab, name: str, *, shift: bool = False) -> None:
    """Press a key on what has the focus."""
    said = json.dumps({"key": name, "bubbles": True, "shiftKey": shift})
    await tab.evaluate(f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {said}))")


async def test_a_page_of_pictures_is_one_look_after_a_purpose_is_said(tab: Tab, house: House) -> None:
    await at(tab, house, "#/search")
    await tab.evaluate(
        "localStorage.removeItem('shilu.results'); sessionStorage.removeItem('shilu.purpose'); undefined"
    )
    await tab.call("Page.reload")
    before = await looks(house)
    await clicked(tab, GRID)
    await tab.until("!!document.querySelector('.results .note .purpose select')")
    assert await tab.evaluate("document.querySelectorAll('.shot img').length") == 0
    assert await looks(house) == before, "nobody has said what for"
    await tab.evaluate(
        "(s => { s.value = 'case_file_review'; s.dispatchEvent(new Event('change', {bubbles: true})); })"
        "(document.querySelector('.note .purpose select'))"
    )
    await tab.until(f"document.querySelector('{FILM} img')?.naturalWidth > 0")
    assert await looks(house) == [*before, [str(house.clip)]], "one entry, and only what has pictures"
    assert await tab.evaluate("document.querySelectorAll('.shot svg.icon').length") == 1, "the other one has an icon"
    assert await tab.evaluate("document.querySelector('.bar .lookingfor select').value") == "case_file_review"
    await shot(tab, "search-grid")
    await tab.call("Page.reload")
    await tab.until(f"document.querySelector('{FILM} img')?.naturalWidth > 0")
    await clicked(tab, "header button.plain")
    await shot(tab, "search-grid-other-theme")
    await tab.evaluate(
        "(s => { s.value = 'litigation'; s.dispatchEvent(new Event('change', {bubbles: true})); })"
        "(document.querySelector('.lookingfor select'))"
    )
    for _ in range(200):
        if len(await looks(house)) == len(before) + 3:
            break
        await tab.until("true")
    assert len(await looks(house)) == len(before) + 3, "another purpose is another look"
    assert [text for text in tab.complaints if "401" not in text] == []


async def test_arrows_and_the_pointer_turn_through_the_storyboard(tab: Tab, house: House) -> None:
    await at_pictures(tab, house)
    await tab.evaluate(f"document.querySelector('{FILM}').focus()")
    await key(tab, "ArrowRight")
    await tab.until(f"!!document.querySelector('{TILE}')")
    first = await tab.evaluate(f"document.querySelector('{TILE}').getAttribute('viewBox')")
    await key(tab, "ArrowRight")
    await tab.until(f"document.querySelector('{TILE}').getAttribute('viewBox') !== '{first}'")
    await shot(tab, "search-storyboard")
    seen = await tab.evaluate("Number(document.activeElement.dataset.at)")
    assert seen > 0
    await key(tab, "Enter")
    await tab.until(f"location.hash === '#/clips/{house.clip}?at={seen}'")
    await at_pictures(tab, house)
    box = await tab.evaluate(
        f"(({{x, y, width, height}}) => [x + width - 4, y + height / 2])"
        f"(document.querySelector('{FILM} .picture').getBoundingClientRect())"
    )
    await tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    await tab.until(f"!!document.querySelector('{TILE}')")
    assert await tab.evaluate("document.querySelector('.shot:has(image)').dataset.at") != "0"


async def test_a_look_that_has_run_out_is_asked_for_anew(tab: Tab, house: House) -> None:
    await at_pictures(tab, house)
    before = len(await looks(house))
    async with house.service.services.pool.acquire() as conn:
        await conn.execute("UPDATE look_ticket SET expires_at = now() - interval '1 second'")
    await tab.evaluate("Date.now = () => 9e15")
    await tab.evaluate(f"document.querySelector('{FILM} img').dispatchEvent(new Event('error'))")
    for _ in range(200):
        if len(await looks(house)) > before:
            break
        await tab.until("true")
    await tab.until(f"document.querySelector('{FILM} img')?.naturalWidth > 0")
    assert len(await looks(house)) == before + 1


async def test_many_clips_are_annotated_added_to_a_case_and_exported(tab: Tab, house: House) -> None:
    await at_pictures(tab, house)
    await tab.evaluate("document.querySelector('.shot').focus()")
    await key(tab, " ")
    await tab.until("document.querySelectorAll('.shot.marked').length === 1")
    await tab.evaluate("document.querySelectorAll('.pick input')[1].click()")
    await tab.until("document.querySelectorAll('.shot.marked').length === 2")
    await pressed(tab, ".bulk button", "统一标注")
    await typed(tab, ".bulk input[name=remark]", "联合检查")
    await clicked(tab, ".bulk input[name=key]")
    await clicked(tab, ".bulk button.primary")
    await tab.until("!!document.querySelector('.bulk .verdict.ok')")
    await shot(tab, "search-bulk")
    assert (
        await tab.evaluate("[...document.querySelectorAll('.outcomes .badge')].map(b => b.textContent)")
        == ["已写入"] * 2
    )
    said = await house.service.ask("GET", f"/v1/clips/{house.clip}/annotations", role=Role.REVIEWER)
    content = said.json()["items"][0]["content"]
    assert (content["remark"], content["markers"][0]["kind"]) == ("联合检查", "key_moment")
    await pressed(tab, ".bulk button", "加入案卷")
    await tab.until("document.querySelectorAll('.bulk select option').length > 1")
    await tab.evaluate(
        "(s => { s.value = s.options[1].value; s.dispatchEvent(new Event('change', {bubbles: true})); })"
        "(document.querySelector('.bulk select'))"
    )
    await clicked(tab, ".bulk button.primary")
    await tab.until("document.querySelectorAll('.outcomes .badge.ok').length === 2")
    assert await tab.evaluate("document.querySelector('.outcomes').textContent.includes('第 2 号')")
    await shot(tab, "search-bulk-case")
    await pressed(tab, ".bulk button", "导出证据包")
    await clicked(tab, ".bulk button.primary")
    await tab.until("!!document.querySelector('.bulk [role=status] .badge, .bulk .failure')")
    maker = maker_of(house.service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    await pressed_when_there(tab, "记录并取得下载地址")
    await tab.until("document.querySelector('.bulk a.fetch')?.href.includes('/packages/')")
    await shot(tab, "search-bulk-export")


async def pressed_when_there(tab: Tab, words: str) -> None:
    await tab.until(f"[...document.querySelectorAll('.bulk button')].some(b => b.textContent === '{words}')")
    await pressed(tab, ".bulk button", words)


async def test_all_or_none_says_of_each_clip_why(tab: Tab, house: House) -> None:
    await at_pictures(tab, house)
    await clicked(tab, ".tools input[type=checkbox]")
    await pressed(tab, ".bulk button", "统一标注")
    # A direction that turns the text around is refused of every clip; all or none, so nothing is written.
    await typed(tab, ".bulk input[name=item]", "外\u202e部")
    await clicked(tab, ".bulk input[name=together]")
    await clicked(tab, ".bulk button.primary")
    await tab.until("!!document.querySelector('.bulk .failure')")
    await shot(tab, "search-bulk-refused")
    told = await tab.evaluate("document.querySelector('.outcomes').textContent")
    assert told.count("annotation.invalid") == 2, "each with its reason"
    assert await tab.evaluate("document.querySelectorAll('.bulk .verdict.ok').length") == 0
    await key(tab, "Escape")


async def test_chosen_rows_of_the_table_stay_chosen_as_pictures(tab: Tab, house: House) -> None:
    await at(tab, house, "#/search")
    await tab.evaluate("localStorage.setItem('shilu.results', 'table'); undefined")
    await tab.call("Page.reload")
    await tab.until("document.querySelectorAll('tbody tr').length === 2")
    await tab.evaluate("document.querySelector('tbody tr').focus()")
    await key(tab, " ")
    await key(tab, "ArrowDown", shift=True)
    await tab.until("document.querySelectorAll('tr.marked').length === 2")
    await shot(tab, "search-table-marked")
    await clicked(tab, GRID)
    await tab.until("document.querySelectorAll('.shot.marked').length === 2")
    await clicked(tab, ".tools input[type=checkbox]")
    await tab.until("document.querySelectorAll('.shot.marked').length === 0 && !document.querySelector('.bulk')")


async def test_kept_questions_are_asked_again_and_removed(tab: Tab, house: House) -> None:
    await at(tab, house, "#/search?q=*.mp4".replace("*", "093000"))
    await typed(tab, "aside form input", "排污口")
    await clicked(tab, "aside form button")
    await tab.until("!!document.querySelector('.saved button')")
    await at(tab, house, "#/search")
    await clicked(tab, ".saved button")
    await tab.until("location.hash.includes('093000') && !!document.querySelector('.saved [role=status]')")
    await shot(tab, "search-saved")
    await clicked(tab, ".saved button[aria-label^='删除']")
    await tab.until("!document.querySelector('.saved button')")
