"""Hints: something may have changed, look now instead of at the next turn. The periodic look stays the truth.

udev's monitor, inotify and finished mounts ring; a round is then begun early. A hint that is lost costs one interval
and nothing else, and a flood of hints makes no more than a few rounds a second. Events of inotify get lost when its
queue is full or a card is unmounted, so nothing is concluded from what they say: only that they came.

Folders are watched by themselves, never what lies below them: what a card holds must not decide how much is watched.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from dockstation.errors import DetectionMissing
from ledger.pausing import happens

ROUND_SECONDS_MIN = 0.5
"""Shortest pause between two rounds, however often somebody rings."""

Ring = Callable[[], None]
"""Asks for an early round; may be called from any thread, never fails, never waits."""


class Hints:
    """Collects hints for one loop; made on that loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Ask for an early round, from any thread."""
        # The program is ending and its loop is closed: nobody is left to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rung.set)

    async def pause(self, seconds: float) -> bool:
        """Wait for the next round: as long as given, or until somebody rings; tell whether somebody did."""
        shortest = min(seconds, ROUND_SECONDS_MIN)
        await asyncio.sleep(shortest)
        rung = await happens(self._rung, max(0.0, seconds - shortest))
        self._rung.clear()
        return rung


class FolderHints:
    """Rings when something in one of some folders changes, by watchdog.

    Args:
        ring: Whom to tell.

    Raises:
        DetectionMissing: The library is not installed.
    """

    def __init__(self, ring: Ring) -> None:
        try:
            from watchdog.events import FileSystemEvent, FileSystemEventHandler
            from watchdog.observers import Observer
        except ImportError as error:
            raise DetectionMissing(
                "watchdog is not installed (pip install 'shilu[usb]'): new files are noticed by the periodic look only"
            ) from error

        class _Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                # What reading the folder itself brings about is no news.
                if event.event_type not in {"opened", "closed_no_write"}:
                    ring()

        self._handler = _Handler()
        self._observer = Observer()
        self._observer.start()
        self._watches: dict[Path, tuple[tuple[int, int], object]] = {}

    def follow(self, folders: Collection[Path]) -> None:
        """Watch these folders and no others from now on; one that cannot be watched is seen by the periodic look."""
        for folder in set(self._watches) - set(folders):
            self._forget(folder)
        for folder in folders:
            try:
                about = os.lstat(folder)
                identity = (about.st_dev, about.st_ino)
                known = self._watches.get(folder)
                if known is not None and known[0] == identity:
                    continue
                if known is not None:
                    self._forget(folder)
                self._watches[folder] = (identity, self._observer.schedule(self._handler, str(folder)))
            except OSError:
                self._forget(folder)

    def close(self) -> None:
        """Watch nothing any more."""
        self._observer.stop()
        self._observer.join()

    def _forget(self, folder: Path) -> None:
        known = self._watches.pop(folder, None)
        if known is not None:
            # The observer forgets a folder by itself when it was removed.
            with suppress(KeyError):
                self._observer.unschedule(known[1])  # type: ignore[arg-type]  # what `schedule` returned
