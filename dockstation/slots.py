"""Slots: the folders in which recorders appear.

A slot is a folder that is a mounted recorder. Either it is named by itself, or it is a sub-folder of a watched
folder, as automatic mounting makes them. Links and hidden folders in a watched folder are no slots. That a slot is
gone from one look to the next is normal: the recorder was taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a recorder: its name for people and its folder."""

    name: str
    root: Path


def find_slots(*, watch: Sequence[Path], recorders: Sequence[Path]) -> tuple[Slot, ...]:
    """Return the slots that are there now, named ones first, each folder once.

    A watched folder that cannot be read has no slots now; the next look may see them.
    """
    roots = [path.absolute() for path in recorders if path.is_dir()]
    for folder in watch:
        roots.extend(_sub_folders(folder.absolute()))
    unique = dict.fromkeys(roots)
    names = [_name(root) for root in unique]
    return tuple(
        Slot(name if names.count(name) == 1 else f"{name} ({root.parent})", root)
        for name, root in zip(names, unique, strict=True)
    )


def _sub_folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and not path.is_symlink() and path.is_dir()
        )
    except OSError:
        return []


def _name(root: Path) -> str:
    return root.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") or "/"
