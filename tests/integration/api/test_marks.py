"""Marks of people and devices over HTTP, and documents against the clip's times (R10)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from evidence.custody.record import record
from evidence.parties.roles import Role
from tests.support.service import RunningService
from tests.support.swift import BOOKMARK, CLIP, CLIP_STATED, SECOND, SECOND_STATED, STATED, PaperSystem

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIVE_PAST_NINE = datetime(2026, 3, 2, 1, 5, tzinfo=UTC)


async def annotate(service: RunningService, clip: UUID, content: object) -> None:
    reply = await service.ask(
        "POST",
        f"/v1/clips/{clip}/annotations",
        role=Role.INVESTIGATOR,
        json=content,
        headers={"If-Match": '"0"'},
    )
    assert reply.status == 201, reply


async def lasting(service: RunningService, clip: UUID, *, minutes: int) -> None:
    """Put on record that a clip was decoded and how long it is."""
    probe = {"decoded": {"duration_ms": minutes * 60_000}, "place": {"latitude_e6": 39_331_595, "longitude_e6": 5}}
    async with service.services.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="clip.derived",
            actor="service",
            subject=f"clip:{clip}",
            payload={
                "clip": str(clip), "attempt": 1, "outcome": "reviewable", "reason": None, "tools": {},
                "parameters": {}, "probe": probe, "objects": [],
            },
            clock=service.services.clock,
            entropy=service.services.entropy,
        )  # fmt: skip


async def test_r10_a_record_from_nine_to_nine_forty_and_a_clip_from_five_past_to_half_past(
    shared: RunningService,
) -> None:
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4", recorded_at=FIVE_PAST_NINE)
    path = f"/v1/clips/{clip}/documents"
    assert (await shared.ask("GET", path, role=Role.REVIEWER)).json()["items"] == []
    stated = {"kind": "现场检查笔录", "from": "2026-03-02T09:00+08:00", "to": "2026-03-02T09:40+08:00"}
    await annotate(shared, clip, {"documents": [stated, {"kind": "照片说明"}]})
    early = (await shared.ask("GET", path, role=Role.REVIEWER)).json()
    assert (early["items"][0]["begins_ms"], early["items"][0]["ends_ms"]) == (5 * 60_000, None)
    await lasting(shared, clip, minutes=25)
    told = (await shared.ask("GET", path, role=Role.REVIEWER)).json()
    record_, captions = told["items"]
    assert (record_["begins_ms"], record_["ends_ms"], record_["agrees"]) == (5 * 60_000, -10 * 60_000, False)
    assert (captions["begins_ms"], captions["ends_ms"], captions["agrees"]) == (None, None, None)
    assert (told["duration_ms"], told["version"]) == (25 * 60_000, 1)
    for address in ("documents", "marks"):
        unknown = await shared.ask("GET", f"/v1/clips/{uuid4()}/{address}", role=Role.REVIEWER)
        assert (unknown.status, unknown.code) == (404, "clip.unknown")


async def test_what_a_controller_brings_stands_beside_peoples_marks_and_in_no_annotation(
    shared: RunningService,
) -> None:
    system = PaperSystem(shared, await shared.controller(), container=f"{uuid4()}_B8A44F0A1B2C_20260302_093000")
    assert (await system.create(STATED)).status == 201
    assert (await system.put(CLIP, b"first part of a recording", CLIP_STATED)).status == 201
    assert (await system.put(SECOND, b"second part of a recording", SECOND_STATED)).status == 201
    # No name of an original: it belongs to the one that was being recorded.
    marked = {"StartTime": "2026-03-02T09:35:10Z", "EndTime": "2026-03-02T09:35:20Z", "CategoryName": "违法排污"}
    assert (await system.put(BOOKMARK, "排污口".encode(), marked)).status == 201
    assert (await system.complete()).status in {200, 202, 204}
    clip = await shared.services.pool.fetchval("SELECT clip FROM recording_clip WHERE name = $1", SECOND)
    await annotate(shared, clip, {"markers": [{"kind": "signature", "at_ms": 5}]})
    await lasting(shared, clip, minutes=5)
    told = (await shared.ask("GET", f"/v1/clips/{clip}/marks", role=Role.AUDITOR)).json()
    assert [(mark["source"], mark["kind"], mark["at_ms"], mark["until_ms"]) for mark in told["items"]] == [
        ("recorder", "position", None, None),
        ("person", "signature", 5, None),
        ("controller", "bookmark", 10_000, 20_000),
    ]
    assert told["items"][2]["note"] == "排污口"
    assert told["items"][2]["by"].startswith("controller:")
    assert told["items"][0]["position"] == {"latitude_e6": 39_331_595, "longitude_e6": 5, "height_mm": None}
    newest = (await shared.ask("GET", f"/v1/clips/{clip}", role=Role.AUDITOR)).json()["annotation"]
    assert newest["content"] == {"markers": [{"kind": "signature", "at_ms": 5}]}
