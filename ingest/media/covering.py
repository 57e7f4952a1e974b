"""Making parts of pictures unrecognisable and sound silent, so that nothing of them can be had back.

A covered box keeps at most `CELLS` averages along its longer side; smoothing them (`blur`) adds nothing to what they
tell. Averages are of one picture each: who can overlay many pictures of a still scene learns no more than they show.
Boxes grow outwards to whole pairs of pixels, since colours are stored for pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

CELLS = 6
"""Most averages along the longer side of a box: a face in six squares is nobody's."""

_BLACK, _GREY = 16, 128  # studio range

Plane = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds on the players' clock."""

    from_s: Fraction
    to_s: Fraction

    def touches(self, start: Fraction, stop: Fraction) -> bool:
        """Tell whether any of it lies between two times."""
        return self.from_s < stop and self.to_s > start


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the picture, in parts of its width and height, for a span."""

    span: Span
    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction
    how: Literal["pixelate", "blur", "black"]


def cover(frame: VideoFrame, boxes: Sequence[Box]) -> VideoFrame:
    """Return a `yuv420p` picture with these boxes covered, with the times and colours of the one given."""
    if not boxes:
        return frame
    width, height = frame.width, frame.height
    packed: Plane = frame.to_ndarray().astype(np.uint8, copy=False).reshape(-1)
    luma = packed[: width * height].reshape(height, width)
    half = (height // 2, width // 2)
    quarter = half[0] * half[1]
    chroma = [packed[width * height + at * quarter :][:quarter].reshape(half) for at in (0, 1)]
    for box in boxes:
        left, top = int(box.left * half[1]), int(box.top * half[0])
        right, bottom = -int(-box.right * half[1] // 1), -int(-box.bottom * half[0] // 1)
        _hide(luma[2 * top : 2 * bottom, 2 * left : 2 * right], box.how, _BLACK)
        for plane in chroma:
            _hide(plane[top:bottom, left:right], box.how, _GREY)
    made = VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), format="yuv420p")
    made.pts, made.time_base = frame.pts, frame.time_base
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    return made


def mute(frame: AudioFrame, spans: Sequence[Span]) -> AudioFrame:
    """Return a piece of sound, whose `pts` counts samples, with these spans silent."""
    start, rate = frame.pts or 0, frame.sample_rate
    if not any(span.touches(Fraction(start, rate), Fraction(start + frame.samples, rate)) for span in spans):
        return frame
    samples = frame.to_ndarray()
    for span in spans:
        first = max(0, int(span.from_s * rate) - start)
        samples[:, first : max(0, -int(-span.to_s * rate // 1) - start)] = 0
    made = AudioFrame.from_ndarray(samples, format=frame.format.name, layout=frame.layout.name)
    made.sample_rate, made.pts, made.time_base = rate, frame.pts, frame.time_base
    return made


def _hide(plane: Plane, how: Literal["pixelate", "blur", "black"], black: int) -> None:
    height, width = plane.shape
    if not height or not width:
        return
    if how == "black":
        plane[:] = black
        return
    cell = -(-max(height, width) // CELLS)
    rows, columns = _groups(height, cell), _groups(width, cell)
    sums = np.add.reduceat(np.add.reduceat(plane.astype(np.float64), rows, axis=0), columns, axis=1)
    sizes = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    spread = _smooth if how == "blur" else _blocks
    plane[:] = np.rint(spread(height, rows) @ (sums / sizes) @ spread(width, columns).T).astype(np.uint8)


def _groups(length: int, cell: int) -> list[int]:
    return list(range(0, length, cell))


def _blocks(length: int, starts: list[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return which average each pixel shows."""
    weights = np.zeros((length, len(starts)))
    for number, (start, stop) in enumerate(zip(starts, [*starts[1:], length], strict=True)):
        weights[start:stop, number] = 1
    return weights


def _smooth(length: int, starts: list[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return how much of each average a pixel shows, falling off to the middle of the next."""
    middles = [(start + stop - 1) / 2 for start, stop in zip(starts, [*starts[1:], length], strict=True)]
    places = np.arange(length)
    return np.stack([np.interp(places, middles, row) for row in np.eye(len(starts))], axis=1)
