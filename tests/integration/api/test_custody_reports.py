"""Custody reports: who looked at what, when, what for, from which session, what was served; and who may read that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from api.custody_reports import Asked, html_of, pdf_of, read_page
from evidence.core.clock import parse_time, utc_now
from evidence.export.certificate.pdf import font_family
from evidence.parties.roles import Role
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(shared: RunningService) -> dict[str, Any]:
    """A clip with a case, three views by two people, and what each was told."""
    clip = await shared.clip(b"seen " + uuid4().bytes, path="DCIM/看过.mp4")
    proxy = await shared.derive(clip, b"proxy of it")
    case = await shared.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json={"number": f"{uuid4()}", "title": "偷排"})
    await shared.ask("POST", f"/v1/cases/{case.json()['case']}/clips", role=Role.INVESTIGATOR, json={"clip": str(clip)})
    entries = []
    for role, purpose, rendition in (
        (Role.REVIEWER, "legal_review", "proxy"),
        (Role.REVIEWER, "litigation", "original"),
        (Role.INVESTIGATOR, "case_file_review", "proxy"),
    ):
        body = {"purpose": purpose, "rendition": rendition}
        opened = await shared.ask("POST", f"/v1/clips/{clip}/views", role=role, json=body)
        entries.append(opened.json()["entry"])
    assert await shared.services.waiter.wait(UUID(entries[-1]), timeout_seconds=20) is not None
    return {"clip": str(clip), "proxy": proxy, "entries": entries, "case": case.json()["case"]}


async def who(service: RunningService, role: Role) -> dict[str, Any]:
    reply: dict[str, Any] = (await service.ask("GET", "/v1/session", role=role)).json()
    return reply


async def report(service: RunningService, path: str, *, role: Role = Role.AUDITOR, **params: str) -> Reply:
    return await service.ask("GET", f"{path}/custody-report", role=role, params=params)


async def test_of_a_clip_every_entry_with_its_place_and_what_was_served(
    shared: RunningService, seen: dict[str, Any]
) -> None:
    body = (await report(shared, f"/v1/clips/{seen['clip']}")).json()
    assert body["items"][0]["type"] == "clip.sealed"
    looked = [line for line in body["items"] if line["looks"]]
    assert [line["entry"] for line in looked] == seen["entries"]
    first, second, third = looked
    reviewer, investigator = await who(shared, Role.REVIEWER), await who(shared, Role.INVESTIGATOR)
    assert (first["actor"], first["name"]) == (f"staff:{reviewer['staff']}", "测试 reviewer")
    assert (first["session"], third["session"]) == (reviewer["credential"], investigator["credential"])
    assert (first["purpose"], second["purpose"]) == ("legal_review", "litigation")
    assert (first["served"]["rendition"], first["served"]["sha256"]) == ("proxy", seen["proxy"])
    assert second["served"]["rendition"] == "original"
    assert "case.clip_linked" in {line["type"] for line in body["items"]}
    assert all(isinstance(line["index"], int) for line in body["items"])
    assert (body["zone"], body["name"], body["size"] > third["index"]) == ("Asia/Shanghai", "看过.mp4", True)
    assert third["local"].endswith("+08:00")
    assert datetime.fromisoformat(third["local"]) == parse_time(third["at"])


async def test_pages_of_a_report_are_the_report(shared: RunningService, seen: dict[str, Any]) -> None:
    path = f"/v1/clips/{seen['clip']}"
    whole = (await report(shared, path)).json()["items"]
    paged, cursor = [], None
    while True:
        page = (await report(shared, path, limit="2", **({} if cursor is None else {"cursor": cursor}))).json()
        paged += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert paged == whole
    assert (await report(shared, path, cursor="x")).code == "request.cursor"


async def test_of_a_person_what_they_looked_at_from_a_time_to_a_time(
    shared: RunningService, seen: dict[str, Any]
) -> None:
    reviewer = await who(shared, Role.REVIEWER)
    path = f"/v1/people/{reviewer['staff']}"
    lines = (await report(shared, path)).json()["items"]
    assert [line["entry"] for line in lines] == seen["entries"][:2]
    assert [line["clips"] for line in lines] == [[seen["clip"]]] * 2
    between = (await report(shared, path, **{"from": lines[1]["at"]})).json()["items"]
    assert [line["entry"] for line in between] == [line["entry"] for line in lines if line["at"] >= lines[1]["at"]]
    before = (await report(shared, path, to=lines[0]["at"])).json()["items"]
    assert before == []
    assert (await report(shared, path, to="yesterday")).code == "request.query"
    assert (await report(shared, f"/v1/people/{uuid4()}")).json()["items"] == []


async def test_html_is_one_file_and_says_the_same(shared: RunningService, seen: dict[str, Any]) -> None:
    reply = await report(shared, f"/v1/clips/{seen['clip']}", form="html")
    text = reply.body.decode()
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    for word in (*seen["entries"], seen["proxy"], "法制审核", "查看", "看过.mp4", "Asia/Shanghai", "UTC 20"):
        assert word in text, word
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    head = await shared.ask("HEAD", f"/v1/clips/{seen['clip']}/custody-report?form=html", role=Role.AUDITOR)
    assert (head.status, head.body) == (200, b"")
    assert (await report(shared, f"/v1/clips/{uuid4()}", form="html")).code == "clip.unknown"


@pytest.mark.skipif(font_family() is None, reason="no font with Chinese here")
async def test_pdf_comes_in_parts_that_follow_each_other(
    shared: RunningService, seen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = await report(shared, f"/v1/clips/{seen['clip']}", form="pdf")
    assert (reply.body[:5], reply.headers["Content-Type"]) == (b"%PDF-", "application/pdf")
    assert "X-Shilu-Next" not in reply.headers
    monkeypatch.setattr("api.custody_reports.PDF_LINES_MAX", 2)
    asked = Asked(clip=UUID(seen["clip"]), until=utc_now())
    first, after = await pdf_of(shared.services, asked)
    assert first.startswith(b"%PDF-")
    assert after is not None
    assert (await read_page(shared.services, asked, after=after, limit=1)).lines[0].entry_id > after


async def test_who_may_read_it_is_decided_by_the_rules(shared: RunningService, seen: dict[str, Any]) -> None:
    for role in (Role.INVESTIGATOR, Role.REVIEWER, Role.ADMINISTRATOR):
        for path in (f"/v1/clips/{seen['clip']}", f"/v1/people/{uuid4()}"):
            assert (await report(shared, path, role=role)).code == "auth.role", role
    assert (await report(shared, f"/v1/clips/{seen['clip']}", role=Role.ARCHIVIST)).status == 200


async def test_a_history_of_ten_thousand_is_read_a_page_at_a_time(shared: RunningService) -> None:
    clip = await shared.clip(b"often seen " + uuid4().bytes, path="often.mp4")
    async with shared.services.pool.acquire() as conn:
        await conn.execute(
            """INSERT INTO custody_payload (entry_id, type, actor, subject, at, payload, salt)
               SELECT ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'clip.viewed', $2, $3, now(),
                      convert_to(json_build_object('clip', $1::text, 'rendition', 'proxy',
                                                   'purpose', 'litigation')::text, 'UTF8'),
                      decode(repeat('00', 32), 'hex')
               FROM generate_series(1, 10000) n""",
            *(str(clip), f"staff:{UUID(int=5)}", f"clip:{clip}"),
        )
    asked = Asked(clip=clip, until=utc_now() + timedelta(seconds=1))
    pieces = [piece async for piece in html_of(shared.services, asked)]
    assert "".join(pieces).count("<td>查看") == 10_000
    assert max(map(len, pieces)) < 500_000, "a page's worth, never the whole"
    some = await read_page(shared.services, asked, after=None, limit=50)
    assert {line.session for line in some.lines if line.looks} == {None}, "nothing is guessed of an older entry"
