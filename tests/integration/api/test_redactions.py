"""Redacted copies over HTTP: made, on record, and seen by ticket as every rendition is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.redactions import redactor_of
from evidence.parties.roles import Role
from tests.support.media import Film, Sound, write
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

MUTE = {"reason": "公开前处理", "mute": [{"from_ms": 100, "to_ms": 900, "why": "身份证号"}]}


async def redact(service: RunningService, clip: object, body: Any, *, role: Role = Role.INVESTIGATOR) -> Reply:
    return await service.ask("POST", f"/v1/clips/{clip}/redactions", role=role, json=body)


async def done(service: RunningService, made: Reply) -> Any:
    """Work through the queue as a worker does, and return what became of the job."""
    assert made.status == 202, made
    body = made.json()
    assert body["state"] == "waiting"
    await redactor_of(service.services).attempt(UUID(body["redaction"]))
    where = f"/v1/clips/{body['clip']}/redactions/{body['redaction']}"
    reply = await service.ask("GET", where, role=Role.INVESTIGATOR)
    assert reply.status == 200
    return reply.json()


async def test_a_redacted_copy_is_on_record_and_can_be_seen(shared: RunningService, tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", film=Film(size=(64, 48), times_ms=range(0, 400, 40)), sound=Sound())
    clip = await shared.clip(film.read_bytes(), path=f"{uuid4()}.mp4")
    view = {"purpose": "legal_review", "rendition": "redacted"}
    before = await shared.ask("POST", f"/v1/clips/{clip}/views", role=Role.REVIEWER, json=view)
    assert before.code == "view.rendition_missing"
    made = await done(shared, await redact(shared, clip, MUTE))
    assert (made["state"], made["media_type"]) == ("done", "video/mp4")
    opened = await shared.ask("POST", f"/v1/clips/{clip}/views", role=Role.REVIEWER, json=view)
    assert opened.status == 201
    seen = await shared.ask("GET", opened.json()["url"])
    assert len(seen.body) == made["size"]
    history = (await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"]
    assert [line["type"] for line in history[-2:]] == ["clip.redacted", "clip.viewed"]
    assert history[-2]["payload"]["changes"]["mute"][0]["why"] == "身份证号"


async def test_what_cannot_be_redacted_is_refused(shared: RunningService) -> None:
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    refused = await done(shared, await redact(shared, clip, MUTE))
    assert (refused["state"], refused["code"], refused["entry"]) == ("refused", "redaction.refused", None)
    nothing = await redact(shared, clip, {"reason": "x"})
    assert (nothing.status, nothing.code) == (400, "request.invalid")
    unknown = await redact(shared, uuid4(), MUTE)
    assert (unknown.status, unknown.code) == (404, "clip.unknown")
    elsewhere = f"/v1/clips/{uuid4()}/redactions/{refused['redaction']}"
    other = await shared.ask("GET", elsewhere, role=Role.INVESTIGATOR)
    assert (other.status, other.code) == (404, "redaction.unknown")
    reader = await redact(shared, clip, MUTE, role=Role.REVIEWER)
    assert (reader.status, reader.code) == (403, "auth.role")


async def test_a_repeat_with_the_same_key_asks_once(shared: RunningService) -> None:
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    path, key = f"/v1/clips/{clip}/redactions", {"Idempotency-Key": str(uuid4())}
    first, again = [await shared.ask("POST", path, role=Role.INVESTIGATOR, json=MUTE, headers=key) for _ in range(2)]
    assert (first.status, first.body) == (202, again.body)
    count = "SELECT count(*) FROM redaction_job WHERE clip = $1"
    assert await shared.services.pool.fetchval(count, clip) == 1
    other = await shared.ask("POST", path, role=Role.INVESTIGATOR, json={**MUTE, "reason": "x"}, headers=key)
    assert (other.status, other.code) == (409, "idempotency.conflict")
