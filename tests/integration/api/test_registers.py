"""Registers over HTTP: units, officers, recorders, lists; and a blocked clip from its refusal to its resolution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from evidence.core.clock import utc_now
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy
from tests.support.commands import shilu, shilu_json
from tests.support.payloads import Scribe
from tests.support.registry import Registry
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = Role.ADMINISTRATOR


async def post(service: RunningService, path: str, body: Any, *, role: Role = ADMIN, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await service.ask("POST", path, role=role, json=body, headers=named)


async def put(service: RunningService, path: str, body: Any, *, version: str | None) -> Reply:
    return await service.ask(
        "PUT", path, role=ADMIN, json=body, headers={} if version is None else {"If-Match": version}
    )


async def get(service: RunningService, path: str, **params: str) -> Reply:
    return await service.ask("GET", path, role=Role.AUDITOR, params=params)


async def test_units_officers_and_recorders(shared: RunningService) -> None:
    bureau = {"name": "市局", "code": "140199990000", "valid_from": "2020-01-01"}
    made = await post(shared, "/v1/units", bureau, Idempotency_Key="bureau")
    again = await post(shared, "/v1/units", bureau, Idempotency_Key="bureau")
    assert (made.status, made.json()) == (201, again.json())
    top = made.json()["unit"]
    squad = (await post(shared, "/v1/units", {"name": "登记一中队", "parent": top})).json()["unit"]
    shown = await get(shared, f"/v1/units/{squad}")
    assert (shown.json()["above"], shown.headers["ETag"]) == ([top], '"1"')
    moved = {"name": "登记一中队", "parent": None, "valid_from": "2026-01-01"}
    assert (await put(shared, f"/v1/units/{squad}", moved, version=None)).code == "request.precondition_required"
    assert (await put(shared, f"/v1/units/{squad}", moved, version='"7"')).code == "register.stale"
    assert (await put(shared, f"/v1/units/{squad}", moved, version='"1"')).json()["version"] == 2
    assert [one["parent"] for one in (await get(shared, f"/v1/units/{squad}")).json()["versions"]] == [top, None]
    first = (await get(shared, "/v1/units", limit="1")).json()
    rest = (await get(shared, "/v1/units", cursor=first["next"])).json()["items"]
    assert {one["unit"] for one in (*first["items"], *rest)} >= {top, squad}

    officer = {"number": "770001", "name": "王五", "unit": "登记一中队", "certificate": "HB-77", "duty": "中队长"}
    made = await post(shared, "/v1/officers", {**officer, "valid_until": "2026-12-31"}, Idempotency_Key="officer")
    assert (made.status, made.json()["version"]) == (201, 1)
    path = f"/v1/officers/{made.json()['officer']}"
    renewed = {"name": "王五", "unit": squad and "登记一中队", "valid_from": "2027-01-01"}
    assert (await put(shared, path, renewed, version='"2"')).code == "register.stale"
    assert (await put(shared, path, renewed, version='"1"')).json()["version"] == 2
    known = (await get(shared, path)).json()
    assert (known["version"], known["unit_id"], len(known["versions"])) == (2, squad, 2)
    assert known["versions"][0]["valid_until"] == "2026-12-31"

    camera = {"recorder": "CAM 1/北", "kind": "fixed_camera", "serial": "SN", "unit": squad}
    made = await post(shared, "/v1/recorders/registrations", camera, If_Match='"0"')
    assert (made.status, made.json()["version"]) == (201, 1)
    assert (await post(shared, "/v1/recorders/registrations", camera, If_Match='"0"')).code == "register.stale"
    retired = {**camera, "state": "retired"}
    assert (await post(shared, "/v1/recorders/registrations", retired, If_Match='"1"')).json()["version"] == 2
    listed = (await get(shared, "/v1/recorders/registrations")).json()["items"]
    assert [(one["recorder"], one["state"], one["unit"]) for one in listed] == [("CAM 1/北", "retired", squad)]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/units", {"name": "甲", "code": "1"}, "unit.invalid"),
        ("/v1/units", {"name": "甲", "valid_from": "2999-01-01"}, "unit.invalid"),
        ("/v1/units", {"name": "甲", "parent": str(UUID(int=9))}, "unit.unknown"),
        ("/v1/units", {"name": "甲", "parent": "x"}, "request.invalid"),
        ("/v1/units", {"name": "甲", "valid_from": "2026-13-01"}, "register.validity_invalid"),
        ("/v1/units", {"name": "甲\u202e"}, "party.name_invalid"),
        ("/v1/units", {"name": "甲" * 101}, "request.invalid"),
        ("/v1/officers", {"number": "1", "name": "甲", "unit": "无此单位"}, "unit.unknown"),
        (f"/v1/docks/{UUID(int=9)}/placements", {"unit": None}, "dock.unknown"),
    ],
)
async def test_what_is_refused(shared: RunningService, path: str, body: dict[str, Any], code: str) -> None:
    await post(shared, "/v1/units", {"name": "在册单位", "code": "140199990001"})
    assert (await post(shared, path, body)).code == code


async def test_where_a_dock_stood_is_listed(shared: RunningService) -> None:
    unit = (await post(shared, "/v1/units", {"name": "在册单位二"})).json()["unit"]
    path = f"/v1/docks/{(await shared.dock(5)).dock}/placements"
    for place in (unit, None):
        assert (await post(shared, path, {"unit": place})).status == 201
    first = (await get(shared, path, limit="1")).json()
    rest = (await get(shared, path, cursor=first["next"])).json()
    assert [one["unit"] for one in (*first["items"], *rest["items"])] == [unit, None]
    assert (await get(shared, f"/v1/docks/{UUID(int=9)}/placements")).code == "dock.unknown"


async def test_a_calendar_is_loaded_and_counts(shared: RunningService, tmp_path: Path) -> None:
    before = (await get(shared, "/v1/calendar")).json()
    assert (before["calendar"], before["years"], before["zone"]) == (None, [], "Asia/Shanghai")
    year = {"year": 2030, "holidays": ["2030-10-01"], "make_up": ["2030-09-28"], "citation": "国办发明电〔2029〕7号"}
    day = {"day": "2026-03-12", "is_working": False, "reason": "本地植树日"}
    loaded = await post(shared, "/v1/calendar", {"years": [year], "days": [day]})
    assert loaded.status == 201, loaded.json()
    now = (await get(shared, "/v1/calendar")).json()
    assert (now["years"], now["days"], now["calendar"]) == ([year], [day], loaded.json()["calendar"])
    assert now["version"].endswith(now["calendar"])
    file = tmp_path / "calendar.json"
    file.write_text(json.dumps({"years": [year]}), "utf-8")
    assert "entry" in await shilu_json(shared, ADMIN, "calendar", "load", str(file))
    assert (await shilu_json(shared, Role.AUDITOR, "calendar", "show"))["days"] == [], "it replaces what was loaded"
    assert "2030" in (await shilu(shared, Role.AUDITOR, "calendar", "show"))[1]
    file.write_text("[]")
    assert (await shilu(shared, ADMIN, "calendar", "load", str(file)))[0] == 2
    for wrong, code in (
        ({"days": [day, day]}, "calendar.invalid"),
        ({"years": [{**year, "year": 2026}]}, "calendar.invalid"),
        ({"years": [{**year, "make_up": ["2030-10-09"]}]}, "calendar.invalid"),
        ({"days": [{**day, "day": "2026-02-30"}]}, "calendar.invalid"),
        ({"days": [{**day, "day": "12 March"}]}, "request.invalid"),
        ({"days": "2026"}, "request.invalid"),
    ):
        assert (await post(shared, "/v1/calendar", wrong)).code == code
    assert (await post(shared, "/v1/calendar", {}, role=Role.ARCHIVIST)).code == "auth.role"


async def test_a_code_is_one_units(shared: RunningService) -> None:
    await post(shared, "/v1/units", {"name": "在册单位", "code": "140199990001"})
    assert (await post(shared, "/v1/units", {"name": "乙", "code": "140199990001"})).code == "unit.code_taken"


async def test_lists_are_tried_and_taken(shared: RunningService) -> None:
    async def send(data: bytes, role: Role = ADMIN, **params: str) -> Reply:
        return await shared.ask(
            "POST",
            "/v1/registers/units/imports",
            role=role,
            data=data,
            params={"name": "单位.csv", **params},
            headers={"Content-Type": "application/octet-stream"},
        )

    template = await get(shared, "/v1/registers/units/template")
    assert template.body.startswith("\ufeff单位名称".encode())
    good = template.body + "导入单位,140199990002,,,\r\n".encode()
    dry = (await send(good)).json()
    assert (dry["changed"], dry["applied"], dry["bad"]) == (1, False, [])
    assert (await send(good, apply="true")).json()["applied"]
    bad = good + b"=1+1,,,,\r\n"
    (found,) = (await send(bad)).json()["bad"]
    assert (found["row"], found["column"], found["code"], found["value"]) == (3, "name", "cell.formula", "'=1+1")
    refused = await send(bad, apply="true")
    assert (refused.status, refused.code) == (422, "register.rows_refused")
    assert (await send(b"\xff\xfe")).code == "register.file_invalid"
    assert (await send(good, name="a\u202eb")).code == "party.name_invalid"
    assert (await send(good, role=Role.ARCHIVIST)).code == "auth.role"


async def test_a_blocked_clip_from_its_refusal_to_its_resolution(shared: RunningService) -> None:
    async with shared.services.pool.acquire() as conn:
        registry = Registry(conn=conn, clock=utc_now, entropy=SeededEntropy(88))
        async with conn.transaction():
            await conn.execute("SELECT 1")
        await post(shared, "/v1/units", {"name": "在册单位", "code": "140199990001"})
        await registry.officer("880001", unit="140199990001")
        scribe = Scribe(conn=conn, clock=utc_now, entropy=SeededEntropy(89))
        clip = await scribe.seal(recorder="nobody's", officer=None)
    path = f"/v1/clips/{clip}/attribution"
    found = await get(shared, path)
    assert (found.json()["flags"], found.json()["blocked"], found.headers["ETag"]) == (
        ["recorder_unassigned"],
        True,
        '"0"',
    )
    case = (await post(shared, "/v1/cases", {"number": "封1号", "title": "某案"}, role=Role.INVESTIGATOR)).json()[
        "case"
    ]
    refused = await post(shared, f"/v1/cases/{case}/clips", {"clip": str(clip)}, role=Role.INVESTIGATOR)
    assert (refused.status, refused.code) == (409, "clip.blocked")
    assert refused.json()["details"]["resolve"] == f"POST {path}/resolution"
    said = {"officer": "880001", "reason": "与值班记录核对无误"}
    assert (await post(shared, f"{path}/resolution", said, role=Role.INVESTIGATOR, If_Match='"0"')).code == "auth.role"
    for version, body, code in (
        ('"3"', said, "register.stale"),
        ('"0"', {**said, "officer": "nobody"}, "officer.unknown"),
        ('"0"', {**said, "reason": " "}, "party.name_invalid"),
    ):
        assert (await post(shared, f"{path}/resolution", body, role=Role.ARCHIVIST, If_Match=version)).code == code
    done = await post(shared, f"{path}/resolution", said, role=Role.ARCHIVIST, If_Match='"0"')
    assert (done.status, done.json()["blocked"], done.json()["reason"]) == (201, False, said["reason"])
    again = await post(shared, f"{path}/resolution", said, role=Role.ARCHIVIST, If_Match='"2"')
    assert again.code == "attribution.not_open"
    linked = await post(shared, f"/v1/cases/{case}/clips", {"clip": str(clip)}, role=Role.INVESTIGATOR)
    assert linked.status == 201
    waiting = (await get(shared, "/v1/attributions/blocked")).json()["items"]
    assert str(clip) not in {one["clip"] for one in waiting}
