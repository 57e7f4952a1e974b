"""What travels with evidence besides its bytes: a receipt that the reader's own judge accepts, and what it stands on.

Every package that leaves the house (an original, an excerpt, the beginning of a file) goes through here, so that all of
them are proved by the same receipt, stamps, policy and statements about keys, under the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.custody.timestamp_store import TimestampRow
from evidence.db.pool import Connection
from evidence.errors import ReceiptPending
from evidence.receipts import build_receipt, stamps_of
from evidence.verify.judge import Reading, judge_receipt
from evidence.verify.package import (
    CHECKPOINT_SUFFIX,
    KEYS_NAME,
    PAGE_NAME,
    POLICY_NAME,
    RECEIPT_SUFFIX,
    STAMP_SUFFIX,
)
from evidence.verify.page.page import page_bytes
from ledger.findings import Severity, is_clean
from ledger.key_history import KeyHistory
from ledger.policy import Policy
from ledger.publish import stored_checkpoint
from ledger.reader import LogReader


@dataclass(frozen=True, slots=True)
class Shown:
    """A receipt, what the judge reads in it, and the time stamps over its checkpoint."""

    receipt: Receipt
    reading: Reading
    stamps: tuple[TimestampRow, ...]

    @property
    def holds(self) -> bool:
        """Whether the judge has nothing against it."""
        return is_clean(self.reading.findings)

    @property
    def faults(self) -> list[str]:
        """Codes of what the judge has against it."""
        return [found.code for found in self.reading.findings if found.severity is Severity.ERROR]

    @property
    def authorities(self) -> list[str]:
        """Names of the authorities that stamped the checkpoint."""
        return [row.authority for row in self.stamps]


@dataclass(frozen=True, slots=True)
class Showing:
    """Shows entries of one log.

    Attributes:
        reader: The published log.
        policy: The log's key and witnesses; it goes into every package.
        keys: The keys the log had, whose statements go along; None or without any: the policy's alone.
        asof: The published checkpoint as of which everything is shown, byte for byte; None for the newest.
    """

    reader: LogReader
    policy: Policy
    keys: KeyHistory | None = None
    asof: bytes | None = None

    @property
    def believed(self) -> Policy:
        """Whose checkpoints a reader of a package will believe."""
        return self.policy if self.keys is None else self.policy.with_keys(self.keys)

    async def show(self, conn: Connection, entry_id: UUID) -> Shown:
        """Return the receipt of an entry against the earliest stamped checkpoint, else the newest, judged.

        Strangers' clocks speak for an entry as early as they can that way. A stamped checkpoint that does not meet the
        policy of today is left alone: what leaves the house verifies by that policy.

        Raises:
            ReceiptPending: No published checkpoint covers the entry yet.
            EvidenceDamaged, StorageUnreadable: See `build_receipt`.
        """
        size = None if self.asof is None else stored_checkpoint(self.asof).size
        stamps = await stamps_of(conn, entry_id, log_size=size)
        shown = await self._judged(conn, entry_id, stamps)
        return await self._judged(conn, entry_id, ()) if stamps and not shown.holds else shown

    async def _judged(self, conn: Connection, entry_id: UUID, stamps: Sequence[TimestampRow]) -> Shown:
        note = stamps[0].checkpoint if stamps else self.asof
        receipt = await build_receipt(conn, self.reader, entry_id, note=note)
        if receipt is None:
            raise ReceiptPending(f"entry {entry_id} is not yet in a published checkpoint", entry=str(entry_id))
        reading = judge_receipt(receipt, policy=self.believed, subject=f"entry:{entry_id}")
        return Shown(receipt, reading, tuple(stamps))

    def files(self, name: str, shown: Shown) -> dict[str, bytes]:
        """Return what lies beside the bytes called `name`: receipt, stamps, policy, keys and the page that verifies."""
        return {**self.trust(), PAGE_NAME: page_bytes(), **self.proofs(name, shown)}

    def trust(self) -> dict[str, bytes]:
        """Return policy and keys of the log."""
        keys = {KEYS_NAME: self.keys.format()} if self.keys and self.keys.statements else {}
        return {POLICY_NAME: self.policy.format(), **keys}

    def proofs(self, name: str, shown: Shown) -> dict[str, bytes]:
        """Return receipt, stamps and the stamped checkpoint of the bytes called `name`."""
        return {
            f"{name}{RECEIPT_SUFFIX}": format_receipt(shown.receipt),
            **{f"{name}.{row.authority}{STAMP_SUFFIX}": row.response for row in shown.stamps},
            **{f"{name}{CHECKPOINT_SUFFIX}": row.checkpoint for row in shown.stamps[:1]},
        }
