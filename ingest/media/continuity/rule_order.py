"""A rule over the pictures of a track: places in the order of showing are taken one after the other.

By which step they go is the stream's own habit. A step that is wider in few places is worth a word; in a stream that
leaves places empty throughout it tells nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.pictures import Picture

REORDER_PICTURES = 32
STEPS_MAX = 64
GAPS_KEPT_MAX = 64
GAPS_RARE_PERCENT = 2
GAPS_RARE_MIN = 4


@dataclass(slots=True)
class Order:
    """Follows the order of showing; what is missing can only be told at the end, when the step is known."""

    notebook: Notebook
    _waiting: list[tuple[int, int, Place]] = field(default_factory=list)
    _shown: int | None = None
    _steps: Counter[int] = field(default_factory=Counter)
    _places: dict[int, list[Place]] = field(default_factory=dict)
    _count: int = 0

    def take(self, picture: Picture) -> None:
        """Take a picture; a new sequence ends the one before."""
        if picture.order is None or not picture.ordered:
            return
        if picture.opens:
            self._flush()
        self._count += 1
        heapq.heappush(self._waiting, (picture.order, self._count, picture.where))
        if len(self._waiting) > REORDER_PICTURES:
            self._show()
        if picture.resets or picture.resets is None:
            self._flush()

    def finish(self) -> None:
        """Note the empty places."""
        self._flush()
        if not self._steps:
            return
        ((step, _times),) = self._steps.most_common(1)
        wide = {size: times for size, times in self._steps.items() if size > step and size % step == 0}
        total = sum(wide.values())
        rare = total <= max(GAPS_RARE_MIN, self._count * GAPS_RARE_PERCENT // 100)
        if wide and not rare:
            place = self._places[next(iter(wide))][0]
            self.notebook.note("bitstream.order_gap_habit", place, places=total, pictures=self._count)
            return
        for size in wide:
            for place in self._places[size]:
                self.notebook.note("bitstream.order_gap", place, missing=size // step - 1)

    def _flush(self) -> None:
        while self._waiting:
            self._show()
        self._shown = None

    def _show(self) -> None:
        order, _number, place = heapq.heappop(self._waiting)
        if self._shown is not None and order > self._shown:
            step = order - self._shown
            if step in self._steps or len(self._steps) < STEPS_MAX:
                self._steps[step] += 1
                places = self._places.setdefault(step, [])
                if len(places) < GAPS_KEPT_MAX:
                    places.append(place)
        self._shown = order
