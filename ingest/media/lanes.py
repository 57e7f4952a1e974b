"""One lane per track from the original into the review copy: packets in, packets out, times on a common clock.

Encoding lanes decode, dress and encode. Copying lanes pass packets on, shifted to the common origin, and decode them
only to see that it can be done; without an output they merely check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags, ThreadType
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from ingest.media.facts import Damage, PictureTrack, SoundTrack
from ingest.media.geometry import review_size
from ingest.media.looks import Dressing
from ingest.media.reading import PictureDecoding, SoundDecoding
from ingest.media.sound import Resampling, review_sample_rate
from ingest.media.timeline import Timeline

KEYFRAME_SECONDS_MAX = 2
X264_OPTIONS = {"preset": "veryfast", "crf": "23", "profile": "high", "maxrate": "4M", "bufsize": "8M"}
AAC_BITS_PER_SECOND_AND_CHANNEL = {False: 64_000, True: 40_000}  # by whether the rate is below 32 kHz
_BT709, _STUDIO_RANGE = 1, 1
_UNIT_OTHERWISE = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True)
class Clock:
    """What all lanes of a file share: the time that becomes zero, and the length the file states, in seconds."""

    origin: Fraction
    length: Fraction | None


@dataclass(slots=True)
class Tally:
    """What a lane has seen: pictures or samples decoded, and the end of the last of them in seconds from the origin."""

    count: int = 0
    end: Fraction = Fraction(0)

    def add(self, count: int, end: Fraction) -> None:
        """Count what was decoded; the end only moves forward."""
        self.count += count
        self.end = max(self.end, end)


OnPicture = Callable[[VideoFrame, Fraction], None]
"""Told of every picture that is fit to look at, with its time in seconds of the review copy; it must not keep it."""
OnSound = Callable[[AudioFrame], None]
"""Told of every piece of sound as it was decoded; it must leave it as it is."""


class Lane(Protocol):
    """Carries one track."""

    tally: Tally

    def feed(self, packet: Packet[Stream]) -> Iterable[Packet[Stream]]:
        """Return the packets for the review copy that a packet of the original makes ready."""
        ...

    def finish(self) -> Iterable[Packet[Stream]]:
        """Return the packets that are still held."""
        ...


class PictureEncoding:
    """Pictures to H.264: 8 bit, 4:2:0, closed groups of at most two seconds, every picture at its own time."""

    def __init__(
        self,
        output: OutputContainer,
        stream: VideoStream,
        track: PictureTrack,
        *,
        clock: Clock,
        damage: Damage,
        threads: int,
        seen: OnPicture,
    ) -> None:
        self.tally = Tally()
        self._damage = damage
        self._seen = seen
        self._decoding = PictureDecoding(stream, damage, threads=threads)
        self._source_unit = stream.time_base or _UNIT_OTHERWISE
        self._unit = unit = _sane_unit(self._source_unit)
        rate = _sane_rate(track.frame_rate)
        self._timeline = Timeline(unit=unit, origin=clock.origin, step=1 / rate, length=clock.length)
        target = review_size(track.size, pixel_aspect=track.pixel_aspect, turn=track.turn)
        self._dressing = Dressing(
            target=target,
            pixel_aspect=track.pixel_aspect,
            turn=track.turn,
            unit=unit,
            deinterlace=track.interlaced,
            threads=threads,
        )
        # Key frames are set by time below; the encoder's own count of pictures is only a backstop.
        gop = str(round(rate * KEYFRAME_SECONDS_MAX * 4))
        self._encoder = output.add_stream("libx264", rate=rate, options={**X264_OPTIONS, "forced-idr": "1", "g": gop})
        self._encoder.width, self._encoder.height, self._encoder.pix_fmt = target.width, target.height, "yuv420p"
        self._encoder.time_base = unit
        context = self._encoder.codec_context
        context.time_base, context.thread_type, context.thread_count = unit, ThreadType.FRAME, threads
        context.flags |= Flags.closed_gop
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = _STUDIO_RANGE
        self._held: VideoFrame | None = None
        self._last_key: int | None = None
        self._durations: dict[int, int] = {}
        self._first_dts: int | None = None
        self._start = 0

    def feed(self, packet: Packet[Stream]) -> Iterable[Packet[Stream]]:
        """See `Lane`."""
        for frame in self._decoding.decode(packet):
            yield from self._take(frame)

    def finish(self) -> Iterable[Packet[Stream]]:
        """See `Lane`."""
        for frame in self._decoding.decode(None):
            yield from self._take(frame)
        for dressed in self._dressing.rest():
            yield from self._hold(dressed)
        if self._held is not None:
            yield from self._encode(self._held, key=self._last_key is None, duration=self._timeline.step)
            yield from self._ended(list(self._timed(self._encoder.encode(None))))
        self._damage.time_repairs += self._timeline.repairs
        self._damage.time_breaks += self._timeline.breaks

    def _take(self, frame: VideoFrame) -> Iterable[Packet[Stream]]:
        duration = _rescaled(frame.duration, self._source_unit, self._unit)
        ticks = None if frame.pts is None else _rescaled(frame.pts, self._source_unit, self._unit)
        frame.pts = self._timeline.place(ticks, duration=duration)
        frame.time_base = self._unit
        self.tally.add(1, (frame.pts + self._timeline.step) * self._unit)
        try:
            dressed = list(self._dressing.dress(frame))
        except FFmpegError:
            self._damage.picture_errors += 1
            return
        for picture in dressed:
            yield from self._hold(picture)

    def _hold(self, frame: VideoFrame) -> Iterable[Packet[Stream]]:
        """Keep one picture back: only its successor tells whether it must be the key frame."""
        if frame.pts is not None:
            self._seen(frame, frame.pts * self._unit)
        held, self._held = self._held, frame
        if held is not None and held.pts is not None and frame.pts is not None:
            limit = int(KEYFRAME_SECONDS_MAX / self._unit)
            key = self._last_key is None or frame.pts - self._last_key > limit
            yield from self._encode(held, key=key, duration=frame.pts - held.pts)

    def _encode(self, frame: VideoFrame, *, key: bool, duration: int) -> Iterable[Packet[Stream]]:
        frame.pict_type = PictureType.I if key else PictureType.NONE
        if key:
            self._start = self._start if self._last_key is not None else frame.pts or 0
            self._last_key = frame.pts
        if frame.pts is not None:
            self._durations[frame.pts] = duration
        yield from self._timed(self._encoder.encode(frame))

    def _timed(self, packets: Iterable[Packet[Stream]]) -> Iterable[Packet[Stream]]:
        """Give packets their length: without it the muxer lets an edit list end before the last picture."""
        for packet in packets:
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts, 0)
            if self._first_dts is None:
                self._first_dts = packet.dts
            yield packet

    def _ended(self, tail: list[Packet[Stream]]) -> list[Packet[Stream]]:
        """Stretch the last packet so that decoding takes as long as showing does.

        MP4 states a track's length in decoding times. Where pictures come at uneven distances those end earlier than
        the last picture is shown, and a player would stop short of it.
        """
        if tail and tail[-1].dts is not None and self._first_dts is not None:
            shown = round(self.tally.end / self._unit) - self._start
            tail[-1].duration = max(tail[-1].duration or 0, shown - (tail[-1].dts - self._first_dts))
        return tail


class SoundEncoding:
    """Sound to AAC, one or two channels, without holes."""

    def __init__(
        self,
        output: OutputContainer,
        stream: AudioStream,
        track: SoundTrack,
        *,
        clock: Clock,
        damage: Damage,
        heard: OnSound,
    ) -> None:
        self.tally = Tally()
        self._damage = damage
        self._heard = heard
        self._decoding = SoundDecoding(stream, damage)
        self._unit = stream.time_base or _UNIT_OTHERWISE
        self._timeline = Timeline(unit=self._unit, origin=clock.origin, step=Fraction(1, 50), length=clock.length)
        rate = review_sample_rate(track.sample_rate)
        layout = "mono" if track.channels == 1 else "stereo"
        self._encoder = output.add_stream("aac", rate=rate, layout=layout)
        self._encoder.bit_rate = AAC_BITS_PER_SECOND_AND_CHANNEL[rate < 32_000] * (1 if layout == "mono" else 2)
        self._encoder.codec_context.open()
        frame_samples = self._encoder.codec_context.frame_size
        self._resampling = Resampling(sample_rate=rate, layout=layout, frame_samples=frame_samples)

    def feed(self, packet: Packet[Stream]) -> Iterable[Packet[Stream]]:
        """See `Lane`."""
        return self._decoded(packet)

    def finish(self) -> Iterable[Packet[Stream]]:
        """See `Lane`."""
        yield from self._decoded(None)
        if self.tally.count:
            for piece in self._resampling.rest():
                yield from self._encode(piece)
            yield from self._encoder.encode(None)
        self._damage.time_repairs += self._timeline.repairs
        self._damage.time_breaks += self._timeline.breaks

    def _decoded(self, packet: Packet[Stream] | None) -> Iterable[Packet[Stream]]:
        for frame in self._decoding.decode(packet):
            self._heard(frame)
            length = Fraction(frame.samples, frame.sample_rate)
            seconds = self._timeline.place(frame.pts, duration=round(length / self._unit)) * self._unit
            self.tally.add(frame.samples, seconds + length)
            # One at a time: a long hole becomes more silence than should be held in memory.
            pieces = iter(self._resampling.push(frame, seconds=seconds))
            while (piece := self._next(pieces)) is not None:
                yield from self._encode(piece)

    def _encode(self, piece: AudioFrame) -> Iterable[Packet[Stream]]:
        """Encode one piece, whose `pts` counts samples; the one way into the encoder."""
        return self._encoder.encode(piece)

    def _next(self, pieces: Iterator[AudioFrame]) -> AudioFrame | None:
        try:
            return next(pieces, None)
        except FFmpegError:
            self._damage.sound_errors += 1
            return None


class Copying:
    """Packets as they are, decoded in passing; without an output container they are only checked."""

    def __init__(
        self,
        output: OutputContainer | None,
        decoding: PictureDecoding | SoundDecoding,
        *,
        clock: Clock,
        seen: OnPicture,
        heard: OnSound,
    ) -> None:
        self.tally = Tally()
        self._seen, self._heard = seen, heard
        self._decoding = decoding
        self._unit = decoding.stream.time_base or _UNIT_OTHERWISE
        self._shift = round(clock.origin / self._unit)
        self._stream: Stream | None = None
        if output is not None:
            self._stream = output.add_stream_from_template(decoding.stream)

    def feed(self, packet: Packet[Stream]) -> Iterable[Packet[Stream]]:
        """See `Lane`."""
        self._check(packet)
        if self._stream is not None:
            packet.pts = None if packet.pts is None else packet.pts - self._shift
            packet.dts = None if packet.dts is None else packet.dts - self._shift
            packet.stream = self._stream
            yield packet

    def finish(self) -> Iterable[Packet[Stream]]:
        """See `Lane`."""
        self._check(None)
        return ()

    def _check(self, packet: Packet[Stream] | None) -> None:
        for frame in self._decoding.decode(packet):
            length = frame.duration * self._unit
            start = Fraction(0) if frame.pts is None else (frame.pts - self._shift) * self._unit
            if isinstance(frame, VideoFrame):
                self._seen(frame, start)
                self.tally.add(1, start + length)
            else:
                self._heard(frame)
                self.tally.add(frame.samples, start + length)


def _sane_unit(unit: Fraction) -> Fraction:
    """Return a track's time unit, or 1/90000 s if MP4 and x264 could not count in it."""
    return unit if Fraction(1, 1_000_000) <= unit <= 1 else _UNIT_OTHERWISE


def _sane_rate(rate: Fraction | None) -> Fraction:
    """Return an average rate that an encoder can be told, 25 if the file states none or nonsense."""
    if rate is None or not 1 <= rate <= 240:
        return Fraction(25)
    return rate.limit_denominator(65_535)


def _rescaled(ticks: int, unit: Fraction, target: Fraction) -> int:
    return ticks if unit == target else round(ticks * unit / target)
