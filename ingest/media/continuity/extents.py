"""From when to when tracks last, and whether pictures and sound begin and end together."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.media.continuity.observation import Notebook, Place

STARTS_APART_MS = 500
ENDS_APART_MS = 1000


@dataclass(slots=True)
class Extent:
    """From when to when a track lasts, in milliseconds; None while nothing came."""

    start_ms: int | None = None
    end_ms: int | None = None

    def add(self, start_ms: int, end_ms: int) -> None:
        """Stretch it."""
        self.start_ms = start_ms if self.start_ms is None else min(self.start_ms, start_ms)
        self.end_ms = end_ms if self.end_ms is None else max(self.end_ms, end_ms)


def note_extents(notebook: Notebook, pictures: Extent, sound: Extent) -> None:
    """Compare how long pictures and sound last; positive distances: the sound is later."""
    if pictures.start_ms is None or sound.start_ms is None or pictures.end_ms is None or sound.end_ms is None:
        return
    start, end = sound.start_ms - pictures.start_ms, sound.end_ms - pictures.end_ms
    first, last = min(pictures.start_ms, sound.start_ms), min(pictures.end_ms, sound.end_ms)
    if abs(start) > STARTS_APART_MS:
        notebook.note("timeline.starts_differ", Place(from_ms=first), milliseconds=start)
    if abs(end) > ENDS_APART_MS:
        notebook.note("timeline.ends_differ", Place(from_ms=last, to_ms=last + abs(end)), milliseconds=end)
