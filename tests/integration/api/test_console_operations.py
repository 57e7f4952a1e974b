"""The page of operations: what needs a person, docks told live, what a role does not see; and the routes behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api import dock_watch
from api.dock_watch import DockWatch
from api.errors import WatchersTooMany
from api.operations import gather
from api.standing_audit import AuditSettings, AuditStatus, StandingAudit
from evidence.access.policy import Person
from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.core.clock import utc_now
from evidence.db.pool import connect
from evidence.parties.roles import Role
from tests.support.browser import Tab
from tests.support.console import House, clicked, shot, typed
from tests.support.parties import PaperDock
from tests.support.people import PASSWORD, person
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID: dict[str, Any] = {
    "agent": "0.1.0",
    "profiles": {},
    "disk_free_bytes": 10**11,
    "slots": [
        {"name": "1", "recorder": "4A00123", "phase": "done", "safe": True},
        {"name": "2", "recorder": "4A00124", "phase": "trouble", "safe": False},
        {"name": "3", "recorder": None, "phase": "gone", "safe": False},
    ],
    "journal": {"cleared": 12, "seen": 3},
    "waiting_notes": 0,
    "clock": {"offset_ms": -95_000, "uncertainty_ms": 12},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(shared: RunningService) -> House:
    """A clip of a recorder that is nobody's, a dock that spoke, an administrator and an auditor with accounts."""
    clip = await shared.clip(b"footage of an office", path="DCIM/20261122_093000.mp4")
    await person(shared, "guan.li", Role.ADMINISTRATOR)
    await person(shared, "shen.ji", Role.AUDITOR)
    await beat(shared, await shared.dock())
    return House(shared, clip, "guan.li")


async def beat(service: RunningService, dock: PaperDock, **changes: Any) -> None:
    reply = await service.ask("POST", f"/v1/docks/{dock.dock}/heartbeat", dock=dock, json={**SAID, **changes})
    assert reply.status == 200, reply.body


async def entered(tab: Tab, house: House, login: str) -> None:
    """Sign in as somebody, in a browser that nobody is signed in with."""
    await tab.call("Network.clearBrowserCookies")
    await tab.go(f"{house.service.url}/console/")
    await typed(tab, "input[name=login]", login)
    await typed(tab, "input[name=password]", PASSWORD)
    await clicked(tab, ".sign-in button.primary")
    await tab.until("!!document.querySelector('.bar')")


async def text_of(tab: Tab, selector: str) -> str:
    found: str = await tab.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def stream(house: House) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {await house.service.token(Role.ADMINISTRATOR)}"}
    async with house.service.session.get(f"{house.service.url}/v1/docks/events?seconds=60", headers=headers) as answer:
        yield answer


async def told(answer: Any) -> dict[str, Any]:
    """Return the docks of the next event."""
    async with asyncio.timeout(20):
        while True:
            line = (await answer.content.readline()).decode()
            if line.startswith("data: "):
                page: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return page


async def test_the_stream_tells_how_docks_stand_and_each_change(house: House, stream: Any) -> None:
    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
    assert stream.headers["Cache-Control"] == "no-store"
    first = await told(stream)
    listed = (await house.service.ask("GET", "/v1/docks", role=Role.AUDITOR, params={"limit": "200"})).json()
    assert first == listed
    dock = await house.service.dock()
    await beat(house.service, dock, disk_free_bytes=7)
    seen = await told(stream)
    while seen["items"][0]["said"]["disk_free_bytes"] != 7:
        seen = await told(stream)
    await beat(house.service, dock)


async def test_without_a_time_the_stream_tells_once_and_ends(house: House) -> None:
    reply = await house.service.ask("GET", "/v1/docks/events", role=Role.AUDITOR)
    assert reply.body.startswith(b"retry: 2000\nevent: docks\ndata: {")
    assert reply.body.endswith(b"}\n\n")
    assert (await house.service.ask("HEAD", "/v1/docks/events?seconds=60", role=Role.AUDITOR)).body == b""
    too_long = await house.service.ask("GET", "/v1/docks/events?seconds=61", role=Role.AUDITOR)
    assert too_long.code == "request.query"


async def test_no_more_than_so_many_watch_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch, stream: Any) -> None:
    await told(stream)
    monkeypatch.setattr(dock_watch, "WATCHERS_MAX", 1)
    reply = await house.service.ask("GET", "/v1/docks/events", role=Role.AUDITOR)
    assert (reply.status, reply.code, reply.json()["retry"]) == (503, "docks.watchers", "later")
    assert "Retry-After" in reply.headers


async def test_whoever_leaves_makes_room(house: House) -> None:
    watch = DockWatch(house.service.services, lambda: 0.0)
    for _ in range(dock_watch.WATCHERS_MAX * 2):
        with watch.seat():
            pass
    with ExitStack() as seats:
        for _ in range(dock_watch.WATCHERS_MAX):
            seats.enter_context(watch.seat())
        with pytest.raises(WatchersTooMany):
            seats.enter_context(watch.seat())


async def test_a_dock_that_falls_silent_is_told_of_without_a_word_from_it(house: House) -> None:
    later = replace(house.service.services, clock=lambda: utc_now() + timedelta(hours=1))
    now, then = DockWatch(house.service.services, lambda: 0.0), DockWatch(later, lambda: 0.0)
    assert json.loads(await now.look())["items"][0]["state"] == "heard"
    assert json.loads(await then.look())["items"][0]["state"] == "silent"


async def test_what_the_house_says_of_itself(house: House) -> None:
    found = (await house.service.ask("GET", "/v1/operations", role=Role.ADMINISTRATOR)).json()
    assert found["log"]["published"] > 0
    assert len(found["log"]["root"]) == 64
    assert {job["kind"] for job in found["jobs"]} == {"derivation", "transcription", "redaction", "export"}
    assert found["outbox"] == {"subscriptions": 0, "paused": 0, "failing": 0, "dead": 0}
    assert found["storage"]["free"] <= found["storage"]["total"]
    assert {check["name"] for check in found["checks"]} >= {"database", "publication", "disk", "docks"}


async def test_an_administrator_sees_the_house_and_no_footage(tab: Tab, house: House) -> None:
    await entered(tab, house, "guan.li")
    await tab.until("document.querySelectorAll('.dock').length === 1 && !!document.querySelector('.needs')")
    await tab.until("document.querySelectorAll('.part table').length >= 4")
    await tab.until("document.querySelector('.needs').innerText.includes('槽位 2 有问题')")
    await shot(tab, "operations-administrator")
    await tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    await shot(tab, "operations-dark")
    needs = await text_of(tab, ".needs")
    assert "台记录仪没有持有人" in needs
    assert "实时" in await text_of(tab, "#docks")
    assert "可以取走" in await text_of(tab, "#docks")
    assert "本岗位不含" in await text_of(tab, ".operations")
    assert await tab.evaluate("document.querySelectorAll('main a[href^=\"#/clips/\"]').length") == 0
    asked = {address.partition("?")[0].removeprefix(house.service.url) for address in tab.requests}
    assert asked.isdisjoint({"/v1/clips", "/v1/deadlines", "/v1/holds", "/v1/retention/due"})
    assert [text for text in tab.complaints if "401" not in text] == []


async def test_what_a_dock_says_is_on_the_page_at_once(tab: Tab, house: House) -> None:
    await entered(tab, house, "guan.li")
    await tab.until("document.querySelector('#docks')?.innerText.includes('实时')")
    slot = {"name": "9", "recorder": "4A00999", "phase": "reading", "safe": False}
    await beat(house.service, await house.service.dock(), slots=[slot])
    await tab.until("document.querySelector('#docks').innerText.includes('4A00999')", seconds=10)
    await beat(house.service, await house.service.dock())


async def test_without_the_stream_the_page_asks_and_without_the_service_it_says_since_when(
    tab: Tab, house: House
) -> None:
    await tab.call("Network.setBlockedURLs", urls=["*/v1/docks/events*"])
    await entered(tab, house, "guan.li")
    await tab.until("document.querySelector('#docks')?.innerText.includes('每 10 秒')")
    assert await tab.evaluate("document.querySelectorAll('.dock').length") == 1
    await tab.call("Network.setBlockedURLs", urls=["*/v1/*"])
    await tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await tab.until("!!document.querySelector('.operations > .failure')")
    assert "此前所知" in await text_of(tab, ".operations > .failure")
    assert await tab.evaluate("document.querySelectorAll('.dock').length") == 1, "what was known stays"
    await shot(tab, "operations-offline")


async def test_an_auditor_sees_what_is_kept_too_in_both_languages_on_a_tablet(tab: Tab, house: House) -> None:
    await entered(tab, house, "shen.ji")
    await tab.evaluate("location.hash = '#/operations'; undefined")
    await tab.until(
        "!!document.querySelector('#retention table, #retention .quiet') && !!document.querySelector('.dock')"
    )
    assert "本岗位不含" not in await text_of(tab, ".operations")
    await tab.evaluate("[...document.querySelectorAll('.bar button')].find(b => b.lang === 'en').click()")
    await tab.until("document.querySelector('h1')?.textContent === 'Operations'")
    await tab.call("Emulation.setDeviceMetricsOverride", width=768, height=1024, deviceScaleFactor=1, mobile=False)
    assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shot(tab, "operations-auditor-768")
    await tab.evaluate("localStorage.clear()")
    assert [text for text in tab.complaints if "401" not in text] == []


async def test_what_an_audit_named_leads_to_clips_but_nobody_who_sees_no_footage(house: House, tmp_path: Path) -> None:
    services = house.service.services
    audit = StandingAudit(
        connect=lambda: connect(services.dsn, program="test"),
        pool=services.pool,
        objects=services.local,
        storage=services.storage,
        memory=tmp_path / "audit.json",
        clock=services.clock,
        entropy=services.entropy,
        settings=AuditSettings(interval_seconds=1, bytes_per_second=1),
    )
    gone = found(codes.OBJECT_MISSING, "object:00", "gone", clip=str(house.clip)).as_json()
    looked_at = found(codes.AUDITED, "house", "done").as_json()
    audit.status = AuditStatus(utc_now(), [looked_at, gone, gone], 0.5)
    auditor = Person(staff=house.clip, roles=frozenset({Role.AUDITOR}), all_units=True, all_classes=True)
    for person_, clips in ((auditor, [house.clip]), (None, [])):
        told_of = (await gather(replace(services, audit=audit), person_)).audit
        assert told_of is not None
        assert [(one.code, one.count, one.clips) for one in told_of.findings] == [("object.missing", 2, clips)]


async def test_statistics_name_their_checkpoint_and_draw_what_the_table_says(tab: Tab, house: House) -> None:
    await entered(tab, house, "guan.li")
    await tab.evaluate("location.hash = '#/statistics?by=recorder'; undefined")
    await tab.until("document.querySelectorAll('.chart svg[role]').length >= 4 && !!document.querySelector('tfoot')")
    made = (await house.service.ask("GET", "/v1/statistics", role=Role.AUDITOR, params={"by": "recorder"})).json()
    basis = await text_of(tab, ".basis")
    assert made["root"][:16] in basis
    assert made["rules"] in basis
    assert await text_of(tab, "tfoot td") == str(made["total"]["clips"])
    assert (await text_of(tab, ".chart svg text:last-child")) in ("1", ""), "the number stands beside its bar"
    csv = await tab.evaluate("fetch(document.querySelector('a[download]').href).then(answer => answer.text())")
    assert csv.splitlines()[0].startswith("recorder,clips,")
    assert await tab.evaluate("document.querySelectorAll('#samples').length") == 0, "an administrator draws no cases"
    await shot(tab, "statistics")
    await tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    await shot(tab, "statistics-dark")
    await tab.call("Emulation.setEmulatedMedia", media="print")
    ground = "getComputedStyle(document.documentElement).getPropertyValue('--ground').trim()"
    assert await tab.evaluate(ground) == "#ffffff", "paper is white in the dark room too"
    assert await tab.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "none"
    await shot(tab, "statistics-print")


async def test_a_list_is_tried_row_by_row_and_taken_whole(tab: Tab, house: House, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("number,name,unit,valid_until\n031,赵六,一中队,never\n032,,一中队,\n", "utf-8")
    good.write_text("number,name,unit\n031,赵六,一中队\n", "utf-8")
    await entered(tab, house, "guan.li")
    await tab.evaluate("location.hash = '#/registers/officers'; undefined")
    await tab.until("!!document.querySelector('input[type=file]')")
    await tab.choose_files("input[type=file]", [bad])
    await tab.until("document.querySelectorAll('.part tbody tr').length === 2")
    assert "never" in await text_of(tab, ".part tbody")
    await shot(tab, "import")
    assert await tab.evaluate("!!document.querySelector('.part button.primary')") is False, "nothing to take"
    await tab.choose_files("input[type=file]", [good])
    await clicked(tab, ".part button.primary")
    await tab.until("document.querySelector('.registers table')?.innerText.includes('赵六')")
    await typed(tab, "input[type=search]", "nobody")
    await tab.until("!!document.querySelector('.empty')")
    units = house.service.url + "/console/#/registers/units"
    await tab.go(units)
    await tab.until("document.querySelector('.registers')?.innerText.includes('导入')")


async def test_a_sample_is_promised_first_and_drawn_with_the_seed_of_this_browser(tab: Tab, house: House) -> None:
    service = house.service
    opened = {"number": "评查〔2026〕1号", "title": "抽样案"}
    case = (await service.ask("POST", "/v1/cases", role=Role.ARCHIVIST, json=opened)).json()["case"]
    async with asyncio.timeout(20):
        while (await service.ask("GET", "/v1/operations", role=Role.AUDITOR)).json()["log"]["behind_seconds"] != 0:
            await asyncio.sleep(0.05)
    await person(service, "dang.an", Role.ARCHIVIST)
    await entered(tab, house, "dang.an")
    await tab.evaluate("location.hash = '#/statistics'; undefined")
    await typed(tab, "#samples label.grow input", "季度评查")
    one = "(f => { f.value = '1'; f.dispatchEvent(new Event('input', {bubbles: true})); })"
    await tab.evaluate(f"{one}(document.querySelector('#samples input[type=number]'))")
    await clicked(tab, "#samples form button.primary")
    await clicked(tab, "#samples li button")
    await tab.until("!!document.querySelector('#samples li a, #samples li .failure')")
    while await tab.evaluate("!!document.querySelector('#samples li .failure')"):
        await asyncio.sleep(0.2)
        await clicked(tab, "#samples li button")
        await tab.until("!!document.querySelector('#samples li a, #samples li .failure')")
    assert await tab.evaluate("document.querySelector('#samples li a').getAttribute('href')") == f"#/cases/{case}"
    await shot(tab, "sample")


async def test_whoever_comes_back_unlinked_reads_why(tab: Tab, house: House) -> None:
    await tab.call("Network.clearBrowserCookies")
    await tab.go(f"{house.service.url}/console/?refused=auth.not_linked")
    await tab.until("!!document.querySelector('.sign-in .failure')")
    assert "尚未与本系统账号关联" in await text_of(tab, ".sign-in .failure")
    assert await tab.evaluate("!!document.querySelector('.sign-in a.button')") is False, (
        "no provider is configured here"
    )
    await shot(tab, "sign-in-refused")
    hostile = await house.service.ask("GET", "/console/?refused=%3Cscript%3E")
    assert hostile.code == "request.query"
