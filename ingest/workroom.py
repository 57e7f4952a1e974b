"""A folder for one piece of work, gone when the work is done; what a killed process left is cleared by the next one."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from ingest.offload import on_disk, to_the_end

STALE_SECONDS: Final = 24 * 3600
"""Age after which nobody works in such a folder any more: far beyond what any child process may take."""


@asynccontextmanager
async def workroom(workspace: Path, *, prefix: str) -> AsyncIterator[Path]:
    """Give an empty folder in `workspace`, which is made if it is missing.

    Raises:
        OSError: It cannot be made.
    """
    folder = await on_disk(_open, workspace, prefix)
    try:
        yield folder
    finally:
        await to_the_end(on_disk(shutil.rmtree, folder, ignore_errors=True))


def _open(workspace: Path, prefix: str) -> Path:
    workspace.mkdir(parents=True, exist_ok=True)
    for left in workspace.glob(f"{prefix}*"):
        if time.time() - left.lstat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return Path(mkdtemp(prefix=prefix, dir=workspace))
