"""The bytes of a frame index: what `ingest.media.frames` states, small and quick to read.

    offset  bytes
    0       8      `SHILUFRM`
    8       4      version, big-endian, 1
    12      4      length of the head, big-endian, at most `HEAD_BYTES_MAX`
    16      head   canonical JSON (RFC 8785), see below
    ...     rest   one zlib stream (RFC 1950): the columns of all tracks, one after the other, and nothing behind it

The head: `{"origin": [numerator, denominator], "size": bytes of the original, "tracks": [...]}`; of each track
`{"codec", "edit_shift", "index", "kind", "ranges", "unit": [numerator, denominator], "units": n, "widths": [five]}`.
Then for each track, in the order of the head, six columns of n little-endian numbers; the first five are signed and
`widths` bytes wide each (1, 2, 4 or 8), the last is unsigned and one byte wide:

    g  gap: offset of the unit minus the end of the one before (the first: minus 0); 0 where it has no place, which
       counts as if it stood right behind the one before
    s  size
    d  dts minus dts of the unit before (the first: minus 0)
    p  pts minus dts
    l  duration
    f  flags

So a reader needs no loop of its own in most languages: read, widen, sum up. A recording of two hours (216,000 pictures,
337,500 pieces of sound) takes one to two megabytes.

Reading is strict: whole or nothing, every bound checked, before and after unpacking.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from operator import add, sub

from ingest.media.errors import FramesMalformed
from ingest.media.frames import FLAGS, NO_PLACE, FrameIndex, FrameTrack
from ledger.canonical import INTEGER_MAX, JsonValue, canonical_json, parse_canonical
from ledger.errors import CodedError

MAGIC = b"SHILUFRM"
VERSION = 1
HEAD_BYTES_MAX = 64 * 1024
TRACKS_MAX = 256
UNITS_MAX = 4_000_000
"""Most units of all tracks together: more than 14 hours of 30 pictures and 47 pieces of sound a second."""
FILE_BYTES_MAX = 64 * 1024 * 1024
KINDS = frozenset(("video", "audio", "subtitle", "data", "attachment", "unknown"))
CODEC_CHARACTERS_MAX = 64

_TYPECODES = {1: "b", 2: "h", 4: "i", 8: "q"}
_COLUMNS = 5
_PREFIX_BYTES = len(MAGIC) + 4 + 4


def write_frames(index: FrameIndex) -> bytes:
    """Return the file of an index.

    Raises:
        FramesMalformed: More units or tracks than can be stated, or a number beyond `INTEGER_MAX`.
    """
    if len(index.tracks) > TRACKS_MAX or sum(map(len, index.tracks)) > UNITS_MAX:
        raise FramesMalformed("more units or tracks than an index can state")
    tracks: list[JsonValue] = []
    packing = zlib.compressobj(6)
    packed = []
    for track in index.tracks:
        columns = [_narrowed(column) for column in _differences(track)]
        tracks.append(_track_head(track, [column.itemsize for column in columns]))
        packed += [packing.compress(_little(column)) for column in columns]
        packed.append(packing.compress(bytes(track.flags)))
    head = canonical_json({"origin": _ratio(index.origin), "size": index.size, "tracks": tracks})
    prefix = MAGIC + VERSION.to_bytes(4, "big") + len(head).to_bytes(4, "big")
    return b"".join([prefix, head, *packed, packing.flush()])


def read_frames(raw: bytes) -> FrameIndex:
    """Read what `write_frames` writes, and nothing else.

    Raises:
        FramesMalformed: Anything else.
    """
    size, origin, heads, begin = _beginning(raw)
    body = _unpacked(raw[begin:], sum(units * (sum(widths) + 1) for _, units, widths in heads))
    tracks = []
    position = 0
    for blank, units, widths in heads:
        columns = []
        for width in widths:
            columns.append(_column(body[position : position + units * width], width))
            position += units * width
        flags = bytearray(body[position : position + units])
        position += units
        tracks.append(_track(blank, columns, flags, size))
    return FrameIndex(size=size, origin=origin, tracks=tuple(tracks))


def read_origin(raw: bytes) -> Fraction:
    """Return the origin alone, without unpacking what comes behind the head; see `FrameIndex`.

    Raises:
        FramesMalformed: The head is none.
    """
    return _beginning(raw)[1]


_Blank = tuple[FrameTrack, bool]
_Head = tuple[_Blank, int, tuple[int, ...]]


def _beginning(raw: bytes) -> tuple[int, Fraction, list[_Head], int]:
    """Return size, origin, the tracks' heads, and where the columns begin."""
    if len(raw) > FILE_BYTES_MAX:
        raise FramesMalformed(f"a frame index has at most {FILE_BYTES_MAX} bytes")
    if raw[: len(MAGIC)] != MAGIC or len(raw) < _PREFIX_BYTES:
        raise FramesMalformed("the bytes are no frame index")
    version = int.from_bytes(raw[8:12], "big")
    if version != VERSION:
        raise FramesMalformed(f"the frame index is of version {version}, known is {VERSION}")
    length = int.from_bytes(raw[12:16], "big")
    if length > HEAD_BYTES_MAX or len(raw) < _PREFIX_BYTES + length:
        raise FramesMalformed("the frame index has a head of no possible length")
    begin = _PREFIX_BYTES + length
    return *_head(raw[_PREFIX_BYTES:begin]), begin


def _track_head(track: FrameTrack, widths: Sequence[int]) -> dict[str, JsonValue]:
    return {
        "codec": track.codec,
        "edit_shift": track.edit_shift,
        "index": track.index,
        "kind": track.kind,
        "ranges": track.ranges,
        "unit": _ratio(track.unit),
        "units": len(track),
        "widths": list(widths),
    }


def _head(raw: bytes) -> tuple[int, Fraction, list[_Head]]:
    try:
        head = parse_canonical(raw, bytes_max=HEAD_BYTES_MAX)
    except CodedError as error:
        raise FramesMalformed("the head of the frame index is not canonical JSON") from error
    match head:
        case {"origin": [int(top), int(bottom)], "size": int(size), "tracks": list(items), **rest} if not rest:
            heads = [_one_head(item) for item in items]
        case _:
            raise FramesMalformed("the head of the frame index states something else than agreed")
    numbers = [blank.index for (blank, _), _, _ in heads]
    fits = size >= 0 and len(heads) <= TRACKS_MAX and sum(units for _, units, _ in heads) <= UNITS_MAX
    if not fits or sorted(set(numbers)) != numbers or type(size) is not int:
        raise FramesMalformed("the head of the frame index states impossible numbers")
    return size, _fraction(top, bottom), heads


def _one_head(item: JsonValue) -> _Head:
    match item:
        case {
            "codec": str(codec),
            "edit_shift": int(edit_shift),
            "index": int(index),
            "kind": str(kind),
            "ranges": bool(ranges),
            "unit": [int(top), int(bottom)],
            "units": int(units),
            "widths": [*widths],
            **rest,
        } if not rest:
            unit = _fraction(top, bottom)
            fits = units >= 0 and index >= 0 and unit > 0 and kind in KINDS and len(codec) <= CODEC_CHARACTERS_MAX
            known = tuple(width for width in widths if type(width) is int and width in _TYPECODES)
            if fits and len(known) == len(widths) == _COLUMNS and bool not in map(type, (edit_shift, index, units)):
                return (FrameTrack(index, kind, codec, unit, edit_shift), ranges), units, known
    raise FramesMalformed("the frame index describes a track that cannot be")


def _unpacked(packed: bytes, length: int) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        body = unpacking.decompress(packed, length + 1)
    except zlib.error as error:
        raise FramesMalformed("the columns of the frame index do not unpack") from error
    if len(body) != length or not unpacking.eof or unpacking.unused_data:
        raise FramesMalformed("the columns of the frame index are not as long as its head says")
    return body


def _track(head: _Blank, columns: Sequence[array[int]], flags: bytearray, size: int) -> FrameTrack:
    blank, ranges = head
    gaps, sizes, steps, leads, durations = columns
    try:
        # What lies before a unit: all gaps up to its own, all sizes before it.
        ends = array("q", accumulate(map(add, gaps, sizes)))
        offsets = array("q", map(sub, ends, sizes))
        if not ranges:
            offsets = array("q", (0 if flag & NO_PLACE else at for at, flag in zip(offsets, flags, strict=True)))
        dts = array("q", accumulate(steps))
        pts = array("q", map(add, dts, leads))
    except OverflowError as error:
        raise FramesMalformed("the frame index states numbers beyond all bounds") from error
    track = replace(
        blank,
        offsets=offsets,
        sizes=_widened(sizes),
        pts=pts,
        dts=dts,
        durations=_widened(durations),
        flags=flags,
    )
    if any(value & ~FLAGS for value in set(flags)) or track.ranges is not ranges:
        raise FramesMalformed("the frame index marks units in an unknown way")
    # Numbers of four bytes cannot add up to one beyond all bounds in `UNITS_MAX` steps, so most are not looked at.
    wide = max(column.itemsize for column in columns) == 8
    if min(sizes, default=0) < 0 or min(durations, default=0) < 0 or (wide and not _within(sizes, durations)):
        raise FramesMalformed("the frame index states a negative size or duration")
    if wide and not _within(dts, pts):
        raise FramesMalformed("the frame index states a time beyond all bounds")
    if min(offsets, default=0) < 0 or (max(ends, default=0) > size and any(end > size for _, end in track.places)):
        raise FramesMalformed("the frame index places a unit outside the original")
    return track


def _differences(track: FrameTrack) -> Iterable[array[int]]:
    gaps, end = array("q"), 0
    for offset, size, flags in zip(track.offsets, track.sizes, track.flags, strict=True):
        gap = 0 if flags & NO_PLACE else offset - end
        gaps.append(gap)
        end += gap + size
    yield gaps
    yield track.sizes
    yield array("q", map(sub, track.dts, array("q", [0]) + track.dts[:-1])) if len(track) else array("q")
    yield array("q", map(sub, track.pts, track.dts))
    yield track.durations


def _narrowed(column: array[int]) -> array[int]:
    low, high = min(column, default=0), max(column, default=0)
    for width, code in _TYPECODES.items():
        if -(1 << (8 * width - 1)) <= low and high < 1 << (8 * width - 1):
            return array(code, column)
    raise FramesMalformed("a number of the frame index is beyond all bounds")


def _column(raw: bytes, width: int) -> array[int]:
    column: array[int] = array(_TYPECODES[width], raw)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _widened(column: array[int]) -> array[int]:
    return column if column.itemsize == 8 else array("q", column)


def _little(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _within(*columns: array[int]) -> bool:
    return all(min(column) >= -INTEGER_MAX and max(column) <= INTEGER_MAX for column in columns if column)


def _ratio(value: Fraction) -> list[JsonValue]:
    return [value.numerator, value.denominator]


def _fraction(top: int, bottom: int) -> Fraction:
    if type(top) is not int or type(bottom) is not int or bottom < 1:
        raise FramesMalformed("the frame index states a time unit that is none")
    value = Fraction(top, bottom)
    if value.denominator != bottom:
        raise FramesMalformed("the frame index states a time unit that is not in lowest terms")
    return value
