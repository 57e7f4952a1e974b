"""The audit's walk through the published folder: files that belong to no size of the log, and earlier partial files.

The files of the newest published size are compared leaf by leaf in `ledger.audit_tree`. What is left are the partial
files of earlier sizes, which must be beginnings of those, and whatever else lies there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import NamedTuple

from ledger import audit_findings as codes
from ledger import audit_store
from ledger.audit_findings import broken
from ledger.errors import TilePathMalformed
from ledger.findings import Finding, Severity
from ledger.key_history import KEYS_PATH
from ledger.publish import CHECKPOINT_PATH, StoredFiles
from ledger.store import Connection
from ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, bundle_path, parse_bundle_path, parse_tile_path, tile_path
from ledger.tree import HASH_BYTES

_STATEMENT = re.compile(rf"{KEYS_PATH}/[1-9][0-9]*")
"""What `ledger.audit_checkpoints.judge_keys` looks at."""


class _Place(NamedTuple):
    tile: Tile
    is_bundle: bool

    def path(self, width: int) -> str:
        """Return the path of the file here that holds `width` hashes or entries (C2SP tlog-tiles)."""
        if self.is_bundle:
            return bundle_path(self.tile.index, width)
        return tile_path(Tile(self.tile.level, self.tile.index, width))


async def audit_files(
    conn: Connection, storage: StoredFiles, *, published_size: int, damaged: set[str]
) -> AsyncIterator[Finding]:
    """Yield what is wrong with files that the walk along the leaves did not look at.

    Args:
        conn: For short reads.
        storage: The published files.
        published_size: Up to which size the walk has compared files.
        damaged: Files that the walk has found wanting; nothing is compared with them.
    """
    async for path in storage.paths():
        if path == CHECKPOINT_PATH or _STATEMENT.fullmatch(path):
            continue
        place = _parse(path)
        if place is None or not await audit_store.has_tile(conn, place.tile):
            yield Finding(codes.FILE_UNKNOWN, Severity.WARNING, path, f"{path} belongs to no size of this log")
        elif place.tile.width < TILE_WIDTH and path not in damaged:
            whole = _whole(place, published_size)
            if whole and whole not in damaged and not await _is_beginning(storage, place, path, whole):
                code = codes.BUNDLE_ALTERED if place.is_bundle else codes.TILE_ALTERED
                yield broken(code, path, f"{path} does not hold what was logged")


def _parse(path: str) -> _Place | None:
    try:
        if path.startswith("tile/entries/"):
            return _Place(parse_bundle_path(path), is_bundle=True)
        return _Place(parse_tile_path(path), is_bundle=False)
    except TilePathMalformed:
        return None


def _whole(place: _Place, published_size: int) -> str | None:
    """Name the file the walk has compared at this place; None when this is it, or the log grew here since."""
    row = published_size >> TILE_HEIGHT * place.tile.level
    width = min(row - place.tile.index * TILE_WIDTH, TILE_WIDTH)
    return place.path(width) if width > place.tile.width else None


async def _is_beginning(storage: StoredFiles, place: _Place, path: str, whole: str) -> bool:
    part, raw = await storage.get(path), await storage.get(whole)
    if part is None or raw is None:
        # Dropped since it was listed, or the log went on and the whole one is a dropped partial file itself.
        return True
    if place.is_bundle:
        return raw.startswith(part) and part == _entries(raw, place.tile.width)
    return part == raw[: place.tile.width * HASH_BYTES]


def _entries(bundle: bytes, count: int) -> bytes:
    """Return the first `count` entries of a bundle as they stand in it."""
    end = 0
    for _ in range(count):
        end += 2 + int.from_bytes(bundle[end : end + 2])
    return bundle[:end]
