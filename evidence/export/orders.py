"""Asking for packages, and how far they are; nothing is proved or read here that is not needed to say yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.db.pool import Connection, Pool
from evidence.errors import ClipUnknown, ExportSpansInvalid, ExportUnknown, ReceiptPending
from evidence.export import job_store
from evidence.export.gathering import subject_of
from evidence.export.job_store import ExportJob
from evidence.export.parts import Part, Wanted, spans_by_clip
from evidence.verify.excerpt_statement import Span
from ledger.publish import stored_checkpoint
from ledger.reader import LogReader
from ledger.store import published_indices


async def order_export(
    conn: Connection,
    *,
    case: UUID | None,
    clips: Sequence[UUID],
    parts: Sequence[Part] = (),
    purpose: str,
    actor: str,
    reader: LogReader,
    clock: Clock,
    entropy: Entropy,
) -> ExportJob:
    """Ask for a package as of the newest published checkpoint, in the caller's transaction.

    Args:
        case: The case whose exhibits are wanted; None for clips by themselves.
        clips: Which; empty for all exhibits of the case.
        parts: Which of them are handed over as excerpts, and of which chunks; located for the spans of `spans_wanted`.

    Raises:
        CaseUnknown, ClipUnknown, ExportEmpty, ExportTooLarge: There is nothing of the kind, or too much of it.
        ExportSpansInvalid: A part is of no exhibit of the package any more.
        ReceiptPending: One of the clips is not yet in a published checkpoint.
    """
    subject = await subject_of(conn, case=case, clips=clips)
    known = {clip for _, clip in subject.numbered}
    if strange := [part.clip for part in parts if part.clip not in known]:
        raise ExportSpansInvalid(f"clip {strange[0]} is none of the package", clip=str(strange[0]))
    note = await reader.checkpoint()
    wanted = [clip for _, clip in subject.numbered]
    await _require_published(conn, wanted, size=stored_checkpoint(note).size)
    export = uuid7(clock=clock, entropy=entropy)
    await job_store.insert(
        conn,
        export=export,
        actor=actor,
        purpose=purpose,
        case_id=case,
        clips=wanted,
        parts=parts,
        note=note,
        at=clock(),
    )
    return await find_export(conn, export)


async def spans_wanted(
    conn: Connection, *, case: UUID | None, clips: Sequence[UUID], wanted: Sequence[Wanted]
) -> dict[UUID, tuple[Span, ...]]:
    """Return the seconds wanted of each exhibit of a package that somebody is about to ask for.

    Raises:
        CaseUnknown, ExportEmpty, ExportTooLarge: See `subject_of`.
        ExportSpansInvalid, ExportTooManySpans: See `spans_by_clip`.
    """
    subject = await subject_of(conn, case=case, clips=clips)
    return spans_by_clip(wanted, among=[clip for _, clip in subject.numbered])


async def repeat_export(
    conn: Connection, *, export: UUID, purpose: str, actor: str, clock: Clock, entropy: Entropy
) -> ExportJob:
    """Ask for the same package again, as of the same checkpoint: the same bytes but for its own time and trace.

    Raises:
        ExportUnknown: There is no such package.
    """
    before = await find_export(conn, export)
    again = uuid7(clock=clock, entropy=entropy)
    await job_store.insert(
        conn,
        export=again,
        actor=actor,
        purpose=purpose,
        case_id=before.case_id,
        clips=before.clips,
        parts=before.parts,
        note=before.note,
        at=clock(),
    )
    return await find_export(conn, again)


async def find_export(db: Connection | Pool, export: UUID) -> ExportJob:
    """Return how far a package is.

    Raises:
        ExportUnknown: Nobody asked for it.
    """
    job = await job_store.find(db, export)
    if job is None:
        raise ExportUnknown(f"there is no package {export}", export=str(export))
    return job


async def _require_published(conn: Connection, clips: Sequence[UUID], *, size: int) -> None:
    for clip in clips:
        row = await clip_row(conn, clip)
        if row is None:
            raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
        index = (await published_indices(conn, [row.entry_id])).get(row.entry_id)
        if index is None or index >= size:
            raise ReceiptPending(f"clip {clip} is not yet in a published checkpoint", clip=str(clip))
