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


def edge_widths(size: int) -> list[int]:
    """Return how many hashes the partial tile of each level holds in a log of `size` entries, level 0 first."""
    widths = []
    while size:
        widths.append(size % TILE_WIDTH)
        size //= TILE_WIDTH
    return widths


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that has just become full, and the root over it, which is hash `index` of the level above."""

    level: int
    index: int
    hashes: list[bytes]
    root: bytes


class HashEdge:
    """The partial tiles of a growing log at one size.

    Args:
        size: Number of leaves.
        levels: Hashes of the partial tile of each level, as many as `edge_widths` says.

    Raises:
        ValueError: The hashes are not those of an edge at this size.
    """

    def __init__(self, size: int = 0, levels: Iterable[Sequence[bytes]] = ()) -> None:
        self.size = size
        self.levels = [list(hashes) for hashes in levels]
        if [len(hashes) for hashes in self.levels] != edge_widths(size):
            raise ValueError(f"the hashes are not the edge of a log of {size} entries")

    def copy(self) -> HashEdge:
        """Return an edge that grows apart from this one; costs the same at every size."""
        return HashEdge(self.size, self.levels)

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        tree = CompactRange()
        for level in reversed(range(len(self.levels))):
            for value in self.levels[level]:
                tree.append(value, level=TILE_HEIGHT * level)
        return tree.root()

    def append(self, value: bytes) -> list[FullTile]:
        """Append a leaf hash; return the tiles that are full now, lowest first."""
        self.size += 1
        full = []
        for level in range(len(self.levels) + 1):
            if level == len(self.levels):
                self.levels.append([])
            hashes = self.levels[level]
            hashes.append(value)
            if len(hashes) < TILE_WIDTH:
                break
            value = root_of(hashes)
            full.append(FullTile(level, self.size // TILE_WIDTH ** (level + 1) - 1, hashes, value))
            self.levels[level] = []
        return full

    def partial_tiles(self) -> dict[Tile, list[bytes]]:
        """Return the partial tiles of this size."""
        return {
            Tile(level, self.size // TILE_WIDTH ** (level + 1), len(hashes)): hashes
            for level, hashes in enumerate(self.levels)
            if hashes
        }


@dataclass(slots=True)
class Growth:
    """What came into being when an edge was extended.

    Attributes:
        leaf_hashes: One for each new entry, in order.
        tiles: The tiles that became full.
        files: Full tiles and bundles by path, complete and final.
    """

    leaf_hashes: list[bytes] = field(default_factory=list)
    tiles: list[FullTile] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


class RightEdge:
    """The state of a growing log at one size: partial tiles and partial bundle.

    Args:
        hashes: The partial tiles.
        entries: Entries of the partial bundle.

    Raises:
        ValueError: There are more or fewer entries than hashes in the partial tile of level 0.
    """

    def __init__(self, hashes: HashEdge | None = None, entries: Iterable[bytes] = ()) -> None:
        self._hashes = hashes or HashEdge()
        self._entries = list(entries)
        if len(self._entries) != self.size % TILE_WIDTH:
            raise ValueError(f"{len(self._entries)} entries are not the partial bundle of a log of {self.size} entries")

    @property
    def size(self) -> int:
        """Number of entries."""
        return self._hashes.size

    def copy(self) -> RightEdge:
        """Return an edge that grows apart from this one; costs the same at every size of the log."""
        return RightEdge(self._hashes.copy(), self._entries)

    def root(self) -> bytes:
        """Return the root of the log as it stands."""
        return self._hashes.root()

    def extend(self, entries: Iterable[bytes]) -> Growth:
        """Append entries and return what that brought about."""
        growth = Growth()
        for entry in entries:
            value = leaf_hash(entry)
            growth.leaf_hashes.append(value)
            growth.tiles += self._hashes.append(value)
            self._entries.append(entry)
            if len(self._entries) == TILE_WIDTH:
                growth.files[bundle_path(self.size // TILE_WIDTH - 1)] = encode_bundle(self._entries)
                self._entries = []
        for tile in growth.tiles:
            growth.files[tile_path(Tile(tile.level, tile.index))] = encode_tile(tile.hashes)
        return growth

    def partials(self) -> dict[str, bytes]:
        """Return the partial tiles and the partial bundle of this size by path."""
        files = {tile_path(tile): encode_tile(hashes) for tile, hashes in self._hashes.partial_tiles().items()}
        if self._entries:
            files[bundle_path(self.size // TILE_WIDTH, len(self._entries))] = encode_bundle(self._entries)
        return files
