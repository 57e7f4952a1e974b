"""What a package holds of its case's legal review: receipts of every step, of the decision, and of who signed.

Only a package with all exhibits of the case carries them, because a round's manifest names all. They stand in the order
of the log, each proved against the package's checkpoint. `evidence.verify.rounds` judges them.
"""

from __future__ import annotations

from uuid import UUID

from evidence.cases.store import exhibits_after
from evidence.core.wire.receipt import format_receipt
from evidence.db.pool import Connection
from evidence.export.clip import Exporter
from evidence.export.gathering import EXHIBITS_MAX, Subject
from evidence.receipts import build_receipt
from evidence.review.machine import Step
from evidence.review.revocation_store import revocations_of
from evidence.review.store import find_decision, person_entries, steps_of
from ledger.publish import stored_checkpoint
from ledger.store import published_indices

_SIGNED = ("submitted", "opined")


async def review_of(exporter: Exporter, conn: Connection, subject: Subject) -> bytes | None:
    """Return `review.receipts` of the case that a package is about, as of its checkpoint.

    Returns:
        None where it is about no case or some exhibits of one, or nothing of a review was on record then.

    Raises:
        EvidenceDamaged, StorageUnreadable: See `build_receipt`.
    """
    if subject.case is None or exporter.asof is None:
        return None
    case, size = subject.case.case_id, stored_checkpoint(exporter.asof).size
    linked = await exhibits_after(conn, case, after=0, limit=EXHIBITS_MAX + 1)
    if {one.clip for one in linked} != {clip for _, clip in subject.numbered}:
        return None
    steps, decision = await steps_of(conn, case), await find_decision(conn, case)
    revoked = await revocations_of(conn, case)
    about = [one.entry_id for one in steps] + [one.entry_id for one in revoked]
    about += [] if decision is None else [decision.entry_id]
    places = await published_indices(conn, [*about, *await person_entries(conn, _signers(steps))])
    wanted = sorted((index, entry) for entry, index in places.items() if index < size)
    if not any(entry in about for _, entry in wanted):
        return None
    receipts = [await build_receipt(conn, exporter.reader, entry, note=exporter.asof) for _, entry in wanted]
    return b"".join(format_receipt(one) for one in receipts if one is not None)


def _signers(steps: list[Step]) -> list[UUID]:
    return [UUID(step.stated_by.removeprefix("staff:")) for step in steps if step.kind in _SIGNED]
