"""A transparency log in memory that issues real receipts: real entries, real tree, real signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from evidence.core.clock import Entropy, utc_now
from evidence.core.ids import uuid7
from evidence.core.wire.receipt import Receipt, format_receipt
from ledger.canonical import SALT_BYTES, Entry, JsonObject, canonical_json, commitment, encode_entry
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.key_history import KeyHistory
from ledger.key_statement import Retirement, Succession, sign_retirement, sign_succession
from ledger.note import Signer
from ledger.proof import LogProof, format_proof
from ledger.tree import Node, leaf_hash, prove_inclusion, root_of


@dataclass(frozen=True)
class Logged:
    """One entry with what it commits to."""

    entry: Entry
    payload: JsonObject
    salt: bytes


class MemoryLog:
    """An append-only log; `signer` signs its checkpoints."""

    def __init__(self, origin: str, *, entropy: Entropy) -> None:
        self.signer = Signer.generate(origin, entropy)
        self.first = self.signer.verifier
        self.elder: Signer | None = None
        self.statements: list[bytes] = []
        self.logged: list[Logged] = []
        self._entropy = entropy

    def append(self, *, kind: str, actor: str, subject: str, payload: JsonObject) -> int:
        """Append an entry and return its index."""
        salt = self._entropy(SALT_BYTES)
        entry = Entry(
            type=kind,
            id=uuid7(clock=utc_now, entropy=self._entropy),
            at=datetime.now(UTC).replace(microsecond=0),
            actor=actor,
            subject=subject,
            commit=commitment(salt=salt, payload=canonical_json(payload)),
        )
        self.logged.append(Logged(entry, payload, salt))
        return len(self.logged) - 1

    def follow(self) -> None:
        """Let a new key follow; both sign until `retire`."""
        self.elder, self.signer = self.signer, Signer.generate(self.signer.name, self._entropy)
        number = len(self.statements) // 2 + 1
        statement = Succession(number, self.elder.verifier, self.signer.verifier, len(self.logged))
        self.statements.append(sign_succession(statement, old=self.elder, new=self.signer))
        self.append(kind="log.key_rotated", actor="service", subject="log", payload={})

    def retire(self) -> Signer:
        """End the elder of two keys and return it, as a thief would have it."""
        assert self.elder is not None
        elder, self.elder = self.elder, None
        number = (len(self.statements) + 1) // 2
        statement = Retirement(number, elder.verifier, self.signer.verifier, len(self.logged))
        self.statements.append(sign_retirement(statement, by=self.signer))
        self.append(kind="log.key_retired", actor="service", subject="log", payload={})
        return elder

    @property
    def keys(self) -> KeyHistory:
        """The keys as its statements tell them."""
        return KeyHistory.made(self.first, self.statements)

    def entry_id(self, index: int) -> UUID:
        """Return the id of an entry."""
        return self.logged[index].entry.id

    def checkpoint(self, *, signer: Signer | None = None) -> bytes:
        """Return the newest checkpoint, signed by the log or, for a forgery, by another key."""
        leaves = [leaf_hash(encode_entry(item.entry)) for item in self.logged]
        checkpoint = Checkpoint(self.signer.name, len(leaves), root_of(leaves))
        ours = [self.signer] if self.elder is None else [self.elder, self.signer]
        return sign_checkpoint(checkpoint, [signer] if signer else ours)

    def receipt(self, index: int, *, signer: Signer | None = None, payload: JsonObject | None = None) -> bytes:
        """Return the receipt of an entry; `signer` and `payload` make false ones."""
        item = self.logged[index]
        leaves = [leaf_hash(encode_entry(other.entry)) for other in self.logged]

        def read(nodes: Sequence[Node]) -> Sequence[bytes]:
            return [root_of(leaves[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]

        proof = LogProof(
            index=index,
            path=prove_inclusion(read, index, len(leaves)),
            checkpoint=self.checkpoint(signer=signer),
            extra=None,
        )
        return format_receipt(
            Receipt(
                entry=encode_entry(item.entry),
                payload=canonical_json(item.payload if payload is None else payload),
                salt=item.salt,
                proof=format_proof(proof),
            )
        )


def other_signer_like(log: MemoryLog, *, entropy: Entropy) -> Signer:
    """Return another key under the log's name: what a forger without the log's key would use."""
    return Signer.generate(log.signer.name, entropy)
