"""Pictures that stand still or are black, from a few grey values of each: an accumulator for whoever decodes anyway.

A camera's picture of an unchanging room still changes a little: its sensor is never quiet. Values that are equal to the
last digit over seconds come from a frozen encoder, a paused recording, or a still put in its place. Feed one small grey
picture for each decoded one, always of the same size, at times that do not fall.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.media.continuity.observation import Notebook, Place

STILL_MS_MIN = 5000
BLACK_MS_MIN = 2000
BLACK_LEVEL_MAX = 32
"""Grey values from 0 to 255; studio black is 16, and noise of some steps above it is still dark to the eye."""


@dataclass(slots=True)
class _Run:
    code: str
    shortest_ms: int
    start_ms: int | None = None
    last_ms: int = 0

    def take(self, notebook: Notebook, track: int, time_ms: int, *, holds: bool, since_ms: int) -> None:
        """Take one moment: whether the look holds there, and since when in milliseconds if it began earlier."""
        if holds:
            self.start_ms = since_ms if self.start_ms is None else self.start_ms
            self.last_ms = time_ms
        else:
            self.end(notebook, track)

    def end(self, notebook: Notebook, track: int) -> None:
        """Note the stretch if it was long enough, and begin anew."""
        if self.start_ms is not None and self.last_ms - self.start_ms >= self.shortest_ms:
            place = Place(track=track, from_ms=self.start_ms, to_ms=self.last_ms)
            notebook.note(self.code, place, milliseconds=self.last_ms - self.start_ms)
        self.start_ms = None


@dataclass(slots=True)
class Looks:
    """Follows the pictures of one track as they are decoded."""

    notebook: Notebook
    track: int
    _before: bytes = b""
    _before_ms: int = 0
    _still: _Run = field(default_factory=lambda: _Run("timeline.frozen", STILL_MS_MIN))
    _black: _Run = field(default_factory=lambda: _Run("timeline.black", BLACK_MS_MIN))

    def take(self, grey: bytes, time_ms: int) -> None:
        """Take the grey values of a picture."""
        black = bool(grey) and max(grey) <= BLACK_LEVEL_MAX
        self._black.take(self.notebook, self.track, time_ms, holds=black, since_ms=time_ms)
        # Black is told as black only.
        still = grey == self._before and not black
        self._still.take(self.notebook, self.track, time_ms, holds=still, since_ms=self._before_ms)
        self._before, self._before_ms = grey, time_ms

    def finish(self) -> None:
        """Note what lasts to the end."""
        self._still.end(self.notebook, self.track)
        self._black.end(self.notebook, self.track)
