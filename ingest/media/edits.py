"""By how much the edit lists of an MP4 move its tracks (ISO/IEC 14496-12, 8.6.6), read without any media library.

FFmpeg applies edit lists and hands over shown times; who reads the file by other means sees the times of the media. The
shift between the two is in the first edits: `media time = shown time + shift`. Only that is read here. A list with
several pieces of media, or another rate than one, has no single shift; the first piece's is given.

Nothing is trusted: sizes are held against what encloses them, and a walk ends at the first box that makes no sense.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction

from ingest.media.boxes import ReadAt

BOXES_MAX = 4096
MOOV_BYTES_MAX = 64 * 1024 * 1024
EDITS_MAX = 1024


def edit_shifts(read_at: ReadAt, size: int) -> Mapping[int, int]:
    """Return the shift of each track that has edits, by track identifier, in ticks of the track's own media."""
    for kind, start, end in _boxes(read_at, 0, size):
        if kind == b"moov" and end - start <= MOOV_BYTES_MAX:
            return _of_movie(read_at, start, end)
    return {}


def _of_movie(read_at: ReadAt, start: int, end: int) -> dict[int, int]:
    shifts: dict[int, int] = {}
    movie_scale = 0
    for kind, first, stop in _boxes(read_at, start, end):
        if kind == b"mvhd":
            movie_scale = _scale(read_at(first, 24))
        elif kind == b"trak":
            parts = {name: (begin, over) for name, begin, over in _boxes(read_at, first, stop)}
            track, shift = _of_track(read_at, parts, movie_scale)
            if shift is not None:
                shifts[track] = shift
    return shifts


def _of_track(read_at: ReadAt, parts: Mapping[bytes, tuple[int, int]], movie_scale: int) -> tuple[int, int | None]:
    if not {b"tkhd", b"edts", b"mdia"} <= parts.keys():
        return 0, None
    head = read_at(parts[b"tkhd"][0], 24)
    media = {name: begin for name, begin, _ in _boxes(read_at, *parts[b"mdia"])}
    edits = {name: (begin, over) for name, begin, over in _boxes(read_at, *parts[b"edts"])}
    if len(head) < 24 or b"mdhd" not in media or b"elst" not in edits:
        return 0, None
    track = int.from_bytes(head[20:24] if head[0] == 1 else head[12:16], "big")
    return track, _first_shift(_edits(read_at, *edits[b"elst"]), movie_scale, _scale(read_at(media[b"mdhd"], 24)))


def _first_shift(edits: Iterator[tuple[int, int]], movie_scale: int, media_scale: int) -> int | None:
    """Return media time minus shown time in the first piece of media; empty edits before it show nothing."""
    waited = 0
    for length, media_time in edits:
        if media_time >= 0:
            return media_time - (round(Fraction(waited * media_scale, movie_scale)) if movie_scale else 0)
        waited += length
    return None


def _edits(read_at: ReadAt, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield length in ticks of the movie and media time (-1: nothing is shown) of each edit."""
    head = read_at(start, 8)
    if len(head) < 8:
        return
    form = struct.Struct(">Qqi" if head[0] == 1 else ">Iii")
    for number in range(min(int.from_bytes(head[4:8], "big"), EDITS_MAX)):
        place = start + 8 + number * form.size
        raw = read_at(place, form.size)
        if place + form.size > end or len(raw) < form.size:
            return
        length, media_time, _ = form.unpack(raw)
        yield length, media_time


def _scale(head: bytes) -> int:
    """Return the ticks per second of a movie's or a media's head."""
    if len(head) < 24:
        return 0
    return int.from_bytes(head[20:24] if head[0] == 1 else head[12:16], "big")


def _boxes(read_at: ReadAt, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the contents of each box between two offsets."""
    for _ in range(BOXES_MAX):
        head = read_at(start, 16)
        if start + 8 > end or len(head) < 8:
            return
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 1 and len(head) == 16:
            length, header = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = end - start
        if length < header or start + length > end:
            return
        yield head[4:8], start + header, start + length
        start += length
