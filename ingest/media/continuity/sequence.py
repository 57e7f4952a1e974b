"""A clip among its neighbours: other clips of the same recorder, by what is known of them without opening them.

All times are the recorder's own clock, as it stated them (file name, directory entry or inventory): a clock that was
set makes gaps and overlaps that never were, and nothing here can tell. Clips that are not in the house yet look like
gaps: what is noted holds for the clips handed in so far, so it is worked out when somebody asks and kept nowhere.

Files of one recorder are put in order by their number, which is the last run of digits in their name, where all of them
have one of the same length and differ in it; else by their time.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.media.continuity.observation import NOWHERE, Notebook

GAP_MS_MIN = 3000
GAP_LONG_MS_MIN = 60_000
OVERLAP_MS_MIN = 2000
NEIGHBOURS_MIN = 3
RATE_FACTOR = 4
LENGTH_TOLERANCE_PERCENT = 5
_NUMBER = re.compile(r"(\d{3,8})(?=\D*$)")
_CLOCK_LIKE = 6  # six digits or more in a row are a time of day or a date, not a count


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What is known of a clip.

    Attributes:
        name: File name on the recorder.
        recorded_at: When it begins, by the recorder's clock; None if it does not say.
        duration_ms: How long it lasts; None before it was decoded.
        size: Bytes.
        make: Container and codecs in a word, such as `mp4 h264 aac`; empty if unknown.
    """

    name: str
    recorded_at: datetime | None
    duration_ms: int | None
    size: int
    make: str = ""

    @property
    def number(self) -> int | None:
        """The count in its name, if there is one."""
        found = _NUMBER.search(self.name.rpartition(".")[0] or self.name)
        return None if found is None or len(found[1]) >= _CLOCK_LIKE else int(found[1])

    @property
    def bytes_per_second(self) -> int | None:
        """How fast it was written."""
        return None if not self.duration_ms else self.size * 1000 // self.duration_ms


def note_sequence(clip: ClipFacts, others: Sequence[ClipFacts], notebook: Notebook) -> None:
    """Write down what the neighbours of a clip give occasion to note; `others` come in any order, without the clip."""
    before, after = _beside(clip, others)
    if before is not None:
        _note_pair(before, clip, notebook, side="before")
    if after is not None:
        _note_pair(clip, after, notebook, side="after")
    _note_outliers(clip, others, notebook)


def _beside(clip: ClipFacts, others: Sequence[ClipFacts]) -> tuple[ClipFacts | None, ClipFacts | None]:
    """Return the clips next to it, by number or else by time."""
    numbers = [item.number for item in (clip, *others)]
    if None not in numbers and len(set(numbers)) == len(numbers):
        ordered = sorted((clip, *others), key=lambda item: item.number or 0)
    elif clip.recorded_at is not None:
        timed = [(item.recorded_at, place, item) for place, item in enumerate((clip, *others)) if item.recorded_at]
        ordered = [item for _time, _place, item in sorted(timed)]
    else:
        return None, None
    place = next(place for place, item in enumerate(ordered) if item is clip)
    return (
        ordered[place - 1] if place else None,
        ordered[place + 1] if place + 1 < len(ordered) else None,
    )


def _note_pair(first: ClipFacts, second: ClipFacts, notebook: Notebook, *, side: str) -> None:
    neighbour = first.name if side == "before" else second.name
    one, two = first.number, second.number
    if one is not None and two is not None and two - one > 1:
        notebook.note("sequence.number_gap", NOWHERE, side=side, neighbour=neighbour, missing=two - one - 1)
    if first.recorded_at is None or second.recorded_at is None:
        return
    apart_ms = round((second.recorded_at - first.recorded_at).total_seconds() * 1000)
    if apart_ms < 0:
        notebook.note("sequence.clock_back", NOWHERE, side=side, neighbour=neighbour, milliseconds=-apart_ms)
        return
    if first.duration_ms is None:
        return
    gap_ms = apart_ms - first.duration_ms
    if gap_ms >= GAP_MS_MIN:
        code = "sequence.gap" if gap_ms >= GAP_LONG_MS_MIN else "sequence.short_gap"
        notebook.note(code, NOWHERE, side=side, neighbour=neighbour, milliseconds=gap_ms)
    elif gap_ms <= -OVERLAP_MS_MIN:
        notebook.note("sequence.overlap", NOWHERE, side=side, neighbour=neighbour, milliseconds=-gap_ms)


def _note_outliers(clip: ClipFacts, others: Sequence[ClipFacts], notebook: Notebook) -> None:
    rates = [rate for item in others if (rate := item.bytes_per_second)]
    own = clip.bytes_per_second
    if own is not None and len(rates) >= NEIGHBOURS_MIN:
        usual = int(statistics.median(rates))
        if own > usual * RATE_FACTOR or own * RATE_FACTOR < usual:
            notebook.note("sequence.rate_outlier", NOWHERE, bytes_per_second=own, usual=usual)
    makes = {item.make for item in others if item.make}
    if clip.make and len(makes) == 1 and clip.make not in makes and len(others) >= NEIGHBOURS_MIN:
        notebook.note("sequence.make_outlier", NOWHERE, make=clip.make, usual=makes.pop())
    lengths = [item.duration_ms for item in others if item.duration_ms]
    if clip.duration_ms and len(lengths) >= NEIGHBOURS_MIN:
        longest = max(lengths)
        full = [length for length in lengths if longest - length <= longest * LENGTH_TOLERANCE_PERCENT // 100]
        # Only where most files end at the same length does a shorter one mean that recording was stopped.
        short = clip.duration_ms < longest * (100 - LENGTH_TOLERANCE_PERCENT) // 100
        if len(full) * 2 > len(lengths) and short:
            notebook.note("sequence.length_outlier", NOWHERE, milliseconds=clip.duration_ms, usual_ms=longest)
