"""Recording-item lists over HTTP, and cases opened under them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from evidence.cases.presets import preset
from evidence.parties.roles import Role
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENCY = "朔州市环境保护局"


def body(**changes: Any) -> dict[str, Any]:
    draft = preset("shuozhou-ecology-2017")
    return {"effective_from": "2017-08-25", "list": {**draft.content.as_json(), "agency": AGENCY, **changes}}


async def test_a_list_is_published_once_and_read(shared: RunningService) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    made = [await shared.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body(), headers=key) for _ in range(2)]
    assert [reply.status for reply in made] == [201, 201]
    assert made[0].body == made[1].body
    items = made[0].json()["items"]
    read = (await shared.ask("GET", f"/v1/items/{items}", role=Role.INVESTIGATOR)).json()
    assert (read["version"], read["agency"]) == (made[0].json()["version"], AGENCY)
    assert len(read["list"]["items"]) == 9
    listed = (await shared.ask("GET", "/v1/items", role=Role.AUDITOR, params={"limit": "1"})).json()
    assert [one["items"] for one in listed["items"]] == [items]


async def test_what_is_in_force_on_a_day(shared: RunningService) -> None:
    agency = f"局{uuid4()}"
    await shared.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body(agency=agency))
    ask = {"agency": agency, "on": "2017-08-25"}
    found = (await shared.ask("GET", "/v1/items/in-force", role=Role.REVIEWER, params=ask)).json()
    assert [one["agency"] for one in found["lists"]] == [agency]
    early = await shared.ask("GET", "/v1/items/in-force", role=Role.REVIEWER, params={**ask, "on": "2017-08-24"})
    assert early.code == "items.unknown"
    today = await shared.ask("GET", "/v1/items/in-force", role=Role.REVIEWER)
    assert agency in [one["agency"] for one in today.json()["lists"]]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"effective_from": "2017-02-30"}, "request.invalid"),
        ({"effective_from": "2010-01-01"}, "items.backdated"),
        ({"list": {}}, "request.invalid"),
        ({"list": {"agency": "a\0"}}, "request.invalid"),
        ({"more": True}, "request.invalid"),
    ],
    ids=repr,
)
async def test_what_is_no_list_is_refused(shared: RunningService, changed: dict[str, Any], code: str) -> None:
    await shared.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body())
    reply = await shared.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body() | changed)
    assert reply.code == code


async def test_a_case_is_opened_under_a_list_with_all_that_is_known(shared: RunningService) -> None:
    agency = f"局{uuid4()}"
    items = await shared.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body(agency=agency))
    named = {"name": f"大队{uuid4()}"}
    unit = (await shared.ask("POST", "/v1/units", role=Role.ADMINISTRATOR, json=named)).json()["unit"]
    facts = {"amount_fen": 5_000_000, "hearing_held": True}
    said: dict[str, Any] = {
        "number": f"案{uuid4()}",
        "title": "某厂案",
        "kind": "penalty",
        "unit": unit,
        "agency": agency,
    }
    said |= {"handlers": ["王五", "赵六"], "facts": facts}
    nowhere = {**said, "unit": str(uuid4())}
    assert (await shared.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=nowhere)).code == "unit.unknown"
    reply = await shared.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=said)
    case = (await shared.ask("GET", f"/v1/cases/{reply.json()['case']}", role=Role.REVIEWER)).json()
    assert (case["kind"], case["unit"], case["items"]) == ("penalty", unit, items.json()["items"])
    assert case["handlers"] == ["王五", "赵六"]
    assert {name: value for name, value in case["facts"].items() if value is not None} == facts


async def test_a_case_of_a_kind_or_agency_that_is_not_there_is_refused(shared: RunningService) -> None:
    agencies = [f"局{uuid4()}" for _ in range(2)]
    for agency in agencies:
        await shared.ask("POST", "/v1/items", role=Role.ADMINISTRATOR, json=body(agency=agency))
    for said, code in (
        ({"kind": "inquisition", "agency": agencies[0]}, "case.kind_unknown"),
        ({"kind": "Penalty", "agency": agencies[0]}, "request.invalid"),
        ({"agency": "无此局"}, "items.unknown"),
        ({}, "items.ambiguous"),
        ({"agency": agencies[0], "handlers": [""]}, "case.invalid"),
        ({"agency": agencies[0], "handlers": ["王"] * 21}, "request.invalid"),
        ({"agency": agencies[0], "facts": {"amount_fen": -1}}, "request.invalid"),
        ({"agency": agencies[0], "unit": "x"}, "request.invalid"),
    ):
        body_ = {"number": f"案{uuid4()}", "title": "案", **said}
        reply = await shared.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=body_)
        assert reply.code == code, said
    assert (await shared.ask("GET", f"/v1/items/{uuid4()}", role=Role.REVIEWER)).code == "items.unknown"
