"""Transcripts over HTTP: how far they are for whoever may know, their words by ticket and on record."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

import pytest

from evidence.custody.record import record
from evidence.parties.roles import Role
from ingest.media.transcript import MEDIA_TYPES, Said, Transcript, captions, format_transcript
from ledger.canonical import JsonValue
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID = (Said(0, 900, "排污口在这里", "S1", 870), Said(1000, 1900, "yes", None, None))
MODELS: dict[str, JsonValue] = {"recogniser": {"name": "tones 1"}, "speakers": None}


async def transcribe(service: RunningService, clip: UUID) -> dict[str, bytes]:
    """Put a transcript of a clip on record, as a worker does."""
    made = {"transcript": format_transcript(Transcript(SAID, MODELS)), "captions": captions(SAID)}
    objects: list[JsonValue] = [
        {"kind": kind, "sha256": service.services.objects.put(raw), "size": len(raw), "media_type": MEDIA_TYPES[kind]}
        for kind, raw in made.items()
    ]
    async with service.services.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="clip.transcribed",
            actor="service",
            subject=f"clip:{clip}",
            payload={
                "clip": str(clip),
                "attempt": 1,
                "parent": hashlib.sha256(b"copy").hexdigest(),
                "speech": hashlib.sha256(b"speech").hexdigest(),
                "models": MODELS,
                "tools": {"speech": "sherpa-onnx 2.0.1"},
                "counts": {"parts": 2, "segments": 2, "speakers": 1},
                "objects": objects,
            },
            clock=service.services.clock,
            entropy=service.services.entropy,
        )
    return made


async def test_it_tells_how_far_a_transcript_is_and_none_of_its_words(shared: RunningService) -> None:
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    reply = await shared.ask("GET", f"/v1/clips/{clip}/transcript", role=Role.REVIEWER)
    assert (reply.status, reply.json()["state"], reply.json()["renditions"]) == (200, "none", [])
    await shared.services.pool.execute(
        """INSERT INTO transcription_job (clip, derivation, state, outcome, reason, due_at, created_at, updated_at)
           VALUES ($1, $1, 'done', 'failed', 'media.stalled: x', now(), now(), now())""",
        clip,
    )
    reply = await shared.ask("GET", f"/v1/clips/{clip}/transcript", role=Role.REVIEWER)
    assert (reply.json()["state"], reply.json()["reason"]) == ("failed", "media.stalled: x")
    await transcribe(shared, clip)
    reply = await shared.ask("GET", f"/v1/clips/{clip}/transcript", role=Role.REVIEWER)
    body = reply.json()
    assert (body["state"], body["proposal"], body["counts"]["speakers"]) == ("transcribed", True, 1)
    assert [item["kind"] for item in body["renditions"]] == ["captions", "transcript"]
    assert "排污口" not in reply.body.decode()
    unknown = await shared.ask("GET", f"/v1/clips/{uuid4()}/transcript", role=Role.REVIEWER)
    assert (unknown.status, unknown.code) == (404, "clip.unknown")


@pytest.mark.parametrize("kind", ["transcript", "captions"])
async def test_the_words_are_seen_by_ticket_and_on_record(shared: RunningService, kind: str) -> None:
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    view = {"purpose": "legal_review", "rendition": kind}
    before = await shared.ask("POST", f"/v1/clips/{clip}/views", role=Role.REVIEWER, json=view)
    assert before.code == "view.rendition_missing"
    made = await transcribe(shared, clip)
    opened = await shared.ask("POST", f"/v1/clips/{clip}/views", role=Role.REVIEWER, json=view)
    assert opened.status == 201
    seen = await shared.ask("GET", opened.json()["url"])
    assert (seen.body, seen.headers["Content-Type"]) == (made[kind], MEDIA_TYPES[kind])
    beside = await shared.ask("GET", f"{opened.json()['url']}/captions")
    assert beside.body == made["captions"]
    history = (await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"]
    assert [line["type"] for line in history[-2:]] == ["clip.transcribed", "clip.viewed"]


async def test_peoples_words_stay_peoples(shared: RunningService) -> None:
    """A proposal is in nobody's annotations, and is found by no search for what people wrote."""
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await transcribe(shared, clip)
    detail = (await shared.ask("GET", f"/v1/clips/{clip}", role=Role.REVIEWER)).json()
    assert detail["annotation"] is None
    found = (await shared.ask("GET", "/v1/clips?q=排污口在这里", role=Role.REVIEWER)).json()
    assert str(clip) not in [item["clip"] for item in found["items"]]
