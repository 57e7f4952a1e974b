"""Rules of continuity over the pictures of one track, in decoding order; each rule remembers little and notes places.

| Rule | What it follows |
|---|---|
| `Count` | H.264's `frame_num` goes up by one from reference picture to reference picture (7.4.3) |
| `Order` | places in the order of showing are taken one after the other, by the step that the stream itself keeps |
| `References` | what an H.265 picture leans on has come and was kept (8.3.2) |
| `Entries` | the distance between full pictures, and their numbers, keep to the rule that the stream itself shows |

A rule that a stream shows in most places and breaks in few is worth a word; a stream that shows none gives no occasion.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.pictures import Picture

REORDER_PICTURES = 32
STEPS_MAX = 64
GAPS_KEPT_MAX = 64
GAPS_RARE_PERCENT = 2
GAPS_RARE_MIN = 4
ENTRIES_KEPT_MAX = 100_000
ENTRIES_MIN = 6
RULE_PERCENT = 85
BREAKS_MAX = 3
DECODED_BUFFER_MAX = 32


@dataclass(slots=True)
class Count:
    """Follows `frame_num`."""

    notebook: Notebook
    _before: int | None = None
    _was_reference: bool = False

    def take(self, picture: Picture) -> None:
        """Compare a picture with the reference picture before it."""
        limit, before = picture.frame_num_max, self._before
        if not limit:
            return
        if picture.opens:
            before = 0
        elif before is not None:
            missing = (picture.frame_num - before - 1) % limit
            repeated = picture.frame_num == before
            if repeated and picture.reference and self._was_reference:
                self.notebook.note("bitstream.frame_repeated", picture.where, number=picture.frame_num)
            elif missing and not repeated:
                code = "bitstream.frame_gap_allowed" if picture.gaps_allowed else "bitstream.frame_gap"
                expected = (before + 1) % limit
                self.notebook.note(
                    code, picture.where, number=picture.frame_num, expected=expected, missing_modulo=missing
                )
                before = (picture.frame_num - 1) % limit
        else:
            before = (picture.frame_num - 1) % limit
        self._was_reference = picture.reference
        if picture.reference:
            before = picture.frame_num
            if picture.resets is None:
                before = None
            elif picture.resets:
                before = 0
        self._before = before


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


@dataclass(slots=True)
class References:
    """Follows what H.265 pictures lean on and keep."""

    notebook: Notebook
    _kept: set[int] = field(default_factory=set)
    _first: bool = True

    def take(self, picture: Picture) -> None:
        """Look for what a picture leans on among those that were kept."""
        if picture.order is None or picture.frame_num_max:
            return
        if picture.opens:
            self._kept = set()
        elif not self._first and not picture.leads:
            for order in sorted(picture.needs - self._kept):
                self.notebook.note("bitstream.reference_missing", picture.where, order=order, picture=picture.order)
        if not picture.keeps_more:
            self._kept &= picture.keeps
        if len(self._kept) >= DECODED_BUFFER_MAX:
            self._kept.discard(min(self._kept))
        self._kept.add(picture.order)
        self._first = False


@dataclass(slots=True)
class Entries:
    """Follows full pictures: how far apart they are, how they are numbered, and what the first of all is."""

    notebook: Notebook
    _pictures: int = 0
    _found: list[tuple[int, int | None, Place]] = field(default_factory=list)
    _start: Place | None = None
    _start_leads: int = 0

    def take(self, picture: Picture) -> None:
        """Take a picture."""
        if self._pictures == 0 and not picture.entry:
            code = "bitstream.starts_inside" if picture.kind == "I" else "bitstream.start_missing"
            self.notebook.note(code, picture.where, kind=picture.kind)
        # Pictures that lead the first full picture lean on what is not in the file.
        if picture.leads and len(self._found) == 1:
            self._start_leads += 1
            self._start = self._start or picture.where
        if picture.entry and len(self._found) < ENTRIES_KEPT_MAX:
            self._found.append((self._pictures, picture.idr_id, picture.where))
        self._pictures += 1

    def finish(self) -> None:
        """Note where the stream's own rules are broken."""
        if self._start is not None:
            self.notebook.note("bitstream.starts_inside", self._start, leading=self._start_leads)
        counts = [count for count, _ident, _where in self._found]
        distances = [after - before for before, after in pairwise(counts)]
        for number, usual in _breaks(distances):
            self.notebook.note("bitstream.cadence", self._found[number + 1][2], pictures=distances[number], usual=usual)
        idents = [ident for _count, ident, _where in self._found if ident is not None]
        if len(idents) == len(self._found) and (rule := _numbering(idents)) is not None:
            for number, usual in _breaks(rule):
                self.notebook.note("bitstream.idr_number", self._found[number + 1][2], step=rule[number], usual=usual)


def _numbering(idents: Sequence[int]) -> list[int] | None:
    """Return the steps of a numbering that counts or alternates; None for one that does neither."""
    if len(set(idents)) < 2:
        return None
    modulo = max(idents) + 1
    return [(after - before) % modulo for before, after in pairwise(idents)]


def _breaks(values: Sequence[int]) -> list[tuple[int, int]]:
    """Return the places where a rule is broken, with the usual value; none where there is no rule."""
    if len(values) < ENTRIES_MIN - 1:
        return []
    ((usual, times),) = Counter(values).most_common(1)
    odd = [number for number, value in enumerate(values) if value != usual]
    if times * 100 < RULE_PERCENT * len(values) - 100 or len(odd) > BREAKS_MAX:
        return []
    return [(number, usual) for number in odd]
