"""What a package of an archived case holds besides its exhibits: the receipt of what was frozen, and the documents.

Only a package with all exhibits of the case says that it is the archived case, and only when the case had been archived
as of the package's checkpoint. `evidence.verify.archived` judges it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from evidence.cases.statement_store import archived_by
from evidence.core.wire.receipt import format_receipt
from evidence.db.pool import Connection
from evidence.export.clip import Exporter
from evidence.export.gathering import Subject
from evidence.receipts import build_receipt
from ledger.publish import stored_checkpoint
from ledger.store import published_indices


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedCase:
    """A case as it was frozen.

    Attributes:
        receipt: Of the entry `case.archived`.
        documents: Its documents in the order of the manifest: place there, and clip.
    """

    receipt: bytes
    documents: tuple[tuple[int, UUID], ...]


async def archived_of(exporter: Exporter, conn: Connection, subject: Subject) -> ArchivedCase | None:
    """Return what was frozen of the case that a package is about.

    Returns:
        None where it is about no case or about some exhibits of one, or the case was not archived as of its checkpoint.

    Raises:
        EvidenceDamaged, StorageUnreadable: See `build_receipt`.
    """
    entry = None if subject.case is None else await archived_by(conn, subject.case.case_id)
    if entry is None or exporter.asof is None:
        return None
    index = (await published_indices(conn, [entry])).get(entry)
    if index is None or index >= stored_checkpoint(exporter.asof).size:
        return None
    receipt = await build_receipt(conn, exporter.reader, entry, note=exporter.asof)
    if receipt is None:
        return None
    manifest: dict[str, Any] = json.loads(receipt.payload)["manifest"]
    if {str(clip) for _, clip in subject.numbered} != {one["clip"] for one in manifest["exhibits"]}:
        return None
    documents = tuple((place, UUID(one["clip"])) for place, one in enumerate(manifest["documents"], 1))
    return ArchivedCase(receipt=format_receipt(receipt), documents=documents)
