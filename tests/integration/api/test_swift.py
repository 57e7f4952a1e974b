"""Controllers of body worn systems deliver: what is kept, what is sealed and when, what is answered."""

from __future__ import annotations

import hashlib
import json
from uuid import UUID

import pytest

from evidence.audit.house import audit_house
from evidence.db.pool import connect
from evidence.parties.roles import Role
from ingest.audit import audit_uploads
from ledger.findings import Severity
from tests.support.service import RunningService
from tests.support.swift import (
    BOOKMARK,
    CLIP,
    CLIP_STATED,
    CONTAINER,
    MARKED,
    SECOND,
    SERIAL,
    TRAIL,
    WEARER,
    PaperSystem,
    meta,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def system(shared: RunningService, number: int, *, controller: str = "一号系统控制器") -> PaperSystem:
    """Return a system with a container of this test's own."""
    return PaperSystem(shared, await shared.controller(controller), container=f"{CONTAINER}{number:02}")


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


async def clips_of(shared: RunningService, container: str) -> list[UUID]:
    async with shared.services.pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT clip FROM recording_clip JOIN recording USING (recording) WHERE container = $1 ORDER BY name",
            container,
        )
    return [row["clip"] for row in rows]


async def count(shared: RunningService, table: str) -> int:
    async with shared.services.pool.acquire() as conn:
        counted: int = await conn.fetchval(f"SELECT count(*) FROM {table}")
    return counted


async def test_a_session_is_opened_with_user_name_and_key(shared: RunningService) -> None:
    controller = await shared.controller()
    headers = {"X-Auth-User": str(controller.controller), "X-Auth-Key": controller.key}
    reply = await shared.ask("GET", "/auth/v1.0", headers=headers)
    assert reply.status == 200
    assert reply.headers["X-Storage-Url"] == f"{shared.url}{controller.account}"
    token = {"X-Auth-Token": reply.headers["X-Auth-Token"]}
    assert (await shared.ask("HEAD", controller.account, headers=token)).status == 204
    for wrong in ({"X-Auth-Key": "x" * 43}, {"X-Auth-User": str(UUID(int=7))}, {"X-Auth-User": "张三"}):
        refused = {**headers, **{name: value.encode().decode("latin-1") for name, value in wrong.items()}}
        reply = await shared.ask("GET", "/auth/v1.0", headers=refused)
        assert (reply.status, reply.code) == (401, "auth.unknown_token")


async def test_a_recording_is_sealed_when_it_is_complete_and_not_before(shared: RunningService) -> None:
    paper = await system(shared, 1)
    await paper.register()
    assert (await paper.create()).status == 201
    assert (await paper.create()).status == 202
    before = await count(shared, "clip")
    reply = await paper.put(CLIP, b"first" * 1000, CLIP_STATED)
    assert (reply.status, reply.headers["ETag"]) == (201, md5(b"first" * 1000))
    assert await count(shared, "clip") == before
    assert (await paper.complete()).status == 204
    clip = (await clips_of(shared, paper.container))[0]
    detail = (await shared.ask("GET", f"/v1/clips/{clip}", role=Role.REVIEWER)).json()
    source = detail["sources"][0]
    assert (source["name"], source["path"]) == (CLIP, f"{paper.container}/{CLIP}")
    assert (source["recorder"], source["officer"]) == (SERIAL, "013579")
    assert source["recorded_at"] == "2026-03-02T09:30:00.000Z"
    history = (await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.REVIEWER)).json()
    assert history["items"][0]["actor"] == f"controller:{paper.controller.controller}"


async def test_what_came_together_stays_together(shared: RunningService) -> None:
    paper = await system(shared, 2)
    await paper.deliver(b"one" * 999, b"two" * 999)
    first, second = await clips_of(shared, paper.container)
    found = (await shared.ask("GET", f"/v1/clips/{second}/recording", role=Role.INVESTIGATOR)).json()
    assert [clip["name"] for clip in found["clips"]] == [CLIP, SECOND]
    assert (found["wearer"], found["officer"], found["officer_name"]) == (WEARER, "013579", "张三")
    assert (found["started_at"], found["metadata"]["status"]) == ("2026-03-02T09:30:00.000Z", "Complete")
    companions = {one["name"]: one for one in found["companions"]}
    assert companions[BOOKMARK]["text"] == "排污口"
    assert companions[BOOKMARK]["metadata"]["categoryname"] == MARKED["CategoryName"]
    # By its time the bookmark belongs to the second clip, by its name the trail to the first.
    assert (companions[BOOKMARK]["clip"], companions[TRAIL]["clip"]) == (str(second), str(first))
    assert shared.services.objects.exists(companions[TRAIL]["sha256"])


async def test_it_is_sealed_once_and_never_changed(shared: RunningService) -> None:
    paper = await system(shared, 3)
    await paper.deliver(b"uno" * 500, b"due" * 500)
    entries = await count(shared, "custody_payload WHERE type = 'recording.sealed'")
    assert (await paper.complete()).status == 204
    again = await paper.put(CLIP, b"uno" * 500, CLIP_STATED)
    assert (again.status, again.headers["ETag"]) == (201, md5(b"uno" * 500))
    assert (await paper.put(BOOKMARK, "排污口".encode(), MARKED)).status == 201
    other = await paper.put(CLIP, b"another" * 500, CLIP_STATED)
    assert (other.status, other.code) == (400, "swift.sealed")
    assert (await paper.put("late.mkv", b"late" * 500)).code == "swift.sealed"
    assert (await paper.put(BOOKMARK, b"else")).code == "swift.sealed"
    described = await paper.ask("POST", f"/{paper.container}", headers=meta("Container", {"BWCModel": "W200"}))
    assert described.code == "swift.sealed"
    assert await count(shared, "custody_payload WHERE type = 'recording.sealed'") == entries
    async with shared.services.pool.acquire() as conn:
        held = await conn.fetch("SELECT path FROM upload WHERE state = 'quarantined' AND code = 'swift.sealed'")
    assert {row["path"] for row in held} == {f"{paper.container}/{CLIP}", f"{paper.container}/late.mkv"}


async def test_nothing_is_deleted_and_footage_is_not_given_back(shared: RunningService) -> None:
    paper = await system(shared, 4)
    await paper.deliver(b"eins" * 500, b"zwei" * 500)
    for path in (f"/{paper.container}/{CLIP}", f"/{paper.container}"):
        assert (await paper.ask("DELETE", path)).code == "route.method"
    assert (await paper.ask("GET", f"/{paper.container}/{CLIP}")).code == "swift.foreign"
    head = await paper.ask("HEAD", f"/{paper.container}/{CLIP}")
    assert (head.status, head.headers["Content-Length"]) == (200, "2000")
    assert head.headers["X-Object-Meta-Containertype"] == "mkv"
    head = await paper.ask("HEAD", f"/{paper.container}")
    assert (head.headers["X-Container-Object-Count"], head.headers["X-Container-Meta-Status"]) == ("4", "Complete")


async def test_capabilities_and_the_system_can_be_read(shared: RunningService) -> None:
    paper = await system(shared, 5)
    for name in ("Capabilities.json", "Capability.json"):
        reply = await paper.ask("GET", f"/System/{name}")
        assert reply.headers["ETag"] == md5(reply.body)
        assert json.loads(reply.body)["Store"]["StoreBookmarks"] is True
        assert (await paper.ask("PUT", f"/System/{name}", data=b"{}")).code == "swift.kept"
    assert (await paper.ask("PUT", "/System")).status in {201, 202}
    stated = {"SystemName": "一号楼", "ConnectionId": "c-1"}
    name = f"/System/{UUID(int=9)}"
    assert (await paper.ask("PUT", name, headers=meta("Object", stated), data=b"")).status == 201
    head = await paper.ask("HEAD", name)
    assert head.headers["X-Object-Meta-Systemname"] == "%E4%B8%80%E5%8F%B7%E6%A5%BC"
    assert (await paper.ask("GET", name)).body == b""
    stated["SystemName"] = "二号楼"
    assert (await paper.ask("POST", name, headers=meta("Object", stated))).status == 202


async def test_the_house_audits_clean_after_all_of_it(shared: RunningService) -> None:
    services = shared.services
    conn = await connect(services.dsn)
    try:
        found = [
            finding
            async for finding in audit_house(
                conn,
                storage=services.storage,
                objects=services.local,
                log=services.log_verifier,
                checks=(audit_uploads,),
            )
        ]
    finally:
        await conn.close()
    assert not [finding for finding in found if finding.severity is not Severity.OK]
