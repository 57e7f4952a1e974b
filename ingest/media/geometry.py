"""How a picture must be turned and scaled to be looked at: pure arithmetic over sizes and display matrices.

A camera held upright stores the picture lying on its side and a *display matrix* beside it (ISO/IEC 14496-12, 8.3.2;
FFmpeg `libavutil/display.h`): nine 32-bit numbers, of which the upper left 2x2 block says where the axes go. Review
copies have the turn baked in, since a player that ignores the matrix would show a witness lying down.

Sizes are in pixels. A review copy fits into 1280x720, or 720x1280 when it stands upright, is never enlarged, has square
pixels and even sides (4:2:0 needs pairs).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

REVIEW_LONG_SIDE_MAX = 1280
REVIEW_SHORT_SIDE_MAX = 720
# Beyond this a pixel shape is a broken header and not a lens: the widest in use is 64:33 (PAL, anamorphic).
PIXEL_ASPECT_MAX = 4

_MATRIX = struct.Struct("=9i")


class Turn(Enum):
    """One of the eight ways a picture can lie; the value is the angle to turn it clockwise, then whether to mirror it.

    `(90, True)` means: turn by 90 degrees clockwise, then swap left and right.
    """

    NONE = (0, False)
    CLOCKWISE = (90, False)
    HALF = (180, False)
    COUNTER_CLOCKWISE = (270, False)
    MIRROR = (0, True)
    CLOCKWISE_MIRROR = (90, True)
    HALF_MIRROR = (180, True)
    COUNTER_CLOCKWISE_MIRROR = (270, True)

    @property
    def degrees(self) -> int:
        """Degrees clockwise."""
        return self.value[0]

    @property
    def mirrored(self) -> bool:
        """Whether left and right are swapped afterwards."""
        return self.value[1]

    @property
    def swaps_sides(self) -> bool:
        """Whether width becomes height."""
        return self.degrees in (90, 270)


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int


def turn_of(matrix: bytes) -> Turn:
    """Return the quarter turn nearest to what a display matrix asks for (36 bytes, native order, as FFmpeg hands it).

    The 2x2 block is rounded to its larger entries, so a tilt of less than 45 degrees is not corrected. A matrix of
    another length, or one that flattens the picture, asks for nothing that could be done.
    """
    if len(matrix) != _MATRIX.size:
        return Turn.NONE
    a, b, _, c, d, *_ = _MATRIX.unpack(matrix)
    upright = abs(a) + abs(d) >= abs(b) + abs(c)
    signs = (_sign(a), 0, 0, _sign(d)) if upright else (0, _sign(b), _sign(c), 0)
    return _TURNS.get(signs, Turn.NONE)


def review_size(stored: Size, *, pixel_aspect: Fraction | None, turn: Turn) -> Size:
    """Return the size of the review picture, after turning, for a stored picture of positive size.

    The pixel aspect (width to height of one stored pixel) is applied by widening or heightening, never by dropping
    lines; an absurd one is ignored.
    """
    width, height = Fraction(stored.width), Fraction(stored.height)
    aspect = sane_pixel_aspect(pixel_aspect)
    if aspect >= 1:
        width *= aspect
    else:
        height /= aspect
    if turn.swaps_sides:
        width, height = height, width
    shrink = min(
        Fraction(1),
        Fraction(REVIEW_LONG_SIDE_MAX) / max(width, height),
        Fraction(REVIEW_SHORT_SIDE_MAX) / min(width, height),
    )
    return Size(_even(width * shrink), _even(height * shrink))


def within(size: Size, box: Size) -> Size:
    """Return the largest size of the same shape that fits into `box`, which it touches on one side at least."""
    if size == box:
        return size
    scale = min(Fraction(box.width, size.width), Fraction(box.height, size.height))
    return Size(min(box.width, _even(size.width * scale)), min(box.height, _even(size.height * scale)))


def sane_pixel_aspect(pixel_aspect: Fraction | None) -> Fraction:
    """Return the pixel aspect, or 1 where none, zero or an absurd one is stated."""
    if pixel_aspect is None or pixel_aspect <= 0:
        return Fraction(1)
    return pixel_aspect if Fraction(1, PIXEL_ASPECT_MAX) <= pixel_aspect <= PIXEL_ASPECT_MAX else Fraction(1)


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


# A point (x, y), y downwards, goes to (a x + c y, b x + d y).
_TURNS = {
    (1, 0, 0, 1): Turn.NONE,
    (0, 1, -1, 0): Turn.CLOCKWISE,
    (-1, 0, 0, -1): Turn.HALF,
    (0, -1, 1, 0): Turn.COUNTER_CLOCKWISE,
    (-1, 0, 0, 1): Turn.MIRROR,
    (0, 1, 1, 0): Turn.CLOCKWISE_MIRROR,
    (1, 0, 0, -1): Turn.HALF_MIRROR,
    (0, -1, -1, 0): Turn.COUNTER_CLOCKWISE_MIRROR,
}
