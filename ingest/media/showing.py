"""Which picture of a track is meant, and which units it is decoded from; pure, over the frame index.

Pictures are counted from 0 in the order in which they are shown. What an edit list hides, and what the file states no
time for, is no picture of its own. Times are those of `ingest.media.frames`: zero is where the review copy begins.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction

from ingest.media.errors import PictureOutside, PicturesMissing
from ingest.media.frames import HIDDEN, KEY, NO_PTS, FrameIndex, FrameTrack


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which picture somebody wants: exactly one of the three.

    Attributes:
        frame: Its number, from 0.
        pts: Its presentation time, in ticks of its track.
        at_ms: A time on the players' clock: the picture on show then, its begin rounded down to a millisecond.
    """

    frame: int | None = None
    pts: int | None = None
    at_ms: int | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.frame, self.pts, self.at_ms)) != 1:
            raise ValueError("exactly one of frame, pts and at_ms names a picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of a track.

    Attributes:
        track: Number of the track in the file.
        number, of: Its number from 0, and how many there are.
        pts: Ticks of `unit` seconds, as the file states them.
        at: Seconds on the players' clock.
        key_pts, key_number: The key frame that decoding begins with.
        first, stop: The units to decode, in file order; the last one is the picture's own.
    """

    track: int
    number: int
    of: int
    pts: int
    unit: Fraction
    at: Fraction
    key_pts: int
    key_number: int
    first: int
    stop: int

    @property
    def at_ms(self) -> int:
        """Milliseconds on the players' clock, rounded down."""
        return int(self.at * 1000 // 1)


def find_picture(index: FrameIndex, asked: Asked, *, track: int | None = None) -> Picture:
    """Return the picture that is meant.

    Args:
        index: The original's index.
        asked: Which one.
        track: The track that the review copy shows; by default the first with pictures.

    Raises:
        PicturesMissing: There is no such track, or none of its pictures has a time.
        PictureOutside: No picture has this number or time, or none is on show then.
    """
    chosen = _track(index, track)
    shown = sorted(
        (pts, at) for at, (pts, flags) in enumerate(zip(chosen.pts, chosen.flags, strict=True)) if _is_shown(flags)
    )
    if not shown:
        raise PicturesMissing("the file states no time for any of its pictures")
    times = [pts for pts, _ in shown]
    number = _number(index, chosen, times, asked)
    pts, own = shown[number]
    first = next((at for at in range(own, -1, -1) if _begins(chosen, at) and chosen.pts[at] <= pts), 0)
    return Picture(
        track=chosen.index,
        number=number,
        of=len(shown),
        pts=pts,
        unit=chosen.unit,
        at=index.seconds(chosen, pts),
        key_pts=chosen.pts[first],
        key_number=min(bisect_left(times, chosen.pts[first]), number),
        first=first,
        stop=own + 1,
    )


def _begins(track: FrameTrack, at: int) -> bool:
    return track.flags[at] & (KEY | NO_PTS) == KEY


def _is_shown(flags: int) -> bool:
    return not flags & (HIDDEN | NO_PTS)


def _track(index: FrameIndex, wanted: int | None) -> FrameTrack:
    films = [track for track in index.tracks if track.kind == "video" and len(track)]
    for track in films:
        if wanted in (None, track.index):
            return track
    raise PicturesMissing("the file has no track of pictures")


def _number(index: FrameIndex, track: FrameTrack, times: list[int], asked: Asked) -> int:
    if asked.frame is not None:
        if not 0 <= asked.frame < len(times):
            raise PictureOutside(f"there are {len(times)} pictures, numbered from 0", frames=len(times))
        return asked.frame
    if asked.pts is not None:
        number = bisect_left(times, asked.pts)
        if number == len(times) or times[number] != asked.pts:
            near = [times[at] for at in (number - 1, number) if 0 <= at < len(times)]
            raise PictureOutside("no picture has this presentation time", nearest=near)
        return number
    assert asked.at_ms is not None  # noqa: S101 - what `Asked` promises
    begins = [int(index.seconds(track, ticks) * 1000 // 1) for ticks in times]
    end_ms = -int(-index.seconds(track, _end(track, times)) * 1000 // 1)
    # Whatever begins within the millisecond has begun: players round down.
    behind = bisect_right(begins, asked.at_ms)
    if behind == 0 or asked.at_ms >= end_ms:
        raise PictureOutside(
            f"pictures are on show from {begins[0]} ms to {end_ms} ms", from_ms=begins[0], to_ms=end_ms
        )
    return behind - 1


def _end(track: FrameTrack, times: list[int]) -> int:
    """Return the tick at which the last picture ends; where no length is stated, it is as long as the one before."""
    last = max(
        length
        for pts, length, flags in zip(track.pts, track.durations, track.flags, strict=True)
        if pts == times[-1] and _is_shown(flags)
    )
    return times[-1] + (last or max(1, times[-1] - times[max(0, len(times) - 2)]))
