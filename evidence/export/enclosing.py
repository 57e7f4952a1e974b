"""An exhibit of a package as an excerpt: its statement with proofs, and the digests of its chunks as one file.

The list of a package names each file's digest before a byte is written, and nobody has sealed one of these chunks by
themselves. So they are read twice: here for the digests, and when the archive is written; each time every chunk is
held against its leaf. Other chunks of the original are never read.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path

from evidence.core.digest import has_sm3, start_sm3
from evidence.core.wire.sealed import SealedClip
from evidence.errors import LeaseLost
from evidence.export.excerpt import checked_chunks, state_excerpt
from evidence.export.members import Stored
from evidence.export.order import Order
from evidence.export.parts import Part
from evidence.verify.excerpt_statement import ExcerptStatement
from ledger.tree import HASH_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """What lies in a package in the place of an original.

    Attributes:
        statement: Which chunks, their proofs, and the seconds that were asked for.
        stored: Where the chunks come from.
        sha256: Of the chunks one after the other, 32 bytes.
        sm3: Likewise; None where it cannot be computed.
    """

    statement: ExcerptStatement
    stored: Stored = field(repr=False)
    sha256: bytes
    sm3: bytes | None

    @property
    def chunks(self) -> int:
        """Chunks that are enclosed."""
        return sum(run.chunks for run in self.statement.runs)

    @property
    def left_out_bytes(self) -> int:
        """Bytes of the original that are not."""
        return self.statement.size - self.statement.held_bytes


def enclose(part: Part, sealed: SealedClip, *, leaves: bytes, original: Path, stop: threading.Event) -> Enclosed:
    """Read the chunks of a part and say what it is. Blocks.

    Args:
        part: What is wanted.
        sealed: The clip.
        leaves: Proved leaf hashes of all its chunks, one after the other.
        original: Where it lies.
        stop: Set it to give up.

    Raises:
        EvidenceDamaged: A chunk cannot be read, or is not what was sealed.
        LeaseLost: `stop` was set.
    """
    first, *further = part.spans
    order = Order(asked=first.asked, shown=first.shown, chunks=part.chunks, further=tuple(further))
    hashes = [leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES)]
    size = sealed.digest.size
    statement = state_excerpt(order, hashes, clip=sealed.clip, size=size, name=sealed.name)
    hashers = [hashlib.sha256(), *([start_sm3()] if has_sm3() else [])]
    for chunk in checked_chunks(original, statement, hashes):
        if stop.is_set():
            raise LeaseLost("the export was given up")
        for hasher in hashers:
            hasher.update(chunk)
    digests = [hasher.digest() for hasher in hashers]
    return Enclosed(
        statement=statement,
        stored=Stored(sha256=sealed.digest.sha256, leaves=leaves, size=size, runs=part.chunks),
        sha256=digests[0],
        sm3=digests[1] if digests[1:] else None,
    )
