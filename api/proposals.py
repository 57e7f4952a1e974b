"""What a transcript proposes, read from its object and held against its digest on record."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from uuid import UUID

from api.services import Services
from evidence.clips.clips import get_clip
from evidence.clips.errors import ProposalUnknown
from evidence.clips.proposals import Proposal
from evidence.clips.transcript_store import find_transcript
from evidence.errors import ObjectDamaged
from ingest.media.transcript import BYTES_MAX, parse_transcript

KIND = "transcript"


async def proposals_of(services: Services, *, clip: UUID, transcript: UUID) -> list[Proposal]:
    """Return all segments of a transcript on record, in its order.

    Raises:
        ClipUnknown: There is no such clip.
        ProposalUnknown: It has no such transcript.
        ObjectMissing: The transcript is on record and not in the store.
        ObjectDamaged: What is in the store is not what is on record; nobody is to stand for its words.
    """
    async with services.pool.acquire() as conn:
        await get_clip(conn, clip)
        row = await find_transcript(conn, clip, transcript)
    made = None if row is None else row.made(KIND)
    if made is None:
        raise ProposalUnknown(f"the clip has no transcript {transcript}", clip=str(clip))
    raw = await asyncio.to_thread(lambda: _head(services.objects.open_path(made.sha256.hex())))
    if hashlib.sha256(raw).digest() != made.sha256:
        raise ObjectDamaged(f"the transcript {transcript} is not what is on record", sha256=made.sha256.hex())
    return [
        Proposal(from_ms=said.from_ms, to_ms=said.to_ms, text=said.text, voice=said.speaker, confidence=said.confidence)
        for said in parse_transcript(raw).segments
    ]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BYTES_MAX + 1)
