"""One picture of an original as a PNG: decoded from the key frame before, upright, in every pixel it has.

Nothing is scaled, sharpened or deinterlaced. The PNG holds what the decoder gave, in RGB of full range by the matrix
the file states (else the customary one), 8 bits a channel or 16 where the film has more. High dynamic range is not
mapped: the numbers are the film's own. `pixels_sha256` is over the decoder's own planes, before any of that, so
whoever decodes the same units gets the same digest (`ffmpeg -f rawvideo`). Runs in a child, see
`ingest.media.piece_child`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.codec.context import CodecContext
from av.container import InputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.media.errors import PictureUndecodable, PictureUnplaced
from ingest.media.facts import Damage
from ingest.media.geometry import Turn
from ingest.media.looks import TURN_FILTERS, state_colours
from ingest.media.opening import opened
from ingest.media.reading import PictureDecoding, packets

LOOK_AHEAD_PACKETS = 600
"""Packets behind an undecodable picture in which the next one that decodes is looked for."""

_EIGHT_BITS = 8
_UNIT = Fraction(1, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What to decode: a track's units from a key frame on.

    Attributes:
        track: Number of the track.
        key_pts, pts: Presentation time of the first unit and of the picture, in ticks.
        count: How many units, 0 when nobody knows.
        size: Their bytes together; compared where `count` is stated.
    """

    track: int
    key_pts: int
    pts: int
    count: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What was made of it; `decoder` in the words of FFmpeg, `errors` counts its complaints on the way."""

    width: int
    height: int
    pixel_format: str
    pixels_sha256: str
    decoder: str
    errors: int


def make_picture(
    source: Path, target: Path, units: Units, *, turn: Turn, report: Callable[[int], None]
) -> PictureFacts:
    """Write one picture to `target`.

    Args:
        source, target: Files; the target must not exist.
        units: Which.
        turn: How it must be turned to stand upright.
        report: Called often with the bytes decoded so far.

    Raises:
        PictureUnplaced: The demuxer does not find the units that the index states.
        PictureUndecodable: The decoder gives no picture for them.
        FFmpegError, OSError: The file cannot be read, or the picture not be written.
    """
    with opened(source) as container:
        stream = _stream(container, units.track)
        fed = _units(container, stream, units)
        damage = Damage()
        decoding = PictureDecoding(stream, damage, threads=1)
        found: VideoFrame | None = None
        read = torn = 0
        for packet in (*fed, None):
            read += 0 if packet is None else packet.size
            report(read)
            for frame in decoding.decode(packet):
                # Pictures from before the key frame lean on what is not decoded here, and nothing leans on them.
                torn += frame.is_corrupt and frame.pts is not None and frame.pts >= units.key_pts
                found = frame if frame.pts == units.pts else found
        if found is None:
            raise PictureUndecodable("the decoder gives no picture for these bytes")
        name = stream.codec_context.codec.name
        pixels = hashlib.sha256(_encoded("rawvideo", found)).hexdigest()
        pixel_format = found.format.name
        picture = _upright(found, turn)
        target.write_bytes(_encoded("png", picture))
        return PictureFacts(
            width=picture.width,
            height=picture.height,
            pixel_format=pixel_format,
            pixels_sha256=pixels,
            decoder=name,
            errors=damage.picture_errors + torn,
        )


def next_decodable(source: Path, units: Units, report: Callable[[int], None]) -> int | None:
    """Return the presentation time of the first picture behind one that does decode; None if none is near."""
    later: set[int] = set()
    with opened(source) as container:
        stream = _stream(container, units.track)
        decoding = PictureDecoding(stream, Damage(), threads=1)
        read = behind = 0
        for packet in _from_key(container, stream, units.key_pts):
            read += packet.size
            report(read)
            behind += behind > 0 or packet.pts == units.pts
            later.update(one.pts for one in decoding.decode(packet) if one.pts is not None and one.pts > units.pts)
            if behind > LOOK_AHEAD_PACKETS or (later and behind > len(later) + 32):
                break
        later.update(one.pts for one in decoding.decode(None) if one.pts is not None and one.pts > units.pts)
    return min(later, default=None)


def _stream(container: InputContainer, track: int) -> VideoStream:
    stream = container.streams[track] if track < len(container.streams) else None
    if not isinstance(stream, VideoStream):
        raise PictureUnplaced("the track of the index is not there")
    return stream


def _units(container: InputContainer, stream: VideoStream, units: Units) -> list[Packet[Stream]]:
    """Return the packets from the key frame to the picture's own, and be sure that they are the stated ones."""
    fed: list[Packet[Stream]] = []
    for packet in _from_key(container, stream, units.key_pts):
        fed.append(packet)
        if _time(packet) == units.pts or (units.count and len(fed) >= units.count):
            break
    if not fed or _time(fed[-1]) != units.pts:
        raise PictureUnplaced("the picture's bytes are not found where the index states them")
    if units.count and (len(fed), sum(packet.size for packet in fed)) != (units.count, units.size):
        raise PictureUnplaced("other bytes come before the picture than the index states")
    return fed


def _from_key(container: InputContainer, stream: VideoStream, key_pts: int) -> Iterator[Packet[Stream]]:
    """Yield a track's packets from the one with this time on, by the container's index or from the beginning."""
    try:
        container.seek(key_pts, stream=stream, backward=True)
        began = next((_time(one) for one in packets(container, [stream], Damage())), None)
        container.seek(key_pts if began is not None and began <= key_pts else 0, stream=stream, backward=True)
    except FFmpegError:
        container.seek(0)
    begun = False
    for packet in packets(container, [stream], Damage()):
        begun = begun or _time(packet) == key_pts
        if begun:
            yield packet


def _time(packet: Packet[Stream]) -> int | None:
    return packet.pts if packet.pts is not None else packet.dts


def _upright(frame: VideoFrame, turn: Turn) -> VideoFrame:
    state_colours(frame)
    deep = max(component.bits for component in frame.format.components) > _EIGHT_BITS
    frame.pts, frame.time_base = 0, _UNIT
    graph = Graph()
    picture = f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:pixel_aspect=1/1"
    colours = f"colorspace={frame.colorspace}:range={frame.color_range}"
    steps = (
        ("buffer", f"{picture}:{colours}:time_base={_UNIT}"),
        ("scale", "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact:out_range=pc"),
        ("format", "rgb48be" if deep else "rgb24"),
        *TURN_FILTERS[turn],
        ("setsar", "1"),
        ("sidedata", "mode=delete"),
        ("buffersink", ""),
    )
    graph.link_nodes(*(graph.add(name, arguments) for name, arguments in steps)).configure()
    graph.push(frame)
    graph.push(None)
    return graph.vpull()


def _encoded(name: str, picture: VideoFrame) -> bytes:
    encoder = CodecContext.create(name, "w")
    assert isinstance(encoder, VideoCodecContext)  # noqa: S101 - both encode pictures
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, picture.format.name
    encoder.time_base, encoder.thread_count = Fraction(1, 25), 1
    before, picture.pts = picture.pts, 0
    made = b"".join(bytes(packet) for packet in (*encoder.encode(picture), *encoder.encode(None)))
    picture.pts = before
    return made
