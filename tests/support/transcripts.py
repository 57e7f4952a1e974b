"""Transcripts on record, as a worker puts them there."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from evidence.custody.record import record
from ingest.media.transcript import Said, Transcript, format_transcript
from ledger.canonical import JsonValue
from tests.support.service import RunningService

SAID = (Said(0, 900, "排狗在这里", "S1", 870), Said(1000, 1900, "是", "S2", None), Said(2000, 2100, "", None, None))


async def transcribed(service: RunningService, said: tuple[Said, ...] = SAID, clip: UUID | None = None) -> Any:
    """Put a transcript of a clip on record, as a worker does; return clip, entry and the object's digest."""
    clip = clip or await service.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    raw = format_transcript(Transcript(said, {"recogniser": {"name": "tones 1"}}))
    digest = service.services.objects.put(raw)
    made: list[JsonValue] = [
        {"kind": "transcript", "sha256": digest, "size": len(raw), "media_type": "application/json"}
    ]
    async with service.services.pool.acquire() as conn, conn.transaction():
        recorded = await record(
            conn,
            type="clip.transcribed",
            actor="service",
            subject=f"clip:{clip}",
            payload={
                "clip": str(clip), "attempt": 1, "parent": "0" * 64, "speech": "1" * 64, "models": {}, "tools": {},
                "counts": {"segments": len(said)}, "objects": made,
            },
            clock=service.services.clock,
            entropy=service.services.entropy,
        )  # fmt: skip
    return clip, str(recorded.entry_id), digest
