"""Board: the figures of the status page, from the showcase's picture and the journal.

It tells what anybody who stands before the dock may see: slots, numbers of recorders, how far each is, and whether it
may be taken out. No names of files, no officers, no addresses.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dockstation.events import PROGRESS, Event
from dockstation.journal import Progress, SlotView
from dockstation.journal_store import Journal
from dockstation.showcase import Showcase
from dockstation.threads import Books
from evidence.core.clock import Clock, format_time

FRESH_SECONDS = 0.9
"""How long figures of the journal are handed out again; many screens cost no more than one."""


class Board:
    """Answers what the page asks.

    Args:
        name: What people call the station.
        showcase: The picture of the slots.
        books: The journal.
        clock: The station's clock.
        monotonic: Seconds on a clock that nobody sets.
    """

    def __init__(
        self,
        *,
        name: str,
        showcase: Showcase,
        books: Books,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._showcase = showcase
        self._books = books
        self._clock = clock
        self._monotonic = monotonic
        self._progress: dict[str, Progress] = {}
        self._asked_at = -FRESH_SECONDS
        self._now: dict[tuple[str, str], int] = {}

    def heard(self, event: Event) -> None:
        """Listen to how far the files are that are on their way."""
        key = (event.recorder, event.path)
        # What is sent from the spool was counted when it was copied.
        if event.kind in PROGRESS and event.slot:
            self._now[key] = event.done_bytes
        else:
            self._now.pop(key, None)

    async def figures(self) -> dict[str, object]:
        """Return what the page shows, as a JSON object with stable keys."""
        if self._monotonic() - self._asked_at >= FRESH_SECONDS:
            self._asked_at = self._monotonic()
            self._progress = {item.recorder: item for item in await self._books.do(Journal.progress)}
        waiting = sum(item.files - item.receipted_files for item in self._progress.values())
        return {
            "station": self._name,
            "at": format_time(self._clock()),
            "slots": [self._slot(view) for view in self._showcase.views()],
            "files_waiting": waiting,
        }

    def _slot(self, view: SlotView) -> dict[str, object]:
        recorders = (view.recorder or "").split(", ") if view.recorder else []
        known = [self._progress[name] for name in recorders if name in self._progress]
        size, done = sum(item.bytes for item in known), sum(item.safe_bytes for item in known)
        done += sum(count for (recorder, _), count in self._now.items() if recorder in recorders)
        return {
            "slot": view.name,
            "recorder": view.recorder,
            "phase": view.phase,
            "safe": view.safe,
            "files": sum(item.files for item in known),
            "safe_files": sum(item.safe_files for item in known),
            "receipted_files": sum(item.receipted_files for item in known),
            "bytes": size,
            "done_bytes": min(size, done),
        }
