"""Rows of the requirements as somebody who only has the API sees them: each does what its Test column says.

Rows whose test lies with the code they are about are not written a second time; docs/requirements.md names them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from evidence.cases.presets import preset
from evidence.core.clock import utc_now
from evidence.parties.roles import Role
from tests.support.case_files import activity, at, exemption, item, item_list
from tests.support.clock import SeededEntropy
from tests.support.payloads import Scribe
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN, INVESTIGATOR, REVIEWER = Role.ADMINISTRATOR, Role.INVESTIGATOR, Role.REVIEWER
MARK = {"kind": "key_moment", "at_ms": 5}
LIST = item_list(
    item("seizure", mode="full", when="stated"),
    item("talk", exemptible=True, elements=["remark", "place", "marker:credentials_shown"]),
).as_json()


async def ask(service: RunningService, path: str, *, role: Role = REVIEWER, **params: str) -> Any:
    reply = await service.ask("GET", path, role=role, params=params)
    assert reply.status == 200, (path, reply.code)
    return reply.json()


async def post(
    service: RunningService, path: str, body: Any, *, role: Role = INVESTIGATOR, seen: int | None = None
) -> Reply:
    headers = {} if seen is None else {"If-Match": f'"{seen}"'}
    return await service.ask("POST", path, role=role, json=body, headers=headers)


async def found(service: RunningService, question: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await ask(service, "/v1/clips", q=question))["items"]
    return items


async def case_of(service: RunningService, content: Mapping[str, Any], kind: str = "penalty") -> str:
    """Open a case under a list, published for an agency of its own."""
    body = {"effective_from": "2017-08-25", "list": {**content, "agency": (agency := f"局{uuid4()}")}}
    assert (await post(service, "/v1/items", body, role=ADMIN)).status == 201
    said = {"number": f"案{uuid4()}", "title": "某厂案", "kind": kind, "agency": agency}
    case: str = (await post(service, "/v1/cases", said)).json()["case"]
    return case


async def clips(service: RunningService, *changes: dict[str, Any]) -> list[UUID]:
    """Put clips on record without the way through a dock; `minutes` are those of a derivation."""
    made = []
    async with service.services.pool.acquire() as conn:
        entropy = SeededEntropy(uuid4().int)
        scribe = Scribe(conn=conn, clock=utc_now, entropy=entropy)
        for one in changes:
            minutes = one.pop("minutes", None)
            made.append(clip := await scribe.seal(**one))
            if minutes is not None:
                await scribe.derive(clip, probe={"duration_ms": minutes * 60_000})
    return made


async def shows(service: RunningService, case: str, clip: UUID, item: str, **more: Any) -> None:
    """Say what a clip shows, and make it an exhibit."""
    note = {"remark": "摄录", "item": item, **more}
    assert (await post(service, f"/v1/clips/{clip}/annotations", note, seen=0)).status == 201
    assert (await post(service, f"/v1/cases/{case}/clips", {"clip": str(clip)})).status == 201


async def published(service: RunningService) -> None:
    """Wait until everything on record has its place in the published log."""
    async with asyncio.timeout(20), service.services.pool.acquire() as conn:
        while await conn.fetchval(
            "SELECT (SELECT count(*) FROM ledger_entry) > (SELECT coalesce(max(size), 0) FROM ledger_publication)"
        ):
            await asyncio.sleep(0.02)


async def test_r2_six_of_seven_links_leave_exactly_the_seventh_and_another_agency_asks_for_others(
    shared: RunningService,
) -> None:
    content = preset("shuozhou-ecology-2017").content.as_json()
    case = await case_of(shared, content)
    required = (await ask(shared, f"/v1/cases/{case}/coverage"))["required"]
    assert len(required) == 7
    for key, clip in zip(required[:-1], await clips(shared, *({} for _ in required[:-1])), strict=True):
        await shows(shared, case, clip, key)
    coverage = await ask(shared, f"/v1/cases/{case}/coverage")
    assert (coverage["missing"], coverage["recorded"]) == (required[-1:], required[:-1])
    other = await case_of(shared, preset("lingchuan-enforcement-2021").content.as_json())
    assert set((await ask(shared, f"/v1/cases/{other}/coverage"))["required"]) == set(required) - {"coercion"}


async def test_r3_a_middle_segment_that_is_taken_away_is_a_gap_to_the_second(shared: RunningService) -> None:
    case = await case_of(shared, LIST)
    starts = [at(minutes).isoformat(timespec="milliseconds").replace("+00:00", "Z") for minutes in (0, 10, 20)]
    for clip in await clips(shared, *({"recorded_at": start, "minutes": 10} for start in starts)):
        await shows(shared, case, clip, "seizure")
    assert (await post(shared, f"/v1/cases/{case}/statements", {"statement": activity("seizure", 0, 30)})).status == 201
    whole = await ask(shared, f"/v1/cases/{case}/coverage")
    assert (whole["recorded"], whole["gap_seconds"]) == (["seizure"], 0)
    assert (await post(shared, f"/v1/cases/{case}/unlinked", {"exhibit": 2, "reason": "误关联"})).status == 201
    (standing,) = [
        one for one in (await ask(shared, f"/v1/cases/{case}/coverage"))["standings"] if one["item"] == "seizure"
    ]
    assert standing["state"] == "gaps"
    assert standing["gaps"] == [
        {"starts_at": starts[1], "ends_at": starts[2], "seconds": 600.0, "reason": None},
    ]


async def test_r4_an_exempted_item_is_neither_missing_nor_recorded(shared: RunningService) -> None:
    case = await case_of(shared, LIST)
    path = f"/v1/cases/{case}/statements"
    assert (await post(shared, path, {"statement": exemption("talk")})).status == 201
    assert (await post(shared, path, {"statement": exemption("seizure")})).code == "case.exemption_refused"
    coverage = await ask(shared, f"/v1/cases/{case}/coverage")
    assert (coverage["exempted"], coverage["missing"], coverage["recorded"]) == (["talk"], [], [])


async def test_r5_footage_off_the_list_is_no_evidence_without_an_argument(shared: RunningService) -> None:
    case = await case_of(shared, LIST)
    (clip,) = await clips(shared, {})
    await shows(shared, case, clip, "无人机巡查")

    async def blocked() -> bool:
        reasons = (await ask(shared, f"/v1/cases/{case}/readiness"))["reasons"]
        return "argument_missing" in {one["code"] for one in reasons}

    assert await blocked()
    said = {
        "kind": "argument",
        "clip": str(clip),
        "reference": "法制审〔2026〕5号",
        "reason": "重大活动",
        "approver": "法制科",
    }
    reply = await post(shared, f"/v1/cases/{case}/statements", {"statement": said})
    assert reply.status == 201, reply.json()
    assert not await blocked()


async def test_r12_each_missing_element_is_listed_by_name(shared: RunningService) -> None:
    case = await case_of(shared, LIST)
    (clip,) = await clips(shared, {})
    await shows(shared, case, clip, "talk")
    standings = (await ask(shared, f"/v1/cases/{case}/coverage"))["standings"]
    missing = {one["item"]: [lack["element"] for lack in one["elements_missing"]] for one in standings}
    assert missing == {"seizure": [], "talk": ["place", "marker:credentials_shown"]}


async def test_r14_a_speaker_and_a_word_lead_to_the_clip_and_its_second(shared: RunningService) -> None:
    clip, other = await clips(shared, {}, {})
    name = f"李{uuid4().hex[:6]}"
    speakers = [{"key": "s1", "role": "party", "name": name}]
    said = {"from_ms": 61_000, "to_ms": 64_000, "speaker": "s1", "text": "阀门是我关的"}
    note = {"remark": "询问", "speakers": speakers, "dialogue": [said]}
    assert (await post(shared, f"/v1/clips/{clip}/annotations", note, seen=0)).status == 201
    note = {
        "remark": "询问",
        "speakers": [{**speakers[0], "role": "witness"}],
        "dialogue": [{**said, "text": "不知道"}],
    }
    assert (await post(shared, f"/v1/clips/{other}/annotations", note, seen=0)).status == 201
    (hit,) = await found(shared, f"speaker:当事人 {name} 阀门")
    assert hit["clip"] == str(clip)
    assert ("dialogue", 61_000) in [(one["field"], one["at_ms"]) for one in hit["hits"]]


async def test_r16_each_facet_alone_and_together_and_counts_of_what_was_found(shared: RunningService) -> None:
    tag = uuid4().hex[:8].upper()
    first, second, third = await clips(
        shared, {"recorder": f"R{tag}"}, {"recorder": f"R{tag}", "officer": f"P{tag}"}, {"officer": f"P{tag}"}
    )
    case = await case_of(shared, LIST)
    await shows(shared, case, second, "talk", place=f"化工园区{tag}", markers=[MARK])
    number = (await ask(shared, f"/v1/cases/{case}"))["number"]
    sha256 = (await ask(shared, f"/v1/clips/{third}"))["sha256"]
    for question, expected in (
        (f"工园区{tag}", {second}),
        (f"recorder:R{tag}", {first, second}),
        (f"officer:P{tag}", {second, third}),
        (f'case:"{number}"', {second}),
        (f"item:talk recorder:R{tag}", {second}),
        (f"marker:key_moment recorder:R{tag}", {second}),
        (f"sha256:{sha256}", {third}),
        (f"recorder:R{tag} -officer:P{tag}", {first}),
        (f"recorder:R{tag} officer:P{tag} 摄录", {second}),
        (f"recorder:R{tag} missing:remark", {first}),
    ):
        assert {UUID(one["clip"]) for one in await found(shared, question)} == expected, question
    counted = await ask(shared, "/v1/search/facets", q=f"recorder:R{tag}", fields="recorder,state")
    assert [(one["field"], [value["clips"] for value in one["values"]]) for one in counted["facets"]] == [
        ("recorder", [2]),
        ("state", [2]),
    ]


async def test_r18_the_same_file_twice_is_one_object_and_two_events_and_its_cost_is_told(
    shared: RunningService,
) -> None:
    data = uuid4().bytes
    clip = await shared.clip(data, path="DCIM/one.mp4")
    await shared.seal(data, path="DCIM/two.mp4", dock=await shared.dock(2))
    history = (await ask(shared, f"/v1/clips/{clip}/history", role=Role.AUDITOR))["items"]
    assert [one["type"] for one in history if one["type"] in {"clip.sealed", "clip.repeated"}] == [
        "clip.sealed",
        "clip.repeated",
    ]
    async with shared.services.pool.acquire() as conn:
        digest = (await ask(shared, f"/v1/clips/{clip}"))["sha256"]
        assert await conn.fetchval("SELECT count(*) FROM clip WHERE sha256 = decode($1, 'hex')", digest) == 1
    price = {"hundredths": 15_000, "currency": "CNY", "citation": "采购合同"}
    assert (await post(shared, "/v1/statistics/prices", price, role=ADMIN)).status == 201
    await published(shared)
    total = (await ask(shared, "/v1/statistics", by="dock"))["total"]
    assert float(total["cost"]) == pytest.approx((total["bytes"] + total["made_bytes"]) * 150 / 1e12)


async def test_r20_what_comes_late_is_taken_and_marked(shared: RunningService) -> None:
    """The due day itself, over a holiday with a make-up Saturday, is a table of the calendar's own tests."""
    recorded = datetime(2026, 2, 13, 10, 0, tzinfo=UTC)
    late = await shared.clip(uuid4().bytes, path="DCIM/late.mp4", recorded_at=recorded)
    word = uuid4().hex
    assert (await post(shared, f"/v1/clips/{late}/annotations", {"remark": word}, seen=0)).status == 201
    assert [one["clip"] for one in await found(shared, f"{word} late:yes")] == [str(late)]
    assert await found(shared, f"{word} late:no") == []


async def test_r24_units_below_the_ratio_are_listed_first(shared: RunningService) -> None:
    units = [f"{name}{uuid4().hex[:6]}" for name in ("甲队", "乙队")]
    for place, (unit, officers) in enumerate(zip(units, (1, 3), strict=True)):
        for number in range(officers):
            one = {"number": f"{uuid4().int % 10**8}", "name": f"队员{number}", "unit": unit}
            assert (await post(shared, "/v1/officers", one, role=ADMIN)).status == 201
        given = {"recorder": f"E{place}{uuid4().hex[:6]}", "officer": one["number"]}
        assert (await post(shared, "/v1/recorders/assignments", given, role=ADMIN)).status == 201
    told = await ask(shared, "/v1/equipment")
    shown = {one["unit"]: (one["ratio"], one["below_target"]) for one in told["units"]}
    assert (told["target"], shown[units[0]], shown[units[1]]) == (1.0, (1.0, False), (0.333, True))
    assert [one["below_target"] for one in told["units"]] == sorted((b for _, b in shown.values()), reverse=True)


async def test_r42_departments_add_up_to_the_total(shared: RunningService) -> None:
    await clips(shared, {"size": 7}, {"size": 11, "recorded_at": None}, {"size": 13, "officer": None})
    await published(shared)
    totals = []
    for by in ("unit", "officer", "item", "recorder", "dock", "month"):
        told = await ask(shared, "/v1/statistics", by=by)
        totals.append(told["total"])
        for name in ("clips", "bytes", "milliseconds", "on_time", "late", "undated", "uncovered", "key_marked"):
            assert sum(group[name] for group in told["groups"]) == told["total"][name], (by, name)
    assert totals[0]["clips"] >= 3
    assert all(total == totals[0] for total in totals)
