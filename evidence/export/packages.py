"""One package: read and proved, put on record, shown to be on record. Writing it is `archive`'s business.

1. every exhibit is proved and read, the lists are made            nothing has happened yet
2. `case.exported` or `clips.exported` is committed, naming the    crash: a trace without a package, harmless
   digest of the list of files
3. its receipt is asked for once it is published                   crash: the same

Nothing may leave before 2.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from evidence.core.wire.receipt import format_receipt
from evidence.custody.record import record
from evidence.db.pool import Connection, Pool
from evidence.errors import ReceiptPending
from evidence.export.archived import archived_of
from evidence.export.clip import Exporter, in_thread, locate_original
from evidence.export.enclosing import Enclosed, enclose
from evidence.export.folder import blaming_target
from evidence.export.gathering import Exhibit, Subject, gather, subject_of
from evidence.export.members import Payload
from evidence.export.packing import Packing
from evidence.export.parts import Part
from evidence.export.reviewed import review_of
from evidence.export.spool import Spool
from evidence.receipts import build_receipt
from evidence.verify.archived import SHELVES
from evidence.verify.excerpt_statement import span_body
from ledger.canonical import JsonObject
from ledger.publish import stored_checkpoint

Observe = Callable[[UUID], Awaitable[Sequence[Mapping[str, Any]]]]
"""Returns what the continuity of a clip gives occasion to note, with its innocent causes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is handed over, and what it is about; `excerpts` says so of exhibits that are not handed over whole."""

    subject: Subject
    payload: Payload
    excerpts: tuple[JsonObject, ...] = ()


async def read_package(
    exporter: Exporter,
    *,
    pool: Pool,
    case: UUID | None,
    clips: Sequence[UUID],
    parts: Sequence[Part] = (),
    observe: Observe,
    spool: Spool,
) -> Package:
    """Prove and read everything as of the exporter's checkpoint; what is read of an exhibit goes to the spool.

    Args:
        parts: Exhibits that are handed over as excerpts.
        spool: Has to be open as long as the package's bytes are wanted.

    Raises:
        CaseUnknown, ExportEmpty, ExportTooLarge: See `subject_of`.
        ClipUnknown, ReceiptPending, EvidenceDamaged: See `gather`; what cannot be verified is not handed over.
        ExportNoSpace, ExportTargetUnusable: The spool's disk is full, or fails.
    """
    async with pool.acquire() as conn:
        subject = await subject_of(conn, case=case, clips=clips)
        archived = await archived_of(exporter, conn, subject)
        review = await review_of(exporter, conn, subject)
    wanted_parts = {part.clip: part for part in parts}
    enclosed = list[JsonObject]()
    packing = Packing(exporter.showing, subject, spool)
    documents = () if archived is None else archived.documents
    wanted = [(shelf, *one) for shelf, many in zip(SHELVES, (subject.numbered, documents), strict=True) for one in many]
    with blaming_target(Path("the spool")):
        for shelf, number, clip in wanted:
            async with pool.acquire() as conn:
                read = await gather(exporter, conn, number=number, clip=clip)
            if shelf == SHELVES[0]:
                part = wanted_parts.get(clip)
                excerpt = None if part is None else await _enclosed(exporter, read, part)
                enclosed += [] if excerpt is None else [_excerpted(excerpt)]
                read = replace(read, observations=tuple(await observe(clip)), enclosed=excerpt)
            await asyncio.to_thread(packing.add, replace(read, shelf=shelf))
        finish = partial(packing.finish, archive=None if archived is None else archived.receipt, review=review)
        payload = await asyncio.to_thread(finish)
    return Package(subject=subject, payload=payload, excerpts=tuple(enclosed))


async def _enclosed(exporter: Exporter, read: Exhibit, part: Part) -> Enclosed:
    sealed = read.proven.sealed

    def work(stop: threading.Event) -> Enclosed:
        original = locate_original(exporter.objects, sealed)
        return enclose(part, sealed, leaves=read.leaves, original=original, stop=stop)

    return await in_thread(work)


async def announce(
    conn: Connection, exporter: Exporter, package: Package, *, export: UUID, purpose: str, actor: str
) -> UUID:
    """Put a package on record, in the caller's transaction; return the entry."""
    case, payload = package.subject.case, package.payload
    said: JsonObject = {
        "export": str(export),
        "case": None if case is None else str(case.case_id),
        "clips": [str(clip) for _, clip in package.subject.numbered],
        "purpose": purpose,
        "manifest": payload.manifest_sha256.hex(),
        "files": len(payload.members),
        "bytes": payload.bytes,
        "log_size": stored_checkpoint(exporter.showing.asof or b"").size,
        **({"excerpts": [*package.excerpts]} if package.excerpts else {}),
    }
    recorded = await record(
        conn,
        type="clips.exported" if case is None else "case.exported",
        actor=actor,
        subject=f"export:{export}" if case is None else f"case:{case.case_id}",
        payload=said,
        clock=exporter.clock,
        entropy=exporter.entropy,
    )
    return recorded.entry_id


def _excerpted(one: Enclosed) -> JsonObject:
    statement = one.statement
    return {
        "clip": str(statement.clip),
        "spans": [span_body(told.asked) for told in statement.spans],
        "chunks": one.chunks,
        "bytes": statement.held_bytes,
        "left_out": one.left_out_bytes,
    }


async def trace_of(exporter: Exporter, entry_id: UUID, *, pool: Pool) -> bytes:
    """Return the receipt of a package's entry against the newest checkpoint.

    Raises:
        ReceiptPending: No published checkpoint covers it yet.
    """
    async with pool.acquire() as conn:
        receipt = await build_receipt(conn, exporter.reader, entry_id)
    if receipt is None:
        raise ReceiptPending("the entry of the package is not yet in a published checkpoint", entry=str(entry_id))
    return format_receipt(receipt)
