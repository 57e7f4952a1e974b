"""A stranger's tree, read from the signed root down: no hash and no entry comes out that the root does not cover.

    signed root -> partial tiles of the right edge, all levels at once
                -> full tiles, each by its hash in the level above
                -> bundles, each entry by its hash in the tile of level 0

So a file that was changed is named by its path: the file above it has been proved before. Only among the few tiles of
the right edge the wrong one has to be searched for: it is the one that, made anew from the level below, lets the root
come out. Memory is that of a bounded number of tiles and one bundle.

Sizes of old checkpoints are proved the same way: `root` computes what the log's first n entries lead to, from proved
hashes. A different signed root for these n entries is a fork then, not a damaged file.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from ledger.checkpoint import Checkpoint
from ledger.edge import HashEdge, edge_widths
from ledger.errors import BundleMalformed
from ledger.mirror import findings as codes
from ledger.mirror.errors import Deviation
from ledger.mirror.findings import found
from ledger.mirror.source import LogSource
from ledger.reader import fetch_tile
from ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    decode_bundle,
    decode_tile,
    node_in_tile,
    tile_of,
    tile_path,
)
from ledger.tree import HASH_BYTES, CompactRange, leaf_hash, perfect_nodes, root_of

TILES_KEPT = 64
"""Proved tiles kept in memory, of 8 KiB each."""

_NAMED_MAX = 20


class SignedTree:
    """The tree of a log at a checkpoint whose signature was verified.

    Args:
        source: Where its files are.
        checkpoint: What the log signed.

    Every method raises `Deviation` for what differs and passes on `SourceUnreachable`.
    """

    def __init__(self, source: LogSource, checkpoint: Checkpoint) -> None:
        self._source = source
        self.checkpoint = checkpoint
        self._edge: HashEdge | None = None
        self._tiles: OrderedDict[tuple[int, int], tuple[bytes, ...]] = OrderedDict()

    async def edge(self) -> HashEdge:
        """Return the right edge, proved."""
        if self._edge is None:
            size = self.checkpoint.size
            levels: list[Sequence[bytes]] = []
            for level, width in enumerate(edge_widths(size)):
                tile = Tile(level, size >> TILE_HEIGHT * (level + 1), width) if width else None
                levels.append(await self._fetch(tile) if tile else ())
            edge = HashEdge(size, levels)
            if edge.root() != self.checkpoint.root:
                raise await self._explain(edge)
            self._edge = edge
        return self._edge

    async def tile(self, level: int, index: int) -> tuple[bytes, ...]:
        """Return the hashes of a tile of this size, partial where the tree ends in it."""
        edge = await self.edge()
        if level < len(edge.levels) and index == edge.size >> TILE_HEIGHT * (level + 1):
            return tuple(edge.levels[level])
        key = (level, index)
        if key not in self._tiles:
            above = await self.tile(level + 1, index // TILE_WIDTH)
            hashes = await self._fetch(Tile(level, index))
            if root_of(hashes) != above[index % TILE_WIDTH]:
                raise _altered(Tile(level, index))
            if len(self._tiles) >= TILES_KEPT:
                self._tiles.popitem(last=False)
            self._tiles[key] = hashes
        self._tiles.move_to_end(key)
        return self._tiles[key]

    async def root(self, size: int) -> bytes:
        """Return the root over the first `size` entries, at most all."""
        tree = CompactRange()
        for node in perfect_nodes(0, size):
            place = tile_of(node, self.checkpoint.size)
            tree.append(node_in_tile(node, await self.tile(place.level, place.index)), level=node.level)
        return tree.root()

    async def entries(self, index: int) -> tuple[bytes, ...]:
        """Return the entries of a bundle of this size, as far as the tree reaches into it."""
        width = len(await self.tile(0, index))
        path = bundle_path(index, width)
        raw = await self._source.get(path)
        if raw is None and width < TILE_WIDTH:
            # The partial bundle may have been dropped for the full one, which is proved as far as the tree reaches.
            path = bundle_path(index)
            raw = _beginning(await self._source.get(path), width)
        if raw is None:
            raise Deviation(found(codes.BUNDLE_MISSING, path, f"{path} is missing"))
        return await self.judge_bundle(index, raw, path=path)

    async def judge_bundle(self, index: int, raw: bytes, *, path: str) -> tuple[bytes, ...]:
        """Return the entries in the bytes of a bundle, each held against its proved hash."""
        hashes = await self.tile(0, index)
        try:
            entries = decode_bundle(raw, width=len(hashes))
        except BundleMalformed as error:
            raise Deviation(found(codes.BUNDLE_MALFORMED, path, f"{path}: {error.message}", bytes=len(raw))) from error
        wrong = [
            index * TILE_WIDTH + place
            for place, (entry, value) in enumerate(zip(entries, hashes, strict=True))
            if leaf_hash(entry) != value
        ]
        if wrong:
            message = f"{path}: {len(wrong)} entries, first {wrong[0]}, are not those that were logged"
            raise Deviation(found(codes.ENTRY_ALTERED, path, message, indices=wrong[:_NAMED_MAX], count=len(wrong)))
        return entries

    async def _fetch(self, tile: Tile) -> tuple[bytes, ...]:
        path = tile_path(tile)
        raw = await fetch_tile(self._source, tile)
        if raw is None:
            raise Deviation(found(codes.TILE_MISSING, path, f"{path} is missing"))
        if len(raw) != tile.width * HASH_BYTES:
            raise _altered(tile, f"it has {len(raw)} bytes")
        return decode_tile(raw, width=tile.width)

    async def _explain(self, edge: HashEdge) -> Deviation:
        """Find the one tile of the edge that is wrong: made anew from the level below, it lets the root come out."""
        for level, width in enumerate(edge_widths(edge.size)):
            if not width:
                continue
            tile = Tile(level, edge.size >> TILE_HEIGHT * (level + 1), width)
            try:
                anew = await self._from_below(tile)
            except (BundleMalformed, Deviation):
                continue
            levels = [*edge.levels[:level], anew, *edge.levels[level + 1 :]]
            if HashEdge(edge.size, levels).root() == self.checkpoint.root:
                return _altered(tile)
        message = f"the tiles do not lead to the root signed for {edge.size} entries"
        return Deviation(found(codes.ROOT_UNPROVED, "checkpoint", message, size=edge.size))

    async def _from_below(self, tile: Tile) -> list[bytes]:
        if tile.level:
            start = tile.index * TILE_WIDTH
            below = [Tile(tile.level - 1, index) for index in range(start, start + tile.width)]
            return [root_of(await self._fetch(one)) for one in below]
        raw = await self._source.get(bundle_path(tile.index, tile.width))
        raw = raw if raw is not None else _beginning(await self._source.get(bundle_path(tile.index)), tile.width)
        return [leaf_hash(entry) for entry in decode_bundle(raw or b"", width=tile.width)]


def outgrown(old_size: int, new_size: int) -> list[str]:
    """List the full files whose partial ones nobody needs any more: the next one in their row is full as well."""
    paths = []
    for level in range(len(edge_widths(old_size))):
        last = old_size >> TILE_HEIGHT * (level + 1)
        for index in (last - 1, last):
            if index >= 0 and new_size >> TILE_HEIGHT * level >= (index + 2) * TILE_WIDTH:
                paths += [tile_path(Tile(level, index)), *([] if level else [bundle_path(index)])]
    return paths


def _altered(tile: Tile, reason: str = "its hashes are not those that were signed") -> Deviation:
    path = tile_path(tile)
    return Deviation(found(codes.TILE_ALTERED, path, f"{path} was altered: {reason}"))


def _beginning(bundle: bytes | None, count: int) -> bytes | None:
    """Return the first entries of a bundle as they stand in it; what is cut is left for the parser to refuse."""
    if bundle is None:
        return None
    end = 0
    for _ in range(count):
        end += 2 + int.from_bytes(bundle[end : end + 2])
    return bundle[:end]
