"""Receipts of what is on record, put together from the payload in the database and the proof from the published log.

The parts come from places that fail and can be tampered with separately, so they are held against each other before a
receipt goes out: a service that hands out receipts nobody can verify would hide its own damage.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from evidence.core.wire.receipt import Receipt, open_payload
from evidence.custody.store import find_payload
from evidence.custody.timestamp_store import TimestampRow, timestamps_covering
from evidence.db.pool import Connection
from evidence.errors import EvidenceDamaged
from ledger.canonical import decode_entry
from ledger.errors import CodedError
from ledger.proof import format_proof
from ledger.reader import LogReader
from ledger.store import published_indices


async def build_receipt(
    conn: Connection, reader: LogReader, entry_id: UUID, *, note: bytes | None = None
) -> Receipt | None:
    """Return the receipt of an entry, None while no published checkpoint covers it.

    Asked again later it gives the same entry, payload and salt with a newer proof.

    Args:
        conn: Any connection.
        reader: The published log.
        entry_id: The entry.
        note: The published checkpoint to prove it against, which has to cover it; None for the newest.

    Raises:
        EvidenceDamaged: The payload is gone, or is not what the published entry commits to.
        StorageUnreadable: The published files are damaged.
    """
    index = (await published_indices(conn, [entry_id])).get(entry_id)
    if index is None:
        return None
    stored = await find_payload(conn, entry_id)
    if stored is None:
        raise EvidenceDamaged(f"the payload of entry {entry_id} is gone", entry=str(entry_id))
    entry = await reader.entry(index)
    try:
        decoded = decode_entry(entry)
        open_payload(decoded, payload=stored.payload, salt=stored.salt)
    except CodedError as error:
        raise EvidenceDamaged(f"entry {entry_id} and its payload do not fit: {error}", entry=str(entry_id)) from error
    if decoded.id != entry_id:
        raise EvidenceDamaged(f"the log has {decoded.id} where entry {entry_id} belongs", entry=str(entry_id))
    proof = format_proof(await reader.prove(index, note=note))
    return Receipt(entry=entry, payload=stored.payload, salt=stored.salt, proof=proof)


async def stamps_of(conn: Connection, entry_id: UUID) -> Sequence[TimestampRow]:
    """Return the time stamps over the earliest stamped checkpoint that covers an entry; see `timestamps_covering`."""
    index = (await published_indices(conn, [entry_id])).get(entry_id)
    return [] if index is None else await timestamps_covering(conn, index)
