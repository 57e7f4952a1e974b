"""One package: read and proved, put on record, shown to be on record. Writing it is `archive`'s business.

1. every exhibit is proved and read, the lists are made            nothing has happened yet
2. `case.exported` or `clips.exported` is committed, naming the    crash: a trace without a package, harmless
   digest of the list of files
3. its receipt is asked for once it is published                   crash: the same

Nothing may leave before 2.
"""

from __future__ import annotations

import asyncio
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
from evidence.export.clip import Exporter
from evidence.export.folder import blaming_target
from evidence.export.gathering import Subject, gather, subject_of
from evidence.export.members import Payload
from evidence.export.packing import Packing
from evidence.export.reviewed import review_of
from evidence.export.spool import Spool
from evidence.receipts import build_receipt
from evidence.verify.archived import SHELVES
from ledger.canonical import JsonObject
from ledger.publish import stored_checkpoint

Observe = Callable[[UUID], Awaitable[Sequence[Mapping[str, Any]]]]
"""Returns what the continuity of a clip gives occasion to note, with its innocent causes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is handed over, and what it is about."""

    subject: Subject
    payload: Payload


async def read_package(
    exporter: Exporter, *, pool: Pool, case: UUID | None, clips: Sequence[UUID], observe: Observe, spool: Spool
) -> Package:
    """Prove and read everything as of the exporter's checkpoint; what is read of an exhibit goes to the spool.

    Args:
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
    packing = Packing(exporter.showing, subject, spool)
    documents = () if archived is None else archived.documents
    wanted = [(shelf, *one) for shelf, many in zip(SHELVES, (subject.numbered, documents), strict=True) for one in many]
    with blaming_target(Path("the spool")):
        for shelf, number, clip in wanted:
            async with pool.acquire() as conn:
                read = await gather(exporter, conn, number=number, clip=clip)
            observed = tuple(await observe(clip)) if shelf == SHELVES[0] else ()
            await asyncio.to_thread(packing.add, replace(read, shelf=shelf, observations=observed))
        finish = partial(packing.finish, archive=None if archived is None else archived.receipt, review=review)
        payload = await asyncio.to_thread(finish)
    return Package(subject=subject, payload=payload)


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
