"""Receipts of what is on record, put together from the payload in the database and the proof from the published log.

The parts come from places that fail and can be tampered with separately, so they are held against each other before a
receipt goes out: a service that hands out receipts nobody can verify would hide its own damage.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from evidence.core.wire.copied import asked_store
from evidence.core.wire.receipt import Receipt, open_payload, parse_payload
from evidence.core.wire.sealed import read_sealed
from evidence.custody.store import find_payload
from evidence.custody.timestamp_store import TimestampRow, timestamps_covering
from evidence.db.pool import Connection
from evidence.errors import EvidenceDamaged
from evidence.objects.copy_store import first_copy_entry
from evidence.parties.store import key_entries
from evidence.verify.docks import format_chain
from ledger.canonical import decode_entry
from ledger.errors import CodedError
from ledger.proof import format_proof, parse_proof
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


async def build_copy_receipt(conn: Connection, reader: LogReader, receipt: Receipt) -> list[Receipt] | None:
    """Return what lets a dock clear: a seal's receipt, followed by that of the copy where the seal asks for one.

    Args:
        conn: Any connection.
        reader: The published log.
        receipt: The seal's.

    Returns:
        None while the copy that is asked for is not on record, or not under a published checkpoint.

    Raises:
        EvidenceDamaged, StorageUnreadable: See `build_receipt`.
    """
    payload = parse_payload(receipt.payload)
    store = asked_store(payload)
    if store is None:
        return [receipt]
    sealed = read_sealed(decode_entry(receipt.entry), payload)
    entry = await first_copy_entry(conn, clip=sealed.clip, sha256=sealed.digest.sha256, store=store)
    copy = None if entry is None else await build_receipt(conn, reader, entry)
    return None if copy is None else [receipt, copy]


async def stamps_of(conn: Connection, entry_id: UUID, *, log_size: int | None = None) -> Sequence[TimestampRow]:
    """Return the time stamps over the earliest stamped checkpoint that covers an entry; see `timestamps_covering`."""
    index = (await published_indices(conn, [entry_id])).get(entry_id)
    return [] if index is None else await timestamps_covering(conn, index, log_size=log_size)


async def build_dock_receipts(conn: Connection, reader: LogReader, receipt: Receipt, *, before: int) -> bytes | None:
    """Return the receipts of the entries of a clip's dock's keys, one after the other, as a verifier reads them.

    Args:
        receipt: The clip's.
        before: Place of the clip's entry in the log; what came later has no part in it.

    Returns:
        None when no dock sent the clip, or nothing shows its keys.

    Raises:
        EvidenceDamaged, StorageUnreadable: See `build_receipt`.
        WireLimit: There are more changes of key than a verifier reads.
    """
    dock = parse_payload(receipt.payload).get("dock")
    if dock is None:
        return None
    # Against the very checkpoint of the clip's receipt, which covers them: one state of the log for all of it.
    note = parse_proof(receipt.proof).checkpoint
    entries = await key_entries(conn, UUID(str(dock)))
    places = await published_indices(conn, entries)
    earlier = [entry for entry in entries if entry in places and places[entry] < before]
    built = [await build_receipt(conn, reader, entry, note=note) for entry in earlier]
    receipts = [one for one in built if one is not None]
    return format_chain(receipts) if receipts else None
