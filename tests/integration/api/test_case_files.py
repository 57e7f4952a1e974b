"""Case files over HTTP: numbers under a hundred requests, statements, coverage, order, archive (R2, R4, R13, R23)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from api import archiving
from evidence.core.wire.case_manifest import manifest_root
from evidence.parties.roles import Role
from tests.support.case_files import CONCLUDED, activity, exemption, item, item_list
from tests.support.clock import SeededEntropy
from tests.support.payloads import Scribe
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = item_list(item("seizure", mode="full", when="stated"), item("visit", exemptible=True), item("talk"))


async def listed(service: RunningService) -> str:
    """Publish the list for an agency of this test's own and return its name."""
    agency = f"局{uuid4()}"
    body = {"effective_from": "2020-01-01", "list": {**LIST.as_json(), "agency": agency}}
    assert (await service.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body)).status == 201
    return agency


async def opened(service: RunningService) -> str:
    said = {"number": f"案{uuid4()}", "title": "某厂案", "kind": "penalty", "agency": await listed(service)}
    case: str = (await service.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=said)).json()["case"]
    return case


async def say(service: RunningService, case: str, statement: dict[str, Any]) -> Reply:
    body = {"statement": statement}
    return await service.ask("POST", f"/v1/cases/{case}/statements", role=Role.INVESTIGATOR, json=body)


async def link(service: RunningService, case: str, clip: object) -> Reply:
    return await service.ask("POST", f"/v1/cases/{case}/clips", role=Role.ARCHIVIST, json={"clip": str(clip)})


async def test_r13_a_hundred_requests_at_once_give_one_to_a_hundred(shared: RunningService) -> None:
    case = await opened(shared)
    async with shared.services.pool.acquire() as conn:
        # Numbers are what is looked at: the contents come without the way through a dock.
        scribe = Scribe(conn=conn, clock=shared.services.clock, entropy=SeededEntropy(13))
        wanted = [await scribe.seal() for _ in range(100)]
    replies = await asyncio.gather(*(link(shared, case, clip) for clip in wanted))
    assert sorted(reply.json()["exhibit"] for reply in replies) == list(range(1, 101))


async def test_a_case_is_covered_and_exempted_over_http(shared: RunningService) -> None:
    case = await opened(shared)
    coverage = (await shared.ask("GET", f"/v1/cases/{case}/coverage", role=Role.REVIEWER)).json()
    assert (coverage["missing"], coverage["required"]) == (["visit", "talk"], ["visit", "talk"])
    assert (await say(shared, case, exemption("visit"))).status == 201
    assert (await say(shared, case, exemption("seizure"))).code == "case.exemption_refused"
    assert (await say(shared, case, activity("seizure", 0, 1))).status == 201
    coverage = (await shared.ask("GET", f"/v1/cases/{case}/coverage", role=Role.REVIEWER)).json()
    assert (coverage["missing"], coverage["exempted"], coverage["recorded"]) == (["seizure", "talk"], ["visit"], [])
    assert coverage["gap_seconds"] == 60
    said = (await shared.ask("GET", f"/v1/cases/{case}/statements", role=Role.AUDITOR, params={"limit": "1"})).json()
    more = {"limit": "1", "cursor": said["next"]}
    rest = (await shared.ask("GET", f"/v1/cases/{case}/statements", role=Role.AUDITOR, params=more)).json()
    assert [one["items"][0]["kind"] for one in (said, rest)] == ["exemption", "activity"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ({}, "request.invalid"),
        ({"kind": "verdict"}, "request.invalid"),
        ({"kind": "conclusion", "on": "2026-02-30"}, "request.invalid"),
        ({"kind": "conclusion", "on": "2026-2-3"}, "request.invalid"),
        ({"kind": "conclusion", "on": "2999-01-01"}, "case.statement_refused"),
        ({"kind": "conclusion", "on": "2026-01-01", "more": 1}, "request.invalid"),
        (activity("seizure", 1, 0), "request.invalid"),
        (activity("seizure", 0, 1) | {"starts_at": "2026-03-02T09:00:00+08:00"}, "request.invalid"),
        (activity("seizure", 0, 1) | {"item": "'; DROP TABLE clip; --"}, "request.invalid"),
        (activity("seizure", 0, 1) | {"basis": "a\x00b"}, "request.invalid"),
        (activity("seizure", 0, 1) | {"basis": "字" * 401}, "request.invalid"),
        (activity("nothing", 0, 1), "case.statement_refused"),
        (exemption("visit") | {"approver": " "}, "request.invalid"),
        (exemption("visit") | {"ground": "weather"}, "request.invalid"),
        (exemption("talk"), "case.exemption_refused"),
        ({"kind": "addendum", "text": "后来"}, "case.not_archived"),
        ({"kind": "withdrawal", "entry": "../..", "reason": "x"}, "request.invalid"),
    ],
    ids=repr,
)
async def test_statements_that_are_none(shared: RunningService, statement: dict[str, Any], code: str) -> None:
    assert (await say(shared, await opened(shared), statement)).code == code


async def test_a_case_is_amended_by_whoever_has_seen_it(shared: RunningService) -> None:
    case = await opened(shared)
    path, ask = f"/v1/cases/{case}", {"reason": "更名", "title": "新名案"}
    page = await shared.ask("GET", path, role=Role.REVIEWER)
    assert (page.headers["ETag"], page.json()["state"]) == ('"1"', "open")
    assert (await shared.ask("PATCH", path, role=Role.INVESTIGATOR, json=ask)).code == "request.precondition_required"
    seen = {"If-Match": '"1"'}
    done = await asyncio.gather(
        *(shared.ask("PATCH", path, role=Role.INVESTIGATOR, json=ask, headers=seen) for _ in range(4))
    )
    assert sorted(reply.status for reply in done) == [200, 412, 412, 412]
    assert {reply.code for reply in done if reply.status == 412} == {"case.stale"}
    page = await shared.ask("GET", path, role=Role.REVIEWER)
    assert (page.headers["ETag"], page.json()["title"]) == ('"2"', "新名案")
    empty = await shared.ask("PATCH", path, role=Role.INVESTIGATOR, json={"reason": "x"}, headers={"If-Match": '"2"'})
    assert empty.code == "case.invalid"


async def test_the_order_is_put_and_read_and_exhibits_leave(shared: RunningService) -> None:
    case, clip = await opened(shared), await shared.clip(uuid4().bytes, path="o.mp4")
    await link(shared, case, clip)
    path = f"/v1/cases/{case}/structure"
    body = {"sections": [{"title": "证据", "places": [{"exhibit": 1}]}]}
    put = await shared.ask("PUT", path, role=Role.ARCHIVIST, json=body, headers={"If-Match": '"1"'})
    assert put.json() == {"version": 2}
    shown = (await shared.ask("GET", path, role=Role.REVIEWER)).json()
    exhibits = {one["title"]: [place["exhibit"] for place in one["places"]] for one in shown["sections"]}
    assert exhibits == {"证据": [1]}
    for wrong in ({"exhibit": 2}, {"exhibit": 0}, {}, {"exhibit": 1, "document": str(clip)}):
        body = {"sections": [{"title": "x", "places": [wrong]}]}
        reply = await shared.ask("PUT", path, role=Role.ARCHIVIST, json=body, headers={"If-Match": '"2"'})
        assert reply.code in {"case.statement_refused", "request.invalid"}
    gone = {"exhibit": 1, "reason": "错关联"}
    unlinked = f"/v1/cases/{case}/unlinked"
    assert (await shared.ask("POST", unlinked, role=Role.INVESTIGATOR, json=gone)).status == 201
    assert (await shared.ask("POST", unlinked, role=Role.INVESTIGATOR, json=gone)).code == "case.exhibit_unknown"
    assert (await link(shared, case, clip)).json()["exhibit"] == 2


async def test_r23_a_case_is_archived_once_nothing_stands_against_it(shared: RunningService) -> None:
    case, clip = await opened(shared), await shared.clip(uuid4().bytes, path="z.mp4")
    await link(shared, case, clip)
    path = f"/v1/cases/{case}/archive"
    refused = await shared.ask("POST", path, role=Role.ARCHIVIST)
    assert refused.code == "case.archive_refused"
    codes = [reason["code"] for reason in refused.json()["details"]["reasons"]]
    assert codes == ["not_concluded", "remark_missing", "item_unnamed", "item_missing", "item_missing"]
    ready = (await shared.ask("GET", f"/v1/cases/{case}/readiness", role=Role.REVIEWER)).json()
    assert [reason["code"] for reason in ready["reasons"]] == codes
    assert (await shared.ask("GET", path, role=Role.REVIEWER)).code == "case.not_archived"
    note = {"remark": "询问当事人", "item": "talk"}
    headers = {"If-Match": '"0"'}
    await shared.ask("POST", f"/v1/clips/{clip}/annotations", role=Role.INVESTIGATOR, json=note, headers=headers)
    for statement in (exemption("visit"), CONCLUDED):
        assert (await say(shared, case, statement)).status == 201
    done = await shared.ask("POST", path, role=Role.ARCHIVIST)
    assert done.status == 201, done.json()
    archive = (await shared.ask("GET", path, role=Role.REVIEWER)).json()
    assert manifest_root(archive["manifest"]).hex() == archive["root"] == done.json()["root"]
    assert (await shared.ask("GET", f"/v1/cases/{case}", role=Role.REVIEWER)).json()["state"] == "archived"
    for reply in (
        await shared.ask("POST", path, role=Role.ARCHIVIST),
        await link(shared, case, await shared.clip(uuid4().bytes, path="zz.mp4")),
        await say(shared, case, CONCLUDED),
    ):
        assert reply.code == "case.archived"
    assert (await say(shared, case, {"kind": "addendum", "text": "判决维持"})).status == 201


async def test_a_large_case_is_archived_in_steps_that_end(
    shared: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read twice, a killed step costs the file it was at, and what failed is asked about again."""
    case = await opened(shared)
    for number in range(3):
        clip = await shared.clip(uuid4().bytes, path=f"s{number}.mp4")
        await link(shared, case, clip)
        note = {"remark": "询问当事人", "item": "talk"}
        path = f"/v1/clips/{clip}/annotations"
        await shared.ask("POST", path, role=Role.INVESTIGATOR, json=note, headers={"If-Match": '"0"'})
    for statement in (exemption("visit"), CONCLUDED):
        assert (await say(shared, case, statement)).status == 201
    monkeypatch.setattr(archiving, "STEP_SECONDS", 0.0)
    path = f"/v1/cases/{case}/archive"
    told = [await shared.ask("POST", path, role=Role.ARCHIVIST) for _ in range(2)]
    assert [(reply.status, reply.json()) for reply in told] == [
        (202, {"files": 3, "verified": 1}),
        (202, {"files": 3, "verified": 2}),
    ]
    async with shared.services.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM case_check WHERE case_id = $1", UUID(case)) == 2
        # One that did not hold is believed for ten minutes, then read again; one that held for a day.
        await conn.execute("UPDATE case_check SET codes = '{file.missing}' WHERE case_id = $1", UUID(case))
        refused = await shared.ask("POST", path, role=Role.ARCHIVIST)
        assert {reason["code"] for reason in refused.json()["details"]["reasons"]} == {"verification_failed"}
        await conn.execute("UPDATE case_check SET checked_at = checked_at - interval '11 minutes'")
    again = [(await shared.ask("POST", path, role=Role.ARCHIVIST)).status for _ in range(2)]
    assert again == [202, 201]
    async with shared.services.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM case_check WHERE case_id = $1", UUID(case)) == 0


async def test_cases_that_are_not_there(shared: RunningService) -> None:
    path = f"/v1/cases/{uuid4()}"
    for part in ("coverage", "structure", "statements", "readiness", "archive"):
        assert (await shared.ask("GET", f"{path}/{part}", role=Role.REVIEWER)).code == "case.unknown"
    assert (await shared.ask("POST", f"{path}/archive", role=Role.ARCHIVIST)).code == "case.unknown"
    assert (await say(shared, str(uuid4()), CONCLUDED)).code == "case.unknown"
    seen = {"If-Match": '"1"'}
    amended = {"reason": "x", "title": "y"}
    assert (await shared.ask("PATCH", path, role=Role.ARCHIVIST, json=amended, headers=seen)).code == "case.unknown"
