"""One step of a mirror over a long log takes no more memory than over a short one."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from ledger.findings import is_clean
from ledger.mirror.folder import FollowFolder
from ledger.mirror.mirror import Mirror
from ledger.mirror.signed_tree import TILES_KEPT
from ledger.mirror.source import FolderSource
from ledger.tiles import TILE_WIDTH
from tests.support.published_log import PublishedLog

# Both logs fill the cache of tiles, so that what is left to grow is only what must not.
_SHORT = (TILES_KEPT + 8) * TILE_WIDTH
_LONG = 2 * _SHORT
# Entries of the second half alone would be some 4 MiB.
_GROWTH_BYTES_MAX = 512 * 1024


async def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    log = PublishedLog(tmp_path / "log")
    log.grow(_SHORT)
    short = await _peak_bytes(log, tmp_path / "short")
    log.grow(_LONG - _SHORT)
    long = await _peak_bytes(log, tmp_path / "long")
    assert long - short < _GROWTH_BYTES_MAX


async def _peak_bytes(log: PublishedLog, target: Path) -> int:
    folder = FollowFolder(target)
    tracemalloc.start()
    try:
        with folder.opened():
            step = await Mirror(FolderSource(log.root), folder, log.policy).step()
        assert is_clean(step.findings)
        assert step.added == log.edge.size
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
