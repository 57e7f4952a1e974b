"""Demo footage: three recorders as a dock would find them, made on the spot and the same on every run.

A newcomer has no recorder at hand, and footage of real people has no place in a repository. So the demo and the tests
make their own: a burnt-in clock and recorder number, shapes that move, a tone that changes every second. Nothing here
is random and nothing asks the clock, so the files' SHA-256 can be compared between runs: one encoder thread, constant
quantiser, bit-exact muxing, and a fixed `creation_time`. Codecs that compute in floating point (AAC) may still differ
between processor families.

    <recorder>/DCIM/20261118/DCAM_<device, 7>_<officer, 6>_<YYYYMMDD>_<HHMMSS>[_IMP].mp4|jpg|m4a

Device time is China Standard Time, as on the recorders; `creation_time` inside the files is UTC, and so is the file's
modification time. `_IMP` is the mark that an officer's key press leaves on an important clip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ingest.media.glyphs import stamp_text

WIDTH, HEIGHT, FRAMES_PER_SECOND = 640, 360, 25
SAMPLES_PER_SECOND = 16_000
DEVICE_TIME = timezone(timedelta(hours=8))
_TONES_HZ = (440, 494, 523, 587, 659, 698, 784, 880)
# One period of a 1 Hz sine in whole numbers: tones are picked from it by index, so that no rounding differs anywhere.
_SINE = np.round(6000 * np.sin(2 * np.pi * np.arange(SAMPLES_PER_SECOND) / SAMPLES_PER_SECOND)).astype(np.int16)
_X265_QUIET = "log-level=none:pools=none:frame-threads=1:wpp=0:info=0:repeat-headers=0"

PictureEncoder: TypeAlias = Literal["libx264", "libx265"]
Picture: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"


@dataclass(frozen=True, slots=True)
class SampleRecorder:
    """One recorder's folder.

    Attributes:
        serial: Product number, 7 characters.
        officer: Police or certificate number of the wearer, 6 digits.
        folder: What a dock would mount.
        files: All files on it, in recording order.
    """

    serial: str
    officer: str
    folder: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Take:
    """One file to make; `keyframe_seconds` is the distance of its key frames."""

    serial: str
    officer: str
    start: datetime
    seconds: int
    codec: PictureEncoder | None
    suffix: str = ".mp4"
    marked: bool = False
    keyframe_seconds: int = 1

    @property
    def name(self) -> str:
        """The file's name as recorders give it: serial, officer, start, the mark of what matters."""
        mark = "_IMP" if self.marked else ""
        return f"DCAM_{self.serial}_{self.officer}_{self.start:%Y%m%d_%H%M%S}{mark}{self.suffix}"


def make_recorders(folder: Path, *, seconds: int = 6) -> tuple[SampleRecorder, ...]:
    """Make the demo footage below `folder` (created if missing); existing files of the same names are replaced.

    `seconds` is the length of each clip. Together the recorders hold H.264 and H.265 pictures with AAC sound, clips
    that can be reviewed nearly as they are and clips that must be transcoded, one still and one sound recording.
    """
    recorders = _plan(seconds)
    jobs = [(take, folder / take.serial / "DCIM" / f"{take.start:%Y%m%d}" / take.name) for take in sum(recorders, ())]
    for _, path in jobs:
        path.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(_make, *zip(*jobs, strict=True)))
    return tuple(
        SampleRecorder(
            serial=takes[0].serial,
            officer=takes[0].officer,
            folder=folder / takes[0].serial,
            files=tuple(path for take, path in jobs if take.serial == takes[0].serial),
        )
        for takes in recorders
    )


def make_clip(path: Path, *, seconds: int, codec: PictureEncoder = "libx264", keyframe_seconds: int = 1) -> None:
    """Make one clip of the demo's kind at `path` (MP4, 640x360, 25 frames/s, AAC), for tests that need just one."""
    start = datetime(2026, 11, 18, 9, 15, 0, tzinfo=DEVICE_TIME)
    _make(_Take("3100127", "110421", start, seconds, codec, keyframe_seconds=keyframe_seconds), path)


def _plan(seconds: int) -> tuple[tuple[_Take, ...], ...]:
    day = datetime(2026, 11, 18, tzinfo=DEVICE_TIME)
    first = day + timedelta(hours=9, minutes=15)
    second = day + timedelta(hours=10, minutes=10, seconds=2)
    third = day + timedelta(hours=14, minutes=30, seconds=15)
    length = timedelta(seconds=seconds)
    a, b, c = ("3100127", "110421"), ("3100245", "110533"), ("3100387", "110607")
    return (
        (
            # Two segments without a gap between them, as a recorder splits one long recording.
            _Take(*a, first, seconds, "libx264"),
            _Take(*a, first + length, seconds, "libx264", marked=True),
            _Take(*a, first + 3 * length, 0, None, suffix=".jpg"),
        ),
        (
            # Key frames too far apart for a reviewer to jump in, so this one is transcoded.
            _Take(*b, second, seconds, "libx264", keyframe_seconds=seconds),
            _Take(*b, second + 4 * length, seconds, None, suffix=".m4a"),
        ),
        (
            _Take(*c, third, seconds, "libx265"),
            _Take(*c, third + 9 * length, seconds, "libx264", marked=True),
        ),
    )


def _make(take: _Take, path: Path) -> None:
    match take.suffix:
        case ".jpg":
            path.write_bytes(_still(take))
        case ".m4a":
            _write_recording(take, path, picture=False)
        case _:
            _write_recording(take, path, picture=True)
    written = (take.start + timedelta(seconds=take.seconds)).timestamp()
    os.utime(path, (written, written))


def _write_recording(take: _Take, path: Path, *, picture: bool) -> None:
    with av.open(str(path), "w", format="mp4" if picture else "ipod", options={"fflags": "+bitexact"}) as container:
        container.metadata["creation_time"] = f"{take.start.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000000Z}"
        video = _video_stream(container, take) if picture else None
        audio = _audio_stream(container)
        for second in range(take.seconds):
            if video is not None:
                for packet in _encode_pictures(video, take, second):
                    container.mux(packet)
            container.mux(audio.encode(_tone(second, take)))
        if video is not None:
            container.mux(video.encode(None))
        container.mux(audio.encode(None))


def _video_stream(container: OutputContainer, take: _Take) -> VideoStream:
    codec = take.codec or "libx264"
    keyframe_frames = take.keyframe_seconds * FRAMES_PER_SECOND
    options = {"qp": "30", "bf": "0", "g": str(keyframe_frames), "keyint_min": str(keyframe_frames), "threads": "1"}
    if codec == "libx265":
        options |= {"preset": "ultrafast", "x265-params": f"{_X265_QUIET}:scenecut=0:open-gop=0"}
    else:
        options |= {"preset": "veryfast", "sc_threshold": "0"}
    stream = container.add_stream(codec, rate=FRAMES_PER_SECOND, options=options | {"flags": "+bitexact"})
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = Fraction(1, FRAMES_PER_SECOND)
    if codec == "libx265":
        stream.codec_context.codec_tag = "hvc1"  # the only tag for H.265 in MP4 that every player knows
    return stream


def _audio_stream(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=SAMPLES_PER_SECOND, options={"flags": "+bitexact", "aac_coder": "fast"})
    stream.layout = "mono"
    stream.bit_rate = 32_000
    return stream


def _encode_pictures(stream: VideoStream, take: _Take, second: int) -> Iterator[list[Packet[VideoStream]]]:
    for index in range(FRAMES_PER_SECOND):
        number = second * FRAMES_PER_SECOND + index
        frame = av.VideoFrame.from_ndarray(_draw(take, number), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
        yield stream.encode(frame)


def _tone(second: int, take: _Take) -> av.AudioFrame:
    hertz = _TONES_HZ[(take.start.second + second) % len(_TONES_HZ)]
    samples = _SINE[np.arange(SAMPLES_PER_SECOND) * hertz % SAMPLES_PER_SECOND]
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = SAMPLES_PER_SECOND, second * SAMPLES_PER_SECOND
    frame.time_base = Fraction(1, SAMPLES_PER_SECOND)
    return frame


def _still(take: _Take) -> bytes:
    context = CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
    context.time_base, context.thread_count = Fraction(1, FRAMES_PER_SECOND), 1
    context.options = {"flags": "+bitexact", "qmin": "3", "qmax": "3", "huffman": "default"}
    frame = av.VideoFrame.from_ndarray(_draw(take, 0), format="yuvj420p")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def _draw(take: _Take, number: int) -> Picture:
    """Return one picture as planar 4:2:0 (rows of Y, then U and V packed below, as PyAV takes it)."""
    hue = int(take.serial) % 3
    picture = np.empty((HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
    luma, chroma = picture[:HEIGHT], picture[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    luma[:] = (60 + np.arange(WIDTH) // 8)[None, :] + (np.arange(HEIGHT) // 6)[:, None]
    chroma[0], chroma[1] = (118, 138, 128)[hue], (128, 120, 140)[hue]
    # A walker crossing the picture and a sun on an arc, both placed by whole numbers only.
    walker = 2 * ((number * 3 + hue * 90) % (WIDTH // 2 - 24))
    luma[200:300, walker : walker + 40] = 190
    chroma[:, 100:150, walker // 2 : walker // 2 + 20] = np.array([[[90]], [[170]]], dtype=np.uint8)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    sun_x, sun_y = (number * 2) % WIDTH, 90 + abs((number * 2) % 120 - 60) // 2
    luma[(rows - sun_y) ** 2 + (columns - sun_x) ** 2 < 26**2] = 235
    now = take.start + timedelta(milliseconds=1000 * number // FRAMES_PER_SECOND)
    stamp_text(luma, f"{now:%Y-%m-%d %H:%M:%S}", left=20, top=16, scale=4)
    stamp_text(luma, f"{take.serial} {take.officer} {number % FRAMES_PER_SECOND:02}", left=20, top=326, scale=3)
    return picture
