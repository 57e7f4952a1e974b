"""Collecting the small pictures of a storyboard from those that are decoded anyway; see `ingest.media.board`."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ingest.media.board import Slots, format_storyboard, place_of, sheet_size, tile_size
from ingest.media.geometry import Size, Turn
from ingest.media.looks import Dressing, Look
from ingest.media.stills import jpeg

_Planes = list[NDArray[np.uint8]]
JPEG_QUANTISER = 5
_CHROMA_GREY = 128
_UNIT = Fraction(1, 90_000)  # of times that nobody looks at


class Storyboard:
    """Sees review pictures, or originals that could be: upright, square pixels, ordinary range.

    Args:
        review: Size of the review pictures.
    """

    def __init__(self, *, review: Size) -> None:
        self.tile = tile_size(review)
        self._slots: Slots[_Planes] = Slots()
        self._dressing = Dressing(target=self.tile, pixel_aspect=None, turn=Turn.NONE, unit=_UNIT, look=Look.PHOTOGRAPH)

    def see(self, picture: VideoFrame, seconds: Fraction) -> None:
        """Take a picture shown at `seconds` of the review copy, if one of that time is wanted."""
        if not self._slots.wants(seconds):
            return
        try:
            small = next(self._dressing.dress(picture), None)
        except FFmpegError:
            # The lane that carries the pictures counts what cannot be converted; here one tile less is no loss.
            return
        if small is not None:
            self._slots.keep(seconds, _planes(small))

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return len(self._slots.kept)

    def cues(self, *, end: Fraction) -> bytes:
        """Return the WebVTT file; `end` in seconds is where the review copy ends."""
        times = [seconds for seconds, _ in self._slots.kept]
        return format_storyboard(times, end=end, tile=self.tile).encode("ascii")

    def sheet(self) -> bytes:
        """Return the sheet as a JPEG.

        Raises:
            FFmpegError: It cannot be encoded.
        """
        size = sheet_size(self.count, self.tile)
        canvas = VideoFrame.from_ndarray(self._composed(size), format="yuv420p")
        return jpeg(canvas, quantiser=JPEG_QUANTISER)

    def _composed(self, size: Size) -> NDArray[np.uint8]:
        luma = np.zeros((size.height, size.width), np.uint8)
        chroma = [np.full((size.height // 2, size.width // 2), _CHROMA_GREY, np.uint8) for _ in range(2)]
        for number, (_, planes) in enumerate(self._slots.kept):
            x, y = place_of(number, self.tile)
            for whole, part, shrink in zip((luma, *chroma), planes, (1, 2, 2), strict=True):
                top, left = y // shrink, x // shrink
                whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        rows = [plane.reshape(-1, size.width) for plane in (luma, _flat(chroma, size))]
        return np.concatenate(rows)


def _flat(chroma: _Planes, size: Size) -> NDArray[np.uint8]:
    """Return both chroma planes one after the other, in rows as wide as the picture."""
    return np.concatenate([plane.reshape(-1) for plane in chroma]).reshape(size.height // 2, size.width)


def _planes(picture: VideoFrame) -> _Planes:
    planes = []
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        planes.append(rows[: plane.height, : plane.width].copy())
    return planes
