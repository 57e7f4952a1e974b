"""A whole log on a sheet of paper: entries in a list, real hashes, real proofs, a real key; nothing is stored.

Fixed seeds make the same bytes on every run, so that vectors can be kept in files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from evidence.core.digest import ClipHasher
from evidence.core.wire.clip_digest import digest_body
from evidence.core.wire.receipt import Receipt
from ledger.canonical import Entry, JsonObject, JsonValue, canonical_json, commitment, encode_entry
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.note import Signer
from ledger.proof import LogProof, format_proof
from ledger.tree import Node, leaf_hash, prove_inclusion, root_of

ORIGIN = "shilu.example/log"
CLIP = UUID("01930000-0000-7000-8000-00000000c11b")
AT = datetime(2026, 11, 21, 1, 2, 3, 4000, tzinfo=UTC)


def seeded_signer(name: str, seed: str = "log") -> Signer:
    """Return the key of that name and seed, the same on every run."""
    return Signer.generate(name, lambda count: hashlib.shake_256(seed.encode()).digest(count))


@dataclass
class PaperLog:
    """A log in memory.

    Attributes:
        signer: Signs checkpoints.
        entries: The leaves' bytes, in order.
    """

    signer: Signer = field(default_factory=lambda: seeded_signer(ORIGIN))
    entries: list[bytes] = field(default_factory=list)

    def checkpoint(self) -> bytes:
        """Sign the present state."""
        root = root_of(leaf_hash(entry) for entry in self.entries)
        return sign_checkpoint(Checkpoint(self.signer.name, len(self.entries), root), [self.signer])

    def prove(self, index: int) -> bytes:
        """Return the tlog-proof of an entry against the present state."""
        leaves = [leaf_hash(entry) for entry in self.entries]

        def read(nodes: Sequence[Node]) -> list[bytes]:
            return [root_of(leaves[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]

        path = prove_inclusion(read, index, len(leaves))
        return format_proof(LogProof(index=index, path=tuple(path), checkpoint=self.checkpoint()))

    def pad(self, count: int) -> None:
        """Append entries that nobody will ask for."""
        for _ in range(count):
            number = len(self.entries)
            entry_id = UUID(int=CLIP.int + 0x1000 + number)
            commit = hashlib.sha256(number.to_bytes(8, "big")).digest()
            self.entries.append(encode_entry(Entry("log.padded", entry_id, AT, "service", "log", commit)))

    def record(
        self,
        payload: JsonObject,
        *,
        kind: str = "clip.sealed",
        subject: str | None = None,
        actor: str = "service",
        at: datetime = AT,
    ) -> Receipt:
        """Append an entry that commits to a payload, between some others, and return its receipt."""
        raw = canonical_json(payload)
        salt = hashlib.sha256(raw).digest()
        entry = Entry(
            type=kind,
            id=UUID(int=CLIP.int + len(self.entries)),
            at=at,
            actor=actor,
            subject=subject or f"clip:{payload.get('clip')}",
            commit=commitment(salt=salt, payload=raw),
        )
        self.pad(3)
        index = len(self.entries)
        self.entries.append(encode_entry(entry))
        self.pad(2)
        return Receipt(entry=self.entries[index], payload=raw, salt=salt, proof=self.prove(index))


def sealed_payload(content: bytes, *, name: str = "现场 检查.mp4", clip: UUID = CLIP) -> dict[str, JsonValue]:
    """Return the payload of a sealed clip with that content; other fields are as a service writes them."""
    hasher = ClipHasher()
    hasher.update(content)
    return {
        "clip": str(clip),
        "upload": str(CLIP),
        "name": name,
        "path": f"DCIM/{name}",
        "recorder": "4A00123",
        "dock": None,
        "inventory": None,
        "actor": "service",
        "manifest": None,
        "recorded_at": None,
        "officer": None,
        "key_mark": False,
        "received_at": "2026-11-21T01:02:03.004Z",
        **digest_body(hasher.digest()),
    }
