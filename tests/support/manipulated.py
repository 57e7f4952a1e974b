"""Recordings that somebody altered, made from intact ones: what people do with common tools, nothing cleverer.

Each kind is a function from intact files to one altered file in the same container. All but `re-encoded` copy the coded
packets; after cuts and losses the times are closed up, so that only what is inside the packets can tell.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from av.stream import Stream

APPENDED = b"\x17attached afterwards" * 50
_FORMATS = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska", "avi": "avi", "mpegts": "mpegts"}
_CONTAINERS = (b"moov", b"trak", b"mdia")


@dataclass(frozen=True)
class Piece:
    """A coded packet with its times in seconds."""

    stream: int
    data: bytes
    time: Fraction
    decoding: Fraction
    duration: Fraction
    key: bool


class Unsuitable(Exception):
    """The kind cannot be made from this file: it has no second full picture, no such header, and so on."""


Edit = Callable[[Sequence[Piece], int], list[Piece]]
"""Takes the packets of a file and the number of its pictures' track, returns those that remain."""


def read(path: Path) -> tuple[list[Piece], int]:
    """Return the packets of pictures and sound, and which track the pictures are."""
    pieces: list[Piece] = []
    decoded: dict[int, Fraction] = {}
    with av.open(str(path), metadata_errors="surrogateescape") as container:
        if not container.streams.video:
            raise Unsuitable("no pictures")
        video = container.streams.video[0].index
        for packet in container.demux(*_wanted(container)):
            time = packet.dts if packet.pts is None else packet.pts
            if not packet.size or time is None or packet.time_base is None:
                continue
            unit, index = packet.time_base, packet.stream_index
            # Matroska states no decoding times; the first of a stream with B-pictures stay unknown.
            known = time if index not in decoded else decoded[index] / unit + 1
            decoded[index] = Fraction(known if packet.dts is None else packet.dts) * unit
            pieces.append(
                Piece(
                    index,
                    bytes(packet),
                    time * unit,
                    decoded[index],
                    (packet.duration or 0) * unit,
                    packet.is_keyframe,
                )
            )
    return pieces, video


def write(template: Path, pieces: Sequence[Piece], target: Path, *, container: str | None = None) -> Path:
    """Write packets into a new file with the tracks of a template."""
    name = container or _format_of(template)
    with (
        av.open(str(template), metadata_errors="surrogateescape") as source,
        av.open(str(target), "w", format=name) as output,
    ):
        try:
            streams = {item.index: output.add_stream_from_template(item) for item in _wanted(source)}
        except ValueError as error:
            raise Unsuitable(str(error)) from error
        last: dict[int, int] = {}
        for piece in pieces:
            packet = av.Packet(piece.data)
            stream = streams[piece.stream]
            unit = Fraction(1, 90_000)
            packet.stream, packet.time_base = stream, unit
            packet.dts = max(round(piece.decoding / unit), last.get(piece.stream, -(2**60)) + 1)
            packet.pts = max(round(piece.time / unit), packet.dts)
            packet.duration = round(piece.duration / unit)
            packet.is_keyframe = piece.key
            last[piece.stream] = packet.dts
            output.mux(packet)
    return target


def _format_of(path: Path) -> str:
    with av.open(str(path), metadata_errors="surrogateescape") as container:
        name = _FORMATS.get(container.format.name)
    if name is None:
        raise Unsuitable("no container that is written here")
    return name


def _wanted(container: av.container.InputContainer) -> list[Stream]:
    return [*container.streams.video[:1], *container.streams.audio[:1]]


def _keys(pieces: Sequence[Piece], video: int) -> list[Fraction]:
    return [piece.decoding for piece in pieces if piece.stream == video and piece.key]


def _between(pieces: Sequence[Piece], start: Fraction, end: Fraction) -> list[Piece]:
    return [piece for piece in pieces if start <= piece.decoding < end]


def _shifted(pieces: Sequence[Piece], by: Fraction) -> list[Piece]:
    return [replace(piece, time=piece.time + by, decoding=piece.decoding + by) for piece in pieces]


def _end(pieces: Sequence[Piece]) -> Fraction:
    return max(piece.decoding + piece.duration for piece in pieces)


def cut_to_a_part(pieces: Sequence[Piece], video: int) -> list[Piece]:
    """Keep the middle, from one full picture to the next but one."""
    keys = _keys(pieces, video)
    if len(keys) < 4:
        raise Unsuitable("too few full pictures")
    return _shifted(_between(pieces, keys[1], keys[-1]), -keys[1])


def middle_cut_out(pieces: Sequence[Piece], video: int) -> list[Piece]:
    """Leave out one group of pictures and its sound."""
    keys = _keys(pieces, video)
    if len(keys) < 4:
        raise Unsuitable("too few full pictures")
    place = len(keys) // 2
    start, end = keys[place - 1], keys[place]
    return _between(pieces, Fraction(-1000), start) + _shifted(_between(pieces, end, Fraction(10**6)), start - end)


def _without(pieces: Sequence[Piece], video: int, *, key: bool) -> list[Piece]:
    own = [piece for piece in pieces if piece.stream == video]
    chosen = [piece for number, piece in enumerate(own) if piece.key == key and len(own) // 3 < number < len(own) - 2]
    if not chosen:
        raise Unsuitable("no such picture")
    # Some containers state no durations.
    steps = sorted(after.decoding - before.decoding for before, after in pairwise(own))
    lost = replace(chosen[0], duration=chosen[0].duration or steps[len(steps) // 2])
    closed = []
    for piece in pieces:
        if piece is chosen[0]:
            continue
        moved = piece.stream == video
        closed.append(
            replace(
                piece,
                time=piece.time - lost.duration * (moved and piece.time > lost.time),
                decoding=piece.decoding - lost.duration * (moved and piece.decoding > lost.decoding),
            )
        )
    return closed


def picture_dropped(pieces: Sequence[Piece], video: int) -> list[Piece]:
    """Leave out one picture that is no full one."""
    return _without(pieces, video, key=False)


def full_picture_dropped(pieces: Sequence[Piece], video: int) -> list[Piece]:
    """Leave out one full picture in the middle."""
    return _without(pieces, video, key=True)


def re_muxed(pieces: Sequence[Piece], _video: int) -> list[Piece]:
    """Change nothing but the container."""
    return list(pieces)


EDITS: Mapping[str, Edit] = {
    "cut to a part": cut_to_a_part,
    "middle cut out": middle_cut_out,
    "picture dropped": picture_dropped,
    "full picture dropped": full_picture_dropped,
    "re-muxed": re_muxed,
}


def edited(source: Path, target: Path, edit: Edit) -> Path:
    """Copy a file with an edit."""
    pieces, video = read(source)
    return write(source, edit(pieces, video), target)


def joined(first: Path, second: Path, target: Path) -> Path:
    """Put one recording behind another of the same make."""
    pieces, _video = read(first)
    others, _video = read(second)
    with (
        av.open(str(first), metadata_errors="surrogateescape") as one,
        av.open(str(second), metadata_errors="surrogateescape") as other,
    ):
        if [item.codec_context.name for item in _wanted(one)] != [item.codec_context.name for item in _wanted(other)]:
            raise Unsuitable("other tracks")
    return write(first, pieces + _shifted(others, _end(pieces) - min(piece.decoding for piece in others)), target)


def re_encoded(source: Path, target: Path) -> Path:
    """Decode the pictures and code them anew, as every editing program does."""
    name = _format_of(source)
    with av.open(str(source), metadata_errors="surrogateescape") as original:
        if not original.streams.video:
            raise Unsuitable("no pictures")
        stream = original.streams.video[0]
        with av.open(str(target), "w", format=name) as output:
            context = stream.codec_context
            made = output.add_stream("libx264", rate=stream.average_rate or 25, options={"preset": "ultrafast"})
            made.width, made.height, made.pix_fmt = context.width // 2 * 2, context.height // 2 * 2, "yuv420p"
            made.codec_context.thread_count = 1
            unit = Fraction(1, 90_000)
            made.codec_context.time_base = unit
            for number, frame in enumerate(original.decode(stream)):
                if number >= 120:
                    break
                picture = frame.reformat(format="yuv420p", width=made.width, height=made.height)
                picture.pts, picture.time_base = number * 3600, unit
                output.mux(made.encode(picture))
            output.mux(made.encode(None))
    return target


def appended(source: Path, target: Path) -> Path:
    """Write something behind the end."""
    target.write_bytes(source.read_bytes() + APPENDED)
    return target


def times_changed(source: Path, target: Path, *, everywhere: bool) -> Path:
    """Set the time of creation back by a day, in the film's head only or in every head."""
    data = bytearray(source.read_bytes())
    places = _times(bytes(data), 0, len(data))
    if not places:
        raise Unsuitable("no times")
    for kind, place in places:
        if everywhere or kind == b"mvhd":
            (created,) = struct.unpack_from(">I", data, place)
            struct.pack_into(">I", data, place, created - 86_400)
    target.write_bytes(data)
    return target


def _times(data: bytes, start: int, end: int) -> list[tuple[bytes, int]]:
    found: list[tuple[bytes, int]] = []
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, body)
            body += 8
        if length < 8:
            break
        if kind in _CONTAINERS:
            found += _times(data, body, start + length)
        elif kind in (b"mvhd", b"tkhd", b"mdhd") and data[body] == 0 and any(data[body + 4 : body + 8]):
            found.append((kind, body + 4))
        start += length
    return found
