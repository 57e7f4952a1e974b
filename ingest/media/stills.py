"""One JPEG that shows what a clip is about: a key frame from its first seconds, upright and in ordinary colours.

The first picture of a recording is often a lens cover or the inside of a pocket. So the key frames of the first
`WINDOW_SECONDS` are looked at and the first one that is neither dark, burnt out nor featureless is taken; if none is,
the one with most contrast. Only key frames are decoded, so a poster is there long before the review copy.

A picture of high dynamic range can be mapped `quickly` (`tones`), for a still that is shown until the poster is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.codec.context import CodecContext
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.media.facts import Damage, PictureTrack, milliseconds
from ingest.media.geometry import Size, Turn, review_size
from ingest.media.looks import Dressing, Look
from ingest.media.opening import opened
from ingest.media.reading import PictureDecoding, packets
from ingest.media.tones import ordinary

WINDOW_SECONDS = 5
CANDIDATES_MAX = 6
PACKETS_MAX = 1000
JPEG_QUANTISER = 3  # of 2..31, the lower the better
# Luma (16..235) of a picture that shows something: not black, not white, and not one flat grey.
_MEAN_MIN, _MEAN_MAX, _DEVIATION_MIN = 30, 220, 12
_FULL_RANGE = 2
_UNIT = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class PosterFacts:
    """The poster's size, and the time in the original of the picture it shows, if known."""

    size: Size
    at_ms: int | None


def make_poster(source: Path, target: Path, track: PictureTrack, *, quickly: bool = False) -> PosterFacts | None:
    """Write a poster of a picture track to `target`; None, and no file, if not one picture could be decoded.

    Args:
        quickly: Map a high dynamic range by `tones`, without the seconds that the scaler takes.

    Raises:
        MemorySpent: Decoding needs more memory than one file may have.
        FFmpegError, OSError: The file cannot be read, or the poster cannot be written.
    """
    size = review_size(track.size, pixel_aspect=track.pixel_aspect, turn=track.turn)
    chosen = _choose(source, track, size, only_keyframes=not track.still, quickly=quickly)
    if chosen is None and not track.still:
        # Some files have key frames that do not decode and others after them that do.
        chosen = _choose(source, track, size, only_keyframes=False, quickly=quickly)
    if chosen is None:
        return None
    picture, at_ms = chosen
    target.write_bytes(jpeg(picture, quantiser=JPEG_QUANTISER))
    return PosterFacts(size=size, at_ms=at_ms)


def _choose(
    source: Path, track: PictureTrack, size: Size, *, only_keyframes: bool, quickly: bool
) -> tuple[VideoFrame, int | None] | None:
    best: tuple[VideoFrame, int | None] | None = None
    best_deviation = -1
    dressing = Dressing(
        target=size,
        pixel_aspect=track.pixel_aspect,
        turn=track.turn,
        unit=_UNIT,
        deinterlace=track.interlaced,
        look=Look.UNMAPPED if quickly else Look.PHOTOGRAPH,
    )
    with opened(source) as container:
        unit = container.streams[track.index].time_base
        for frame in _candidates(container, track.index, only_keyframes=only_keyframes):
            at_ms = milliseconds(frame.pts, unit)
            picture = _dressed(dressing, frame)
            if picture is not None and quickly:
                picture = _dressed(
                    Dressing(target=size, pixel_aspect=None, turn=Turn.NONE, unit=_UNIT, look=Look.PHOTOGRAPH),
                    ordinary(picture, transfer=track.colours.transfer),
                )
            if picture is None:
                continue
            mean, deviation = _luma(picture)
            if deviation > best_deviation:
                best, best_deviation = (picture, at_ms), deviation
            if _MEAN_MIN <= mean <= _MEAN_MAX and deviation >= _DEVIATION_MIN:
                return picture, at_ms
            if not only_keyframes:
                break
    return best


def _candidates(container: InputContainer, index: int, *, only_keyframes: bool) -> Iterator[VideoFrame]:
    stream = container.streams[index]
    if not isinstance(stream, VideoStream):
        return
    decoding = PictureDecoding(stream, Damage(), threads=1)
    stream.codec_context.skip_frame = "NONKEY" if only_keyframes else "DEFAULT"
    window = None if stream.time_base is None else WINDOW_SECONDS / stream.time_base
    first: int | None = None
    fed = 0
    for count, packet in enumerate(packets(container, [stream], Damage())):
        first = packet.pts if first is None else first
        late = window is not None and packet.pts is not None and first is not None and packet.pts - first > window
        if count >= PACKETS_MAX or fed >= CANDIDATES_MAX or (late and fed):
            break
        if packet.is_keyframe or not only_keyframes:
            fed += only_keyframes
            yield from decoding.decode(packet)
    yield from decoding.decode(None)


def _dressed(dressing: Dressing, frame: VideoFrame) -> VideoFrame | None:
    frame.pts, frame.time_base = 0, _UNIT
    try:
        # Deinterlacing waits for a second picture; there is none, so the graph is told that this was all.
        return next(iter([*dressing.dress(frame)] or [*dressing.rest()]), None)
    except FFmpegError:
        return None


def _luma(picture: VideoFrame) -> tuple[int, int]:
    """Return mean and standard deviation of the luma, in whole steps."""
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[::4, : picture.width : 4]
    return int(rows.mean()), int(rows.std())


def jpeg(picture: VideoFrame, *, quantiser: int) -> bytes:
    """Return a `yuv420p` picture of full range as a JPEG; the quantiser is of 2..31, the lower the better.

    Raises:
        FFmpegError: It cannot be encoded.
    """
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuv420p"
    encoder.color_range = _FULL_RANGE
    encoder.time_base, encoder.thread_count = Fraction(1, 25), 1
    encoder.options = {"qmin": str(quantiser), "qmax": str(quantiser)}
    picture.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(picture), *encoder.encode(None)))
