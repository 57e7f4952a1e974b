"""Fragments of an MP4 film (ISO/IEC 14496-12, 8.8): their numbers, their times, and where their media lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.media.continuity.mp4 import Box, Movie, box_at
from ingest.media.continuity.mp4_tables import Chunk
from ingest.media.continuity.source import Malformed, Source

FRAGMENTS_MAX = 50_000
RUNS_MAX = 64
# Flags of tfhd and trun, 8.8.7 and 8.8.8.
_BASE, _ENTRY, _DURATION, _SIZE = 0x1, 0x2, 0x8, 0x10
_RUN_OFFSET, _RUN_FIRST, _RUN_DURATION, _RUN_SIZE, _RUN_FLAGS, _RUN_SHIFT = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800


@dataclass(slots=True)
class Piece:
    """A track's part of a fragment; times in the media's units, `time` None if it states none."""

    ident: int
    time: int | None = None
    duration: int = 0
    chunks: list[Chunk] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment: where its box stands, its number, and what it holds."""

    start: int
    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class _Defaults:
    duration: int
    size: int


def fragments_of(source: Source, movie: Movie) -> Iterator[Fragment]:
    """Yield the fragments in file order.

    Raises:
        Malformed: One of them makes no sense.
    """
    defaults = _defaults(source, movie)
    numbers = {track.ident: track.number for track in movie.tracks}
    for moof in movie.of_kind(b"moof")[:FRAGMENTS_MAX]:
        number, pieces = 0, []
        for box in _children(source, moof):
            if box.kind == b"mfhd":
                number = source.number(box.body + 4, 4)
            elif box.kind == b"traf":
                pieces.append(_piece(source, box, moof, defaults, numbers))
        yield Fragment(moof.start, number, tuple(pieces))


def _children(source: Source, parent: Box) -> Iterator[Box]:
    start = parent.body
    while start + 8 <= parent.end:
        box = box_at(source, start, parent.end)
        if box is None:
            raise Malformed("a fragment holds a part that makes no sense")
        yield box
        start = box.end


def _defaults(source: Source, movie: Movie) -> dict[int, _Defaults]:
    found: dict[int, _Defaults] = {}
    for moov in movie.of_kind(b"moov")[:1]:
        for extends in _children(source, moov):
            if extends.kind != b"mvex":
                continue
            for box in _children(source, extends):
                if box.kind == b"trex":
                    ident, _entry, duration, size = struct.unpack(">IIII", source.exactly(box.body + 4, 16))
                    found[ident] = _Defaults(duration, size)
    return found


def _piece(source: Source, traf: Box, moof: Box, defaults: dict[int, _Defaults], numbers: dict[int, int]) -> Piece:
    piece, known, base = Piece(0), _Defaults(0, 0), moof.start
    place = moof.start
    for count, box in enumerate(_children(source, traf)):
        if count > RUNS_MAX:
            raise Malformed("a fragment has too many runs")
        if box.kind == b"tfhd":
            piece.ident, base, known = _track_header(source, box, moof, defaults)
            place = base
        elif box.kind == b"tfdt":
            wide = source.number(box.body, 1) == 1
            piece.time = source.number(box.body + 4, 8 if wide else 4)
        elif box.kind == b"trun":
            place = _run(source, box, piece, known, base=base, place=place, track=numbers.get(piece.ident, -1))
    return piece


def _track_header(source: Source, box: Box, moof: Box, defaults: dict[int, _Defaults]) -> tuple[int, int, _Defaults]:
    flags = source.number(box.body + 1, 3)
    ident, place = source.number(box.body + 4, 4), box.body + 8
    known = defaults.get(ident, _Defaults(0, 0))
    base = moof.start
    if flags & _BASE:
        base, place = source.number(place, 8), place + 8
    place += 4 if flags & _ENTRY else 0
    duration, size = known.duration, known.size
    if flags & _DURATION:
        duration, place = source.number(place, 4), place + 4
    if flags & _SIZE:
        size = source.number(place, 4)
    return ident, base, _Defaults(duration, size)


def _run(source: Source, box: Box, piece: Piece, known: _Defaults, *, base: int, place: int, track: int) -> int:
    """Add a run of samples and return where it ends."""
    flags, count = source.number(box.body + 1, 3), source.number(box.body + 4, 4)
    at = box.body + 8
    if flags & _RUN_OFFSET:
        (shift,) = struct.unpack(">i", source.exactly(at, 4))
        place, at = base + shift, at + 4
    at += 4 if flags & _RUN_FIRST else 0
    columns = [flag for flag in (_RUN_DURATION, _RUN_SIZE, _RUN_FLAGS, _RUN_SHIFT) if flags & flag]
    if at + 4 * len(columns) * count > box.end:
        raise Malformed("a run is longer than its box")
    values = struct.unpack(f">{len(columns) * count}I", source.exactly(at, 4 * len(columns) * count))

    def total(flag: int, otherwise: int) -> int:
        return sum(values[columns.index(flag) :: len(columns)]) if flag in columns else otherwise * count

    end = place + total(_RUN_SIZE, known.size)
    piece.duration += total(_RUN_DURATION, known.duration)
    piece.chunks.append(Chunk(place, end, track, 1))
    return end
