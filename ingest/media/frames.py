"""The frame index: where in the original's bytes every access unit lies, and when it is shown.

It maps bytes to seconds and back: which bytes an excerpt of some seconds needs, and which seconds a damaged chunk hits.
It is made while the packets of the original pass by on their way to the decoders (`ingest.media.indexing`), and lies
beside the other derived objects under the kind `frames`. Reading it needs nothing but the standard library.

What it states, per track and in the order the units stand in the file:

- `offsets`, `sizes`: the unit's bytes in the original, found there by comparing them, not by trusting the container's
  word. `NO_PLACE` marks a unit whose bytes do not lie in one piece (transport and program streams cut them into
  packets) or not as they are (stripped headers); its offset is 0 and means nothing.
  `ranges` says that every unit has a place.
- `pts`, `dts`, `durations`: ticks of `unit` seconds as FFmpeg hands them over, edit lists applied. `NO_PTS` and
  `NO_DTS` mark what the file does not state; the number beside it is the neighbour's. A duration of 0 is unknown.
- `flags`: `KEY` (decoding can begin here), `HIDDEN` (an edit list hides it, others may lean on it), `CORRUPT` (the
  container says so), and the above.
- `edit_shift`: ticks by which the first edit of an MP4 moves the track: time in the track's own media = pts + shift.

Seconds on the players' clock are `pts * unit - origin`: zero is where the review copy begins. Where the review copy had
to repair times (`damage.time_repairs`, `time_breaks` in the probe) it may part from this arithmetic.

Units that an edit list leaves out altogether never come out of the demuxer and are not listed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import compress
from math import ceil, floor
from operator import add, and_

from ingest.media.errors import RangesUnknown

KEY, HIDDEN, CORRUPT, NO_PTS, NO_DTS, NO_PLACE = 1, 2, 4, 8, 16, 32
FLAGS = KEY | HIDDEN | CORRUPT | NO_PTS | NO_DTS | NO_PLACE


def numbers() -> array[int]:
    """Return an empty column."""
    return array("q")


@dataclass(frozen=True, slots=True)
class FrameTrack:
    """One track; the columns are equally long, see the module's front page.

    Attributes:
        index: Number of the track in the file, as in the probe.
        kind: `video`, `audio`, `subtitle`, `data`, `attachment` or `unknown`.
        codec: FFmpeg's name of the codec, empty if it knows none.
        unit: Seconds per tick.
        edit_shift: See the module's front page; 0 where the file states no edits.
    """

    index: int
    kind: str
    codec: str
    unit: Fraction
    edit_shift: int = 0
    offsets: array[int] = field(default_factory=numbers)
    sizes: array[int] = field(default_factory=numbers)
    pts: array[int] = field(default_factory=numbers)
    dts: array[int] = field(default_factory=numbers)
    durations: array[int] = field(default_factory=numbers)
    flags: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.flags)

    @property
    def ranges(self) -> bool:
        """Whether every unit has its place in the original's bytes."""
        return not any(flags & NO_PLACE for flags in set(self.flags))

    @property
    def timed(self) -> bool:
        """Whether the file states a time for at least one unit (bare streams state none)."""
        return any(not flags & NO_PTS or not flags & NO_DTS for flags in set(self.flags))

    @property
    def places(self) -> Iterator[tuple[int, int]]:
        """Offset and end of every unit that has a place, in file order."""
        has = (not flags & NO_PLACE for flags in self.flags)
        return compress(zip(self.offsets, self.ends, strict=True), has)

    @property
    def ends(self) -> Iterator[int]:
        """Offset behind every unit, in file order; means nothing where a unit has no place."""
        return map(add, self.offsets, self.sizes)


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """The index of one original.

    Attributes:
        size: Bytes of the original.
        origin: Time in seconds that is zero for the players: where the first track of the review copy begins.
        tracks: By number.
    """

    size: int
    origin: Fraction
    tracks: tuple[FrameTrack, ...]

    @property
    def ranges(self) -> bool:
        """Whether every unit of every track has its place in the original's bytes."""
        return all(track.ranges for track in self.tracks)

    def seconds(self, track: FrameTrack, ticks: int) -> Fraction:
        """Return a time of a track on the players' clock, in seconds."""
        return ticks * track.unit - self.origin


@dataclass(frozen=True, slots=True, order=True)
class ByteRun:
    """`size` bytes of the original from `offset` on."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.offset + self.size


def ranges_between(index: FrameIndex, *, from_s: Fraction, to_s: Fraction) -> tuple[ByteRun, ...]:
    """Return the bytes of all access units, of all tracks, that are needed to show what lies between two times.

    Pictures are taken from the last key frame at or before `from_s`; sound from one unit before, since most codecs lay
    neighbouring units over each other; of other tracks what applies at `from_s`. The runs rise and neither touch nor
    overlap. The container's own words (head, index, parameter sets kept there) are not among them.

    Args:
        index: The original's index.
        from_s, to_s: Seconds on the players' clock, `from_s` before `to_s`.

    Raises:
        RangesUnknown: The container does not hold its units in one piece each, or states no times.
    """
    places: list[tuple[int, int]] = []
    for track in index.tracks:
        if not len(track):
            continue
        if not track.ranges or not track.timed:
            why = "does not hold its units in one piece each" if not track.ranges else "states no times"
            raise RangesUnknown(f"track {track.index} {why}", track=str(track.index))
        first, stop = units_needed(track, origin=index.origin, from_s=from_s, to_s=to_s)
        ends = map(add, track.offsets[first:stop], track.sizes[first:stop])
        places.extend(zip(track.offsets[first:stop], ends, strict=True))
    return _merged(places)


def seconds_touched(index: FrameIndex, *, start: int, stop: int) -> tuple[Fraction, Fraction] | None:
    """Return the earliest and latest second of the units that have a byte in `start` <= byte < `stop`.

    What leans on a damaged picture is damaged up to the next key frame; that is not followed here. None if no unit with
    a time and a place lies there: headers, padding, or a container without ranges.
    """
    times = [
        (index.seconds(track, track.pts[at]), index.seconds(track, track.pts[at] + track.durations[at]))
        for track in index.tracks
        for at, flags in enumerate(track.flags)
        if not flags & (NO_PLACE | NO_PTS) and track.offsets[at] < stop and track.offsets[at] + track.sizes[at] > start
    ]
    return (min(begin for begin, _ in times), max(end for _, end in times)) if times else None


def units_needed(track: FrameTrack, *, origin: Fraction, from_s: Fraction, to_s: Fraction) -> tuple[int, int]:
    """Return the first and the stop position, in file order, of what one track needs; see `ranges_between`."""
    from_ticks, to_ticks = floor((from_s + origin) / track.unit), ceil((to_s + origin) / track.unit)
    stop = bytes(map(to_ticks.__gt__, track.pts)).rfind(1) + 1
    begins = bytes(map(and_, map(from_ticks.__ge__, track.pts[:stop]), track.flags))
    first = max(0, begins.rfind(KEY))
    if track.kind == "audio":
        first = max(0, first - 1)
    return min(first, stop), stop


def _merged(places: Sequence[tuple[int, int]]) -> tuple[ByteRun, ...]:
    runs: list[ByteRun] = []
    for offset, end in sorted(places):
        if runs and offset <= runs[-1].end:
            runs[-1] = ByteRun(runs[-1].offset, max(runs[-1].end, end) - runs[-1].offset)
        else:
            runs.append(ByteRun(offset, end - offset))
    return tuple(runs)
