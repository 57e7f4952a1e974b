"""A bitmap font just large enough for a burnt-in clock and a plain mark: capitals, digits, `-`, `:`; 5 by 7.

The FFmpeg build in the PyAV wheel has no `drawtext`, and a font file would be one more thing to carry
for so few characters.
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
    "A": "0e11111f111111",
    "B": "1e11111e11111e",
    "C": "0e11101010110e",
    "D": "1e11111111111e",
    "E": "1f10101e10101f",
    "F": "1f10101e101010",
    "G": "0e11101711110f",
    "H": "1111111f111111",
    "I": "0e04040404040e",
    "J": "0702020202120c",
    "K": "11121418141211",
    "L": "1010101010101f",
    "M": "111b1515111111",
    "N": "11111915131111",
    "O": "0e11111111110e",
    "P": "1e11111e101010",
    "Q": "0e11111115120d",
    "R": "1e11111e141211",
    "S": "0f10100e01011e",
    "T": "1f040404040404",
    "U": "1111111111110e",
    "V": "11111111110a04",
    "W": "1111111515150a",
    "X": "11110a040a1111",
    "Y": "1111110a040404",
    "Z": "1f01020408101f",
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


def dots_of(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return `text` as rows of dots, 1 where there is ink, with a dot of margin around it.

    Raises:
        KeyError: A character is outside `ALPHABET`.
    """
    dots = np.zeros((GLYPH_ROWS + 2, (GLYPH_COLUMNS + 1) * len(text) + 1), dtype=np.uint8)
    for position, character in enumerate(text):
        rows = np.frombuffer(bytes.fromhex(_DOTS[character]), dtype=np.uint8)
        left = position * (GLYPH_COLUMNS + 1) + 1
        dots[1:-1, left : left + GLYPH_COLUMNS] = np.unpackbits(rows[:, None], axis=1)[:, 8 - GLYPH_COLUMNS :]
    return dots


@lru_cache(maxsize=64)
def _strip(text: str, scale: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    dots = dots_of(text)
    return (PAPER + (INK - PAPER) * dots).repeat(scale, axis=0).repeat(scale, axis=1)
