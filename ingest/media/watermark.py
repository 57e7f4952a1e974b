"""A watermark in the pixels: some lines of text all over the picture, in rows like bricks, elsewhere every two seconds.

Ink is white with a dark edge, half let through, so that it is read on light and on dark. Rows stand close enough that
what is left of a crop still holds the text; since they move, no still picture of them can be subtracted. Colours stay.
Whoever paints over the whole picture removes it: it names the recipient, it does not prevent anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.frame import VideoFrame

from ingest.media.errors import NothingDecodes
from ingest.media.glyphs import dots_of

STEP_SECONDS: Final = 2
"""How long it stays at one place."""

_PART_OF_HEIGHT = 0.11
_HEIGHT_MIN, _PART_OF_WIDTH_MAX = 30, 0.7
_INK, _EDGE = 235, 16  # limits of studio-range luma
_INK_WEIGHT, _EDGE_WEIGHT = 150, 130  # of 256

Plane = np.ndarray[Any, np.dtype[np.uint8]]
Weights = np.ndarray[Any, np.dtype[np.uint16]]


def shape_of_lines(lines: Sequence[str]) -> Plane:
    """Return lines of the house's own glyphs as coverage, 0 to 255.

    Raises:
        KeyError: A character is none of them.
    """
    rows = [dots_of(line) for line in lines]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 1), (0, width - row.shape[1]))) for row in rows]
    return np.asarray(np.vstack(padded).repeat(6, axis=0).repeat(6, axis=1) * 255, dtype=np.uint8)


def shape_of_picture(path: Path) -> Plane:
    """Return a picture of white text on black as coverage, cut to its ink.

    Raises:
        NothingDecodes: There is nothing on it.
        FFmpegError: It is no picture.
    """
    with av.open(str(path)) as container:
        grey = next(container.decode(video=0)).to_ndarray(format="gray").astype(np.uint8, copy=False)
    rows, columns = np.flatnonzero(grey.max(axis=1) > 127), np.flatnonzero(grey.max(axis=0) > 127)
    if not rows.size:
        raise NothingDecodes("the picture of the watermark is empty")
    return np.ascontiguousarray(grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


class Watermark:
    """The layer for pictures of one size.

    Args:
        shape: Coverage of the text, 0 to 255.
        width, height: Of the pictures, in pixels.
    """

    def __init__(self, shape: Plane, *, width: int, height: int) -> None:
        tile = _fitted(shape, width, height)
        rows, columns = tile.shape
        self._period = (2 * (2 * rows + rows // 4), columns + max(columns // 4, rows))
        self._size = (height, width)
        ink = np.zeros(self._period, dtype=np.uint8)
        ink[:rows, :columns] = tile
        half = self._period[0] // 2
        ink[half:, :] = np.roll(ink[:half, :], self._period[1] // 2, axis=1)
        edge = np.clip(_thick(ink).astype(np.int16) - ink, 0, 255).astype(np.uint16)
        inked = ink.astype(np.uint16) * _INK_WEIGHT // 255
        edged = edge * _EDGE_WEIGHT // 255
        times = (height // self._period[0] + 2, width // self._period[1] + 2)
        self._keep: Weights = np.tile((256 - inked - edged).astype(np.uint16), times)
        self._add: Weights = np.tile((inked * _INK + edged * _EDGE).astype(np.uint16), times)

    def burn(self, frame: VideoFrame, seconds: Fraction) -> VideoFrame:
        """Return a `yuv420p` picture with the mark, with the times and colours of the one given."""
        height, width = self._size
        top, left = self.place(seconds)
        packed: Plane = frame.to_ndarray().astype(np.uint8, copy=True).reshape(-1)
        luma = packed[: width * height].reshape(height, width)
        keep = self._keep[top : top + height, left : left + width]
        luma[:] = (luma * keep + self._add[top : top + height, left : left + width]) >> 8
        made = VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), format="yuv420p")
        made.pts, made.time_base = frame.pts, frame.time_base
        made.colorspace, made.color_range = frame.colorspace, frame.color_range
        return made

    def place(self, seconds: Fraction) -> tuple[int, int]:
        """Return how far the layer is moved up and to the left at a time."""
        step = int(seconds // STEP_SECONDS)
        # Multiples of these fill a period evenly and come back late.
        return (step * 61) % self._period[0], (step * 97) % self._period[1]


def _fitted(shape: Plane, width: int, height: int) -> Plane:
    rows = max(_HEIGHT_MIN, round(height * _PART_OF_HEIGHT))
    scale = min(rows / shape.shape[0], width * _PART_OF_WIDTH_MAX / shape.shape[1])
    size = (max(4, round(shape.shape[1] * scale)), max(4, round(shape.shape[0] * scale)))
    picture = VideoFrame.from_ndarray(shape, format="gray").reformat(
        width=size[0], height=size[1], interpolation="AREA"
    )
    return picture.to_ndarray().astype(np.uint8, copy=False)


def _thick(ink: Plane) -> Plane:
    """Return the ink made one pixel thicker on each side."""
    made = ink
    for axis in (0, 1):
        made = np.maximum(made, np.maximum(np.roll(made, 1, axis=axis), np.roll(made, -1, axis=axis)))
    return made
