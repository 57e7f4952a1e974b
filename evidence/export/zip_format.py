"""The bytes of a ZIP archive without compression, with every place known before it is written (APPNOTE 6.3.10). Pure.

Nothing is compressed: footage does not get smaller, and so the place of every file follows from names and sizes alone.
Originals begin at whole blocks, so that they can be written past the page cache (`straight`): an extra field of zeros
stands before them, the one that Android's archives have for the same end (0xD935).
That makes an archive that was broken off go on where it stopped, and the same package the same bytes: times are the
format's first day, modes read-only, names UTF-8, ZIP64 only where a number needs it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evidence.export.members import Plan, Stored
from evidence.export.straight import BLOCK_BYTES

_U32: Final = 0xFFFFFFFF
_U16: Final = 0xFFFF
_FIRST_DAY: Final = 0x21
_UTF8: Final = 0x0800
_MADE_BY_UNIX: Final = 3 << 8
_READ_ONLY: Final = 0o100444 << 16
_PLAIN, _ZIP64 = 20, 45
_ALIGNMENT, _ALIGNMENT_MIN = 0xD935, 6
LAYOUT: Final = 2
"""Number of the way in which archives are laid out: a part of another one is not gone on with."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One file of an archive; places and sizes in bytes."""

    name: bytes
    size: int
    header: int
    data: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.data + self.size


def lay_out(plan: Plan) -> tuple[Slot, ...]:
    """Return where the header and the bytes of every file of a plan lie."""
    slots: list[Slot] = []
    place = 0
    for member in plan.members:
        name = f"{plan.root}/{member.path}".encode()
        data = place + 30 + len(name) + (20 if member.size >= _U32 else 0)
        if isinstance(member.source, Stored) and data % BLOCK_BYTES:
            data += _ALIGNMENT_MIN + -(data + _ALIGNMENT_MIN) % BLOCK_BYTES
        slots.append(Slot(name, member.size, place, data))
        place = data + member.size
    return tuple(slots)


def local_header(slot: Slot, crc: int) -> bytes:
    """Return what stands before a file's bytes; `crc` is the CRC-32 of them."""
    large = slot.size >= _U32
    size = _U32 if large else slot.size
    extra = struct.pack("<HHQQ", 1, 16, slot.size, slot.size) if large else b""
    padding = slot.data - slot.header - 30 - len(slot.name) - len(extra)
    if padding:
        extra += struct.pack("<HHH", _ALIGNMENT, padding - 4, BLOCK_BYTES).ljust(padding, b"\0")
    fixed = struct.pack(
        "<4sHHHHHIIIHH",
        *(b"PK\3\4", _ZIP64 if large else _PLAIN, _UTF8, 0, 0, _FIRST_DAY, crc, size, size, len(slot.name), len(extra)),
    )
    return fixed + slot.name + extra


def directory(slots: Sequence[Slot], crcs: Sequence[int]) -> bytes:
    """Return what stands behind all files: the central directory and its ends."""
    start = slots[-1].end if slots else 0
    listed = b"".join(_listed(slot, crc) for slot, crc in zip(slots, crcs, strict=True))
    end = start + len(listed)
    wide = len(slots) >= _U16 or end >= _U32
    ends = b""
    if wide:
        ends += struct.pack(
            "<4sQHHIIQQQQ",
            *(b"PK\6\6", 44, _MADE_BY_UNIX | _ZIP64, _ZIP64, 0, 0, len(slots), len(slots), len(listed), start),
        )
        ends += struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    count = _U16 if wide else len(slots)
    size, place = (_U32, _U32) if wide else (len(listed), start)
    return listed + ends + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, size, place, 0)


def archive_bytes(slots: Sequence[Slot]) -> int:
    """Return the size of the whole archive."""
    return (slots[-1].end if slots else 0) + len(directory(slots, [0] * len(slots)))


def _listed(slot: Slot, crc: int) -> bytes:
    large, far = slot.size >= _U32, slot.header >= _U32
    wide = ([slot.size, slot.size] if large else []) + ([slot.header] if far else [])
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    size, place = _U32 if large else slot.size, _U32 if far else slot.header
    version = _ZIP64 if wide else _PLAIN
    fixed = struct.pack(
        "<4sHHHHHHIIIHHHHHII",
        *(b"PK\1\2", _MADE_BY_UNIX | version, version, _UTF8, 0, 0, _FIRST_DAY, crc, size, size),
        *(len(slot.name), len(extra), 0, 0, 0, _READ_ONLY, place),
    )
    return fixed + slot.name + extra
