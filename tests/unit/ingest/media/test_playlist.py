from __future__ import annotations

import struct
from fractions import Fraction

import pytest

from ingest.media.playlist import Fragments, Piece, format_playlist, fragments_of, is_whole


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def index(
    *pieces: tuple[int, int], wide: bool = False, first: int = 0, scale: int = 1000, count: int | None = None
) -> bytes:
    form = ">IIQQHH" if wide else ">IIIIHH"
    head = bytes([wide, 0, 0, 0]) + struct.pack(form, 1, scale, 0, first, 0, len(pieces) if count is None else count)
    return box(b"sidx", head + b"".join(struct.pack(">III", size, length, 0x90000000) for size, length in pieces))


HEAD = box(b"ftyp", b"isom") + box(b"moov", bytes(40))


def read(raw: bytes) -> Fragments | None:
    return fragments_of(lambda offset, count: raw[offset : offset + count], len(raw))


@pytest.mark.parametrize("wide", [False, True])
def test_the_index_tells_head_and_fragments(wide: bool) -> None:
    listed = index((100, 2000), (50, 1500), wide=wide, first=20)
    raw = HEAD + listed + bytes(20) + bytes(150)
    start = len(HEAD + listed) + 20
    assert read(raw) == Fragments(len(HEAD), (Piece(start, 100, Fraction(2)), Piece(start + 100, 50, Fraction(3, 2))))


def test_a_file_is_whole_up_to_its_last_byte() -> None:
    """FFmpeg does not say when the disk refuses the end of a file."""
    raw = HEAD + index((100, 2000)) + bytes(100) + box(b"mfra", bytes(20))
    found = read(raw)
    assert found is not None
    whole = [
        is_whole(lambda offset, count, part=part: part[offset : offset + count], len(part), found)  # type: ignore[misc]
        for part in (raw, raw[:-1], raw + b"\0", raw[:-28], raw[:-24], raw[:-28] + box(b"free", bytes(20)))
    ]
    assert whole == [True, False, False, False, False, False]


VECTORS = {
    "nothing": b"",
    "no index": HEAD + box(b"moof", bytes(20)),
    "index before the head": index((10, 1)) + HEAD + bytes(10),
    "index behind the media": HEAD + box(b"mdat", bytes(10)) + index((10, 1)),
    "no fragments": HEAD + index(),
    "more than listed": HEAD + index((10, 1), count=2) + bytes(20),
    "less than listed": HEAD + index((10, 1), (10, 1), count=1) + bytes(20),
    "no scale": HEAD + index((10, 1), scale=0) + bytes(10),
    "beyond the end of the file": HEAD + index((100, 1)) + bytes(50),
    "index cut": HEAD + index((100, 1))[:-5],
    "box of no length": HEAD + bytes(4) + b"sidx" + bytes(60),
    "only small boxes": box(b"free", b"") * 100 + HEAD + index((10, 1)) + bytes(10),
}


@pytest.mark.parametrize("name", VECTORS)
def test_anything_else_has_no_playlist(name: str) -> None:
    assert read(VECTORS[name]) is None


def test_the_playlist_is_written_in_whole_pieces() -> None:
    pieces = (
        *(Piece(1000 + 100 * number, 100, Fraction(2)) for number in range(4)),
        Piece(1400, 30, Fraction(1001, 30_000)),
    )
    assert format_playlist(Fragments(900, pieces)).decode().splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="proxy",BYTERANGE="900@0"',
        "#EXTINF:4.000000,",
        "#EXT-X-BYTERANGE:200@1000",
        "proxy",
        "#EXTINF:4.000000,",
        "#EXT-X-BYTERANGE:200@1200",
        "proxy",
        "#EXTINF:0.033367,",
        "#EXT-X-BYTERANGE:30@1400",
        "proxy",
        "#EXT-X-ENDLIST",
    ]


def test_a_very_short_film_has_a_target_of_one_second() -> None:
    assert b"#EXT-X-TARGETDURATION:1\n" in format_playlist(Fragments(9, (Piece(9, 9, Fraction(1, 25)),)))
