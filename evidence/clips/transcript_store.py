"""SQL of transcripts: what a machine takes people to have said. Proposals; what people say stands in annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from evidence.clips.store import MadeObject
from evidence.custody.recorded import RecordedEvent
from evidence.custody.transcript_payloads import ClipTranscribed
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptRow:
    """A transcript on record; `parent` and `speech` are digests of 32 bytes of what it was made from."""

    entry_id: UUID
    attempt: int
    parent: bytes
    speech: bytes
    models: Mapping[str, object]
    tools: Mapping[str, str]
    counts: Mapping[str, int]
    transcribed_at: datetime
    objects: tuple[MadeObject, ...]

    def made(self, kind: str) -> MadeObject | None:
        """Return its object of a kind, `transcript` or `captions`."""
        return next((made for made in self.objects if made.kind == kind), None)


async def project_clip_transcribed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `clip.transcribed`: the transcript and its objects."""
    body = ClipTranscribed.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip_transcript (entry_id, clip, attempt, parent, speech, models, tools, counts, transcribed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        event.entry_id,
        body.clip,
        body.attempt,
        body.parent,
        body.speech,
        body.models,
        body.tools,
        body.counts,
        event.at,
    )
    await conn.executemany(
        "INSERT INTO clip_object (entry_id, kind, clip, sha256, size, media_type) VALUES ($1, $2, $3, $4, $5, $6)",
        [(event.entry_id, made.kind, body.clip, made.sha256, made.size, made.media_type) for made in body.objects],
    )


async def newest_transcript(conn: Connection, clip: UUID) -> TranscriptRow | None:
    """Return the transcript of a clip that was made last, None if there is none."""
    row = await conn.fetchrow(
        """SELECT entry_id, attempt, parent, speech, models, tools, counts, transcribed_at
           FROM clip_transcript WHERE clip = $1 ORDER BY entry_id DESC LIMIT 1""",
        clip,
    )
    return None if row is None else await _with_objects(conn, row)


async def find_transcript(conn: Connection, clip: UUID, entry: UUID) -> TranscriptRow | None:
    """Return one transcript of a clip, whether or not there is a newer one."""
    row = await conn.fetchrow(
        """SELECT entry_id, attempt, parent, speech, models, tools, counts, transcribed_at
           FROM clip_transcript WHERE clip = $1 AND entry_id = $2""",
        clip,
        entry,
    )
    return None if row is None else await _with_objects(conn, row)


async def has_looked(conn: Connection, clip: UUID, *, actor: str) -> bool:
    """Tell whether it is on record that somebody opened a view of a clip."""
    looked: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT 1 FROM custody_payload
                          WHERE subject = $1 AND type = 'clip.viewed' AND actor = $2)""",
        f"clip:{clip}",
        actor,
    )
    return looked


async def _with_objects(conn: Connection, row: Record) -> TranscriptRow:
    objects = await conn.fetch(
        "SELECT kind, sha256, size, media_type FROM clip_object WHERE entry_id = $1 ORDER BY kind", row["entry_id"]
    )
    return TranscriptRow(**dict(row), objects=tuple(MadeObject(**dict(item)) for item in objects))
