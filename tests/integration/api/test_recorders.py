"""Recorders over HTTP, with a real station at the real service: a deleted file is a named gap, and whose it was."""

from __future__ import annotations

import os
import random
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dockstation.config import StateFolder
from dockstation.enrol import enrol
from dockstation.link import Link
from evidence.core.clock import format_time, utc_now
from evidence.parties.roles import Role
from tests.support.dock_station import TestStation
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECORDER = "4A00777"
BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


async def station(service: RunningService, folder: Path) -> TestStation:
    code = (await service.ask("POST", "/v1/docks/codes", role=Role.ADMINISTRATOR, json={})).json()["code"]
    state, url = StateFolder(folder), str(service.url)
    state.create()
    async with Link(url, tokens=None) as link:
        await enrol(
            state, link, url=url, code=code, name="走廊", force=False, clock=utc_now, entropy=secrets.token_bytes
        )
    return TestStation(state)


def record_segments(card: Path, numbers: range) -> list[Path]:
    """Write what the recorder wrote: segments of five minutes, each by time and number."""
    made = []
    for number in numbers:
        started = BEGIN + timedelta(minutes=5 * number)
        local = started + timedelta(hours=8)
        path = card / f"DCIM/DCAM_{RECORDER}_013579_{local:%Y%m%d_%H%M%S}_{number:04}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.Random(number).randbytes(3000))
        ended = (started + timedelta(minutes=5)).timestamp()
        os.utime(path, (ended, ended))
        made.append(path)
    return made


async def findings(service: RunningService, recorder: str = RECORDER) -> list[dict[str, object]]:
    reply = await service.ask("GET", "/v1/recorders/findings", role=Role.REVIEWER, params={"recorder": recorder})
    items: list[dict[str, object]] = reply.json()["items"]
    return items


async def test_one_file_deleted_before_docking_is_a_named_gap(shared: RunningService, tmp_path: Path) -> None:
    one, card = await station(shared, tmp_path / "state"), tmp_path / "card"
    record_segments(card, range(1, 4))
    assert (await one.once(card)).complete
    assert await findings(shared) == []
    shutil.rmtree(card)
    left, gone, right = record_segments(card, range(4, 8))[1:4]
    gone.unlink()
    assert (await one.once(card)).complete
    (found,) = await findings(shared)
    facts = found["facts"]
    assert isinstance(facts, dict)
    assert found["code"] == "recorder.numbers_missing"
    assert (facts["first_missing"], facts["last_missing"], facts["seconds"]) == (6, 6, 300)
    assert facts["before"]["path"] == left.relative_to(card).as_posix()
    assert facts["after"]["path"] == right.relative_to(card).as_posix()
    assert found["causes"]
    listed = (await shared.ask("GET", "/v1/recorders", role=Role.AUDITOR)).json()["items"]
    (shown,) = [item for item in listed if item["recorder"] == RECORDER]
    assert (shown["findings_open"], shown["files_waiting"], shown["dock_name"]) == (1, 0, "走廊")
    await _explain(shared, found)


async def _explain(service: RunningService, found: dict[str, object]) -> None:
    said = {"recorder": RECORDER, "finding": found["finding"], "place": found["place"], "text": "误操作，已核实"}
    for changes, code in (
        ({"recorder": "other"}, "recorder.finding_unknown"),
        ({"place": 7}, "recorder.finding_unknown"),
    ):
        reply = await service.ask("POST", "/v1/recorders/explanations", role=Role.ARCHIVIST, json={**said, **changes})
        assert reply.code == code
    assert (await service.ask("POST", "/v1/recorders/explanations", role=Role.ARCHIVIST, json=said)).status == 201
    listed = (await service.ask("GET", "/v1/recorders", role=Role.AUDITOR)).json()["items"]
    assert [item["findings_open"] for item in listed if item["recorder"] == RECORDER] == [0]
    explained = (await findings(service))[0]["explanations"]
    assert isinstance(explained, list)
    assert [one["text"] for one in explained] == ["误操作，已核实"]


async def test_a_recorder_changes_hands(shared: RunningService) -> None:
    for number, name, unit in (
        ("1001", "甲", "一中队"),
        ("1002", "乙", "一中队"),
        ("2001", "丙", "二中队"),
        ("1002", "乙二", "一中队"),
    ):
        named = {"number": number, "name": name, "unit": unit}
        assert (await shared.ask("POST", "/v1/officers", role=Role.ADMINISTRATOR, json=named)).status == 201
    officers = (await shared.ask("GET", "/v1/officers", role=Role.REVIEWER)).json()["items"]
    assert sorted((one["number"], one["name"]) for one in officers) == [
        ("1001", "甲"),
        ("1002", "乙二"),
        ("2001", "丙"),
    ]
    morning, noon = utc_now() - timedelta(hours=9), utc_now() - timedelta(hours=5)
    for officer, since in (("1001", morning), ("1002", None), (None, noon)):
        body: dict[str, str | None] = {"recorder": "R 9/实", "officer": officer} | (
            {"since": format_time(since)} if since else {}
        )
        assert (await shared.ask("POST", "/v1/recorders/assignments", role=Role.ADMINISTRATOR, json=body)).status == 201
    params = {"recorder": "R 9/实"}
    spans = (await shared.ask("GET", "/v1/recorders/holders", role=Role.AUDITOR, params=params)).json()["items"]
    assert [(span["holder"] or {}).get("number") for span in spans] == ["1001", None, "1002"]
    assert spans[0]["until"] == format_time(noon)
    assert spans[2]["until"] is None
    units = (await shared.ask("GET", "/v1/equipment", role=Role.AUDITOR)).json()["units"]
    shown = {one["unit"]: (one["officers"], one["recorders"], one["below_target"]) for one in units}
    assert shown == {"一中队": (2, 1, True), "二中队": (1, 0, True)}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"recorder": "R9", "officer": "nobody"}, "officer.unknown"),
        ({"recorder": "R9", "since": "2999-01-01T00:00:00.000Z"}, "recorder.assignment_invalid"),
        ({"recorder": "R9", "since": "1999-01-01T00:00:00.000Z"}, "recorder.assignment_invalid"),
        ({"recorder": "R9", "since": "yesterday"}, "time.invalid"),
        ({"recorder": "R\u202e9"}, "party.name_invalid"),
        ({"recorder": " R9"}, "party.name_invalid"),
        ({"recorder": "R\x009"}, "request.invalid"),
        ({"recorder": ""}, "request.invalid"),
        ({"recorder": "R" * 65}, "request.invalid"),
        ({"recorder": "R9", "unit": "x"}, "request.invalid"),
    ],
)
async def test_what_cannot_be_assigned(shared: RunningService, body: dict[str, str], code: str) -> None:
    reply = await shared.ask("POST", "/v1/recorders/assignments", role=Role.ADMINISTRATOR, json=body)
    assert reply.code == code


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("findings", {"recorder": "never seen"}, "recorder.unknown"),
        ("holders", {"recorder": "never seen"}, "recorder.unknown"),
        ("holders", {}, "request.query"),
        ("findings", {"cursor": "x"}, "request.cursor"),
        ("findings", {"cursor": "00000000-0000-0000-0000-000000000000.99999"}, "request.cursor"),
        ("findings", {"recorder": "a\x00"}, "request.query"),
    ],
)
async def test_what_cannot_be_asked(shared: RunningService, path: str, params: dict[str, str], code: str) -> None:
    assert (await shared.ask("GET", f"/v1/recorders/{path}", role=Role.REVIEWER, params=params)).code == code


async def test_pages_of_recorders_and_findings(shared: RunningService) -> None:
    for recorder in ("P1", "P2", "P3"):
        body: dict[str, str | None] = {"recorder": recorder, "officer": None}
        assert (await shared.ask("POST", "/v1/recorders/assignments", role=Role.ADMINISTRATOR, json=body)).status == 201
    seen, cursor = [], None
    while True:
        params = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await shared.ask("GET", "/v1/recorders", role=Role.REVIEWER, params=params)).json()
        seen += [item["recorder"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert {"P1", "P2", "P3"} <= set(seen)
    first = (await shared.ask("GET", "/v1/recorders/findings", role=Role.REVIEWER, params={"limit": "1"})).json()
    if first["next"]:
        params = {"cursor": first["next"]}
        rest = (await shared.ask("GET", "/v1/recorders/findings", role=Role.REVIEWER, params=params)).json()["items"]
        assert first["items"][0] not in rest
