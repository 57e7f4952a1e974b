"""Proofs from the published files: only the tiles on the way, checked against the signed root before they go out.

A proof in a log of ten million entries needs at most six tiles of 8 KiB. Tiles never change, so a bounded number of
them is kept in memory, the least recently used ones go first. The newest checkpoint is read anew for every proof.

The files may have been damaged since they were written. A proof that does not lead to the root of the checkpoint it is
made for is never returned: `StorageUnreadable` says that an audit is due.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Protocol

from ledger.checkpoint import Checkpoint
from ledger.errors import (
    BundleMalformed,
    NotPublished,
    ProofError,
    ProofImpossible,
    StorageConflict,
    StorageUnreadable,
    TileMalformed,
)
from ledger.proof import LogProof
from ledger.publish import CHECKPOINT_PATH, stored_checkpoint
from ledger.tiles import (
    TILE_WIDTH,
    Tile,
    bundle_path,
    decode_bundle,
    decode_tile,
    node_in_tile,
    tile_of,
    tile_path,
)
from ledger.tree import (
    HASH_BYTES,
    CompactRange,
    Node,
    check_consistency,
    check_inclusion,
    consistency_plan,
    inclusion_plan,
    leaf_hash,
    perfect_nodes,
)


class LogFiles(Protocol):
    """Whatever can hand out published files by path; every `LogStorage` can."""

    async def get(self, path: str) -> bytes | None:
        """Return a file, None when there is none by that name."""
        ...


async def fetch_tile(files: LogFiles, tile: Tile) -> bytes | None:
    """Return the bytes of a tile, cut from the full one where the partial one has been dropped for it."""
    raw = await files.get(tile_path(tile))
    if raw is None and tile.width < TILE_WIDTH:
        full = await files.get(tile_path(Tile(tile.level, tile.index)))
        raw = full and full[: tile.width * HASH_BYTES]
    return raw


async def fetch_entries(files: LogFiles, tile: Tile) -> tuple[bytes, ...] | None:
    """Return the entries under a tile of level 0, from the full bundle where the partial one has been dropped for it.

    Raises:
        BundleMalformed: The bundle is damaged.
    """
    raw = await files.get(bundle_path(tile.index, tile.width))
    if raw is None and tile.width < TILE_WIDTH:
        raw, whole = await files.get(bundle_path(tile.index)), TILE_WIDTH
    else:
        whole = tile.width
    return None if raw is None else decode_bundle(raw, width=whole)[: tile.width]


TILES_KEPT = 1024
"""Tiles kept in memory by default, of at most 8 KiB each."""


class LogReader:
    """Reads a published log; safe to share between tasks.

    Args:
        storage: Where it is published.
        tiles_kept: Most tiles kept in memory.
    """

    def __init__(self, storage: LogFiles, *, tiles_kept: int = TILES_KEPT) -> None:
        self._storage = storage
        self._tiles_kept = tiles_kept
        self._tiles: OrderedDict[Tile, bytes] = OrderedDict()

    async def checkpoint(self) -> bytes:
        """Return the newest published checkpoint, as signed.

        Raises:
            NotPublished: There is none yet.
        """
        note = await self._storage.get(CHECKPOINT_PATH)
        if note is None:
            raise NotPublished("the log has not published a checkpoint yet")
        return note

    async def prove(self, index: int, *, note: bytes | None = None) -> LogProof:
        """Prove that entry `index` is in the log, against the newest checkpoint or an older published one.

        Args:
            index: Place of the entry.
            note: The older checkpoint as it was published; None for the newest.

        Raises:
            NotPublished: There is no checkpoint yet.
            ProofImpossible: The checkpoint does not reach that entry.
            StorageUnreadable: The files are damaged, or the older checkpoint is not of this log.
        """
        note = note or await self.checkpoint()
        checkpoint = self._parsed(note)
        plan = inclusion_plan(index, checkpoint.size)
        leaf, *hashes = await self.read([Node(0, index), *plan.nodes], checkpoint.size)
        path = plan.combine(hashes)
        with self._blaming_storage():
            check_inclusion(leaf=leaf, index=index, size=checkpoint.size, proof=path, root=checkpoint.root)
        return LogProof(index, path, note)

    async def consistency(self, *, old_size: int, new: Checkpoint | None = None) -> tuple[bytes, ...]:
        """Prove that the log of `old_size` entries is a prefix of the published one, or of `new`.

        Raises:
            NotPublished: There is no checkpoint yet.
            ProofImpossible: The old size is 0 or beyond the new one.
            StorageUnreadable: The files are damaged.
        """
        new = new or self._parsed(await self.checkpoint())
        if old_size < 1:
            raise ProofImpossible("every log has an empty prefix; there is nothing to prove")
        plan = consistency_plan(old_size, new.size)
        proof = plan.combine(await self.read(plan.nodes, new.size))
        old_root = await self._root(old_size, new.size)
        with self._blaming_storage():
            check_consistency(old_size=old_size, old_root=old_root, new_size=new.size, new_root=new.root, proof=proof)
        return proof

    async def entry(self, index: int) -> bytes:
        """Return the bytes of entry `index`, checked against the tile that holds its hash.

        Raises:
            NotPublished: There is no checkpoint yet.
            ProofImpossible: The newest checkpoint does not reach that entry.
            StorageUnreadable: The files are damaged.
        """
        checkpoint = self._parsed(await self.checkpoint())
        (leaf,) = await self.read([Node(0, index)], checkpoint.size)
        with self._blaming_storage():
            entries = await fetch_entries(self._storage, tile_of(Node(0, index), checkpoint.size))
            if entries is None or leaf_hash(entries[index % TILE_WIDTH]) != leaf:
                raise BundleMalformed(f"the bundle of entry {index} is missing or does not fit its tile")
        return entries[index % TILE_WIDTH]

    async def read(self, nodes: Sequence[Node], size: int) -> list[bytes]:
        """Return the hashes of perfect subtrees of the log of `size` entries; nothing is checked.

        Raises:
            ProofImpossible: The log of that size does not hold one of them.
            StorageUnreadable: A tile is missing, or has another length.
        """
        wanted = [tile_of(node, size) for node in nodes]
        distinct = list(dict.fromkeys(wanted))
        tiles = dict(zip(distinct, await asyncio.gather(*map(self._tile, distinct)), strict=True))
        return [node_in_tile(node, tiles[tile]) for node, tile in zip(nodes, wanted, strict=True)]

    def _parsed(self, note: bytes) -> Checkpoint:
        with self._blaming_storage():
            return stored_checkpoint(note)

    async def _root(self, old_size: int, size: int) -> bytes:
        """Compute the root of a prefix from the tiles of the log of `size` entries."""
        nodes = perfect_nodes(0, old_size)
        tree = CompactRange()
        for node, value in zip(nodes, await self.read(nodes, size), strict=True):
            tree.append(value, level=node.level)
        return tree.root()

    async def _tile(self, tile: Tile) -> tuple[bytes, ...]:
        raw = self._tiles.get(tile)
        if raw is None:
            raw = await fetch_tile(self._storage, tile)
            if raw is None:
                raise StorageUnreadable(f"{tile_path(tile)} is missing", path=tile_path(tile))
            if len(self._tiles) >= self._tiles_kept:
                self._tiles.popitem(last=False)
        self._tiles[tile] = raw
        self._tiles.move_to_end(tile)
        with self._blaming_storage():
            return decode_tile(raw, width=tile.width)

    @contextlib.contextmanager
    def _blaming_storage(self) -> Iterator[None]:
        """Turn what damaged files lead to into one error, and forget them, as they may be repaired."""
        try:
            yield
        except (BundleMalformed, ProofError, StorageConflict, TileMalformed) as error:
            self._tiles.clear()
            raise StorageUnreadable(f"the published files are damaged: {error.message}") from error
