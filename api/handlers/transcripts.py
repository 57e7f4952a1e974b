"""The transcript of a clip: whether there is one and what made it. Its words are footage: seen by a view, on record."""

from __future__ import annotations

from typing import Literal, cast

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.handlers.clip_items import rendition_item
from api.models.transcripts import TranscriptItem
from api.route import NoQuery
from evidence.clips.clips import get_clip
from evidence.clips.transcript_store import TranscriptRow, newest_transcript
from ingest.transcription_store import TranscriptionJob, job_of

_State = Literal["none", "waiting", "running", "silent", "failed", "transcribed"]


async def transcript(call: Call[None, NoQuery]) -> web.Response:
    """Tell how far the transcript of a clip is."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        row, job = await newest_transcript(conn, clip.id), await job_of(conn, clip.id)
    item = TranscriptItem(
        clip=clip.id,
        state=_state(row, job),
        reason=None if job is None else job.reason,
        proposal=True,
        entry=None if row is None else row.entry_id,
        transcribed_at=None if row is None else row.transcribed_at,
        counts={} if row is None else dict(row.counts),
        models={} if row is None else dict(row.models),
        tools={} if row is None else dict(row.tools),
        renditions=[] if row is None else [rendition_item(made) for made in row.objects],
    )
    return json_answer(item)


def _state(row: TranscriptRow | None, job: TranscriptionJob | None) -> _State:
    # What is on record counts, whatever became of the job's row.
    if row is not None:
        return "transcribed"
    return "none" if job is None else cast("_State", job.outcome or job.state)
