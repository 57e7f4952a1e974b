"""Redacted copies: a derivative of a clip with parts made unseen and unheard, linked to it by what was changed and why.

1. a child process makes the copy from the original in a work folder     crash: a work folder; its name says so
2. the copy becomes an object                                            crash: an object that nobody names, harmless
3. one transaction: `clip.redacted` with the digests of both, the list   crash: all or nothing
   of changes and the reasons

The original stays as it is and stays the evidence. A copy is never changed either: another wish is another copy.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from evidence.clips.redaction import RedactionContent
from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.pool import Connection, Pool
from evidence.errors import ClipUnknown
from evidence.objects.store import ObjectStore
from ingest.errors import RedactionRefused
from ingest.media.errors import MediaError
from ingest.media.pieces import Piece, make_piece
from ingest.offload import on_disk
from ingest.workroom import workroom
from ledger.canonical import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A redacted copy on record: its id and entry, its bytes' digest and size, and what the child counted."""

    redaction: UUID
    clip: UUID
    entry_id: UUID
    sha256: bytes
    size: int
    media_type: str
    made: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Redactor:
    """Makes redacted copies; `workspace` is a folder on the file system of the objects."""

    pool: Pool
    objects: ObjectStore
    workspace: Path
    clock: Clock
    entropy: Entropy

    async def redact(self, *, clip: UUID, content: RedactionContent, actor: str) -> Redacted:
        """Make a copy, keep it and put it on record.

        Raises:
            ClipUnknown: There is no such clip.
            ObjectMissing, ObjectDamaged: Its original is not there, or not whole.
            RedactionRefused: No such copy can be made of this file.
        """
        async with self.pool.acquire() as conn:
            row = await clip_row(conn, clip)
        if row is None:
            raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
        original = await on_disk(self.objects.open_path, row.sha256.hex())
        async with workroom(self.workspace, prefix="redaction-") as folder:
            piece = await _make(original, folder, content)
            sha256, size = await on_disk(_measured, piece.path)
            await on_disk(self.objects.adopt, piece.path, sha256.hex())
        async with self.pool.acquire() as conn, conn.transaction():
            return await self._record(conn, row.sha256, clip, content, piece, sha256=sha256, size=size, actor=actor)

    async def _record(
        self,
        conn: Connection,
        parent: bytes,
        clip: UUID,
        content: RedactionContent,
        piece: Piece,
        *,
        sha256: bytes,
        size: int,
        actor: str,
    ) -> Redacted:
        made = {name: value for name, value in piece.facts.probe.items() if name != "media_type"}
        media_type = str(piece.facts.probe.get("media_type"))
        redaction = uuid7(clock=self.clock, entropy=self.entropy)
        recorded = await record(
            conn,
            type="clip.redacted",
            actor=actor,
            subject=f"clip:{clip}",
            payload={
                "clip": str(clip),
                "redaction": str(redaction),
                "parent": parent.hex(),
                "sha256": sha256.hex(),
                "size": size,
                "media_type": media_type,
                "changes": content.as_json(),
                "tools": piece.facts.tools,
                "made": made,
            },
            clock=self.clock,
            entropy=self.entropy,
        )
        return Redacted(
            redaction=redaction,
            clip=clip,
            entry_id=recorded.entry_id,
            sha256=sha256,
            size=size,
            media_type=media_type,
            made=made,
        )


async def _make(original: Path, folder: Path, content: RedactionContent) -> Piece:
    # Reasons are people's words and no business of a process that decodes hostile bytes.
    changes = content.model_dump(mode="json", exclude={"reason": True, "cover": {"__all__": {"why"}}})
    changes["mute"] = [{"from_ms": span.from_ms, "to_ms": span.to_ms} for span in content.mute]
    try:
        return await make_piece(original, folder, {"task": "redact", "changes": changes})
    except MediaError as error:
        raise RedactionRefused(f"no redacted copy can be made of this file: {error}", why=error.code) from error


def _measured(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return digest, file.tell()
