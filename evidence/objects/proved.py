"""Originals in the second store, read in ranges and not brought here whole: each piece is proved before it is used.

A range cannot be compared with the digest of the whole. But an original's leaf hashes are kept, one for each chunk of
1 MiB, and lead to its root, which the record states. So whole chunks are asked for, those that a range touches, and
each is compared with its leaf. What was made of an original has no leaves: that is fetched whole (`TieredObjects`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evidence.clips.store import read_leaves
from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.db.pool import Connection
from evidence.errors import ObjectDamaged
from evidence.objects.restoration_store import sealed_root
from evidence.verify.judge import prove_leaves
from ledger.tree import leaf_hash

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects

_CHUNKS_AT_ONCE = 4
"""Chunks in one request after the first one, which is asked for alone so that a player soon sees something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedObject:
    """An original in the second store; `size` in bytes, one leaf hash for each of its chunks, proved by its root."""

    second: S3Objects
    sha256: str
    size: int
    leaves: tuple[bytes, ...]

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `stop`, each piece proved; at most 4 MiB are in memory.

        Raises:
            ObjectDamaged: A chunk has other bytes than were sealed, or the object ends early; what came before holds.
            ObjectMissing: There is no such object.
            ObjectStoreUnreachable: It cannot be read now.
        """
        chunk, count = start // CHUNK_BYTES, 1
        while chunk * CHUNK_BYTES < stop:
            count = min(count, -(-stop // CHUNK_BYTES) - chunk)
            first = chunk * CHUNK_BYTES
            data = self._chunks(chunk, count)
            yield data[max(0, start - first) : stop - first]
            chunk, count = chunk + count, _CHUNKS_AT_ONCE

    def _chunks(self, first: int, count: int) -> bytes:
        start = first * CHUNK_BYTES
        data = self.second.read(self.sha256, start=start, end=min(start + count * CHUNK_BYTES, self.size))
        view = memoryview(data)
        for number in range(count):
            piece = view[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
            if leaf_hash(piece) != self.leaves[first + number]:
                message = f"chunk {first + number} of the copy of {self.sha256} has other bytes than were sealed"
                raise ObjectDamaged(message, sha256=self.sha256, chunk=first + number)
        return data


async def prove_object(conn: Connection, second: S3Objects, sha256: bytes) -> ProvedObject | None:
    """Return an original that can be read in ranges; None for what is no original, or has no leaves that prove it."""
    sealed = await sealed_root(conn, sha256)
    leaves = await read_leaves(conn, sha256=sha256)
    if sealed is None or leaves is None:
        return None
    size, root = sealed
    digest = ClipDigest(size=size, chunk_bytes=CHUNK_BYTES, chunks=-(-size // CHUNK_BYTES), root=root, sha256=sha256)
    proved = prove_leaves(b"".join(leaves), digest)
    return None if proved is None else ProvedObject(second=second, sha256=sha256.hex(), size=size, leaves=proved)
