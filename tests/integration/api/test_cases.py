"""Cases over HTTP: opened once however often they are asked for, exhibits without gap or duplicate."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from evidence.parties.roles import Role
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def open_case(
    service: RunningService, *, number: str | None = None, title: str = "某公司案", key: str | None = None
) -> Reply:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"number": number or f"晋环罚〔2026〕{uuid4().int % 10**9}号", "title": title}
    return await service.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=body, headers=headers)


async def test_a_case_is_opened_read_and_listed(shared: RunningService) -> None:
    opened = (await open_case(shared)).json()
    case = (await shared.ask("GET", f"/v1/cases/{opened['case']}", role=Role.REVIEWER)).json()
    assert (case["number"], case["exhibits"], case["entry"]) == (opened["number"], 0, opened["entry"])
    listed = (await shared.ask("GET", "/v1/cases", role=Role.REVIEWER)).json()["items"]
    assert listed[0] == {name: case[name] for name in listed[0]}


async def test_a_number_is_taken_once_however_it_is_spelled(shared: RunningService) -> None:
    first = (await open_case(shared, number="晋环罚〔2026〕88 号")).json()
    again = await open_case(shared, number="晋环罚〔2026〕８８号")
    assert (again.status, again.code) == (409, "case.number_taken")
    assert again.json()["details"]["case"] == first["case"]


async def test_a_key_makes_one_case_of_many_requests(shared: RunningService) -> None:
    key, number = str(uuid4()), f"案{uuid4()}"
    replies = await asyncio.gather(*(open_case(shared, number=number, key=key) for _ in range(6)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1


async def test_a_key_stands_for_one_request_of_one_person(shared: RunningService) -> None:
    key = str(uuid4())
    assert (await open_case(shared, key=key)).status == 201
    assert (await open_case(shared, key=key)).code == "idempotency.conflict"
    body = {"number": f"案{uuid4()}", "title": "x"}
    other = await shared.ask("POST", "/v1/cases", role=Role.ARCHIVIST, json=body, headers={"Idempotency-Key": key})
    assert other.status == 201


async def test_a_refused_request_leaves_its_key_free(shared: RunningService) -> None:
    key, number = str(uuid4()), f"案{uuid4()}"
    await open_case(shared, number=number)
    assert (await open_case(shared, number=number, key=key)).code == "case.number_taken"
    assert (await open_case(shared, key=key)).status == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "键"])
async def test_keys_that_are_none(shared: RunningService, key: str) -> None:
    assert (await open_case(shared, key=key)).code == "request.header"


async def test_exhibits_are_numbered_without_gap_under_parallel_requests(shared: RunningService) -> None:
    case = (await open_case(shared)).json()["case"]
    clips = [await shared.clip(uuid4().bytes, path=f"{number}.mp4") for number in range(12)]

    async def link(clip: object) -> Reply:
        return await shared.ask("POST", f"/v1/cases/{case}/clips", role=Role.ARCHIVIST, json={"clip": str(clip)})

    replies = await asyncio.gather(*(link(clip) for clip in [*clips, *clips]))
    assert sorted(reply.status for reply in replies) == [200] * 12 + [201] * 12
    assert sorted({reply.json()["exhibit"] for reply in replies}) == list(range(1, 13))
    seen, cursor = [], None
    while True:
        params = {"limit": "5", **({"cursor": cursor} if cursor else {})}
        page = (await shared.ask("GET", f"/v1/cases/{case}/clips", role=Role.AUDITOR, params=params)).json()
        seen += [item["exhibit"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == list(range(1, 13))


async def test_a_linked_clip_is_found_by_its_case(shared: RunningService) -> None:
    case = (await open_case(shared)).json()
    clip = await shared.clip(uuid4().bytes, path="linked.mp4")
    await shared.ask("POST", f"/v1/cases/{case['case']}/clips", role=Role.ARCHIVIST, json={"clip": str(clip)})
    found = await shared.ask("GET", "/v1/clips", role=Role.REVIEWER, params={"case": case["case"]})
    assert [item["cases"] for item in found.json()["items"]] == [[case["number"]]]
    detail = await shared.ask("GET", f"/v1/clips/{clip}", role=Role.REVIEWER)
    assert [link["exhibit"] for link in detail.json()["cases"]] == [1]


async def test_what_is_not_there_cannot_be_linked(shared: RunningService) -> None:
    case = (await open_case(shared)).json()["case"]
    clip = await shared.clip(b"linked to nothing")
    for path, body, code in (
        (f"/v1/cases/{uuid4()}/clips", {"clip": str(clip)}, "case.unknown"),
        (f"/v1/cases/{case}/clips", {"clip": str(uuid4())}, "clip.unknown"),
        (f"/v1/cases/{case}/clips", {"clip": "x"}, "request.invalid"),
        (f"/v1/cases/{case}/clips", {"clip": str(clip), "exhibit": 7}, "request.invalid"),
    ):
        assert (await shared.ask("POST", path, role=Role.ARCHIVIST, json=body)).code == code
    assert (await shared.ask("GET", f"/v1/cases/{uuid4()}", role=Role.AUDITOR)).code == "case.unknown"
    assert (await shared.ask("GET", f"/v1/cases/{uuid4()}/clips", role=Role.AUDITOR)).code == "case.unknown"


@pytest.mark.parametrize("cursor", ["x", "-1", "9999999999", "1.0"])
async def test_exhibits_have_cursors_of_their_own(shared: RunningService, cursor: str) -> None:
    case = (await open_case(shared)).json()["case"]
    reply = await shared.ask("GET", f"/v1/cases/{case}/clips", role=Role.AUDITOR, params={"cursor": cursor})
    assert reply.code == "request.cursor"
