"""SQL of recordings: clips that belong together, and what came beside them.

A recording is on record as a whole by one entry, `recording.sealed`; each of its originals has an entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.recording_payloads import RecordingSealed
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedClip:
    """One original of a recording; `size` in bytes, `sha256` of 32 bytes."""

    name: str
    clip: UUID
    sha256: bytes
    size: int
    started_at: datetime | None
    stopped_at: datetime | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCompanion:
    """What came beside the originals; `sha256` is None where it has no bytes."""

    name: str
    kind: str
    clip: UUID
    sha256: bytes | None
    size: int
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording on record, its originals and companions in the order of their names."""

    recording: UUID
    controller: UUID
    container: str
    recorder: str | None
    wearer: str | None
    officer: str | None
    officer_name: str | None
    started_at: datetime | None
    stopped_at: datetime | None
    metadata: Mapping[str, str]
    sealed_at: datetime
    entry_id: UUID
    clips: tuple[RecordedClip, ...]
    companions: tuple[RecordedCompanion, ...]


async def project_recording_sealed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `recording.sealed`."""
    body = RecordingSealed.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO recording (recording, controller, container, recorder, wearer, officer, officer_name,
               started_at, stopped_at, metadata, sealed_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        body.recording,
        body.controller,
        body.container,
        body.recorder,
        body.wearer,
        body.officer,
        body.officer_name,
        body.started_at,
        body.stopped_at,
        body.metadata,
        event.at,
        event.entry_id,
    )
    about = (body.recording, event.entry_id)
    await conn.executemany(
        """INSERT INTO recording_clip
               (recording, entry_id, name, clip, sha256, size, started_at, stopped_at, metadata)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        [
            (*about, one.name, one.clip, one.sha256, one.size, one.started_at, one.stopped_at, one.metadata)
            for one in body.clips
        ],
    )
    await conn.executemany(
        """INSERT INTO recording_companion (recording, entry_id, name, kind, clip, sha256, size, metadata)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        [(*about, one.name, one.kind, one.clip, one.sha256, one.size, one.metadata) for one in body.companions],
    )


async def recording_of(conn: Connection, clip: UUID) -> Recording | None:
    """Return the newest recording that a clip belongs to; None for clips that came by themselves."""
    row = await conn.fetchrow(
        """SELECT * FROM recording WHERE recording IN (SELECT recording FROM recording_clip WHERE clip = $1)
           ORDER BY entry_id DESC LIMIT 1""",
        clip,
    )
    if row is None:
        return None
    clips = await conn.fetch(
        """SELECT name, clip, sha256, size, started_at, stopped_at, metadata FROM recording_clip
           WHERE recording = $1 ORDER BY name COLLATE "C" """,
        row["recording"],
    )
    companions = await conn.fetch(
        """SELECT name, kind, clip, sha256, size, metadata FROM recording_companion
           WHERE recording = $1 ORDER BY name COLLATE "C" """,
        row["recording"],
    )
    return Recording(
        **dict(row),
        clips=tuple(RecordedClip(**dict(one)) for one in clips),
        companions=tuple(RecordedCompanion(**dict(one)) for one in companions),
    )
