"""A rule over the full pictures of a track: their distance and their numbers keep to the habit that the stream shows.

A stream that shows none (full pictures at changes of scene) gives no occasion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.pictures import Picture

ENTRIES_KEPT_MAX = 100_000
ENTRIES_MIN = 6
RULE_PERCENT = 85
BREAKS_MAX = 3


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
