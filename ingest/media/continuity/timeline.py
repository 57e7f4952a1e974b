"""Times of the packets of a track: holes and steps back.

Times are those of the container, in each track's own unit; what an edit list hides is left out. Pictures come in
decoding order and are put in order again over `REORDER_PICTURES`.

A hole in the pictures is judged by the track's own habit: where nearly all steps are equal, one and a half steps are a
hole; where they vary (phones in the dark, recorders under load), only seconds are.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from ingest.media.continuity.extents import Extent
from ingest.media.continuity.observation import Notebook, Place

REORDER_PICTURES = 32
STEPS_MAX = 256
WIDEST_KEPT_MAX = 64
STEPS_MIN = 8
REGULAR_PERCENT = 95
UNEVEN_HOLE_MS = 2000
SOUND_HOLE_MS_MIN = 20


@dataclass(slots=True)
class PictureTimes:
    """Follows the times of one track of pictures; `unit` in seconds."""

    notebook: Notebook
    unit: Fraction
    extent: Extent = field(default_factory=Extent)
    _waiting: list[tuple[int, int, Place]] = field(default_factory=list)
    _shown: int | None = None
    _decoded: int | None = None
    _count: int = 0
    _steps: Counter[int] = field(default_factory=Counter)
    _widest: list[tuple[int, int, Place]] = field(default_factory=list)

    def take(self, time: int, decoding_time: int | None, duration: int, where: Place) -> None:
        """Take a picture's times in units of the track."""
        if decoding_time is not None:
            if self._decoded is not None and decoding_time < self._decoded:
                back_ms = _ms(self._decoded - decoding_time, self.unit)
                self.notebook.note("timeline.backwards", where, milliseconds=back_ms)
            self._decoded = decoding_time
        self._count += 1
        heapq.heappush(self._waiting, (time, self._count, where))
        if len(self._waiting) > REORDER_PICTURES:
            self._show()
        self.extent.add(_ms(time, self.unit), _ms(time + duration, self.unit))

    def finish(self) -> None:
        """Note the holes."""
        while self._waiting:
            self._show()
        total = sum(self._steps.values())
        if total < STEPS_MIN:
            return
        ((usual, _times),) = self._steps.most_common(1)
        near = max(1, usual // 10)
        regular = sum(times for step, times in self._steps.items() if abs(step - usual) <= near)
        limit = int(UNEVEN_HOLE_MS / 1000 / self.unit)
        if regular * 100 >= REGULAR_PERCENT * total:
            limit = usual + usual // 2
        for step, _number, where in sorted(self._widest, key=lambda item: item[1]):
            if step > limit:
                self.notebook.note(
                    "timeline.picture_gap", where, milliseconds=_ms(step, self.unit), usual_ms=_ms(usual, self.unit)
                )

    def _show(self) -> None:
        time, number, where = heapq.heappop(self._waiting)
        if self._shown is not None and time > self._shown:
            step = time - self._shown
            if step in self._steps or len(self._steps) < STEPS_MAX:
                self._steps[step] += 1
            item = (step, number, where)
            if len(self._widest) < WIDEST_KEPT_MAX:
                heapq.heappush(self._widest, item)
            elif step > self._widest[0][0]:
                heapq.heapreplace(self._widest, item)
        self._shown = time


@dataclass(slots=True)
class SoundTimes:
    """Follows the times of one track of sound; each packet should begin where the one before ends."""

    notebook: Notebook
    unit: Fraction
    extent: Extent = field(default_factory=Extent)
    _expected: int | None = None

    def take(self, time: int, duration: int, where: Place) -> None:
        """Take a packet's times in units of the track."""
        if self._expected is not None and duration > 0:
            apart = time - self._expected
            slack = max(duration, int(Fraction(SOUND_HOLE_MS_MIN, 1000) / self.unit))
            if abs(apart) >= slack:
                self.notebook.note("timeline.sound_gap", where, milliseconds=_ms(apart, self.unit))
        self._expected = time + duration if duration > 0 else None
        self.extent.add(_ms(time, self.unit), _ms(time + duration, self.unit))

    def finish(self) -> None:
        """Nothing is left to tell."""


def _ms(ticks: int, unit: Fraction) -> int:
    return ticks * unit.numerator * 1000 // unit.denominator
