"""The proof beside a published record: its entries with their tlog-proofs, and what may be shown of them.

Only the version that is public comes with payload and salt, and a withdrawal, whose reason is public. All else is
proved without being shown: that there was a version, and when.
"""

from __future__ import annotations

from evidence.core.wire.published import PARTS_MAX, PublishedPart, format_published
from evidence.db.pool import Connection
from evidence.publicity.public import PublicView
from evidence.receipts import build_receipt
from ledger.reader import LogReader


async def build_proof(conn: Connection, reader: LogReader, view: PublicView) -> bytes | None:
    """Return the proof of what anybody sees of a publication, as `evidence.core.wire.published` writes it.

    Returns:
        None while one of its entries is not under a published checkpoint yet.

    Raises:
        EvidenceDamaged: A payload is gone, or is not what the published entry commits to.
        StorageUnreadable: The published log is damaged.
    """
    shown = {None if view.issue is None else view.issue.entry_id, view.gone_entry}
    entries = [one.entry_id for one in view.versions[-(PARTS_MAX - 1) :]]
    if view.gone_entry is not None:
        entries.append(view.gone_entry)
    parts = []
    for entry in entries:
        receipt = await build_receipt(conn, reader, entry)
        if receipt is None:
            return None
        is_shown = entry in shown
        parts.append(
            PublishedPart(
                entry=receipt.entry,
                proof=receipt.proof,
                payload=receipt.payload if is_shown else None,
                salt=receipt.salt if is_shown else None,
            )
        )
    return format_published(parts)
