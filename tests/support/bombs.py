"""Containers written by hand that promise, nest or unpack out of all proportion; small files all of them.

Sources: ISO/IEC 14496-12 (boxes), Apple's QuickTime File Format (`cmov`), RFC 8794 and RFC 9559 (EBML, Matroska).
"""

from __future__ import annotations

import struct
import zlib

_FTYP = struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 512, b"isom")


def box(kind: bytes, data: bytes) -> bytes:
    """Return one box of an MP4."""
    return struct.pack(">I4s", 8 + len(data), kind) + data


def element(name: int, data: bytes) -> bytes:
    """Return one element of a Matroska file, its length in eight bytes."""
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + struct.pack(">Q", len(data) | 1 << 56) + data


def packed_index(raw: bytes, *, claimed_bytes: int | None = None) -> bytes:
    """Return a QuickTime file with its index compressed, which says that it unpacks into `claimed_bytes`."""
    at = raw.index(b"moov") - 4
    (size,) = struct.unpack_from(">I", raw, at)
    return raw[:at] + _packed(raw[at : at + size], size if claimed_bytes is None else claimed_bytes) + raw[at + size :]


def index_of_nothing(*, unpacked_bytes: int) -> bytes:
    """Return a file whose index, a thousandth of that size, unpacks into `unpacked_bytes` of nothing."""
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    head = struct.pack(">I4sI4s", unpacked_bytes + 16, b"moov", unpacked_bytes + 8, b"free")
    parts = [packer.compress(head), *(packer.compress(piece) for _ in range(unpacked_bytes >> 20)), packer.flush()]
    return _FTYP + _cmov(b"".join(parts), unpacked_bytes + 16)


def boxes_in_boxes(depth: int) -> bytes:
    """Return boxes inside each other, `depth` of them."""
    sizes = range(8 * depth, 0, -8)
    return _FTYP + b"".join(struct.pack(">I4s", size, b"moov") for size in sizes)


def boxes_in_a_row(count: int) -> bytes:
    """Return a file of empty boxes."""
    return _FTYP + box(b"free", b"") * count


def with_attachments(raw: bytes, count: int) -> bytes:
    """Return a Matroska file with so many attached files in front of its first picture."""
    parts = ((0x466E, b"f.ttf"), (0x4660, b"font/ttf"), (0x465C, bytes(64)), (0x46AE, b"\0\0\0\1"))
    one = element(0x61A7, b"".join(element(name, data) for name, data in parts))
    return _with_element(raw, element(0x1941A469, one * count))


def without_end_of_attachments(raw: bytes) -> bytes:
    """Return a Matroska file whose one attachment says that it is nearly as long as a length can be."""
    name, data = element(0x466E, b"f.ttf"), b"\x46\x5c\x01" + b"\xff" * 6 + b"\xf0"
    return _with_element(
        raw, b"\x19\x41\xa4\x69\x01" + b"\xff" * 6 + b"\xfe" + b"\x61\xa7\x01" + b"\xff" * 7 + name + data
    )


def black_film(side: int, pictures: int) -> bytes:
    """Return a Matroska film of raw black pictures, each compressed a thousandfold."""
    data = zlib.compress(bytes(side * side * 3 // 2), 9)
    zlib_of_all = element(0x5031, b"\0") + element(0x5032, b"\1") + element(0x5033, b"\0")
    packed = element(0x6D80, element(0x6240, zlib_of_all + element(0x5034, element(0x4254, b"\0"))))
    size = element(0xB0, struct.pack(">H", side)) + element(0xBA, struct.pack(">H", side))
    picture = element(0xE0, size + element(0x2EB524, b"I420"))
    track = element(0xD7, b"\1") + element(0x73C5, b"\1") + element(0x83, b"\1") + element(0x86, b"V_UNCOMPRESSED")
    head = element(0x4282, b"matroska") + element(0x4287, b"\4") + element(0x4285, b"\2")
    clusters = b"".join(
        element(0x1F43B675, element(0xE7, struct.pack(">I", 40 * number)) + element(0xA3, b"\x81\0\0\x80" + data))
        for number in range(pictures)
    )
    scale = element(0x1549A966, element(0x2AD7B1, struct.pack(">I", 1_000_000)))
    tracks = element(0x1654AE6B, element(0xAE, track + picture + packed))
    return element(0x1A45DFA3, head) + element(0x18538067, scale + tracks + clusters)


def with_samples(raw: bytes, count: int) -> bytes:
    """Return an MP4 whose tables say `count` samples of one byte each, all at the same place."""
    changed = bytearray(raw)
    for kind, offset, words in ((b"stsz", 8, (1, count)), (b"stts", 12, (count,)), (b"stsc", 16, (count,))):
        struct.pack_into(f">{len(words)}I", changed, raw.index(kind) + offset, *words)
    return bytes(changed)


def with_time_scale(raw: bytes, ticks: int) -> bytes:
    """Return an MP4 whose tracks count `ticks` a second, so that their pictures follow each other as fast."""
    changed = bytearray(raw)
    struct.pack_into(">I", changed, raw.index(b"mdhd") + 16, ticks)
    return bytes(changed)


def _with_element(raw: bytes, data: bytes) -> bytes:
    at, segment = raw.index(b"\x1f\x43\xb6\x75"), raw.index(b"\x18\x53\x80\x67")
    changed = bytearray(raw[:at] + data + raw[at:])
    (length,) = struct.unpack_from(">Q", raw, segment + 4)
    struct.pack_into(">Q", changed, segment + 4, length + len(data))
    return bytes(changed)


def _packed(index: bytes, claimed_bytes: int) -> bytes:
    return _cmov(zlib.compress(index, 9), claimed_bytes)


def _cmov(packed: bytes, claimed_bytes: int) -> bytes:
    words = box(b"dcom", b"zlib") + box(b"cmvd", struct.pack(">I", claimed_bytes) + packed)
    return box(b"moov", box(b"cmov", words))
