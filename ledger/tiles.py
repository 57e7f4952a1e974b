"""Tiles and entry bundles (C2SP tlog-tiles): how a log is laid out in files that never change.

    tile/<L>/<N>[.p/<W>]          256 (or W, partial) hashes of 32 bytes: roots of the perfect subtrees of height 8 * L
    tile/entries/<N>[.p/<W>]      256 (or W) times: u16 big-endian length || entry

N is written in groups of three digits, all but the last with an `x` before them: 1234067 is `x001/x234/067`. Row L of a
log of s entries holds floor(s / 256^L) hashes: as many full tiles as fit and, when a rest is left, one partial tile. A
partial tile stays as it was for the size it was made for; empty ones do not exist.

`tiles_for` says what to write when a log grows. Everything is pure: coordinates, paths and bytes, no files.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import BundleMalformed, ProofImpossible, TileMalformed, TilePathMalformed
from ledger.tree import HASH_BYTES, SIZE_MAX, Node, root_of

TILE_HEIGHT = 8
"""Levels of the tree in one tile."""

TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes in a full tile, entries in a full bundle."""

LEVEL_MAX = 63
"""Highest tile level a path may name (tlog-tiles)."""

ENTRY_BYTES_LIMIT = 65_535
"""Longest entry in bytes that fits a bundle; the entries written here are shorter, see `ledger.canonical`."""

_LENGTH = struct.Struct(">H")
_NUMBER = r"(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
_TILE_PATH = re.compile(r"tile/(?P<level>0|[1-9][0-9]?)/" + _NUMBER)
_BUNDLE_PATH = re.compile(r"tile/entries/" + _NUMBER)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Coordinates of a tile: row, place in the row, number of hashes in it.

    Raises:
        TilePathMalformed: No log can have such a tile.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.level <= LEVEL_MAX and 0 <= self.index <= SIZE_MAX and 0 < self.width <= TILE_WIDTH):
            raise TilePathMalformed(f"no log has a tile {self.level}/{self.index} of width {self.width}")


def tile_path(tile: Tile) -> str:
    """Return the path of a tile below the log's prefix."""
    return f"tile/{tile.level}/{_number(tile.index, tile.width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of the bundle that holds the entries of the tile (0, index, width).

    Raises:
        TilePathMalformed: No log can have such a bundle.
    """
    tile = Tile(0, index, width)
    return f"tile/entries/{_number(tile.index, tile.width)}"


def parse_tile_path(path: str) -> Tile:
    """Read what `tile_path` writes.

    Raises:
        TilePathMalformed: Anything else.
    """
    found = _TILE_PATH.fullmatch(path)
    tile = _tile(found, level=int(found["level"])) if found else None
    if tile is None or tile_path(tile) != path:
        raise TilePathMalformed("not the path of a tile")
    return tile


def parse_bundle_path(path: str) -> Tile:
    """Read what `bundle_path` writes; the answer is the level 0 tile over the same entries.

    Raises:
        TilePathMalformed: Anything else.
    """
    found = _BUNDLE_PATH.fullmatch(path)
    tile = _tile(found, level=0) if found else None
    if tile is None or bundle_path(tile.index, tile.width) != path:
        raise TilePathMalformed("not the path of an entry bundle")
    return tile


def tiles_for(old_size: int, new_size: int) -> list[Tile]:
    """List the tiles to write when a log grows, bottom row first; bundles go with those of level 0.

    Tiles that the log of `old_size` entries already had are not among them.

    Raises:
        ValueError: The log shrinks.
    """
    if not 0 <= old_size <= new_size <= SIZE_MAX:
        raise ValueError(f"a log does not grow from {old_size} to {new_size} entries")
    tiles = []
    for level in range(SIZE_MAX.bit_length() // TILE_HEIGHT + 1):
        old_row, new_row = old_size >> TILE_HEIGHT * level, new_size >> TILE_HEIGHT * level
        if old_row == new_row:
            break
        tiles += [
            Tile(level, index, _width(new_row, index))
            for index in range(old_row >> TILE_HEIGHT, -(-new_row >> TILE_HEIGHT))
        ]
    return tiles


def tile_of(node: Node, size: int) -> Tile:
    """Name the tile of a log of `size` entries from which the hash of a perfect subtree is computed.

    Raises:
        ProofImpossible: The log does not hold that subtree whole.
    """
    if node.index < 0 or (node.index + 1) << node.level > size:
        raise ProofImpossible(f"a log of {size} entries does not hold the subtree {node.level}/{node.index}")
    level, height = divmod(node.level, TILE_HEIGHT)
    index = node.index << height >> TILE_HEIGHT
    return Tile(level, index, _width(size >> TILE_HEIGHT * level, index))


def node_in_tile(node: Node, hashes: Sequence[bytes]) -> bytes:
    """Compute the hash of a perfect subtree from the hashes of its `tile_of`.

    Raises:
        ValueError: The tile is too narrow to hold it.
    """
    height = node.level % TILE_HEIGHT
    start = (node.index << height) % TILE_WIDTH
    end = start + (1 << height)
    if end > len(hashes):
        raise ValueError(f"a tile of width {len(hashes)} does not hold the subtree {node.level}/{node.index}")
    return root_of(hashes[start:end])


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """Write the hashes of a tile.

    Raises:
        TileMalformed: None, too many, or one without 32 bytes.
    """
    if not 0 < len(hashes) <= TILE_WIDTH or any(len(value) != HASH_BYTES for value in hashes):
        raise TileMalformed(f"a tile holds 1 to {TILE_WIDTH} hashes of {HASH_BYTES} bytes")
    return b"".join(hashes)


def decode_tile(raw: bytes, *, width: int) -> tuple[bytes, ...]:
    """Read a tile of that many hashes.

    Raises:
        TileMalformed: The length is another.
    """
    if len(raw) != width * HASH_BYTES:
        raise TileMalformed(f"a tile of width {width} has {width * HASH_BYTES} bytes, not {len(raw)}")
    return tuple(raw[start : start + HASH_BYTES] for start in range(0, len(raw), HASH_BYTES))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Write an entry bundle.

    Raises:
        BundleMalformed: No entry, too many, or one beyond `ENTRY_BYTES_LIMIT`.
    """
    if not 0 < len(entries) <= TILE_WIDTH or any(len(entry) > ENTRY_BYTES_LIMIT for entry in entries):
        raise BundleMalformed(f"a bundle holds 1 to {TILE_WIDTH} entries of at most {ENTRY_BYTES_LIMIT} bytes")
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def decode_bundle(raw: bytes, *, width: int) -> tuple[bytes, ...]:
    """Read a bundle of that many entries; whoever does not trust it hashes them against the tile of level 0.

    Raises:
        BundleMalformed: Another number of entries, or the last one is cut.
    """
    entries: list[bytes] = []
    position = 0
    while position < len(raw) and len(entries) < width:
        start = position + _LENGTH.size
        if start > len(raw):
            break
        position = start + _LENGTH.unpack_from(raw, position)[0]
        entries.append(raw[start:position])
    if position != len(raw) or len(entries) != width:
        raise BundleMalformed(f"not a bundle of {width} whole entries")
    return tuple(entries)


def _width(row: int, index: int) -> int:
    return min(TILE_WIDTH, row - index * TILE_WIDTH)


def _number(index: int, width: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return "".join(f"x{group}/" for group in groups[:-1]) + groups[-1] + partial


def _tile(found: re.Match[str], *, level: int) -> Tile:
    index = int(found["index"].replace("x", "").replace("/", ""))
    return Tile(level, index, int(found["width"] or TILE_WIDTH))
