"""Annotating: every version is an entry in the ledger, replaces the one before as a whole, and none is ever lost.

Whoever writes names the version they have seen. Between the check and the insert nobody else can write a version of the
same clip: they wait for the lock, and then find that theirs is stale, with what changed meanwhile.

Crash story: a version is one transaction {entry, payload, row, search document}. Before its commit nothing is there;
after it, everything is, and a repeat with the same Idempotency-Key finds the answer (see `api.preconditions`), one
without a key is stale.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.clips.circumstances import Proposed
from evidence.clips.content import AnnotationContent, check_words
from evidence.clips.difference import Change, differences
from evidence.clips.errors import AnnotationUnknown
from evidence.clips.item_store import is_listed
from evidence.clips.reviews import check_reviews
from evidence.clips.store import AnnotationRow, annotation_version, annotation_versions, clip_row, newest_annotation
from evidence.clips.vocabulary import vocabulary
from evidence.clips.wording import check_wording
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import AnnotationInvalid, AnnotationStale, ClipUnknown
from ledger.canonical import JsonObject, JsonValue

CHANGES_SHOWN = 20
"""Most differences, and most versions, that a stale writer is told of at once; the rest is asked for."""


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
    reason: str | None = None,
    accepted: Collection[Proposed] = (),
) -> Annotated:
    """Write the next version of a clip's annotation, in the caller's transaction.

    Args:
        expected_version: The version the writer has seen, 0 when there was none.
        actor: Who writes it, for example `staff:<uuid>`.
        reason: Why there is a new version, in the writer's words.
        accepted: Proposals that this version takes over, as their transcript has them.

    Raises:
        ClipUnknown: There is no such clip.
        AnnotationStale: Another version is there; the details say which, and what changed since the one that was seen.
        AnnotationInvalid: A word is not in force or on no list, a character is not allowed, or it speaks in somebody
            else's name.
    """
    check_words(content, vocabulary())
    newest = await newest_locked(conn, clip)
    version = newest.version if newest else 0
    if version != expected_version:
        raise AnnotationStale(
            f"the annotation is at version {version}, not {expected_version}",
            clip=str(clip),
            version=version,
            **(await _meanwhile(conn, clip, seen=expected_version, newest=newest)),
        )
    before: JsonObject = newest.content if newest else {}
    stated = content.as_json()
    check_wording({"content": stated, "reason": reason}, known=before)
    if content.item_from == "list" and not await is_listed(conn, content.item or ""):
        raise AnnotationInvalid(f"no recording-item list has a key {content.item}", item=content.item)
    check_reviews(content, before=AnnotationContent.model_validate(before), actor=actor, accepted=accepted)
    payload: dict[str, JsonValue] = {"clip": str(clip), "version": version + 1, "content": stated}
    if reason is not None:
        payload["reason"] = reason
    recorded = await record(
        conn,
        type="clip.annotated",
        actor=actor,
        subject=f"clip:{clip}",
        payload=payload,
        clock=clock,
        entropy=entropy,
    )
    return Annotated(version=version + 1, entry_id=recorded.entry_id, at=recorded.at)


async def newest_locked(conn: Connection, clip: UUID) -> AnnotationRow | None:
    """Return the version that counts, and let nobody else write one until the transaction ends.

    Raises:
        ClipUnknown: There is no such clip.
    """
    await lock_subject(conn, f"annotation:{clip}")
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    return await newest_annotation(conn, clip)


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


async def get_annotation(conn: Connection, clip: UUID, version: int) -> AnnotationRow:
    """Return one version of a clip's annotation.

    Raises:
        ClipUnknown: There is no such clip.
        AnnotationUnknown: There is no such version.
    """
    row = await annotation_version(conn, clip, version)
    if row is None:
        if await clip_row(conn, clip) is None:
            raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
        raise AnnotationUnknown(f"the clip's annotation has no version {version}", clip=str(clip), version=version)
    return row


async def compare_annotations(conn: Connection, clip: UUID, *, since: int, version: int) -> list[Change]:
    """Return what changed between two versions; `since` 0 is before the first.

    Raises:
        ClipUnknown: There is no such clip.
        AnnotationUnknown: There is no such version.
    """
    after = await get_annotation(conn, clip, version)
    before = (await get_annotation(conn, clip, since)).content if since else {}
    return differences(before, after.content)


async def _meanwhile(
    conn: Connection, clip: UUID, *, seen: int, newest: AnnotationRow | None
) -> dict[str, list[JsonObject]]:
    """Tell a stale writer who wrote since, and what differs from what they saw; nothing of versions never written."""
    if newest is None or not 0 <= seen < newest.version:
        return {}
    before = await annotation_version(conn, clip, seen) if seen else None
    rows = await annotation_versions(conn, clip, before=None, limit=min(newest.version - seen, CHANGES_SHOWN))
    changes = differences(before.content if before else {}, newest.content)
    return {
        "versions": [{"version": row.version, "by": row.annotated_by, "reason": row.reason} for row in rows],
        "changes": [
            {"where": change.where, "change": change.change, "before": change.before, "after": change.after}
            for change in changes[:CHANGES_SHOWN]
        ],
    }
