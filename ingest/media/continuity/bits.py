"""Bits and exp-Golomb numbers out of a NAL unit (ITU-T H.264 and H.265, clauses 7.2 and 9).

Only the head of a unit is ever read: `HEAD_BYTES` are more than any header needs that this project understands, and a
header that wants more raises `Unreadable`, as does one that ends early.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

HEAD_BYTES = 256
PARAMETER_BYTES_MAX = 4096
_GOLOMB_ZEROS_MAX = 32
_START_CODE = re.compile(rb"\x00\x00\x01")


class Unreadable(ValueError):
    """A header does not have the form that the standard gives it, or uses what is not known here."""


class Bits:
    """A reader over the raw bytes of a unit, emulation prevention taken out."""

    __slots__ = ("_left", "_value")

    def __init__(self, unit: bytes) -> None:
        raw = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(raw)
        self._left = 8 * len(raw)

    def take(self, count: int) -> int:
        """Return the next `count` bits as a number."""
        if count > self._left:
            raise Unreadable("a header ends early")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """Return the next bit."""
        return self.take(1) == 1

    def ue(self) -> int:
        """Return an unsigned exp-Golomb number, `ue(v)`."""
        rest = self._value & ((1 << self._left) - 1)
        zeros = self._left - rest.bit_length()
        if zeros > _GOLOMB_ZEROS_MAX:
            raise Unreadable("a number is longer than numbers are")
        self.take(zeros)
        return self.take(zeros + 1) - 1

    def se(self) -> int:
        """Return a signed exp-Golomb number, `se(v)`."""
        number = self.ue()
        return (number + 1) // 2 if number & 1 else -(number // 2)

    def at_most(self, limit: int) -> int:
        """Return an unsigned exp-Golomb number that may not be larger.

        Raises:
            Unreadable: It is.
        """
        number = self.ue()
        if number > limit:
            raise Unreadable("a number is larger than it may be")
        return number


def units_by_length(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """Yield the units of a packet in which each is preceded by its length (ISO/IEC 14496-15).

    Raises:
        Unreadable: The lengths do not fit the packet.
    """
    place = 0
    while place < len(data):
        length = int.from_bytes(data[place : place + length_bytes])
        place += length_bytes
        if place + length > len(data):
            raise Unreadable("a unit is longer than its packet")
        if length:
            yield data[place : place + length]
        place += length


def units_by_mark(data: bytes) -> Iterator[bytes]:
    """Yield the units of a byte stream with start codes (Annex B)."""
    marks = [match.end() for match in _START_CODE.finditer(data)]
    for number, start in enumerate(marks):
        end = marks[number + 1] - 3 if number + 1 < len(marks) else len(data)
        unit = data[start:end].rstrip(b"\0") if end < len(data) else data[start:end]
        if unit:
            yield unit
