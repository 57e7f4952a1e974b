"""Pictures that carry their own number: sixteen bars of black or white, which no codec confuses."""

from __future__ import annotations

from typing import Any

import av
import numpy as np

from tests.support.media import Plane

BARS = 16
_WHITE = 235
_MIDDLE = 128


def numbered(number: int, width: int, height: int) -> Plane:
    """Draw a number in bars, the highest bit at the left; the lower third is grey and falls apart into noise."""
    picture = np.full((height, width, 3), 16, np.uint8)
    for bar in range(BARS):
        if number >> (BARS - 1 - bar) & 1:
            picture[:, bar * width // BARS : (bar + 1) * width // BARS] = _WHITE
    noise = np.random.default_rng(number).integers(60, 180, (height // 3, width, 3), np.uint8)
    picture[height - height // 3 :] = noise
    return picture


def number_of(picture: Plane) -> int:
    """Read the number of a picture, from the middle of each bar."""
    height, width = picture.shape[:2]
    rows = picture[height // 6 : height // 2]
    middles = [rows[:, (2 * bar + 1) * width // (2 * BARS)].mean() for bar in range(BARS)]
    return sum(int(grey > _MIDDLE) << (BARS - 1 - bar) for bar, grey in enumerate(middles))


def read_png(raw: bytes) -> Plane:
    """Decode a PNG to RGB."""
    decoder: Any = av.CodecContext.create("png", "r")
    (frame,) = [*decoder.decode(av.Packet(raw)), *decoder.decode(None)][:1]
    plane: Plane = frame.to_ndarray(format="rgb24")
    return plane
