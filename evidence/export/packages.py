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
from typing import Any
from uuid import UUID

import structlog

from evidence.core.wire.receipt import format_receipt
from evidence.custody.record import record
from evidence.db.pool import Connection, Pool
from evidence.errors import CertificateImpossible, ReceiptPending
from evidence.export.archived import archived_of
from evidence.export.certificate.pdf import certificate_pdf
from evidence.export.clip import Exporter
from evidence.export.gathering import Subject, gather, subject_of
from evidence.export.members import Payload
from evidence.export.packing import certificate_of, payload_of
from evidence.receipts import build_receipt
from ledger.canonical import JsonObject
from ledger.publish import stored_checkpoint

Observe = Callable[[UUID], Awaitable[Sequence[Mapping[str, Any]]]]
"""Returns what the continuity of a clip gives occasion to note, with its innocent causes."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is handed over, and what it is about."""

    subject: Subject
    payload: Payload


async def read_package(
    exporter: Exporter, *, pool: Pool, case: UUID | None, clips: Sequence[UUID], observe: Observe
) -> Package:
    """Prove and read everything as of the exporter's checkpoint.

    Raises:
        CaseUnknown, ExportEmpty, ExportTooLarge: See `subject_of`.
        ClipUnknown, ReceiptPending, EvidenceDamaged: See `gather`; what cannot be verified is not handed over.
    """
    async with pool.acquire() as conn:
        subject = await subject_of(conn, case=case, clips=clips)
        exhibits = [await gather(exporter, conn, number=number, clip=clip) for number, clip in subject.numbered]
        archived = await archived_of(exporter, conn, subject)
    exhibits = [replace(one, observations=tuple(await observe(one.clip))) for one in exhibits]

    def make() -> Payload:
        showing = exporter.showing
        pdf = None
        try:
            pdf = certificate_pdf(certificate_of(showing, subject, exhibits).document)
        except CertificateImpossible as error:
            _log.warning("export.no_pdf", reason=error.message)
        return payload_of(showing, subject, exhibits, pdf=pdf, archived=archived)

    return Package(subject=subject, payload=await asyncio.to_thread(make))


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
