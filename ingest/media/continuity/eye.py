"""A few grey values of decoded pictures for `looks`, picked out of the picture as it lies in memory."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame

from ingest.media.continuity.looks import Looks
from ingest.media.continuity.observation import Notebook

COLUMNS, ROWS = 32, 18
EVERY_MS = 100
_GREY_FIRST = frozenset(("gray", "nv12", "nv21", "yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p"))


class Eye:
    """Sees the pictures of one track; `origin` in seconds is the time in the original of what is shown at zero."""

    def __init__(self, notebook: Notebook, *, track: int, origin: Fraction) -> None:
        self._looks = Looks(notebook, track)
        self._origin = origin
        self._next_ms: int | None = None

    def see(self, picture: VideoFrame, seconds: Fraction) -> None:
        """Take a picture shown at `seconds`, ten of them a second at most; it is left as it is."""
        time_ms = round((seconds + self._origin) * 1000)
        if self._next_ms is not None and time_ms < self._next_ms:
            return
        self._next_ms = time_ms + EVERY_MS
        if (grey := grey_of(picture)) is not None:
            self._looks.take(grey, time_ms)

    def finish(self) -> None:
        """Note what lasts to the end."""
        self._looks.finish()


def grey_of(picture: VideoFrame) -> bytes | None:
    """Return some grey values, evenly spread; None where the first plane does not hold them as bytes."""
    if picture.format.name not in _GREY_FIRST or picture.width < COLUMNS or picture.height < ROWS:
        return None
    plane, width, height = picture.planes[0], picture.width, picture.height
    # Some decoders hand pictures over upside down, with a negative line size.
    if plane.line_size < width or plane.buffer_size < plane.line_size * height:
        return None
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * height].reshape(height, plane.line_size)
    across, down = width // COLUMNS, height // ROWS
    spread: bytes = rows[down // 2 : down * ROWS : down, across // 2 : across * COLUMNS : across].tobytes()
    return spread
