"""Logs on paper for witnesses: sizes, roots and proofs by the slow reference, and requests made from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.lexemes import format_base64
from ledger.note import Signer
from tests.support.clock import SeededEntropy
from tests.support.rfc6962 import leaves_of, proof, tree_hash

ORIGIN = "example.com/log"
SIGNER = Signer.generate(ORIGIN, SeededEntropy(21))


class PaperHistory:
    """One history of a log; two of them share the first `shared` leaves when they have different names."""

    def __init__(self, name: str = "main", *, count: int = 40, shared: int = 0) -> None:
        own = [hashlib.sha256(f"{name} {index}".encode()).digest() for index in range(count)]
        self.leaves: Sequence[bytes] = leaves_of(shared) + own[shared:]

    def note(self, size: int, *, signers: Sequence[Signer] = (SIGNER,), origin: str = ORIGIN) -> bytes:
        """Return the signed checkpoint of a size."""
        return sign_checkpoint(Checkpoint(origin, size, self.root(size)), signers)

    def root(self, size: int) -> bytes:
        """Return the root of a size."""
        return tree_hash(self.leaves[:size])

    def proof(self, old: int, size: int) -> list[bytes]:
        """Return the consistency proof."""
        return proof(old, self.leaves[:size]) if 0 < old < size else []

    def request(self, old: int, size: int, *, proof: Sequence[bytes] | None = None, note: bytes | None = None) -> bytes:
        """Return a request, written by hand; by default an honest one."""
        lines = self.proof(old, size) if proof is None else proof
        head = f"old {old}\n" + "".join(f"{format_base64(line)}\n" for line in lines)
        return head.encode() + b"\n" + (self.note(size) if note is None else note)
