"""The desk in a real browser: a case from its coverage to its package, its review, its publication, by the pages' own
controls; handler and reviewer sign in one after another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from api.exports import maker_of
from evidence.parties.roles import Role
from tests.support.browser import Tab, open_tab
from tests.support.case_files import item, item_list
from tests.support.console import House, clicked, pressed, shot, signed_in, typed
from tests.support.people import PaperPerson, person
from tests.support.publicity import BRIEF
from tests.support.reviews import HAND, REVIEWER, rules
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = item_list(item("visit", exemptible=True, title="现场检查"), item("talk", title="询问", exemptible=True))
MATERIALS = [{"key": "report", "title": "调查终结报告", "required": True}]
NUMBERS = count(9)
TRIGGER = {"key": "penalty", "fact": "hearing_held", "source": "第五条", "quote": "经过听证程序"}


@dataclass(frozen=True)
class Desk:
    """A case with an exhibit, somebody who handles it, somebody who reviews it, and their keys as files."""

    service: RunningService
    case: str
    clip: str
    number: str
    handler: PaperPerson
    reviewer: PaperPerson
    keys: dict[str, Path]

    async def at(self, tab: Tab, who: PaperPerson, place: str) -> None:
        """Have somebody at a place of the console; whoever was there signs out."""
        if not tab.requests or await tab.evaluate("window.who ?? ''") != who.login:
            await tab.call("Network.clearBrowserCookies")
            await tab.go("about:blank#")
            await signed_in(tab, House(self.service, self.clip, who.login))  # type: ignore[arg-type]
            await tab.evaluate(f"window.who = {json.dumps(who.login)}")
        await tab.evaluate(f"location.hash = {json.dumps(place)}; undefined")

    async def review(self) -> Any:
        """The review as the service states it."""
        return (await self.service.ask("GET", f"/v1/cases/{self.case}/review", role=Role.AUDITOR)).json()


async def asked(service: RunningService, path: str, role: Role, body: Any) -> Any:
    reply = await service.ask("POST", path, role=role, json=body)
    assert reply.status in (200, 201), reply.body
    return reply.json()


@dataclass(frozen=True)
class Office:
    """Who works here, with their keys."""

    handler: PaperPerson
    reviewer: PaperPerson
    keys: dict[str, Path]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A list of recording items, rules of review, a handler, a qualified reviewer."""
    await asked(shared, "/v1/items", Role.ADMINISTRATOR, {"effective_from": "2020-01-01", "list": LIST.as_json()})
    content = rules(triggers=[TRIGGER], materials=MATERIALS).model_dump(mode="json", exclude_none=True)
    await asked(shared, "/v1/review/rules", Role.ADMINISTRATOR, {"effective_from": "2020-01-01", "rules": content})
    handler = await person(shared, "wang.fang", Role.INVESTIGATOR)
    reviewer = await person(shared, "li.ming", Role.REVIEWER)
    fit = {"certificate": "A2020", "source": "聘任文件", "valid_from": "2020-01-01", "valid_until": "2099-01-01"}
    await asked(shared, "/v1/review/qualifications", Role.ADMINISTRATOR, {"staff": str(reviewer.staff), **fit})
    folder, keys = tmp_path_factory.mktemp("keys"), {}
    for who, signer in ((handler, HAND), (reviewer, REVIEWER)):
        keys[who.login] = folder / f"{who.login}.pem"
        keys[who.login].write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Office(handler, reviewer, keys)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(shared: RunningService, office: Office) -> Desk:
    """A case of this test's own."""
    handler, number = office.handler, f"朔环罚〔2026〕{next(NUMBERS)}号"
    said = {"number": number, "title": "废水直排案", "kind": "penalty", "facts": {"hearing_held": True}}
    reply = await shared.ask("POST", "/v1/cases", headers=await handler.session(), json={**said, "handlers": ["王芳"]})
    assert reply.status == 201, reply.body
    case = reply.json()["case"]
    clip = str(await shared.clip(number.encode(), path="DCIM/20261122_093000.mp4"))
    note = {"remark": "检查废水排放口", "item": "visit", "place": "厂区"}
    path = f"/v1/clips/{clip}/annotations"
    assert (await shared.ask("POST", path, role=Role.ARCHIVIST, json=note, headers={"If-Match": '"0"'})).status == 201
    await asked(shared, f"/v1/cases/{case}/clips", Role.ARCHIVIST, {"clip": clip})
    return Desk(shared, case, clip, number, handler, office.reviewer, office.keys)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(browser: str) -> AsyncIterator[Tab]:
    """One tab for the module: signing in costs most."""
    async with open_tab(browser) as opened:
        await opened.call(
            "Emulation.setDeviceMetricsOverride", width=1366, height=900, deviceScaleFactor=1, mobile=False
        )
        yield opened


async def chosen(tab: Tab, selector: str, value: str) -> None:
    """Choose an option as a person does."""
    await tab.until(f"!!document.querySelector({json.dumps(f'{selector} option[value={json.dumps(value)}]')})")
    await tab.evaluate(
        f"(s => {{ s.value = {json.dumps(value)}; s.dispatchEvent(new Event('change', {{bubbles: true}})); }})"
        f"(document.querySelector({json.dumps(selector)}))"
    )


async def unfolded(tab: Tab) -> None:
    """Open whatever is folded away."""
    await tab.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; }); 0")


async def says(tab: Tab, selector: str, *words: str) -> None:
    """Wait until a part of the page says all of this."""
    said = f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"
    await tab.until(f"{json.dumps(words)}.every(word => ({said}).includes(word))", seconds=20)


async def a_case_is_read_at_a_glance_and_completed(tab: Tab, desk: Desk, folder: Path) -> None:
    await desk.at(tab, desk.handler, f"#/cases/{desk.case}")
    await says(tab, "article.case table.dense", "缺少", "询问", "现场检查")
    await says(tab, ".side", "未送审", "尚未说明执行终结", "应录事项没有录")
    await shot(tab, "desk-case")
    await unfolded(tab)
    await tab.until("document.querySelector('img.trail')?.complete")
    assert await tab.evaluate("document.querySelector('img.trail').naturalWidth") > 0
    await exempted(tab)
    await says(tab, "article.case .chips", "1 免录", "0 缺少")
    (folder / "调查报告.pdf").write_bytes(b"%PDF-1.7 report")
    await unfolded(tab)
    await tab.choose_files("input[name=file]", [folder / "调查报告.pdf"])
    await typed(tab, "input[name=title]", "调查终结报告")
    await pressed(tab, "article.case button", "封存并入卷")
    await says(tab, "article.case", "已记入账本")
    await tab.until(
        "[...document.querySelectorAll('article.case table a')].some(a => a.textContent === '调查终结报告')"
    )
    await tab.until("!document.querySelector('progress')")
    assert await tab.evaluate("Object.keys(localStorage).filter(key => key.startsWith('shilu.draft.'))") == []
    await shot(tab, "desk-case-completed")


async def exempted(tab: Tab) -> None:
    """State an exemption; a reload in the middle loses nothing."""
    await chosen(tab, "select[name=item]", "talk")
    await typed(tab, "textarea[name=reason], input[name=reason]", "笔录已全面记录")
    await tab.until("Object.values(localStorage).some(value => value.includes('笔录已全面记录'))")
    await tab.call("Page.reload")
    await tab.until("document.querySelector('[name=reason]')?.value === '笔录已全面记录'")
    await tab.until("document.querySelector('select[name=item]').value === 'talk'")
    await typed(tab, "input[name=approver]", "李主任")
    await typed(tab, "input[name=reference]", "审批表1号")
    await pressed(tab, "article.case button", "记入案卷")


async def a_package_is_asked_for_and_fetched(tab: Tab, desk: Desk) -> None:
    await desk.at(tab, desk.handler, f"#/cases/{desk.case}")
    await chosen(tab, ".side .purpose select", "litigation")
    await clicked(tab, ".side button.order")
    await says(tab, ".packages", "排队")
    maker = maker_of(desk.service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    await clicked(tab, "button.fetch")
    address = await tab.until("document.querySelector('a.fetch')?.getAttribute('href')")
    assert (await desk.service.ask("GET", address)).body[:2] == b"PK"
    await clicked(tab, ".side section button:not(.order, .fetch)")
    await says(tab, ".side .failure", "case.archive_refused")


async def signed(tab: Tab, desk: Desk, who: PaperPerson, words: str, scope: str = "") -> None:
    """Choose one's key and press the button that signs; the key is in no field and no storage afterwards."""
    await tab.choose_files(f"{scope} input[name=key]".strip(), [desk.keys[who.login]])
    await pressed(tab, f"{scope} .sign button".strip(), words)


async def key_stated(tab: Tab, desk: Desk, who: PaperPerson) -> None:
    await unfolded(tab)
    await tab.choose_files("input[name=own]", [desk.keys[who.login]])
    await pressed(tab, ".own-key button", "登记这把公钥")
    await says(tab, ".own-key", "已记入账本")


async def the_handler_submits_what_is_whole_and_nothing_else(tab: Tab, desk: Desk) -> None:
    await desk.at(tab, desk.handler, "#/review")
    await says(tab, "main table", desk.number, "未送审", "承办人")
    await key_stated(tab, desk, desk.handler)
    await shot(tab, "desk-queue-handler")
    await clicked(tab, f"main table a[href='#/review/{desk.case}']")
    await says(tab, "article.review", "未经法制审核", "调查终结报告", "必交")
    await signed(tab, desk, desk.handler, "签名并送审")
    await says(tab, ".material .bad[role=alert]", "缺少必交材料")
    await decided(tab, "罚字〔2026〕1号")
    await says(tab, ".decision", "decision.refused", "未经法制审核")
    await chosen(
        tab,
        "select[name=material-report]",
        await tab.evaluate("document.querySelector('select[name=material-report]').options[1].value"),
    )
    await shot(tab, "desk-submission")
    await signed(tab, desk, desk.handler, "签名并送审")
    await says(tab, ".round", "第 1 轮", "真实性")
    assert (await desk.review())["state"] == "under_review"
    kept = await tab.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "PRIVATE" not in kept
    assert desk.keys[desk.handler.login].read_text().split()[3] not in kept


async def decided(tab: Tab, number: str) -> None:
    await typed(tab, ".decision input[name=number]", number)
    await typed(tab, ".decision textarea", "罚款一万元")
    await pressed(tab, ".decision button", "作出决定")


async def judged(tab: Tab, row: str, verdict: str) -> None:
    await chosen(tab, f"select[name=verdict-{row}]", verdict)
    await typed(tab, f"input[name=note-{row}]", "已核")
    await typed(tab, f"input[name=evidence-{row}]", "1，2")


async def the_reviewer_leaves_no_row_blank_and_names_problems(tab: Tab, desk: Desk) -> None:
    await desk.at(tab, desk.reviewer, "#/review")
    await says(tab, "main table", desk.number, "审核中", "法制审核人员")
    assert (
        await tab.evaluate(
            "performance.getEntriesByType('resource').filter(one => one.name.endsWith('/review')).length"
        )
        == 0
    )
    await shot(tab, "desk-queue-reviewer")
    await key_stated(tab, desk, desk.reviewer)
    await clicked(tab, f"main table a[href='#/review/{desk.case}']")
    await says(tab, ".opinion", "事项facts", "事项law", "调查终结报告")
    await says(tab, ".round .person", f"王芳 (…{str(desk.handler.staff)[-4:]})")
    assert await tab.evaluate("document.querySelector('.round .person').title") == f"staff:{desk.handler.staff}"
    await judged(tab, "facts", "problem")
    await signed(tab, desk, desk.reviewer, "签名并出具意见", ".opinion")
    await says(tab, "#row-law", "不能发出")
    assert (await desk.review())["state"] == "under_review"
    await judged(tab, "law", "ok")
    await judged(tab, "crime", "not_applicable")
    await clicked(tab, "input[name=conclusion][value=problems]")
    await signed(tab, desk, desk.reviewer, "签名并出具意见", ".opinion")
    await says(tab, "#row-facts", "没有写明问题")
    await shot(tab, "desk-opinion")
    await typed(tab, "textarea[name=problems-facts]", "排放口位置没有说明")
    await signed(tab, desk, desk.reviewer, "签名并出具意见", ".opinion")
    await says(tab, ".round", "存在问题", "排放口位置没有说明")


async def another_position_is_settled_by_a_third_person(tab: Tab, desk: Desk) -> None:
    await desk.at(tab, desk.handler, f"#/review/{desk.case}")
    third = (await desk.service.ask("GET", "/v1/session", role=Role.REVIEWER)).json()["staff"]
    await says(tab, "article.review", "不同意审核意见")
    await unfolded(tab)
    await typed(tab, "textarea[name=position]", "现场图已经说明")
    await typed(tab, "input[name=coordinator]", third)
    await pressed(tab, "form button.primary", "不同意审核意见，提请协调")
    await says(tab, "article.review h1", "协调中")
    said = {"outcome": "uphold", "minutes": "纪要1号", "reason": "仍须补充"}
    await asked(desk.service, f"/v1/cases/{desk.case}/review/outcomes", Role.REVIEWER, said)
    await desk.at(tab, desk.handler, "#/review")
    await says(tab, "main table", "存在问题")


async def each_problem_is_answered_and_a_signature_from_elsewhere_counts(tab: Tab, desk: Desk, folder: Path) -> None:
    path, note = f"/v1/clips/{desk.clip}/annotations", {"remark": "排放口在厂区东侧", "item": "visit", "place": "厂区"}
    said = await desk.service.ask("POST", path, role=Role.ARCHIVIST, json=note, headers={"If-Match": '"1"'})
    assert said.status == 201, said.body
    await desk.at(tab, desk.handler, f"#/review/{desk.case}")
    await says(tab, ".submission", "再次送审（第 2 轮）", "排放口位置没有说明")
    await says(tab, ".side .changes", "变更", "音像 1")
    assert await tab.evaluate(f"!!document.querySelector('.side .changes a[href=\"#/clips/{desk.clip}\"]')")
    await chosen(
        tab,
        "select[name=material-report]",
        await tab.evaluate("document.querySelector('select[name=material-report]').options[1].value"),
    )
    await signed(tab, desk, desk.handler, "签名并送审", ".submission")
    await says(tab, ".submission .field.wrong", "没有回复")
    await typed(tab, "textarea[name=answer-1]", "已在笔录中补充")
    await unfolded(tab)
    await tab.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    await pressed(tab, ".submission .sign button", "下载待签内容")
    await tab.until("true")
    async with asyncio.timeout(20):
        while not (folder / "statement.json").exists():
            await asyncio.sleep(0.05)
    (folder / "statement.sig").write_bytes(HAND.key.sign((folder / "statement.json").read_bytes()))
    await shot(tab, "desk-answers")
    await tab.choose_files(".submission input[name=signature]", [folder / "statement.sig"])
    await pressed(tab, ".submission .sign button", "用此签名发出")
    await says(tab, "article.review", "第 2 轮", "已在笔录中补充")
    assert (await desk.review())["state"] == "under_review"


async def an_approval_opens_the_gate(tab: Tab, desk: Desk) -> None:
    await desk.at(tab, desk.reviewer, f"#/review/{desk.case}")
    await says(tab, ".opinion", "审核意见（第 2 轮）")
    await unfolded(tab)
    await typed(tab, "textarea[name=request]", "请补充送达回证")
    await pressed(tab, "form button.primary", "要求补充")
    await says(tab, "article.review h1", "待补充")
    path, said = f"/v1/cases/{desk.case}/review/answers", {"answer": "见案卷第9页"}
    answered = await desk.service.ask("POST", path, json=said, headers=await desk.handler.session())
    assert answered.status == 201, answered.body
    await desk.at(tab, desk.reviewer, "#/review")
    await clicked(tab, f"main table a[href='#/review/{desk.case}']")
    for row, verdict in (("facts", "ok"), ("law", "ok"), ("crime", "not_applicable")):
        await judged(tab, row, verdict)
    await clicked(tab, "input[name=conclusion][value=approve]")
    await signed(tab, desk, desk.reviewer, "签名并出具意见", ".opinion")
    await says(tab, "article.review h1", "同意")
    await desk.at(tab, desk.handler, f"#/review/{desk.case}")
    await says(tab, ".decision", "可以作出决定")
    await tab.until("document.querySelector('.decision input[name=number]').value === '罚字〔2026〕1号'")
    await pressed(tab, ".decision button", "作出决定")
    await says(tab, ".decision .verdict", "罚字〔2026〕1号")
    await shot(tab, "desk-decided")


async def a_draft_is_scanned_and_judged(tab: Tab, desk: Desk) -> None:
    await clicked(tab, ".decision a[href*=publicity]")
    await tab.until("document.querySelector('input[name=field-document_number]')?.value === '罚字〔2026〕1号'")
    await pressed(tab, "form.draft button", "起草并检查")
    await says(tab, "label.wrong:has([name=field-subject])", "此项必填")
    await shot(tab, "desk-publication-missing")
    for name, text in {**BRIEF, "facts": "𠮷某，电话13800138000"}.items():
        await typed(tab, f"[name=field-{name}]", text)
    await pressed(tab, "form.draft button", "起草并检查")
    await says(tab, ".text mark.open", "13800138000")
    await chosen(tab, ".finding select", "mask")
    await tab.evaluate(
        "getSelection().setBaseAndExtent(document.querySelector('[data-field=facts] span').firstChild, 0,"
        " document.querySelector('[data-field=facts] span').firstChild, 3)"
    )
    await pressed(tab, "main button", "隐去所选")
    await says(tab, ".findings", "人工隐去", "𠮷某")
    await shot(tab, "desk-publication-scanned")
    await pressed(tab, ".findings button", "记录决定")
    await says(tab, ".finding", "已决定")
    assert await tab.evaluate("document.querySelector('mark.mask').textContent") == "13800138000"
    assert await tab.evaluate("Object.keys(localStorage).filter(key => key.includes('.spans.'))") == []


async def another_person_makes_it_public(tab: Tab, desk: Desk) -> None:
    await desk.at(tab, desk.reviewer, "#/publicity")
    await says(tab, "main table", "某化工厂", "待审核")
    await clicked(tab, "main table a")
    await says(tab, ".side", "同意公示")
    await pressed(tab, ".side button", "同意公示")
    await says(tab, ".side", "发布公示")
    await pressed(tab, ".side button", "发布公示")
    await says(tab, ".side", "公示中", "［不宜公开内容已隐去］，电话［手机号已隐去］")
    await shot(tab, "desk-publication-public")
    address = await tab.evaluate("document.querySelector('.side a[href^=\"/public/records/\"]').getAttribute('href')")
    assert "13800138000" not in (await desk.service.ask("GET", address)).body.decode()


async def it_is_corrected_and_withdrawn(tab: Tab, desk: Desk) -> None:
    await desk.at(tab, desk.handler, "#/publicity")
    await clicked(tab, "main table a")
    await says(tab, ".side", "公示中")
    await unfolded(tab)
    await typed(tab, ".correct [name=field-performance]", "已缴纳")
    await typed(tab, "input[name=correct-reason]", "补充履行情况")
    await pressed(tab, "form.correct button", "起草更正版并检查")
    await says(tab, "article.publicity h1", "待审核", "第 1 版仍在公示")
    await unfolded(tab)
    await typed(tab, "textarea[name=withdraw-reason]", "行政复议撤销原决定")
    await pressed(tab, "form.withdraw button", "撤下公示")
    await says(tab, ".side", "已撤下", "依法撤销", "行政复议撤销原决定")
    await shot(tab, "desk-publication-withdrawn")


async def everything_reads_in_the_dark_in_english_and_on_a_tablet(tab: Tab, desk: Desk) -> None:
    await pressed(tab, ".bar button", "深色")
    await pressed(tab, ".bar button", "English")
    await tab.call("Emulation.setDeviceMetricsOverride", width=768, height=1024, deviceScaleFactor=1, mobile=False)
    for place, words in (
        (f"cases/{desk.case}", "Recording items"),
        (f"review/{desk.case}", "Decision"),
        ("publicity", "Terms"),
    ):
        await tab.evaluate(f"location.hash = '#/{place}'; undefined")
        await says(tab, "main", words)
        await tab.until("!document.querySelector('main [role=status]:not(.verdict)')")
        wide = await tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= 768, (place, wide)
        await shot(tab, f"desk-dark-{place.partition('/')[0]}")
    await tab.evaluate("localStorage.clear(); sessionStorage.clear(); location.hash = ''; location.reload()")
    await tab.call("Emulation.setDeviceMetricsOverride", width=1366, height=900, deviceScaleFactor=1, mobile=False)


async def test_the_desk_reads_in_both_languages_and_takes_what_is_stated(tab: Tab, desk: Desk, tmp_path: Path) -> None:
    await a_case_is_read_at_a_glance_and_completed(tab, desk, tmp_path)
    await everything_reads_in_the_dark_in_english_and_on_a_tablet(tab, desk)


async def test_a_case_is_opened_and_a_taken_number_is_said_beside_the_form(tab: Tab, desk: Desk) -> None:
    number = f"朔环罚〔2026〕{next(NUMBERS)}号"
    await desk.at(tab, desk.handler, "#/cases")
    await tab.until("!!document.querySelector('main details summary')")
    await unfolded(tab)
    await typed(tab, ".opening input[name=number]", desk.number)
    await typed(tab, ".opening input[name=title]", "<b>夜间施工案</b>")
    await typed(tab, ".opening input[name=handlers]", "王芳、赵强")
    await chosen(tab, ".opening select[name=kind]", "penalty")
    await clicked(tab, ".opening button.primary")
    await says(tab, ".opening .failure", "case.number_taken")
    await says(tab, ".opening .failure", "已有案卷使用此案号")
    await shot(tab, "desk-opening")
    await tab.evaluate("document.querySelector('.opening input[name=number]').select()")
    await typed(tab, ".opening input[name=number]", number)
    await clicked(tab, ".opening button.primary")
    await says(tab, "article.case h1", number, "<b>夜间施工案</b>")
    assert await tab.evaluate("Object.keys(localStorage).filter(key => key.endsWith('.case.new'))") == []
    case = (await tab.evaluate("location.hash")).removeprefix("#/cases/")
    said = (await desk.service.ask("GET", f"/v1/cases/{case}", headers=await desk.handler.session())).json()
    assert (said["kind"], said["handlers"]) == ("penalty", ["王芳", "赵强"])
    await desk.at(tab, desk.reviewer, "#/cases")
    await says(tab, "main table", number)
    assert not await tab.evaluate("!!document.querySelector('.opening, main details')")


@pytest.mark.slow
async def test_from_a_case_to_a_withdrawn_publication(tab: Tab, desk: Desk, tmp_path: Path) -> None:
    """One case all the way; each step finds what the one before left."""
    await a_case_is_read_at_a_glance_and_completed(tab, desk, tmp_path)
    await a_package_is_asked_for_and_fetched(tab, desk)
    await the_handler_submits_what_is_whole_and_nothing_else(tab, desk)
    await the_reviewer_leaves_no_row_blank_and_names_problems(tab, desk)
    await another_position_is_settled_by_a_third_person(tab, desk)
    await each_problem_is_answered_and_a_signature_from_elsewhere_counts(tab, desk, tmp_path)
    await an_approval_opens_the_gate(tab, desk)
    await a_draft_is_scanned_and_judged(tab, desk)
    await another_person_makes_it_public(tab, desk)
    await it_is_corrected_and_withdrawn(tab, desk)
    await everything_reads_in_the_dark_in_english_and_on_a_tablet(tab, desk)
