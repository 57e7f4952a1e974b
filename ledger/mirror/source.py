"""Where a followed log is read: the transport is handed in, a folder serves as one; HTTP stands in api.

Whoever runs the source is not trusted. A transport owes only limits: never more than `FILE_BYTES_MAX` per file, never
an endless wait. What the bytes are worth is judged by `ledger.mirror.signed_tree`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from ledger.mirror.errors import SourceUnreachable
from ledger.tiles import ENTRY_BYTES_LIMIT, TILE_WIDTH

FILE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_LIMIT)
"""Longest file of a log in bytes: a bundle of 256 entries of the greatest length (tlog-tiles)."""


class LogSource(Protocol):
    """Hands out the files of a log by their tlog-tiles path below the log's prefix."""

    async def get(self, path: str) -> bytes | None:
        """Return a file, None when the log says that there is none by that name.

        Raises:
            SourceUnreachable: It cannot be said.
        """
        ...


class FolderSource:
    """A log in a folder: a disk that somebody brought, a share, another mirror.

    Args:
        root: The folder with `checkpoint` and `tile/` in it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def get(self, path: str) -> bytes | None:
        """See `LogSource.get`."""
        return await asyncio.to_thread(self._get, path)

    def _get(self, path: str) -> bytes | None:
        if not self._root.is_dir():
            raise SourceUnreachable(f"there is no folder {self._root}")
        try:
            with (self._root / path).open("rb") as file:
                raw = file.read(FILE_BYTES_MAX + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceUnreachable(f"{path} cannot be read: {error.strerror}", path=path) from error
        if len(raw) > FILE_BYTES_MAX:
            raise SourceUnreachable(f"{path} is longer than any file of a log", path=path)
        return raw
