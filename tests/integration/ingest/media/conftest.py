from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.media.rendition import make_renditions
from ingest.media.result import MediaResult

Derive = Callable[[Path], MediaResult]


@pytest.fixture
def derive(tmp_path: Path) -> Derive:
    """Make renditions in this process, in a folder that is empty each time; for what needs no isolation."""
    folder = tmp_path / "work"
    folder.mkdir()

    def run(source: Path) -> MediaResult:
        for leftover in folder.iterdir():
            leftover.unlink()
        return make_renditions(source, folder, threads=2, report=lambda read: None, tell=lambda facts: None)

    return run
