"""A bitmap font just large enough for a burnt-in clock: digits, hyphen, colon and space, 5 by 7 dots.

The FFmpeg build in the PyAV wheel has no `drawtext`, and a font file would be one more thing to carry for ten digits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

GLYPH_COLUMNS, GLYPH_ROWS = 5, 7
INK, PAPER = 235, 16  # limits of studio-range luma, ITU-R BT.601

# One hexadecimal pair per row, the five low bits from left to right.
_DOTS = {
    " ": "00000000000000",
    "-": "0000001f000000",
    ":": "00040400040400",
    "0": "0e11131519110e",
    "1": "040c040404040e",
    "2": "0e11010204081f",
    "3": "1f02040201110e",
    "4": "02060a121f0202",
    "5": "1f101e0101110e",
    "6": "0608101e11110e",
    "7": "1f010204080808",
    "8": "0e11110e11110e",
    "9": "0e11110f01020c",
}
ALPHABET = frozenset(_DOTS)


def stamp_text(
    luma: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], text: str, *, left: int, top: int, scale: int
) -> None:
    """Draw `text` in bright dots on a dark strip into a luma plane, in place; positions and scale are in pixels.

    Raises:
        KeyError: A character is outside `ALPHABET`.
        ValueError: The strip does not fit into the plane.
    """
    strip = _strip(text, scale)
    rows, columns = strip.shape
    luma[top : top + rows, left : left + columns] = strip


@lru_cache(maxsize=64)
def _strip(text: str, scale: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    dots = np.zeros((GLYPH_ROWS + 2, (GLYPH_COLUMNS + 1) * len(text) + 1), dtype=np.uint8)
    for position, character in enumerate(text):
        rows = np.frombuffer(bytes.fromhex(_DOTS[character]), dtype=np.uint8)
        left = position * (GLYPH_COLUMNS + 1) + 1
        dots[1:-1, left : left + GLYPH_COLUMNS] = np.unpackbits(rows[:, None], axis=1)[:, 8 - GLYPH_COLUMNS :]
    return (PAPER + (INK - PAPER) * dots).repeat(scale, axis=0).repeat(scale, axis=1)
