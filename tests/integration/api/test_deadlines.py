"""Deadlines over HTTP: lists with filters and pages, what people say, who may, tables of rules, metrics."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from evidence.deadlines.follow import catch_up
from evidence.parties.roles import Role
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN, OTHER, ADMIN = Role.INVESTIGATOR, Role.REVIEWER, Role.ADMINISTRATOR


async def open_case(service: RunningService) -> str:
    reply = await service.ask(
        "POST", "/v1/cases", role=OWN, json={"number": f"期限{uuid4().hex[:8]}号", "title": "某厂"}
    )
    assert reply.status == 201, reply
    case: str = reply.json()["case"]
    return case


async def start(service: RunningService, case: str, *, kind: str = "withdrawal") -> str:
    body = {"case": case, "kind": kind, "started_at": "2026-04-30T02:00:00.000Z", "note": "复议决定书〔2026〕5号"}
    reply = await service.ask("POST", "/v1/deadlines", role=OWN, json=body)
    assert reply.status == 201, reply
    clock: str = reply.json()["clock"]
    return clock


async def say(service: RunningService, clock: str, case: str | None, verb: str, **more: Any) -> tuple[int, str]:
    body = {"clock": clock, "case": case, "verb": verb, "reason": "补充材料", **more}
    reply = await service.ask("POST", "/v1/deadlines/statements", role=OWN, json=body)
    return reply.status, reply.code or ""


async def listed(service: RunningService, query: str = "", role: Role = OTHER) -> list[dict[str, Any]]:
    reply = await service.ask("GET", f"/v1/deadlines{query}", role=role)
    assert reply.status == 200, reply
    items: list[dict[str, Any]] = reply.json()["items"]
    return items


async def test_r36_a_withdrawal_is_due_on_the_third_working_day(shared: RunningService) -> None:
    """Revoked on Thursday 30 April 2026: 1 to 5 May off, so 6, 7 and Friday 8 May."""
    case = await open_case(shared)
    clock = await start(shared, case)
    (item,) = await listed(shared, f"?case={case}")
    assert (item["clock"], item["due_on"], item["days"], item["days_are"]) == (clock, "2026-05-08", 3, "working_days")
    assert "第四十八条" in item["citation"]
    assert item["state"] == "overdue" if item["remaining"] < 0 else "running"


async def test_filters_and_pages_in_the_order_of_last_days(shared: RunningService) -> None:
    case = await open_case(shared)
    clocks = {await start(shared, case) for _ in range(5)}
    first = (await shared.ask("GET", f"/v1/deadlines?case={case}&limit=3", role=OTHER)).json()
    rest = (await shared.ask("GET", f"/v1/deadlines?case={case}&limit=3&cursor={first['next']}", role=OTHER)).json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [3, 2, None]
    assert {one["clock"] for one in first["items"] + rest["items"]} == clocks
    assert await listed(shared, f"?case={case}&kind=review") == []
    assert await listed(shared, f"?case={case}&due_before=2026-05-08") == []
    assert len(await listed(shared, f"?case={case}&due_before=2026-05-09&state=overdue&unexplained=true")) == 5
    assert await listed(shared, f"?case={case}&state=paused") == []
    assert await listed(shared, f"?unit={uuid4()}") == []


@pytest.mark.parametrize("cursor", ["x", "2026-05-08", "2026-13-08 case/0000", "2026-05-08 case/'; DROP"])
async def test_cursors_from_elsewhere(shared: RunningService, cursor: str) -> None:
    assert (await shared.ask("GET", f"/v1/deadlines?cursor={cursor}", role=OTHER)).code == "request.cursor"


@pytest.mark.parametrize("query", ["state=late_", "kind=nonsense", "due_before=soon", "unit=1", "case=%00", "limit=0"])
async def test_queries_that_are_none(shared: RunningService, query: str) -> None:
    assert (await shared.ask("GET", f"/v1/deadlines?{query}", role=OTHER)).code == "request.query"


async def test_what_people_say_is_judged_by_the_clock(shared: RunningService) -> None:
    case = await open_case(shared)
    clock = await start(shared, case, kind="review")
    assert await say(shared, clock, case, "resume") == (409, "deadline.conflict")
    assert await say(shared, clock, case, "pause") == (409, "deadline.conflict")  # overdue since May
    assert await say(shared, clock, case, "explain") == (201, "")
    assert await say(shared, clock, case, "fulfil") == (400, "deadline.statement_invalid")
    assert await say(shared, clock, case, "fulfil", done_at="2026-05-07T00:00:00") == (
        400,
        "deadline.statement_invalid",
    )
    assert await say(shared, clock, None, "void") == (400, "deadline.statement_invalid")
    assert await say(shared, clock, case, "fulfil", done_at="2026-05-07T01:00:00.000Z") == (201, "")
    (item,) = await listed(shared, f"?case={case}")
    assert (item["state"], item["explained"]) == ("in_time", "补充材料")
    assert await say(shared, clock, case, "void") == (409, "deadline.conflict")
    assert await say(shared, f"review/{uuid4()}", case, "void") == (404, "deadline.unknown")
    assert (await say(shared, f"review/{uuid4()}", str(uuid4()), "void"))[0] == 404
    assert await say(shared, f"storing/{'-' * 36}", None, "explain") == (404, "deadline.unknown")


async def test_r31_only_somebody_else_grants_more_days(shared: RunningService) -> None:
    case = await open_case(shared)
    clock = await start(shared, case, kind="review")
    body = {"clock": clock, "case": case, "days": 3, "reason": "重大复杂"}
    assert (await shared.ask("POST", "/v1/deadlines/extensions", role=OWN, json=body)).code == "auth.role"
    reply = await shared.ask("POST", "/v1/deadlines/extensions", role=OTHER, json=body)
    assert reply.code == "deadline.conflict"  # its last day is over
    reply = await shared.ask("POST", "/v1/deadlines/extensions", role=OTHER, json=body | {"days": 99})
    assert reply.code == "deadline.extension_refused"


async def test_a_clock_is_started_once_however_often_it_is_asked_for(shared: RunningService) -> None:
    case = await open_case(shared)
    body = {"case": case, "kind": "withdrawal", "started_at": "2026-04-30T02:00:00.000Z", "note": "复议"}
    headers = {"Idempotency-Key": str(uuid4())}
    replies = await asyncio.gather(
        *(shared.ask("POST", "/v1/deadlines", role=OWN, json=body, headers=headers) for _ in range(4))
    )
    assert {reply.status for reply in replies} == {201}
    assert len(await listed(shared, f"?case={case}")) == 1
    for slip, code in (
        ({"kind": "archive"}, "deadline.statement_invalid"),
        ({"started_at": "2999-01-01T00:00:00.000Z"}, "deadline.statement_invalid"),
        ({"case": str(uuid4())}, "case.unknown"),
        ({"note": ""}, "request.invalid"),
    ):
        assert (await shared.ask("POST", "/v1/deadlines", role=OWN, json=body | slip)).code == code, slip


async def test_tables_are_published_in_versions_and_never_backdated(shared: RunningService) -> None:
    rule = {
        "key": "task",
        "kind": "task",
        "unit": "calendar_days",
        "days": 10,
        "citation": "本机关办法第三条",
        "source": "own",
    }
    body = {"effective_from": "2026-06-01", "table": {"title": "期限", "source": "own", "rules": [rule]}}
    made = await shared.ask("POST", "/v1/deadlines/rules", role=ADMIN, json=body)
    assert made.status == 201, made
    earlier = await shared.ask("POST", "/v1/deadlines/rules", role=ADMIN, json=body | {"effective_from": "2026-05-31"})
    assert earlier.code == "deadline.rules_backdated"
    slip = {"title": "期限", "source": "own", "rules": [rule | {"days": 3, "citation": "行政处罚法第四十八条"}]}
    refused = await shared.ask("POST", "/v1/deadlines/rules", role=ADMIN, json=body | {"table": slip})
    assert refused.code == "request.invalid"
    shown = (await shared.ask("GET", "/v1/deadlines/rules", role=OTHER)).json()
    assert [one["version"] for one in shown["items"]] == [1]
    assert {one["kind"] for one in shown["base"]["rules"]} >= {"storing", "publication", "withdrawal", "case"}


async def test_overdue_clocks_are_counted_and_told(shared: RunningService) -> None:
    case = await open_case(shared)
    clock = await start(shared, case)
    services = shared.services
    await catch_up(services.pool, clock=services.clock, entropy=shared.entropy)
    async with services.pool.acquire() as conn:
        told = await conn.fetchval(
            "SELECT count(*) FROM deadline_statement WHERE clock = $1 AND verb = 'warned'", clock
        )
    assert told == 1
    text = (await shared.ask("GET", "/metrics", role=ADMIN)).body.decode()
    assert 'shilu_deadlines{kind="withdrawal",state="overdue"}' in text
