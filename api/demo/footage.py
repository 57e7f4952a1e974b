"""Footage for the demonstration: the sample set, or the caller's files, laid out as recorders would hold them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from api.demo.errors import DemoFileUnusable
from ingest.media.sample import make_recorders

_GUEST_RECORDER = "GUEST01"


def lay_out(recorders: Path, files: Sequence[Path]) -> int:
    """Put footage below `recorders`, one folder per recorder, and return how many files lie there.

    Files already there are left alone, so that a second run continues the first.

    Args:
        recorders: Folder that stands for the docking station's slots.
        files: The caller's own files; empty for the built-in sample set.

    Raises:
        DemoFileUnusable: A named file is not a readable regular file.
    """
    recorders.mkdir(parents=True, exist_ok=True)
    if files:
        _copy_guests(recorders / _GUEST_RECORDER / "DCIM" / "100GUEST", files)
    elif not any(recorders.iterdir()):
        building = recorders.with_name(recorders.name + ".building")
        shutil.rmtree(building, ignore_errors=True)
        make_recorders(building)
        recorders.rmdir()
        building.rename(recorders)
    return sum(1 for path in recorders.rglob("*") if path.is_file())


def _copy_guests(folder: Path, files: Sequence[Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files, start=1):
        if not file.is_file():
            raise DemoFileUnusable(f"not a readable file: {file}", file=str(file))
        target = folder / file.name
        if target.exists() and not _same(file, target):
            target = folder / f"{file.stem}-{number}{file.suffix}"
        if not target.exists():
            shutil.copy2(file, target)


def _same(left: Path, right: Path) -> bool:
    return left.stat().st_size == right.stat().st_size and left.read_bytes() == right.read_bytes()
