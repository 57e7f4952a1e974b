"""The console by keys alone: no pointer, no help by scripts, and at every step it is seen where the focus is.

From finding a clip to its case being submitted for review, judged, answered, and approved; a file of a key is chosen
where the Enter key opens the choice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence.parties.roles import Role
from tests.support.browser import Tab
from tests.support.case_files import item, item_list
from tests.support.console import House
from tests.support.people import PASSWORD, person
from tests.support.reviews import HAND, REVIEWER, rules

pytestmark = pytest.mark.asyncio(loop_scope="module")

STOPS_MAX = 250
SEEN = """
(() => {
  const at = document.activeElement;
  if (!at || at === document.body || at.id === 'content') return '';
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(at);
  const { width, height, bottom, right } = at.getBoundingClientRect();
  const shown = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && !/, 0\\)$/.test(outlineColor);
  const inside = width * height > 0 && bottom > 0 && right > 0;
  return at.matches(':focus-visible') && shown && inside ? '' : at.outerHTML.slice(0, 120);
})()
"""


@dataclass(frozen=True)
class Hands:
    """A tab that is given keys and nothing else."""

    tab: Tab

    async def reach(self, selector: str, *, back: bool = False) -> None:
        """Press Tab until the focus is where a selector says; wherever it stops on the way, it is seen."""
        await self.tab.until(f"!!document.querySelector({json.dumps(selector)})")
        for _ in range(STOPS_MAX):
            if await self.tab.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
                return
            await self.tab.press("Tab", shift=back)
            assert await self.tab.evaluate(SEEN) == "", "the focus is there and nobody sees it"
        raise AssertionError(f"no Tab leads to {selector}")

    async def press(self, selector: str, *, back: bool = False) -> None:
        await self.reach(selector, back=back)
        await self.tab.press("Enter")

    async def write(self, text: str) -> None:
        """Type what the keyboard has; what it has not comes as from an input method."""
        for letter in text:
            if letter.isascii():
                await self.tab.press(letter)
            else:
                await self.tab.call("Input.insertText", text=letter)

    async def fill(self, selector: str, text: str, *, back: bool = False) -> None:
        await self.reach(selector, back=back)
        await self.write(text)

    async def choose(self, selector: str, value: str) -> None:
        """Go down a list until it says this."""
        await self.reach(selector)
        for _ in range(20):
            if await self.tab.evaluate("document.activeElement.value") == value:
                return
            await self.tab.press("ArrowDown")
        raise AssertionError(f"{selector} never says {value}")

    async def give(self, selector: str, file: Path) -> None:
        """Open a choice of files with Enter, and choose one."""
        await self.press(selector)
        await self.tab.answer_chooser([file])
        await self.tab.until(f"document.querySelector({json.dumps(selector)}).files.length === 1")

    async def says(self, selector: str, *words: str) -> None:
        """Wait until a part of the page says all of this."""
        said = f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"
        await self.tab.until(f"{json.dumps(words)}.every(word => ({said}).includes(word))", seconds=20)


@dataclass(frozen=True)
class Office:
    """Who submits and who judges, their keys as files, and the case."""

    house: House
    case: str
    submits: str
    judges: str
    keys: dict[str, Path]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(house: House, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Rules of review, a qualified reviewer, and one case of somebody who may submit it."""
    service = house.service

    async def asked(path: str, body: object, role: Role = Role.ADMINISTRATOR) -> None:
        reply = await service.ask("POST", path, role=role, json=body)
        assert reply.status in (200, 201), reply.body

    items = item_list(item("visit", title="现场检查"))
    await asked("/v1/items", {"effective_from": "2020-01-01", "list": items.as_json()})
    trigger = {"key": "penalty", "fact": "hearing_held", "source": "第五条", "quote": "经过听证程序"}
    content = rules(triggers=[trigger]).model_dump(mode="json", exclude_none=True)
    await asked("/v1/review/rules", {"effective_from": "2020-01-01", "rules": content})
    handler, reviewer = await person(service, "zhang.san"), await person(service, "li.ming", Role.REVIEWER)
    fit = {"certificate": "A2020", "source": "聘任文件", "valid_from": "2020-01-01", "valid_until": "2099-01-01"}
    await asked("/v1/review/qualifications", {"staff": str(reviewer.staff), **fit})
    said = {"number": "键盘罚〔2026〕1号", "title": "废水直排案", "kind": "penalty", "facts": {"hearing_held": True}}
    reply = await service.ask("POST", "/v1/cases", headers=await handler.session(), json={**said, "handlers": ["张三"]})
    assert reply.status == 201, reply.body
    folder, keys = tmp_path_factory.mktemp("keys"), {}
    for who, signer in ((handler, HAND), (reviewer, REVIEWER)):
        keys[who.login] = folder / f"{who.login}.pem"
        keys[who.login].write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Office(house, reply.json()["case"], handler.login, reviewer.login, keys)


async def signed_in(hands: Hands, login: str) -> None:
    """Type name and password where the focus waits; whoever was there signs out first, by keys."""
    if await hands.tab.evaluate("!!document.querySelector('.bar')"):
        await hands.press(".bar button:last-of-type", back=True)
    await hands.tab.until("document.activeElement?.name === 'login'")
    await hands.write(login)
    await hands.tab.press("Tab")
    await hands.write(PASSWORD)
    await hands.tab.press("Enter")
    await hands.tab.until("!!document.querySelector('.bar')")


async def a_clip_is_found_watched_and_annotated(hands: Hands) -> None:
    tab = hands.tab
    await tab.until("!!document.querySelector('table.dense tbody tr')")
    await tab.press("/")
    await hands.write("kind:video")
    await tab.press("Enter")
    await tab.until("location.hash.includes('kind') && document.querySelectorAll('table.dense tbody tr').length === 1")
    await hands.press("table.dense tbody tr")

    await hands.reach(".screen.closed .purpose select")
    await tab.press("ArrowDown")
    await hands.press(".screen button.primary")
    await tab.until("document.querySelector('video')?.readyState >= 2")
    await hands.press(".controls button")
    await tab.until("document.querySelector('video').currentTime > 0.2")
    await tab.press("k")
    await tab.until("document.querySelector('video').paused")

    await hands.reach("#tab-annotation")
    await hands.press(".annotation button.add-speaker")
    await hands.fill(".annotation .speaker-name", "Wang Fang", back=True)
    await hands.press(".annotation button.primary")
    await tab.until("!!document.querySelector('.annotation .verdict.ok')")


async def it_is_put_into_the_case_and_verified(hands: Hands, office: Office) -> None:
    tab = hands.tab
    await hands.reach("[role=tab]", back=True)
    for _ in range(4):
        await tab.press("ArrowRight")
    await tab.until("document.querySelector('#tab-case').getAttribute('aria-selected') === 'true'")
    await tab.until("document.querySelectorAll('#pane option').length > 1")
    await hands.choose("#pane select", office.case)
    await hands.press("#pane button.primary")
    await tab.until("!!document.querySelector('#pane .verdict.ok')")

    await hands.reach("[role=tab]", back=True)
    await tab.press("ArrowLeft")
    await hands.press(".check button.primary")
    await tab.until("!!document.querySelector('.check .verdict, .check .failure')")
    assert await tab.evaluate("document.querySelector('.check .verdict')?.className") == "verdict ok"


async def the_case_is_opened_in_the_queue(hands: Hands, office: Office, login: str, state: str) -> None:
    """Go to the queue, state one's key where that was not done, and open the case."""
    await hands.press(".bar a[href='#/review']", back=True)
    await hands.says("main table", "键盘罚〔2026〕1号", state)
    if login in office.keys:
        await hands.press(".own-key summary")
        await hands.give(".own-key input[name=own]", office.keys[login])
        await hands.press(".own-key button")
        await hands.says(".own-key", "已记入账本")
    await hands.press(f"main table a[href='#/review/{office.case}']", back=True)


async def signed(hands: Hands, form: str, key: Path) -> None:
    await hands.give(f"{form} .sign input[name=key]", key)
    await hands.press(f"{form} .sign button.primary")


async def it_is_judged(hands: Hands, key: Path, *, facts: str, conclusion: str) -> None:
    """Judge every row, conclude and sign."""
    for row, verdict in (("facts", facts), ("law", "ok"), ("crime", "not_applicable")):
        await hands.choose(f"select[name=verdict-{row}]", verdict)
        await hands.fill(f"input[name=note-{row}]", "已核")
        await hands.fill(f"input[name=evidence-{row}]", "1")
        if verdict == "problem":
            await hands.fill(f"textarea[name=problems-{row}]", "排放口位置没有说明")
    await hands.reach("input[name=conclusion]")
    await hands.tab.press(" ")
    if conclusion == "problems":
        await hands.tab.press("ArrowDown")
    await hands.tab.until(f"document.querySelector('input[name=conclusion]:checked')?.value === '{conclusion}'")
    await signed(hands, ".opinion", key)


async def test_the_main_path_by_keys_alone(tab: Tab, office: Office) -> None:
    """From a clip to its case's submission; the reviewer judges, sees what changed meanwhile, approves (R29)."""
    house, hands, state = office.house, Hands(tab), f"/v1/cases/{office.case}/review"
    await tab.call("Page.setInterceptFileChooserDialog", enabled=True)
    await tab.call("Network.clearBrowserCookies")
    await tab.go(f"{house.service.url}/console/")
    await signed_in(hands, house.login)
    await a_clip_is_found_watched_and_annotated(hands)
    await it_is_put_into_the_case_and_verified(hands, office)

    await signed_in(hands, office.submits)
    await the_case_is_opened_in_the_queue(hands, office, office.submits, "未送审")
    await signed(hands, ".submission", office.keys[office.submits])
    await hands.says(".round", "第 1 轮", "真实性")
    submitted = (await house.service.ask("GET", state, role=Role.AUDITOR)).json()
    assert (submitted["state"], len(submitted["rounds"])) == ("under_review", 1)

    await signed_in(hands, office.judges)
    await the_case_is_opened_in_the_queue(hands, office, office.judges, "审核中")
    await it_is_judged(hands, office.keys[office.judges], facts="problem", conclusion="problems")
    await hands.says(".round", "存在问题", "排放口位置没有说明")

    path = f"/v1/clips/{house.clip}/annotations"
    note, match = {"remark": "排放口在厂区东侧"}, {"If-Match": '"1"'}
    assert (await house.service.ask("POST", path, role=Role.ARCHIVIST, json=note, headers=match)).status == 201
    await signed_in(hands, office.submits)
    await the_case_is_opened_in_the_queue(hands, office, "", "存在问题")
    await hands.fill("textarea[name=answer-1]", "已补充")
    await signed(hands, ".submission", office.keys[office.submits])
    await hands.says("article.review", "第 2 轮", "已补充")

    await signed_in(hands, office.judges)
    await the_case_is_opened_in_the_queue(hands, office, "", "审核中")
    await hands.says(".side .changes", "变更", "音像 1")
    await hands.press(f".side .changes a[href='#/clips/{house.clip}']")
    await tab.until(f"location.hash === '#/clips/{house.clip}' && !!document.querySelector('#tab-annotation')")
    await the_case_is_opened_in_the_queue(hands, office, "", "审核中")
    await it_is_judged(hands, office.keys[office.judges], facts="ok", conclusion="approve")
    await hands.says("article.review h1", "同意")
    assert (await house.service.ask("GET", state, role=Role.AUDITOR)).json()["state"] == "approved"


async def test_a_focus_that_nobody_sees_is_noticed(tab: Tab, office: Office) -> None:
    await tab.go(f"{office.house.service.url}/console/")
    await tab.until("!!document.querySelector('.sign-in input, .bar')")
    await tab.evaluate("document.styleSheets[0].insertRule('* { outline: none !important; }', 0); undefined")
    with pytest.raises(AssertionError, match="nobody sees it"):
        await Hands(tab).reach("button.primary, .bar a:nth-of-type(3)")
