"""Look at a file without decoding all of it: what is in it, and what its own bookkeeping says is missing.

The container's head is read, one picture of each picture track is decoded (headers lie about sizes, formats and
rotation, decoded pictures do not), and the index of MP4-like files is walked for key frames and for bytes beyond the
end of the file. The cost is bounded by `PACKETS_MAX` and `LOOK_BYTES_MAX` however long the recording is.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
from av.audio.format import AudioFormat
from av.audio.stream import AudioStream
from av.buffer import Buffer
from av.codec.context import CodecContext
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from evidence.core.clock import format_time
from ingest.media.boxes import Outline, outline
from ingest.media.errors import FormatRefused, IndexLost, MemorySpent, NotMedia
from ingest.media.facts import (
    UNSTATED,
    Colours,
    Container,
    OtherTrack,
    PictureTrack,
    Probe,
    SoundTrack,
    milliseconds,
    whole,
)
from ingest.media.frame_format import UNITS_MAX
from ingest.media.geometry import Size, Turn, turn_of
from ingest.media.opening import STILL_DEMUXERS, decoder_options, opened
from ingest.media.tags import safe_tags, safe_text

TRACKS_MAX = 16
PACKETS_MAX = 3000
LOOK_BYTES_MAX = 64 * 1024 * 1024
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
# FFmpeg gives the angle counter-clockwise.
_TURNS_BY_ANGLE = {270: Turn.CLOCKWISE, 180: Turn.HALF, 90: Turn.COUNTER_CLOCKWISE}
_MICROSECOND = Fraction(1, 1_000_000)


def probe(source: Path) -> Probe:
    """Return the facts about a file.

    Raises:
        NotMedia, FormatRefused, IndexLost, MemorySpent: It cannot be opened; the class says why.
        OSError: The disk does not give its bytes.
    """
    boxes = _outline(source)
    try:
        with opened(source) as container:
            return _facts(container, boxes)
    except av.error.MemoryError as error:
        raise MemorySpent("the file's head asks for more memory than one file may have") from error
    except FFmpegError as error:
        if isinstance(error, av.error.ArgumentError | av.error.PermissionError | av.error.ProtocolNotFoundError):
            raise FormatRefused("the file's format is not one that is opened here") from error
        if boxes is not None and boxes.index_lost:
            raise IndexLost("the file has media but no index (no moov box): the recording broke off") from error
        raise NotMedia("the file is in no picture, sound or video format that can be read") from error
    finally:
        # A picture that was asked for its side data holds on to itself; a photograph may be 300 MB.
        gc.collect()


def _outline(source: Path) -> Outline | None:
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return outline(lambda offset, count: os.pread(descriptor, count, offset), os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _facts(container: InputContainer, boxes: Outline | None) -> Probe:
    streams = list(container.streams)[:TRACKS_MAX]
    videos = [stream for stream in streams if isinstance(stream, VideoStream) and decoder_of(stream) is not None]
    audios = [stream for stream in streams if isinstance(stream, AudioStream)]
    others = [stream for stream in streams if stream not in videos and stream not in audios]
    # The index first: decoding moves the demuxer on and may add to it.
    gaps = {stream.index: _keyframe_gap_ms(stream) for stream in videos}
    missing = max(_beyond_the_end(container, streams), boxes.missing_bytes if boxes else 0)
    first = _first_pictures(container, videos)
    tags = safe_tags(container.metadata)
    photograph = container.format.name in STILL_DEMUXERS or (boxes is not None and boxes.photograph)
    return Probe(
        container=Container(
            names=container.format.name,
            size=container.size,
            duration_ms=milliseconds(container.duration, _MICROSECOND),
            bits_per_second=whole(container.bit_rate) or None,
            created_at=_instant(container.metadata.get("creation_time")),
            missing_bytes=whole(missing) or 0,
            index_first=boxes is not None and boxes.index_first,
            fragmented=boxes is not None and boxes.fragmented,
            tags=tags,
        ),
        pictures=tuple(
            _picture(stream, first.get(stream.index), gaps[stream.index], photograph=photograph) for stream in videos
        ),
        sounds=tuple(_sound(stream) for stream in audios),
        others=tuple(OtherTrack(stream.index, stream.type, safe_tags(stream.metadata)) for stream in others),
        tracks_omitted=len(container.streams) - len(streams),
    )


def _first_pictures(container: InputContainer, videos: Sequence[VideoStream]) -> dict[int, VideoFrame]:
    """Decode one picture of each track, as far as that is possible within the limits."""
    for stream in videos:
        stream.codec_context.options = decoder_options()
        stream.codec_context.thread_count = 1
    wanted = {stream.index for stream in videos}
    found: dict[int, VideoFrame] = {}
    read = 0
    try:
        for count, packet in enumerate(container.demux(*videos) if videos else ()):
            read += packet.size
            if not wanted or count >= PACKETS_MAX or read >= LOOK_BYTES_MAX:
                break
            if packet.stream_index in wanted and (frame := _first(packet)) is not None:
                found[packet.stream_index] = frame
                wanted.discard(packet.stream_index)
    except FFmpegError:
        # What can be read ends here; the full pass counts such ends, here they only limit what is known.
        pass
    return found


def _first(packet: Packet[Stream]) -> VideoFrame | None:
    try:
        return next((frame for frame in packet.decode() if isinstance(frame, VideoFrame)), None)
    except FFmpegError:
        return None


def _picture(
    stream: VideoStream, frame: VideoFrame | None, keyframe_gap_ms: int | None, *, photograph: bool
) -> PictureTrack:
    context = stream.codec_context
    stated = Colours(
        context.color_primaries or UNSTATED,
        context.color_trc or UNSTATED,
        context.colorspace,
        full_range=context.color_range == _FULL_RANGE,
    )
    return PictureTrack(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        size=Size(frame.width, frame.height) if frame else Size(context.width, context.height),
        pixel_format=frame.format.name if frame else context.pix_fmt,
        pixel_aspect=stream.sample_aspect_ratio or context.sample_aspect_ratio,
        frame_rate=stream.average_rate or None,
        frames=whole(stream.frames) or 0,
        duration_ms=milliseconds(stream.duration, stream.time_base),
        start_ms=milliseconds(stream.start_time, stream.time_base),
        bits_per_second=whole(stream.bit_rate),
        keyframe_gap_ms=keyframe_gap_ms,
        trimmed=any(entry.is_discard for entry in stream.index_entries),
        interlaced=frame is not None and frame.interlaced_frame,
        turn=Turn.NONE if frame is None else turn_of_frame(frame),
        colours=stated if frame is None else colours_of(frame),
        cover=bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)),
        still=photograph or bool(stream.disposition & Disposition.still_image),
        tile=bool(stream.disposition & Disposition.dependent),
        default=bool(stream.disposition & Disposition.default),
        decoded=frame is not None,
        language=None if stream.language is None else safe_text(stream.language, characters_max=16),
        tags=safe_tags(stream.metadata),
    )


def decoder_of(stream: Stream) -> CodecContext | None:
    """Return the stream's decoder, or None where FFmpeg has none for its codec (the type stubs do not say so)."""
    context: CodecContext | None = stream.codec_context
    return context


def turn_of_frame(frame: VideoFrame) -> Turn:
    """Return how a decoded picture must be turned to stand upright.

    PyAV 18.1 knows no name for Exif side data, which every photograph carries, and refuses the whole collection then;
    what is left is the angle, without the mirror that hardly any camera uses.
    """
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        return _TURNS_BY_ANGLE.get(frame.rotation % 360, Turn.NONE)
    return turn_of(bytes(matrix)) if isinstance(matrix, Buffer) else Turn.NONE


def colours_of(frame: VideoFrame) -> Colours:
    """Return the colour code points of a decoded picture; the J formats are full range whatever they state."""
    return Colours(
        frame.color_primaries or UNSTATED,
        frame.color_trc or UNSTATED,
        frame.colorspace,
        full_range=frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj"),
    )


def _sound(stream: AudioStream) -> SoundTrack:
    if decoder_of(stream) is None:
        return SoundTrack(stream.index, "unknown", 0, 0, decodable=False, tags=safe_tags(stream.metadata))
    context = stream.codec_context
    return SoundTrack(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        sample_rate=context.sample_rate,
        channels=context.channels,
        layout=safe_text(context.layout.name, characters_max=64),
        sample_format=_name_of(context.format),
        duration_ms=milliseconds(stream.duration, stream.time_base),
        start_ms=milliseconds(stream.start_time, stream.time_base),
        bits_per_second=whole(context.bit_rate),
        default=bool(stream.disposition & Disposition.default),
        language=None if stream.language is None else safe_text(stream.language, characters_max=16),
        tags=safe_tags(stream.metadata),
    )


def _name_of(sample_format: AudioFormat | None) -> str | None:
    """Return the name of a format that is not known before a piece was decoded (the type stubs do not say so)."""
    return None if sample_format is None else sample_format.name


def _keyframe_gap_ms(stream: VideoStream) -> int | None:
    """Return the longest time between neighbouring key frames of the index, the end of the track included.

    None where it is not known, and where the index claims more than is ever kept: a few bytes can claim millions.
    """
    if len(stream.index_entries) > UNITS_MAX:
        return None
    keys = [entry.timestamp for entry in stream.index_entries if entry.is_keyframe]
    if not keys or stream.duration is None:
        return None
    ends = [*keys[1:], max(keys[0] + stream.duration, keys[-1])]
    return milliseconds(max(b - a for a, b in zip(keys, ends, strict=True)), stream.time_base)


def _beyond_the_end(container: InputContainer, streams: Sequence[Stream]) -> int:
    ends = (entries[-1].pos + entries[-1].size for stream in streams if len(entries := stream.index_entries))
    return max(0, max(ends, default=0) - container.size)


def _instant(tag: str | None) -> str | None:
    """Return the creation time in the project's spelling, or None: many recorders write nonsense here."""
    try:
        instant = datetime.fromisoformat(tag or "")
    except ValueError:
        return None
    return format_time(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
