"""A storyboard as players know it: one sheet of small pictures, and a WebVTT file that says which shows which time.

Each cue names a part of the sheet by a media fragment (W3C Media Fragments, 4.2.2), relative to where the WebVTT file
was fetched: `storyboard-sheet#xywh=160,90,160,90`. Beside an exported file the sheet's own name must be put there.

How many pictures: one a second at first; whenever there would be more than `TILES_MAX`, every other is dropped and the
distance doubles. So a short clip has a picture a second, any longer one between a hundred and two hundred, without
believing the length that a file states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, TypeVar

from ingest.media.geometry import Size, within

TILES_MAX = 200
COLUMNS = 10
TILE_BOX = Size(160, 90)
SHEET_NAME = "storyboard-sheet"

T = TypeVar("T")


@dataclass(slots=True)
class Slots(Generic[T]):
    """Keeps things by time, evenly, and never more than `TILES_MAX` of them.

    Attributes:
        kept: Time in seconds and thing, rising.
        distance: Seconds between two, at least.
    """

    kept: list[tuple[Fraction, T]] = field(default_factory=list)
    distance: int = 1

    def wants(self, seconds: Fraction) -> bool:
        """Tell whether something of this time would be kept."""
        return not self.kept or seconds // self.distance > self.kept[-1][0] // self.distance

    def keep(self, seconds: Fraction, thing: T) -> None:
        """Keep something that is wanted; make room if there are too many."""
        self.kept.append((seconds, thing))
        while len(self.kept) > TILES_MAX:
            self.distance *= 2
            thinned: list[tuple[Fraction, T]] = []
            for place, kept in self.kept:
                if not thinned or place // self.distance > thinned[-1][0] // self.distance:
                    thinned.append((place, kept))
            self.kept = thinned


def tile_size(review: Size) -> Size:
    """Return the size of the small pictures for review pictures of a size."""
    return within(review, TILE_BOX)


def place_of(number: int, tile: Size) -> tuple[int, int]:
    """Return the left upper corner of a tile on the sheet, in pixels."""
    return number % COLUMNS * tile.width, number // COLUMNS * tile.height


def sheet_size(count: int, tile: Size) -> Size:
    """Return the size of a sheet of some tiles."""
    return Size(min(count, COLUMNS) * tile.width, -(-count // COLUMNS) * tile.height)


def format_storyboard(times: Sequence[Fraction], *, end: Fraction, tile: Size) -> str:
    """Write the WebVTT file of tiles seen at rising `times`, in seconds; the first stands for all before it."""
    lines = ["WEBVTT", ""]
    for number, began in enumerate(times):
        last = number + 1 == len(times)
        stop = max(end, began + Fraction(1, 1000)) if last else times[number + 1]
        x, y = place_of(number, tile)
        lines.append(f"{_clock(began if number else Fraction(0))} --> {_clock(stop)}")
        lines += [f"{SHEET_NAME}#xywh={x},{y},{tile.width},{tile.height}", ""]
    return "\n".join(lines)


def _clock(seconds: Fraction) -> str:
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
