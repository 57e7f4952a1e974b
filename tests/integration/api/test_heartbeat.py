"""Heartbeats: what docks say of themselves, who is missed, and a demanded change of key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.health import check_readiness
from evidence.core.clock import utc_now
from evidence.custody.replay import replay
from evidence.parties.roles import Role
from tests.support.parties import PaperDock
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID: dict[str, Any] = {
    "agent": "0.1.0",
    "profiles": {"dcam": "ab12"},
    "disk_free_bytes": 10**11,
    "slots": [{"name": "slot-1", "recorder": "4A00123", "phase": "done", "safe": True}],
    "journal": {"cleared": 12, "seen": 1},
    "waiting_notes": 0,
    "clock": {"offset_ms": -1500, "uncertainty_ms": 12},
}


async def beat(service: RunningService, dock: PaperDock, **changes: Any) -> Any:
    return await service.ask("POST", f"/v1/docks/{dock.dock}/heartbeat", dock=dock, json={**SAID, **changes})


async def shown(service: RunningService, dock: PaperDock) -> dict[str, Any]:
    listed = (await service.ask("GET", "/v1/docks", role=Role.AUDITOR, params={"limit": "200"})).json()["items"]
    found: dict[str, Any] = next(item for item in listed if item["dock"] == str(dock.dock))
    return found


async def test_a_dock_that_never_spoke_is_not_missed(shared: RunningService) -> None:
    dock = await shared.dock(31)
    item = await shown(shared, dock)
    assert (item["state"], item["heard_at"], item["said"]) == ("never_heard", None, None)


async def test_the_newest_word_is_shown_and_answered(shared: RunningService) -> None:
    dock = await shared.dock(32)
    for free in (5, 7):
        reply = await beat(shared, dock, disk_free_bytes=free)
        assert reply.status == 200
    answer = reply.json()
    assert answer["rotate_key"] is False
    assert answer["next_seconds"] == 60
    item = await shown(shared, dock)
    assert (item["state"], item["said"]) == ("heard", {**SAID, "disk_free_bytes": 7})
    async with shared.services.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM dock_state WHERE dock = $1", dock.dock) == 1


async def test_a_silent_dock_is_counted_and_named_and_nothing_is_less_ready(shared: RunningService) -> None:
    dock = await shared.dock(33)
    await beat(shared, dock)
    later = replace(shared.services, clock=lambda: utc_now() + timedelta(hours=1))
    readiness = await check_readiness(later)
    (check,) = [check for check in readiness.checks if check.name == "docks"]
    assert not check.ok
    assert not check.required
    assert "silent" in check.detail
    assert str(dock.dock) not in check.detail
    metrics = (await shared.ask("GET", "/metrics", role=Role.AUDITOR)).body.decode()
    assert f'shilu_dock_last_seen_seconds{{dock="{dock.dock}"}}' in metrics
    await shared.ask("POST", f"/v1/docks/{dock.dock}/revoke", role=Role.ADMINISTRATOR, json={"reason": "报废"})
    assert (await shown(shared, dock))["state"] == "revoked"
    metrics = (await shared.ask("GET", "/metrics", role=Role.AUDITOR)).body.decode()
    assert str(dock.dock) not in metrics


@pytest.mark.parametrize(
    "changes",
    [
        {"agent": "x" * 101},
        {"agent": None},
        {"slots": SAID["slots"] * 65},
        {"slots": [{"name": "s"}]},
        {"disk_free_bytes": -1},
        {"disk_free_bytes": 2**53},
        {"disk_free_bytes": "12"},
        {"journal": {"seen": -1}},
        {"journal": {str(number): 1 for number in range(51)}},
        {"profiles": {"a": "\0"}},
        {"clock": {"offset_ms": 1.5, "uncertainty_ms": 1}},
        {"clock": {"offset_ms": 1}},
        {"password": "x"},
    ],
)
async def test_what_is_no_heartbeat(shared: RunningService, changes: dict[str, Any]) -> None:
    dock = await shared.dock(34)
    assert (await beat(shared, dock, **changes)).code == "request.invalid"


async def test_a_dock_speaks_for_itself_only(shared: RunningService) -> None:
    one, other = await shared.dock(35), await shared.dock(36)
    reply = await shared.ask("POST", f"/v1/docks/{other.dock}/heartbeat", dock=one, json=SAID)
    assert reply.code == "dock.unknown"


async def test_a_demanded_change_of_key_stands_until_it_is_done(shared: RunningService) -> None:
    dock = await shared.dock(37)
    path = f"/v1/docks/{dock.dock}/demand-key"
    assert (await shared.ask("POST", path, role=Role.ADMINISTRATOR, json={"reason": "例行更换"})).status == 201
    assert (await beat(shared, dock)).json()["rotate_key"] is True
    assert (await shown(shared, dock))["key_demanded_at"] is not None
    new = dock.successor()
    note = dock.change_to(new)
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    reply = await shared.ask("POST", f"/v1/docks/{dock.dock}/key", dock=dock, data=note, headers=headers)
    assert reply.status == 201
    assert (await beat(shared, new)).json()["rotate_key"] is False
    assert (await shown(shared, dock))["key_demanded_at"] is None
    async with shared.services.pool.acquire() as conn:
        assert [difference async for difference in replay(conn)] == []


async def test_nothing_is_demanded_of_a_revoked_or_unknown_dock(shared: RunningService) -> None:
    dock = await shared.dock(38)
    await shared.ask("POST", f"/v1/docks/{dock.dock}/revoke", role=Role.ADMINISTRATOR, json={"reason": "报废"})
    reply = await shared.ask(
        "POST", f"/v1/docks/{dock.dock}/demand-key", role=Role.ADMINISTRATOR, json={"reason": "更换"}
    )
    assert reply.code == "dock.already_revoked"
    path = "/v1/docks/00000000-0000-7000-8000-000000000000/demand-key"
    reply = await shared.ask("POST", path, role=Role.ADMINISTRATOR, json={"reason": "更换"})
    assert reply.code == "dock.unknown"
