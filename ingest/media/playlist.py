"""The playlist of a review copy in fragments: HLS (RFC 8216) with byte ranges of the one file, read from its own index.

A fragmented MP4 begins with its head (`ftyp`, `moov`) and, written by us, one segment index per track (`sidx`, ISO/IEC
14496-12, 8.16.3) that lists every fragment's size and length. The playlist says the same in the words of HLS: the head
as `EXT-X-MAP`, then pieces of whole fragments, each beginning with a key frame. Short fragments are put together until
a piece lasts `PIECE_SECONDS_MIN`.

The file is named `proxy`, relative to where the playlist was fetched, as the service serves both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ingest.media.boxes import ReadAt

PIECE_SECONDS_MIN = 4
FILE_NAME = "proxy"
_SIDX_BYTES_MAX = 16 * 1024 * 1024
_BOXES_MAX = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the file from `offset` on that play for `seconds`."""

    offset: int
    size: int
    seconds: Fraction


@dataclass(frozen=True, slots=True)
class Fragments:
    """A file's head in bytes, and its fragments in order."""

    head: int
    pieces: tuple[Piece, ...]


def fragments_of(read_at: ReadAt, size: int) -> Fragments | None:
    """Return the fragments by the first segment index of a file; None where there is none that fits the file."""
    head: int | None = None
    offset = 0
    for _ in range(_BOXES_MAX):
        raw = read_at(offset, 8)
        length, kind = int.from_bytes(raw[:4], "big"), raw[4:8]
        if length < 8 or offset + length > size or kind in (b"moof", b"mdat"):
            return None
        if kind == b"moov":
            head = offset + length
        elif kind == b"sidx" and head is not None and length <= _SIDX_BYTES_MAX:
            pieces = tuple(_pieces(read_at(offset + 8, length - 8), end=offset + length))
            fits = bool(pieces) and pieces[-1].offset + pieces[-1].size <= size
            return Fragments(head, pieces) if fits else None
        offset += length
    return None


def is_whole(read_at: ReadAt, size: int, fragments: Fragments) -> bool:
    """Tell whether the file ends as the muxer ends it: one box (`mfra`) behind the last fragment, to the last byte."""
    end = fragments.pieces[-1].offset + fragments.pieces[-1].size
    raw = read_at(end, 8)
    return raw[4:8] == b"mfra" and end + int.from_bytes(raw[:4], "big") == size


def format_playlist(fragments: Fragments) -> bytes:
    """Write the playlist, ASCII."""
    pieces = _joined(fragments.pieces)
    target = max(round(piece.seconds) for piece in pieces)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, target)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{FILE_NAME}",BYTERANGE="{fragments.head}@0"',
    ]
    for piece in pieces:
        lines += [f"#EXTINF:{_decimal(piece.seconds)},", f"#EXT-X-BYTERANGE:{piece.size}@{piece.offset}", FILE_NAME]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode("ascii")


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].seconds < PIECE_SECONDS_MIN:
            last = joined[-1]
            joined[-1] = Piece(last.offset, last.size + piece.size, last.seconds + piece.seconds)
        else:
            joined.append(piece)
    return joined


def _pieces(body: bytes, *, end: int) -> Iterator[Piece]:
    """Yield what a segment index lists; `end` is the offset behind its box. An index of another shape lists nothing."""
    wide = body[:1] == b"\x01"
    form = struct.Struct(">IIQQHH" if wide else ">IIIIHH")
    if len(body) < 4 + form.size:
        return
    _, scale, _, first, _, count = form.unpack_from(body, 4)
    start = 4 + form.size
    if not scale or len(body) != start + 12 * count:
        return
    offset = end + first
    for number in range(count):
        reference, length, _ = struct.unpack_from(">III", body, start + 12 * number)
        yield Piece(offset, reference & 0x7FFFFFFF, Fraction(length, scale))
        offset += reference & 0x7FFFFFFF


def _decimal(seconds: Fraction) -> str:
    microseconds = round(seconds * 1_000_000)
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06}"
