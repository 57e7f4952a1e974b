"""SQL of clips: their sources, what was derived from them, what people say about them; and the projections of these.

Projections insert the rows of one ledger payload and read nothing (see `evidence.custody.events`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from evidence.custody.payloads import ClipAnnotated, ClipDerived, ClipRepeated, ClipSealed
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import LAST_INTEGER
from evidence.db.pool import Connection
from ledger.canonical import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedContent:
    """Where a content is in the ledger: its clip, the entry that states this source of it, whether it was the first."""

    clip: UUID
    entry_id: UUID
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRow:
    """A sealed original; sizes in bytes, digests of 32 bytes. `sm3` is None where it was not computed."""

    clip: UUID
    name: str
    size: int
    chunk_size: int
    chunks: int
    root: bytes
    sha256: bytes
    received_at: datetime
    sealed_at: datetime
    entry_id: UUID
    sm3: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSource:
    """One source a content came from; `recorded_at`, `officer` and `key_mark` as its dock stated them."""

    entry_id: UUID
    repeated: bool
    upload: UUID
    actor: str
    name: str
    path: str
    raw: bool
    recorder: str | None
    dock: UUID | None
    inventory: UUID | None
    recorded_at: datetime | None
    officer: str | None
    key_mark: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeObject:
    """An object made from an original; `size` in bytes, `sha256` of 32 bytes."""

    kind: str
    sha256: bytes
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What could be made of an original."""

    entry_id: UUID
    attempt: int
    outcome: str
    reason: str | None
    tools: Mapping[str, str]
    parameters: Mapping[str, object]
    probe: Mapping[str, object]
    derived_at: datetime
    objects: tuple[MadeObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationRow:
    """One version of what people say about a clip; `content` as the payload states it, `reason` why it was written."""

    version: int
    content: JsonObject
    annotated_by: str
    annotated_at: datetime
    entry_id: UUID
    reason: str | None = None


# Projections


async def project_clip_sealed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `clip.sealed`: the clip and its first source."""
    sealed = ClipSealed.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip (clip, name, size, chunk_size, chunks, root, sha256, received_at, sealed_at, entry_id, sm3)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        sealed.clip,
        sealed.name,
        sealed.size,
        sealed.chunk_size,
        sealed.chunks,
        sealed.root,
        sealed.sha256,
        sealed.received_at,
        event.at,
        event.entry_id,
        sealed.sm3,
    )
    await _insert_source(conn, event, sealed, repeated=False)


async def project_clip_repeated(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.repeated`: another source of a clip."""
    await _insert_source(conn, event, ClipRepeated.model_validate(event.payload), repeated=True)


async def project_clip_derived(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `clip.derived`: the derivation and its objects."""
    derived = ClipDerived.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip_derivation
               (entry_id, clip, attempt, outcome, reason, tools, parameters, probe, derived_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        event.entry_id,
        derived.clip,
        derived.attempt,
        derived.outcome,
        derived.reason,
        derived.tools,
        derived.parameters,
        derived.probe,
        event.at,
    )
    await conn.executemany(
        "INSERT INTO clip_object (entry_id, kind, clip, sha256, size, media_type) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (event.entry_id, made.kind, derived.clip, made.sha256, made.size, made.media_type)
            for made in derived.objects
        ],
    )


async def project_clip_annotated(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `clip.annotated`."""
    annotated = ClipAnnotated.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO clip_annotation (clip, version, content, annotated_by, annotated_at, entry_id, reason)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        annotated.clip,
        annotated.version,
        event.payload["content"],
        event.actor,
        event.at,
        event.entry_id,
        annotated.reason,
    )


async def _insert_source(conn: Connection, event: RecordedEvent, sealed: ClipSealed, *, repeated: bool) -> None:
    await conn.execute(
        """INSERT INTO clip_source
               (entry_id, clip, repeated, upload, actor, name, path, raw, recorder, dock, inventory, recorded_at,
                officer, key_mark, received_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)""",
        event.entry_id,
        sealed.clip,
        repeated,
        sealed.upload,
        sealed.actor,
        sealed.name,
        sealed.path,
        sealed.raw,
        sealed.recorder,
        sealed.dock,
        sealed.inventory,
        sealed.recorded_at,
        sealed.officer,
        sealed.key_mark,
        sealed.received_at,
    )


# Intake asks


async def find_clip(conn: Connection, *, sha256: bytes) -> SealedContent | None:
    """Return the clip of a content (32 bytes, whole-file SHA-256) and the entry that sealed it first."""
    row = await conn.fetchrow("SELECT clip, entry_id FROM clip WHERE sha256 = $1", sha256)
    return None if row is None else SealedContent(clip=row["clip"], entry_id=row["entry_id"], repeated=False)


async def find_source(
    conn: Connection, *, dock: UUID, recorder: str, path: str, raw: bool, sha256: bytes
) -> SealedContent | None:
    """Return the entry of a content that this very source has delivered before."""
    row = await conn.fetchrow(
        """SELECT s.clip, s.entry_id, s.repeated FROM clip_source s JOIN clip c USING (clip)
           WHERE s.dock = $1 AND s.recorder = $2 AND s.path = $3 AND s.raw = $4 AND c.sha256 = $5
           ORDER BY s.entry_id LIMIT 1""",
        dock,
        recorder,
        path,
        raw,
        sha256,
    )
    return None if row is None else SealedContent(**dict(row))


async def keep_leaves(conn: Connection, *, sha256: bytes, leaves: Sequence[bytes]) -> None:
    """Keep the leaf hashes of an original, so that a fault can be named to its chunk."""
    await conn.execute(
        "INSERT INTO clip_leaves (sha256, leaves) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING",
        sha256,
        b"".join(leaves),
    )


async def read_leaves(conn: Connection, *, sha256: bytes) -> list[bytes] | None:
    """Return the kept leaf hashes of an original; unproven until their root is compared with the clip's."""
    joined: bytes | None = await conn.fetchval("SELECT leaves FROM clip_leaves WHERE sha256 = $1", sha256)
    return None if joined is None else [joined[start : start + 32] for start in range(0, len(joined), 32)]


# Reading


async def clip_row(conn: Connection, clip: UUID) -> ClipRow | None:
    """Return a sealed original by its id."""
    row = await conn.fetchrow(
        """SELECT clip, name, size, chunk_size, chunks, root, sha256, received_at, sealed_at, entry_id, sm3
           FROM clip WHERE clip = $1""",
        clip,
    )
    return None if row is None else ClipRow(**dict(row))


async def clip_sources(conn: Connection, clip: UUID) -> tuple[ClipSource, ...]:
    """Return every source of a clip, the first one first."""
    rows = await conn.fetch(
        """SELECT entry_id, repeated, upload, actor, name, path, raw, recorder, dock, inventory, recorded_at, officer,
                  key_mark, received_at
           FROM clip_source WHERE clip = $1 ORDER BY entry_id""",
        clip,
    )
    return tuple(ClipSource(**dict(row)) for row in rows)


async def newest_derivation(conn: Connection, clip: UUID) -> Derivation | None:
    """Return the derivation that counts, with its objects."""
    row = await conn.fetchrow(
        """SELECT entry_id, attempt, outcome, reason, tools, parameters, probe, derived_at
           FROM clip_derivation WHERE clip = $1 ORDER BY entry_id DESC LIMIT 1""",
        clip,
    )
    if row is None:
        return None
    objects = await conn.fetch(
        "SELECT kind, sha256, size, media_type FROM clip_object WHERE entry_id = $1 ORDER BY kind", row["entry_id"]
    )
    return Derivation(**dict(row), objects=tuple(MadeObject(**dict(made)) for made in objects))


async def newest_annotation(conn: Connection, clip: UUID) -> AnnotationRow | None:
    """Return the version that counts."""
    row = await conn.fetchrow(
        """SELECT version, content, annotated_by, annotated_at, entry_id, reason
           FROM clip_annotation WHERE clip = $1 ORDER BY version DESC LIMIT 1""",
        clip,
    )
    return None if row is None else _annotation(row)


async def annotation_version(conn: Connection, clip: UUID, version: int) -> AnnotationRow | None:
    """Return one version."""
    row = await conn.fetchrow(
        """SELECT version, content, annotated_by, annotated_at, entry_id, reason
           FROM clip_annotation WHERE clip = $1 AND version = $2""",
        clip,
        version,
    )
    return None if row is None else _annotation(row)


async def annotation_versions(
    conn: Connection, clip: UUID, *, before: int | None, limit: int
) -> Sequence[AnnotationRow]:
    """Return versions, the newest first, older than `before`."""
    rows = await conn.fetch(
        """SELECT version, content, annotated_by, annotated_at, entry_id, reason FROM clip_annotation
           WHERE clip = $1 AND version < $2 ORDER BY version DESC LIMIT $3""",
        clip,
        LAST_INTEGER if before is None else before,
        limit,
    )
    return [_annotation(row) for row in rows]


def _annotation(row: Record) -> AnnotationRow:
    return AnnotationRow(**dict(row))
