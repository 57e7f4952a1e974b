"""Annotating: every version is an entry in the ledger, replaces the one before as a whole, and none is ever lost.

Whoever writes names the version they have seen. Between the check and the insert nobody else can write a version of the
same clip: they wait for the lock, and then find that theirs is stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.clips.content import AnnotationContent, check_words
from evidence.clips.store import AnnotationRow, annotation_versions, clip_row, newest_annotation
from evidence.clips.vocabulary import vocabulary
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import AnnotationStale, ClipUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """A version on record."""

    version: int
    entry_id: UUID
    at: datetime


async def annotate(
    conn: Connection,
    *,
    clip: UUID,
    content: AnnotationContent,
    expected_version: int,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Annotated:
    """Write the next version of a clip's annotation, in the caller's transaction.

    Args:
        expected_version: The version the writer has seen, 0 when there was none.
        actor: Who writes it, for example `staff:<uuid>`.

    Raises:
        ClipUnknown: There is no such clip.
        AnnotationStale: Another version is there; `details["version"]` says which.
        AnnotationInvalid: A marker or speaker uses a word that is not in force.
    """
    check_words(content, vocabulary())
    await lock_subject(conn, f"annotation:{clip}")
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    newest = await newest_annotation(conn, clip)
    version = newest.version if newest else 0
    if version != expected_version:
        raise AnnotationStale(
            f"the annotation is at version {version}, not {expected_version}", clip=str(clip), version=version
        )
    recorded = await record(
        conn,
        type="clip.annotated",
        actor=actor,
        subject=f"clip:{clip}",
        payload={"clip": str(clip), "version": version + 1, "content": content.as_json()},
        clock=clock,
        entropy=entropy,
    )
    return Annotated(version=version + 1, entry_id=recorded.entry_id, at=recorded.at)


async def list_annotations(
    conn: Connection, clip: UUID, *, before: int | None = None, limit: int = 50
) -> Sequence[AnnotationRow]:
    """Return the versions of a clip's annotation, the newest first, older than version `before`.

    Raises:
        ClipUnknown: There is no such clip.
    """
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    return await annotation_versions(conn, clip, before=before, limit=limit)
