"""The right edge of the log: all that must be remembered to go on, and the files that growing produces.

Of a log of any size the edge holds the hashes of its partial tiles, one per level and at most 255 hashes each, and the
entries of the partial bundle. Appending an entry costs one leaf hash and, every 256 times, the root of a tile that has
become full. Nothing here does I/O: the leader stores what comes out, and loads an edge from rows when it starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, bundle_path, encode_bundle, encode_tile, tile_path
from ledger.tree import CompactRange, leaf_hash, root_of


@dataclass(frozen=True, slots=True)
class TileRoot:
    """The root over a full tile, which is hash `index` of the level above."""

    level: int
    index: int
    root: bytes


@dataclass(slots=True)
class Growth:
    """What came into being when an edge was extended.

    Attributes:
        leaf_hashes: One for each new entry, in order.
        tile_roots: Roots of the tiles that became full.
        files: Full tiles and bundles by path, complete and final.
    """

    leaf_hashes: list[bytes] = field(default_factory=list)
    tile_roots: list[TileRoot] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


def edge_widths(size: int) -> list[int]:
    """Return how many hashes the partial tile of each level holds in a log of `size` entries, level 0 first."""
    widths = []
    while size:
        widths.append(size % TILE_WIDTH)
        size //= TILE_WIDTH
    return widths


class RightEdge:
    """The state of a growing log at one size.

    Args:
        size: Number of entries already in the log.
        levels: Hashes of the partial tile of each level, as many as `edge_widths` says.
        entries: Entries of the partial bundle.

    Raises:
        ValueError: The parts are not those of an edge at this size.
    """

    def __init__(self, size: int = 0, levels: Iterable[Sequence[bytes]] = (), entries: Iterable[bytes] = ()) -> None:
        self._size = size
        self._levels = [list(hashes) for hashes in levels]
        self._entries = list(entries)
        if [len(hashes) for hashes in self._levels] != edge_widths(size):
            raise ValueError(f"the hashes are not the edge of a log of {size} entries")
        if len(self._entries) != size % TILE_WIDTH:
            raise ValueError(f"{len(self._entries)} entries are not the partial bundle of a log of {size} entries")

    @property
    def size(self) -> int:
        """Number of entries."""
        return self._size

    def copy(self) -> RightEdge:
        """Return an edge that grows apart from this one; costs the same at every size of the log."""
        return RightEdge(self._size, self._levels, self._entries)

    def root(self) -> bytes:
        """Return the root of the log as it stands."""
        tree = CompactRange()
        for level in reversed(range(len(self._levels))):
            for value in self._levels[level]:
                tree.append(value, level=TILE_HEIGHT * level)
        return tree.root()

    def extend(self, entries: Iterable[bytes]) -> Growth:
        """Append entries and return what that brought about."""
        growth = Growth()
        for entry in entries:
            value = leaf_hash(entry)
            growth.leaf_hashes.append(value)
            self._entries.append(entry)
            if len(self._entries) == TILE_WIDTH:
                growth.files[bundle_path(self._size // TILE_WIDTH, TILE_WIDTH)] = encode_bundle(self._entries)
                self._entries = []
            self._size += 1
            self._push(value, growth)
        return growth

    def partials(self) -> dict[str, bytes]:
        """Return the partial tiles and the partial bundle of this size by path."""
        files = {}
        if self._entries:
            files[bundle_path(self._size // TILE_WIDTH, len(self._entries))] = encode_bundle(self._entries)
        for level, hashes in enumerate(self._levels):
            if hashes:
                index = self._size // TILE_WIDTH ** (level + 1)
                files[tile_path(Tile(level, index, len(hashes)))] = encode_tile(hashes)
        return files

    def _push(self, value: bytes, growth: Growth) -> None:
        """Put a leaf hash at its place and carry roots of full tiles upwards."""
        level = 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(value)
            if len(hashes) < TILE_WIDTH:
                return
            index = self._size // TILE_WIDTH ** (level + 1) - 1
            growth.files[tile_path(Tile(level, index))] = encode_tile(hashes)
            value = root_of(hashes)
            growth.tile_roots.append(TileRoot(level, index, value))
            self._levels[level] = []
            level += 1
