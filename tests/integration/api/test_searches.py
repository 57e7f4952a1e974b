"""Saved searches and counts over HTTP: examples, limits, whose they are."""

from __future__ import annotations

from uuid import uuid4

import pytest

from evidence.parties.roles import Role
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_search_is_kept_asked_again_and_forgotten(shared: RunningService) -> None:
    name, key = f"查封 {uuid4()}", {"Idempotency-Key": str(uuid4())}
    body = {"name": name, "q": "查封 -marker:亮证"}
    kept = [await shared.ask("POST", "/v1/searches", role=Role.REVIEWER, json=body, headers=key) for _ in range(2)]
    assert [(reply.status, reply.json()["own"]) for reply in kept] == [(201, True)] * 2
    search = kept[0].json()["search"]
    assert kept[1].json()["search"] == search
    again = await shared.ask("POST", "/v1/searches", role=Role.REVIEWER, json=body)
    assert (again.status, again.code) == (409, "search.name_taken")
    listed = (await shared.ask("GET", "/v1/searches", role=Role.REVIEWER)).json()["items"]
    assert [item["q"] for item in listed if item["name"] == name] == [body["q"]]
    key = {"Idempotency-Key": str(uuid4())}
    runs = [
        (await shared.ask("POST", f"/v1/searches/{search}/runs", role=Role.REVIEWER, json={}, headers=headers)).json()
        for headers in (key, key, {})
    ]
    assert runs[0] == runs[1], "asked again by the same key it is the same run"
    assert (runs[0]["since"], runs[2]["since"]) == (None, runs[0]["at"])
    for method, path in (("DELETE", f"/v1/searches/{search}"), ("POST", f"/v1/searches/{search}/runs")):
        reply = await shared.ask(method, path, role=Role.INVESTIGATOR, json={})
        assert (reply.status, reply.code) == (404, "search.unknown")
    assert (await shared.ask("DELETE", f"/v1/searches/{search}", role=Role.REVIEWER)).status == 204
    assert (await shared.ask("DELETE", f"/v1/searches/{search}", role=Role.REVIEWER)).code == "search.unknown"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a", "q": "colour:red"},
        {"name": " ", "q": ""},
        {"name": "a\nb", "q": ""},
        {"name": "a", "q": "x" * 501},
        {"name": "a", "q": "\0"},
        {"name": "a"},
        {"name": "a", "q": "", "unit": "one"},
        {"name": ["a"] * 10_000, "q": ""},
    ],
)
async def test_what_cannot_be_asked_is_not_kept(shared: RunningService, body: dict[str, object]) -> None:
    reply = await shared.ask("POST", "/v1/searches", role=Role.REVIEWER, json=body)
    assert (reply.status, reply.code) in {(400, "search.invalid"), (400, "request.invalid")}


async def test_counts_are_told_by_field(shared: RunningService) -> None:
    reply = await shared.ask("GET", "/v1/search/facets?fields=recorder,状态", role=Role.REVIEWER)
    told = reply.json()
    assert {facet["field"] for facet in told["facets"]} <= {"recorder", "state"}
    for facet in told["facets"]:
        for value in facet["values"]:
            found = await shared.ask(
                "GET", f"/v1/clips?limit=200&q={facet['field']}:{value['value']}", role=Role.REVIEWER
            )
            assert len(found.json()["items"]) == min(value["clips"], 200)
    for wrong in ("fields=sha256", "fields=,", "q=colour:red"):
        reply = await shared.ask("GET", f"/v1/search/facets?{wrong}", role=Role.REVIEWER)
        assert (reply.status, reply.code) == (400, "search.invalid")
