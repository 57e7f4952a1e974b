"""The queue of reviews over HTTP: what a reviewer and a handler are told, with the day and the words of the law."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from evidence.deadlines.follow import catch_up
from evidence.parties.roles import Role
from tests.support.case_files import item, item_list
from tests.support.people import PaperPerson, person
from tests.support.reviews import Chamber, Signer, rules, signer
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = item_list(item("visit", exemptible=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def handler(shared: RunningService) -> PaperPerson:
    """Somebody who handles cases, in a house with rules of review."""
    body = {"effective_from": "2020-01-01", "list": LIST.as_json()}
    assert (await shared.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body)).status == 201
    content = rules().model_dump(mode="json", exclude_none=True)
    body = {"effective_from": "2020-01-01", "rules": content}
    assert (await shared.ask("POST", "/v1/review/rules", role=Role.ADMINISTRATOR, json=body)).status == 201
    return await person(shared, f"wang.{uuid4().hex[:6]}", Role.INVESTIGATOR)


async def case_of(shared: RunningService, handler: PaperPerson) -> UUID:
    """Open a case in scope."""
    number = f"朔环罚〔2026〕{uuid4().int % 10**9}号"
    body = {"number": number, "title": "废水直排案", "kind": "penalty", "facts": {"hearing_held": True}}
    reply = await shared.ask("POST", "/v1/cases", headers=await handler.session(), json=body)
    assert reply.status == 201, reply.body
    case = UUID(reply.json()["case"])
    clip = await shared.clip(number.encode())
    note = {"remark": "检查废水排放口", "item": "visit", "place": "厂区"}
    path, first = f"/v1/clips/{clip}/annotations", {"If-Match": '"0"'}
    assert (await shared.ask("POST", path, role=Role.ARCHIVIST, json=note, headers=first)).status == 201
    path = f"/v1/cases/{case}/clips"
    assert (await shared.ask("POST", path, role=Role.ARCHIVIST, json={"clip": str(clip)})).status == 201
    return case


async def submitted(shared: RunningService, case: UUID, by: Signer) -> None:
    """Submit a case, and have its clock counted."""
    services = shared.services
    async with services.pool.acquire() as conn:
        chamber = Chamber(conn=conn, clock=services.clock, entropy=services.entropy)
        await chamber.give_key(by)
        await chamber.submit(case, by)
        for _ in range(300):
            await catch_up(services.pool, clock=services.clock, entropy=services.entropy)
            if await conn.fetchval("SELECT true FROM deadline_clock WHERE case_id = $1 AND kind = 'review'", case):
                return
            await asyncio.sleep(0.02)
    raise AssertionError("no clock was counted")


async def listed(shared: RunningService, case: UUID, query: str = "", **who: Any) -> dict[str, Any] | None:
    """Return what the queue says of a case; None when it is not in it."""
    reply = await shared.ask("GET", f"/v1/reviews?limit=200{query}", **who)
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = [one for one in reply.json()["items"] if one["case"] == str(case)]
    return found[0] if found else None


async def test_a_case_waits_for_its_handler_and_then_for_a_reviewer_until_a_day(
    shared: RunningService, handler: PaperPerson
) -> None:
    case = await case_of(shared, handler)
    own = f"staff:{handler.staff}"
    fresh = await listed(shared, case, "&mine=true", headers=await handler.session())
    assert fresh is not None
    assert (fresh["state"], fresh["rounds"], fresh["due"], fresh["late"]) == ("not_submitted", 0, None, False)
    assert fresh["waits_for"] == {"office": "handler", "person": own}
    assert await listed(shared, case, "&mine=true", role=Role.REVIEWER) is None
    await submitted(shared, case, signer(0x51, handler.staff))
    seen = await listed(shared, case, "&mine=true&state=under_review", role=Role.REVIEWER)
    assert seen is not None
    assert (seen["rounds"], seen["submitted_by"]) == (1, own)
    assert seen["waits_for"] == {"office": "reviewer", "person": None}
    clocks = (await shared.ask("GET", f"/v1/deadlines?case={case}&kind=review", role=Role.REVIEWER)).json()["items"]
    assert seen["due"] == {name: clocks[0][name] for name in seen["due"]}
    assert seen["due"]["citation"]
    assert await listed(shared, case, "&late=true", role=Role.REVIEWER) is None
    assert await listed(shared, case, "&mine=true", headers=await handler.session()) is None


async def test_counts_come_once_and_the_pages_meet(shared: RunningService, handler: PaperPerson) -> None:
    cases = [await case_of(shared, handler) for _ in range(3)]
    await submitted(shared, cases[0], signer(0x51, handler.staff))
    whole = (await shared.ask("GET", "/v1/reviews?limit=200", role=Role.AUDITOR)).json()
    assert whole["counts"]["states"]["under_review"] == sum(
        1 for one in whole["items"] if one["state"] == "under_review"
    )
    found, query = [], ""
    while True:
        page = (await shared.ask("GET", f"/v1/reviews?limit=1{query}", role=Role.AUDITOR)).json()
        assert (page["counts"] is None) == bool(query)
        found.extend(page["items"])
        if page["next"] is None:
            break
        query = f"&cursor={page['next']}"
    assert found == whole["items"]
    assert {str(case) for case in cases} <= {one["case"] for one in found}


@pytest.mark.parametrize(
    "cursor", ["x", "2026-13-01 review/0195a1b2-0000-7000-8000-000000000001", "2026-01-01 storing/1"]
)
async def test_a_cursor_of_another_list_is_refused(shared: RunningService, cursor: str) -> None:
    reply = await shared.ask("GET", f"/v1/reviews?cursor={cursor}", role=Role.REVIEWER)
    assert (reply.status, reply.code) == (400, "request.cursor")


async def test_who_manages_is_not_told(shared: RunningService) -> None:
    assert (await shared.ask("GET", "/v1/reviews", role=Role.ADMINISTRATOR)).status == 403
