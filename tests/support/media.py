"""Small media files made in memory for tests, and a look into what was made of them.

Every maker asserts nothing and hides nothing: tests state the precondition they need by probing what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.buffer import Buffer

Plane = np.ndarray[Any, np.dtype[np.uint8]]
Draw = Callable[[int, int, int], Plane]
"""Takes picture number, width and height, returns an RGB picture."""

MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Film:
    """What to write; times are picture times in milliseconds."""

    size: tuple[int, int] = (128, 96)
    times_ms: Sequence[int] = tuple(range(0, 2000, 40))
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: Mapping[str, str] | None = None
    matrix: Sequence[int] | None = None
    pixel_aspect: Fraction | None = None
    colours: tuple[int, int, int, int] | None = None  # primaries, transfer, matrix, range
    keyframe_every: int = 25


@dataclass(frozen=True)
class Sound:
    """What to write beside it: a tone, in pieces (start in milliseconds, length in milliseconds)."""

    codec: str = "aac"
    sample_rate: int = 16_000
    layout: str = "mono"
    pieces_ms: Sequence[tuple[int, int]] = ((0, 2000),)
    hertz: int = 440


def quadrants(number: int, width: int, height: int) -> Plane:
    """Draw four grey quadrants (black, dark, light, white, clockwise from the upper left) that tell every turn."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, width // 2 :] = 80
    picture[height // 2 :, width // 2 :] = 160
    picture[height // 2 :, : width // 2] = 240
    picture[:4, : 4 + number % 16] = 255  # something that moves
    return picture


def write(
    path: Path,
    *,
    film: Film | None = None,
    sound: Sound | None = None,
    container: str = "mp4",
    draw: Draw = quadrants,
    muxer: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write one small file and return its path."""
    with av.open(str(path), "w", format=container, options=dict(muxer or {})) as output:
        output.metadata.update(tags or {})
        video = _video(output, film) if film is not None else None
        audio = _audio(output, sound) if sound is not None else None
        if film is not None and video is not None:
            for number, time_ms in enumerate(film.times_ms):
                output.mux(video.encode(_picture(film, number, time_ms, draw)))
            output.mux(video.encode(None))
        if sound is not None and audio is not None:
            for start_ms, length_ms in sound.pieces_ms:
                for frame in tone(sound, start_ms, length_ms, audio.codec_context.frame_size or 1024):
                    output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
    return path


def tone(sound: Sound, start_ms: int, length_ms: int, step: int) -> list[av.AudioFrame]:
    """Return a tone in pieces of `step` samples."""
    first = start_ms * sound.sample_rate // 1000
    count = length_ms * sound.sample_rate // 1000
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[sound.layout]
    frames = []
    for offset in range(0, count, step):
        places = first + offset + np.arange(min(step, count - offset))
        wave = np.round(8000 * np.sin(2 * np.pi * sound.hertz * places / sound.sample_rate)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(wave[None, :], channels, axis=0), format="s16p", layout=sound.layout
        )
        frame.sample_rate, frame.pts = sound.sample_rate, first + offset
        frame.time_base = Fraction(1, sound.sample_rate)
        frames.append(frame)
    return frames


def _video(output: av.container.OutputContainer, film: Film) -> av.video.stream.VideoStream:
    stream = output.add_stream(film.codec, rate=25, options=dict(film.options or {}))
    assert isinstance(stream, av.video.stream.VideoStream)
    stream.width, stream.height = film.size
    stream.pix_fmt = film.pixel_format
    stream.time_base = MILLISECOND
    context = stream.codec_context
    if film.codec not in {"mpeg2video", "mpeg4", "mjpeg"}:
        context.time_base = MILLISECOND
    context.gop_size, context.thread_count = film.keyframe_every, 1
    if film.matrix is not None:
        stream.set_display_matrix(film.matrix)
    if film.pixel_aspect is not None:
        stream.sample_aspect_ratio = film.pixel_aspect
        context.sample_aspect_ratio = film.pixel_aspect
    if film.colours is not None:
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = film.colours
    return stream


def _audio(output: av.container.OutputContainer, sound: Sound) -> av.audio.stream.AudioStream:
    stream = output.add_stream(sound.codec, rate=sound.sample_rate, layout=sound.layout)
    assert isinstance(stream, av.audio.stream.AudioStream)
    stream.codec_context.open()
    return stream


def _picture(film: Film, number: int, time_ms: int, draw: Draw) -> av.VideoFrame:
    width, height = film.size
    frame = av.VideoFrame.from_ndarray(draw(number, width, height), format="rgb24").reformat(format=film.pixel_format)
    frame.pts, frame.time_base = time_ms, MILLISECOND
    return frame


@dataclass(frozen=True)
class Seen:
    """What a file holds, found by decoding all of it; times in seconds as fractions."""

    container: str
    duration: Fraction
    codec: str | None = None
    pixel_format: str | None = None
    size: tuple[int, int] | None = None
    turned: bool = False
    colours: tuple[int, int, int, int] | None = None
    times: tuple[Fraction, ...] = ()
    keyframes: tuple[Fraction, ...] = ()
    encoder: str = ""
    first: Plane | None = None
    sound: str | None = None
    sample_rate: int = 0
    channels: int = 0
    samples: Plane | None = None

    @property
    def keyframe_gap(self) -> Fraction:
        """Longest time between key frames, the end included."""
        ends = [*self.keyframes[1:], self.times[-1]]
        return max(b - a for a, b in zip(self.keyframes, ends, strict=True))

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """Mean grey of the quadrants of the first picture, clockwise from the upper left."""
        assert self.first is not None
        height, width = self.first.shape[:2]
        middle = [
            self.first[height // 4, width // 4],
            self.first[height // 4, 3 * width // 4],
            self.first[3 * height // 4, 3 * width // 4],
            self.first[3 * height // 4, width // 4],
        ]
        return (int(middle[0].mean()), int(middle[1].mean()), int(middle[2].mean()), int(middle[3].mean()))


def see(path: Path, *, picture: int | None = None) -> Seen:
    """Decode a file as a whole and tell what is in it; `picture` is the track to look at, by default the first."""
    facts: dict[str, Any] = {}
    with av.open(str(path), metadata_errors="surrogateescape") as container:
        facts["container"] = container.format.name
        facts["duration"] = Fraction(container.duration or 0, 1_000_000)
        if container.streams.video:
            facts |= _seen_pictures(container, container.streams.video[0].index if picture is None else picture)
    with av.open(str(path), metadata_errors="surrogateescape") as container:
        if container.streams.audio:
            stream = container.streams.audio[0]
            pieces = [frame.to_ndarray() for frame in container.decode(stream)]
            facts |= {
                "sound": stream.codec_context.name,
                "sample_rate": stream.codec_context.sample_rate,
                "channels": stream.codec_context.channels,
                "samples": np.concatenate(pieces, axis=1) if pieces else None,
            }
    return Seen(**facts)


def _seen_pictures(container: av.container.InputContainer, index: int) -> dict[str, Any]:
    stream = next(stream for stream in container.streams.video if stream.index == index)
    unit = stream.time_base or Fraction(1)
    times, keys, encoder, first, turned = [], [], "", None, False
    context = stream.codec_context
    for frame in _frames(container, stream):
        if first is None:
            first = frame.reformat(format="rgb24").to_ndarray()
            words, matrix = _side_data(frame)
            encoder = bytes(words).decode("latin-1") if isinstance(words, Buffer) else ""
            turned = isinstance(matrix, Buffer)
        if frame.pts is not None:
            times.append(frame.pts * unit)
            if frame.key_frame:
                keys.append(frame.pts * unit)
    return {
        "codec": context.name,
        "pixel_format": context.pix_fmt,
        "size": (context.width, context.height),
        "turned": turned,
        "colours": (context.color_primaries, context.color_trc, context.colorspace, context.color_range),
        "times": tuple(times),
        "keyframes": tuple(keys),
        "encoder": encoder,
        "first": first,
    }


def _frames(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> Iterator[av.VideoFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            # Only what an edit list hides may be broken in a file that is looked at here.
            assert packet.is_discard


def _side_data(frame: av.VideoFrame) -> tuple[object, object]:
    try:
        return frame.side_data.get("SEI_UNREGISTERED"), frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # Exif, for which PyAV has no name
        return None, None


def repeated(source: Path, target: Path, times: int) -> Path:
    """Write a file that shows another one `times` over, by copying packets: long footage at the price of short."""
    with av.open(str(target), "w", format="mp4") as output:
        streams: dict[int, Any] = {}
        for turn in range(times):
            with av.open(str(source)) as container:
                streams = streams or {item.index: output.add_stream_from_template(item) for item in container.streams}
                # A little more than its length, since sound ends with a whole piece.
                length = Fraction(container.duration or 0, 1_000_000) + Fraction(1, 5)
                for packet in container.demux():
                    if packet.size:
                        shift = round(turn * length / packet.time_base)
                        packet.pts, packet.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
                        packet.stream = streams[packet.stream_index]
                        output.mux(packet)
    return target


def packets_of(path: Path, kind: str) -> list[bytes]:
    """Return the packets of the first track of a kind, as they are."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]
