"""The console in a real browser, against a real service with a real film: what people do in it, by its own controls."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from evidence.parties.roles import Role
from ledger.tree import root_of
from tests.support.browser import Tab
from tests.support.console import HOSTILE, House, at, chosen_purpose, clicked, pressed, shot, signed_in, typed
from tests.support.people import PASSWORD, person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_files_are_asked_about_and_sent_once(house: House) -> None:
    plain = await house.service.ask("GET", "/console/app.js", headers={"Accept-Encoding": "identity"})
    assert (plain.status, plain.headers["Cache-Control"]) == (200, "no-cache")
    assert "Content-Encoding" not in plain.headers
    packed = await house.service.ask("GET", "/console/app.js", headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], packed.body) == ("gzip", plain.body), "the client unpacks it"
    again = await house.service.ask("GET", "/console/app.js", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["nothing.js", "vendor/nothing.js", "..%2fassets.py", "%2e%2e/assets.py", "__init__.py"]
)
async def test_nothing_but_the_files_of_the_console_is_there(house: House, path: str) -> None:
    assert (await house.service.ask("GET", f"/console/{path}")).code == "route.unknown"


async def test_signing_in_finding_and_watching(tab: Tab, house: House) -> None:
    await signed_in(tab, house)
    await tab.until("document.querySelectorAll('table.dense tbody tr').length >= 2")
    await shot(tab, "search")
    await at(tab, house, f"#/clips/{house.clip}")
    await tab.until("!!document.querySelector('.screen.closed')")
    await shot(tab, "clip-closed")
    await chosen_purpose(tab, ".screen")
    await clicked(tab, ".screen button.primary")
    await tab.until("document.querySelector('video')?.readyState >= 2")
    await tab.evaluate("document.querySelector('video').muted = true")
    await tab.until("!!document.querySelector('path.sound')")
    await shot(tab, "clip")
    # A browser also notes that it asked, before anybody signed in, who is there.
    assert [text for text in tab.complaints if "401" not in text] == []


async def test_nothing_that_comes_from_outside_becomes_markup_or_turns_the_text_around(tab: Tab, house: House) -> None:
    await at(tab, house, "#/search")
    await tab.until("document.querySelectorAll('table.dense tbody tr').length >= 2")
    names = await tab.evaluate("[...document.querySelectorAll('td:first-child a')].map(a => a.textContent)")
    assert HOSTILE.replace("/", "_").replace("\u202e", "⟨U+202E⟩") in names
    assert await tab.evaluate("document.querySelectorAll('#app img').length") == 0


async def versions(house: House) -> list[dict[str, Any]]:
    """Return the versions of the clip's annotation, newest first."""
    reply = await house.service.ask("GET", f"/v1/clips/{house.clip}/annotations", role=Role.REVIEWER)
    found: list[dict[str, Any]] = reply.json()["items"]
    return found


async def test_what_is_typed_outlives_a_reload_and_goes_on_record_once(tab: Tab, house: House) -> None:
    begun = len(await versions(house))
    await at(tab, house, f"#/clips/{house.clip}")
    await typed(tab, "textarea", "执法人员出示证件，检查废水排放口。")
    await tab.until("Object.keys(localStorage).some(key => key.startsWith('shilu.draft.'))")
    await tab.call("Page.reload")
    await tab.until("document.querySelector('textarea')?.value.includes('排放口')")
    await tab.evaluate(
        "[...document.querySelectorAll('.annotation button')].find(b => b.textContent === '加说话人').click()"
    )
    await typed(tab, "input[placeholder='姓名或称呼']", "王芳")
    await clicked(tab, ".annotation button.primary")
    await tab.until("!!document.querySelector('.annotation .verdict.ok')")
    await shot(tab, "annotation")
    version, *before = await versions(house)
    assert "执法人员出示证件，检查废水排放口。" in version["content"]["remark"]
    assert version["content"]["speakers"][-1]["name"] == "王芳"
    assert version["version"] == len(before) + 1 == begun + 1
    assert await tab.evaluate("Object.keys(localStorage).some(key => key.startsWith('shilu.draft.'))") is False


async def test_who_wrote_meanwhile_is_shown_and_not_overwritten(tab: Tab, house: House) -> None:
    await at(tab, house, f"#/clips/{house.clip}")
    await tab.until("!!document.querySelector('textarea')")
    path = f"/v1/clips/{house.clip}/annotations"
    headers = {"If-Match": f'"{len(await versions(house))}"'}
    other = await house.service.ask("POST", path, role=Role.ARCHIVIST, json={"remark": "别人的备注"}, headers=headers)
    assert other.status == 201
    await typed(tab, "textarea", "补充。")
    await clicked(tab, ".annotation button.primary")
    await tab.until("document.querySelector('.annotation .failure')?.textContent.includes('别人的备注')")
    await shot(tab, "stale")
    assert "补充" in await tab.evaluate("document.querySelector('textarea').value")
    await tab.evaluate(
        "[...document.querySelectorAll('.annotation button')].find(b => b.textContent === '放弃修改').click()"
    )
    await tab.until("document.querySelector('textarea')?.value === '别人的备注'")


async def test_verifying_reads_the_original_in_the_browser_and_remembers_the_log(tab: Tab, house: House) -> None:
    await at(tab, house, f"#/clips/{house.clip}")
    await clicked(tab, "#tab-verify")
    await chosen_purpose(tab, ".check")
    await clicked(tab, ".check button.primary")
    await tab.until("!!document.querySelector('.check .verdict, .check .failure')")
    await shot(tab, "verified")
    assert await tab.evaluate("document.querySelector('.check .verdict')?.className") == "verdict ok"
    kept = json.loads(await tab.evaluate("localStorage.getItem('shilu.log')"))
    await house.service.clip(b"the log grows")
    await clicked(tab, ".check button.primary")
    await tab.until(
        "document.querySelector('.check').textContent.includes('→') || !!document.querySelector('.check .failure')"
    )
    await tab.until("!!document.querySelector('.check .verdict, .check .failure')")
    assert "→" in await tab.evaluate("document.querySelector('.check').textContent")
    assert json.loads(await tab.evaluate("localStorage.getItem('shilu.log')"))["size"] > kept["size"]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        ("{...kept, size: kept.size + 1000}", "短"),
        ("{...kept, root: '00'.repeat(32)}", "改变了"),
        ("{...kept, size: kept.size - 1, root: '00'.repeat(32)}", "改变了"),
        ("{...kept, policy: kept.policy.replace('log', 'log ')}", "记住的不同"),
    ],
)
async def test_a_log_that_is_not_the_one_remembered_is_noticed(tab: Tab, house: House, spoil: str, word: str) -> None:
    await at(tab, house, f"#/clips/{house.clip}")
    await clicked(tab, "#tab-verify")
    await chosen_purpose(tab, ".check")
    await clicked(tab, ".check button.primary")
    await tab.until("!!document.querySelector('.check .verdict.ok')")
    before = await tab.evaluate("localStorage.getItem('shilu.log')")
    await tab.evaluate(
        f"(kept => localStorage.setItem('shilu.log', JSON.stringify({spoil})))(JSON.parse(localStorage['shilu.log']))"
    )
    await clicked(tab, ".check button.primary")
    await tab.until("!!document.querySelector('.check .failure')")
    assert word in await tab.evaluate("document.querySelector('.check .failure').textContent")
    assert not await tab.evaluate("!!document.querySelector('.check .verdict')")
    await tab.evaluate(f"localStorage.setItem('shilu.log', {json.dumps(before)})")


SIZES = (1, 2, 3, 5, 8, 127, 255, 256, 257, 300, 511, 512, 513, 600)
FAR = 65_536 + 300
TILED = """
async (tiles, pairs) => {
  await (await import('/console/checking.js')).loadJudge();
  const { rootsFromProof } = await import('/console/ledger.js');
  const real = self.fetch;
  self.fetch = async path => tiles[path]
    ? new Response(Uint8Array.from(atob(tiles[path]), char => char.charCodeAt(0)))
    : new Response(JSON.stringify({code: 'tile ' + path}), {status: 404});
  try {
    const found = [];
    for (const [first, second] of pairs) {
      const { first: before, second: now } = await rootsFromProof(first, second);
      found.push([before, now]);
    }
    return found;
  } finally {
    self.fetch = real;
  }
}
"""


def tiles_of(leaves: list[bytes], size: int) -> dict[str, str]:
    """The tiles of a tree of a size (C2SP tlog-tiles), by address."""
    level, hashes, found = 0, leaves[:size], dict[str, str]()
    while hashes:
        for number in range(-(-len(hashes) // 256)):
            part = hashes[number * 256 : number * 256 + 256]
            width = "" if len(part) == 256 else f".p/{len(part)}"
            assert number < 1000, "further numbers are written otherwise"
            found[f"/log/tile/{level}/{number:03d}{width}"] = b64encode(b"".join(part)).decode()
        hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    return found


async def test_a_log_that_grew_is_known_again_at_every_size(tab: Tab, house: House) -> None:
    """The proof out of tiles gives both roots as the ledger computes them: no false alarm, and nothing else passes."""
    await signed_in(tab, house)
    leaves = [sha256(number.to_bytes(4, "big")).digest() for number in range(FAR)]
    roots = {size: root_of(leaves[:size]).hex() for size in (*SIZES, 65_535, 65_536, FAR)}
    for second in (*SIZES[1:], FAR):
        firsts = [size for size in roots if size < second]
        tiles, pairs = tiles_of(leaves, second), [[first, second] for first in firsts]
        found = await tab.evaluate(f"({TILED})({json.dumps(tiles)}, {json.dumps(pairs)})")
        assert found == [[roots[first], roots[second]] for first in firsts], second


async def test_a_file_is_asked_about_by_its_digest_alone(tab: Tab, house: House, tmp_path: Path) -> None:
    await at(tab, house, "#/verify")
    await tab.until("!!document.querySelector('input[type=file]')")
    for name, data, kind in (("a.mp4", b"other footage", ".verdict.ok"), ("b.mp4", b"other footagE", ".note")):
        (tmp_path / name).write_bytes(data)
        await tab.choose_files("input[type=file]", [tmp_path / name])
        await tab.until(f"!!document.querySelector('.drop {kind}')")
    assert not [address for address in tab.requests if "uploads" in address]


async def test_a_clip_becomes_an_exhibit(tab: Tab, house: House) -> None:
    await at(tab, house, f"#/clips/{house.clip}")
    await clicked(tab, "#tab-case")
    await tab.until("document.querySelectorAll('#pane option').length > 1")
    await tab.evaluate(
        "(s => { s.value = s.options[1].value; s.dispatchEvent(new Event('change', {bubbles: true})); })"
        "(document.querySelector('#pane select'))"
    )
    await clicked(tab, "#pane button.primary")
    await tab.until("!!document.querySelector('#pane .verdict.ok')")
    await clicked(tab, "#pane a[href^='#/cases/']")
    await tab.until("!!document.querySelector('article.case')")
    await shot(tab, "case")
    await tab.until(f"!!document.querySelector('article.case a[href=\\'#/clips/{house.clip}\\']')")


async def test_dark_and_english(tab: Tab, house: House) -> None:
    await at(tab, house, "#/search")
    await pressed(tab, ".bar button", "深色")
    await pressed(tab, ".bar button", "English")
    await tab.until("document.documentElement.dataset.theme === 'dark' && document.documentElement.lang === 'en'")
    await tab.until("document.querySelectorAll('table.dense tbody tr').length >= 2")
    await shot(tab, "dark-english")
    left = await tab.evaluate("document.querySelector('.bar nav').textContent")
    assert left.startswith("SearchCases")
    assert left.endswith("Verify a file")
    await tab.evaluate("localStorage.clear()")


async def test_a_lost_session_asks_again_over_the_page(tab: Tab, house: House) -> None:
    await at(tab, house, f"#/clips/{house.clip}")
    await typed(tab, "textarea", "未保存")
    await tab.evaluate("fetch('/v1/session', {method: 'DELETE'}).then(() => 0)")
    await clicked(tab, "#tab-history")
    await tab.until("!!document.querySelector('.over .sign-in')")
    await shot(tab, "session-ended")
    await typed(tab, "input[name=login]", house.login)
    await typed(tab, "input[name=password]", PASSWORD)
    await clicked(tab, ".sign-in button.primary")
    await tab.until("!document.querySelector('.over')")
    await clicked(tab, "#tab-annotation")
    await tab.until("document.querySelector('textarea')?.value.includes('未保存')")
    await tab.evaluate("localStorage.clear()")


async def test_nobody_finds_or_signs_the_words_of_another(tab: Tab, house: House) -> None:
    await person(house.service, "li.ming", Role.ARCHIVIST)
    await at(tab, house, f"#/clips/{house.clip}")
    await typed(tab, "textarea", "王芳没有保存的话")
    await tab.until("Object.values(localStorage).some(value => value.includes('王芳没有保存的话'))")
    await tab.evaluate("fetch('/v1/session', {method: 'DELETE'}).then(() => 0)")
    await clicked(tab, "#tab-history")
    await typed(tab, ".over input[name=login]", "li.ming")
    await typed(tab, ".over input[name=password]", PASSWORD)
    await clicked(tab, ".over .sign-in button.primary")
    await tab.until("!document.querySelector('.over') && document.querySelectorAll('table.dense tbody tr').length >= 2")
    await tab.evaluate(f"location.hash = '#/clips/{house.clip}'; undefined")
    await tab.until("!!document.querySelector('textarea')")
    assert "没有保存" not in await tab.evaluate("document.querySelector('textarea').value")
    assert not await tab.evaluate("!!document.querySelector('.annotation .note')")
    await pressed(tab, ".bar button", "退出")
    await tab.until("!!document.querySelector('.sign-in input')")
    await at(tab, house, f"#/clips/{house.clip}")
    await tab.until("document.querySelector('textarea')?.value.includes('王芳没有保存的话')")
    await tab.evaluate("localStorage.clear()")
