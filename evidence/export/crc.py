"""CRC-32 of two stretches of bytes from the CRC-32 of each: so two threads can take them in any order. Pure.

Zeros behind a stretch are a linear map of its CRC, a 32 by 32 matrix over GF(2); the maps of 1, 2, 4, ... zero bytes
are kept, and as many zeros as the second stretch is long are applied to the first's CRC.
"""

from __future__ import annotations

from functools import cache
from typing import Final

_POLYNOMIAL: Final = 0xEDB88320
"""CRC-32 of ZIP (APPNOTE 4.4.7), its bits turned around."""


def crc32_joined(first: int, second: int, second_bytes: int) -> int:
    """Return the CRC-32 of one stretch of bytes followed by another.

    Args:
        first: CRC-32 of the one.
        second: CRC-32 of the other.
        second_bytes: How long the other is.
    """
    for power in range(second_bytes.bit_length()):
        if second_bytes >> power & 1:
            first = _applied(_zeros(power), first)
    return first ^ second


@cache
def _zeros(power: int) -> tuple[int, ...]:
    """Return what 2 to the `power` zero bytes do to each bit of a CRC."""
    half = _one_bit() if power == 0 else _zeros(power - 1)
    for _ in range(3 if power == 0 else 1):
        half = tuple(_applied(half, column) for column in half)
    return half


def _one_bit() -> tuple[int, ...]:
    return (_POLYNOMIAL, *(1 << bit for bit in range(31)))


def _applied(columns: tuple[int, ...], value: int) -> int:
    total = 0
    for bit in range(value.bit_length()):
        if value >> bit & 1:
            total ^= columns[bit]
    return total
