"""Slots: the folders in which recorders appear.

A slot is a folder that is a mounted recorder. Either it is named by itself, or it is a sub-folder of a watched
folder, as automatic mounting makes them. Links and hidden folders in a watched folder are no slots. That a slot is
gone from one look to the next is normal: the recorder was taken out. Which card is mounted is asked at every
look: between two looks nothing holds it, and the kernel may give the next card all the numbers of the one before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from dockstation.detect.places import Place, Slot
from dockstation.detect.volume import Volume, identify


class Folders:
    """Recorders that somebody else mounts; see `detect.places`.

    Args:
        watch: Folders whose sub-folders are recorders.
        recorders: Folders each of which is a recorder.
        identify: Tells which card is mounted at a folder.
    """

    def __init__(
        self,
        *,
        watch: Sequence[Path],
        recorders: Sequence[Path],
        identify: Callable[[Path], Volume | None] = identify,
    ) -> None:
        self._watch = tuple(watch)
        self._recorders = tuple(recorders)
        self._identify = identify

    async def look(self) -> tuple[Place, ...]:
        """Return the slots that are there now, named ones first, each folder once.

        A watched folder that cannot be read has no slots now; the next look may see them.
        """
        roots = [path.absolute() for path in self._recorders if path.is_dir()]
        for folder in self._watch:
            roots.extend(_sub_folders(folder.absolute()))
        unique = dict.fromkeys(roots)
        names = [_name(root) for root in unique]
        return tuple(
            Place(Slot(name if names.count(name) == 1 else f"{name} ({root.parent})", root, self._identify(root)))
            for name, root in zip(names, unique, strict=True)
        )

    async def done(self, slot: Slot) -> None:
        """Do nothing: who mounted it unmounts it."""

    @asynccontextmanager
    async def writable(self, slot: Slot) -> AsyncIterator[Slot]:
        """Return the slot: it is as writable as it was mounted."""
        yield slot

    async def close(self) -> None:
        """Do nothing: nothing is held."""


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
