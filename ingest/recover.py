"""Recovery: what a crash left at any point is finished by the functions that finish it every day.

What may be found at start, by the row's state, and what becomes of it:

- open, more bytes than acknowledged (crash between write and acknowledgement): the next writer cuts them off;
- open, fewer bytes (no crash but a failed or exchanged disk): quarantine with `upload.spool_lost`;
- complete, of staff (crash before or during sealing): sealed;
- complete, of a dock, no manifest yet: the bytes are read again for their digest, and wait;
- complete, a part: waits to be put together with the others (`ingest.concatenation`);
- complete, intent on record, bytes in the spool or among the objects (crash around the commit): sealed;
- open or complete, a reason in quarantine (crash in the middle of a refusal): the refusal is finished;
- sealed, quarantined or terminated, files in the spool (crash before the last tidying): removed;
- no row at all (a database older than the disk): quarantine, or removed when there is no byte.

Temporary files are removed when the spool is opened. Only rows of this spool are touched: other hosts recover theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import structlog

from evidence.db.pool import Pool
from ingest import store
from ingest.digests import Digests
from ingest.errors import SpoolLost
from ingest.offload import on_disk
from ingest.seal import Sealer
from ingest.spool import Spool
from ingest.store import UploadRow, UploadState
from ledger.errors import CodedError

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class RecoveryReport:
    """What recovery found and did, by upload.

    Attributes:
        resumable: Open uploads that can be continued.
        waiting: Complete uploads of docks whose manifest has not come, and complete parts.
        sealed: Sealed now.
        quarantined: In quarantine now.
        refused: Ended otherwise, with the code of their error.
        tidied: Ended before; their files were removed.
    """

    resumable: list[UUID] = field(default_factory=list)
    waiting: list[UUID] = field(default_factory=list)
    sealed: list[UUID] = field(default_factory=list)
    quarantined: list[UUID] = field(default_factory=list)
    refused: dict[UUID, str] = field(default_factory=dict)
    tidied: list[UUID] = field(default_factory=list)


async def recover(*, pool: Pool, spool: Spool, sealer: Sealer, digests: Digests) -> RecoveryReport:
    """Bring spool and rows of this host into agreement; safe to run again, and while uploads are running."""
    report = RecoveryReport()
    rows = await store.unfinished(pool, spool=spool.id, states=[UploadState.OPEN, UploadState.COMPLETE])
    for row in rows:
        await _finish(row, report, pool=pool, spool=spool, sealer=sealer, digests=digests)
    for upload in sorted(await on_disk(spool.uploads) - {row.id for row in rows}):
        await _tidy(upload, report, pool=pool, spool=spool, sealer=sealer)
    _log.info("uploads.recovered", **{name: len(getattr(report, name)) for name in report.__slots__})
    return report


async def _finish(
    row: UploadRow, report: RecoveryReport, *, pool: Pool, spool: Spool, sealer: Sealer, digests: Digests
) -> None:
    if await sealer.quarantine.resume(row):
        report.quarantined.append(row.id)
        return
    size = spool.size(row.id) or 0
    if row.state is UploadState.OPEN:
        if size >= row.offset:
            report.resumable.append(row.id)
        elif await _is_still_open(row, pool=pool):
            lost = SpoolLost(f"only {size} of {row.offset} acknowledged bytes are on disk")
            await sealer.quarantine.hold(row, code=lost.code, reason=lost.message)
            report.quarantined.append(row.id)
        return
    if not row.seals_itself and row.sha256 is None:
        if not row.partial:
            await digests.prepare(row.id, row.offset)
        report.waiting.append(row.id)
        return
    try:
        await sealer.seal(row.id)
        report.sealed.append(row.id)
    except CodedError as error:
        report.refused[row.id] = error.code


async def _is_still_open(row: UploadRow, *, pool: Pool) -> bool:
    # Another process may have completed and sealed it between our reading of the row and of the disk.
    current = await store.find(pool, row.id)
    return current is not None and current.state is UploadState.OPEN


async def _tidy(upload: UUID, report: RecoveryReport, *, pool: Pool, spool: Spool, sealer: Sealer) -> None:
    row = await store.find(pool, upload)
    if row is None and spool.size(upload):
        await sealer.quarantine.hold_orphan(upload)
        report.quarantined.append(upload)
    elif row is None or row.state not in (UploadState.OPEN, UploadState.COMPLETE):
        await on_disk(spool.discard, upload)
        report.tidied.append(upload)
