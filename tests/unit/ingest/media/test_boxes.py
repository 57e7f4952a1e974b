from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.boxes import BOXES_MAX, Outline, outline


def box(kind: bytes, size: int) -> bytes:
    return struct.pack(">I4s", size, kind) + b"\0" * (size - 8)


def walk(raw: bytes) -> Outline | None:
    return outline(lambda offset, count: raw[offset : offset + count], len(raw))


FTYP, MOOV, MDAT = box(b"ftyp", 24), box(b"moov", 40), box(b"mdat", 100)


def test_an_index_at_the_end() -> None:
    seen = walk(FTYP + MDAT + MOOV)
    assert seen == Outline(kinds=("ftyp", "mdat", "moov"), missing_bytes=0)
    assert not seen.index_first
    assert not seen.index_lost
    assert not seen.fragmented


def test_an_index_in_front() -> None:
    seen = walk(FTYP + MOOV + MDAT)
    assert seen is not None
    assert seen.index_first


def test_fragments() -> None:
    seen = walk(FTYP + MOOV + (box(b"moof", 20) + MDAT) * 3)
    assert seen is not None
    assert seen.fragmented
    assert seen.index_first
    assert not seen.index_lost


def test_a_recording_that_broke_off_has_media_and_no_index() -> None:
    seen = walk(FTYP + MDAT[:50])
    assert seen is not None
    assert seen.index_lost
    assert seen.missing_bytes == 50


def test_large_and_open_ended_boxes() -> None:
    large = struct.pack(">I4sQ", 1, b"mdat", 30) + b"\0" * 14
    assert walk(FTYP + large + MOOV) == Outline(("ftyp", "mdat", "moov"), 0)
    assert walk(FTYP + MOOV + struct.pack(">I4s", 0, b"mdat") + b"x" * 99) == Outline(("ftyp", "moov", "mdat"), 0)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"f",
        b"\0\0\0\x08",
        b"RIFF\x24\x10\x00\x00AVI LIST",
        b"#EXTM3U\n#EXT-X-VERSION:3\n",
        struct.pack(">I4s", 7, b"ftyp"),
        struct.pack(">I4s", 3, b"mdat") + b"x" * 40,
        struct.pack(">I4sQ", 1, b"mdat", 0) + b"x" * 40,
        struct.pack(">I4sQ", 1, b"mdat", 15) + b"x" * 40,
        struct.pack(">I4s", 1, b"mdat") + b"x" * 4,
    ],
    ids=range(10),
)
def test_what_is_none_of_this_family(raw: bytes) -> None:
    assert walk(raw) is None


def test_garbage_behind_ends_the_walk() -> None:
    assert walk(FTYP + MOOV + MDAT + b"trailing garbage of a recorder") == Outline(("ftyp", "moov", "mdat"), 0)


def test_a_size_beyond_all_disks_is_stated_as_missing() -> None:
    seen = walk(FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**63))
    assert seen is not None
    assert seen.missing_bytes == 2**63 - 16


def test_a_walk_over_a_million_boxes_ends() -> None:
    reads = []
    raw = struct.pack(">I4s", 8, b"free") * (BOXES_MAX + 50)

    def read_at(offset: int, count: int) -> bytes:
        reads.append(offset)
        return raw[offset : offset + count]

    assert outline(read_at, len(raw)) == Outline(("free",), 0)
    assert len(reads) == BOXES_MAX


@given(st.binary(max_size=200))
def test_no_bytes_break_the_walk(raw: bytes) -> None:
    seen = walk(raw)
    assert seen is None or (seen.kinds and seen.missing_bytes >= 0)
