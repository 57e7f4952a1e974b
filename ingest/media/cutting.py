"""A playable cut: the packets of some seconds copied into a small file of their own, nothing decoded, nothing encoded.

It begins with the key frame at or before the wanted time, because no player can begin elsewhere, and starts at zero.
It is made to be looked at, and says so in its own words (`comment`); nothing of the original's words, places or other
tracks goes along. Runs in a child process, see `ingest.media.piece_child`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream

from ingest.media.errors import NothingBetween
from ingest.media.facts import Damage
from ingest.media.opening import opened
from ingest.media.reading import packets

LABEL = "derivative for viewing, not evidence / 便于观看的衍生件，并非证据"

MP4_CODECS = frozenset(
    ("h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "aac", "mp3", "ac3", "eac3", "opus", "flac", "alac")
)
"""What ordinary players expect in MP4; whatever else is copied goes into Matroska, which holds anything."""

# Players' sound may begin a little before the picture; MP4 has no room for packets from before the first one.
_LEAD_SECONDS = Fraction(1, 10)
_BACK_SECONDS = (0, 10, 60)


@dataclass(frozen=True, slots=True)
class CutFacts:
    """What was copied: container (`mp4` or `matroska`), packets, and where it begins on the players' clock."""

    container: str
    packets: int
    from_s: Fraction


def make_cut(
    source: Path, target: Path, *, from_s: Fraction, to_s: Fraction, origin: Fraction, report: Callable[[int], None]
) -> CutFacts:
    """Write the cut of `source` to `target`.

    Args:
        source, target: Files; the target must not exist.
        from_s, to_s: Seconds on the players' clock.
        origin: Time of the original that is zero there.
        report: Called often with the bytes copied so far.

    Raises:
        NothingBetween: No packet of picture or sound lies there.
        FFmpegError, OSError: It cannot be read or written.
    """
    with opened(source) as container:
        streams = [stream for stream in container.streams if stream.type in ("video", "audio") and _is_copied(stream)]
        leading = next((stream for stream in streams if stream.type == "video"), next(iter(streams), None))
        if leading is None:
            raise NothingBetween("there is no track of picture or sound that could be copied")
        name = "mp4" if all(stream.codec_context.name in MP4_CODECS for stream in streams) else "matroska"
        _seek(container, leading, from_s + origin)
        options = {"movflags": "+faststart"} if name == "mp4" else {}
        with av.open(str(target), "w", format=name, options=options) as output:
            output.metadata["comment"] = LABEL
            copying = _Copying(output, streams, leading, from_s=from_s + origin, to_s=to_s + origin)
            copying.run(container, report)
    return CutFacts(name, copying.count, copying.start - origin)


def _is_copied(stream: Stream) -> bool:
    # Cover pictures are no film.
    return not stream.disposition & Disposition.attached_pic


def _seek(container: InputContainer, leading: Stream, seconds: Fraction) -> None:
    """Go to the key frame at or before a time; where a container only knows times (transport streams), before it."""
    if leading.time_base is None:
        return
    for back in _BACK_SECONDS:
        ticks = max(int((seconds - back) / leading.time_base), leading.start_time or 0)
        try:
            container.seek(ticks, stream=leading, backward=True)
            if _key_ahead(container, leading, seconds):
                container.seek(ticks, stream=leading, backward=True)
                return
        except FFmpegError:
            break
    # No index, or no key frame: what lies before is passed over one packet after the other.
    container.seek(0)


def _key_ahead(container: InputContainer, leading: Stream, seconds: Fraction) -> bool:
    """Tell whether a key frame comes before the first picture that is shown later than a time."""
    for packet in packets(container, [leading], Damage()):
        time = _time(packet)
        if packet.is_keyframe and time is not None and time <= seconds:
            return True
        if time is not None and time > seconds:
            return False
    return False


class _Copying:
    """Passes packets on that lie within, the first of them a key frame; the others wait for it."""

    def __init__(
        self, output: OutputContainer, streams: Sequence[Stream], leading: Stream, *, from_s: Fraction, to_s: Fraction
    ) -> None:
        self._output, self._leading, self._from_s, self._to_s = output, leading, from_s, to_s
        self._streams = {stream.index: stream for stream in streams}
        self._made = {stream.index: output.add_stream_from_template(stream) for stream in streams}
        self._held: list[Packet[Stream]] = []
        self._ended: set[int] = set()
        self._begun = False
        self.start = from_s
        self.count = 0

    def run(self, container: InputContainer, report: Callable[[int], None]) -> None:
        """Copy the packets of the chosen tracks; `report` is called with the bytes copied so far."""
        copied = 0
        for packet in packets(container, list(self._streams.values()), Damage()):
            self._take(packet)
            copied += packet.size
            report(copied)
            if len(self._ended) == len(self._streams) or self._far_behind(packet):
                break
        self._begin()
        if not self.count:
            raise NothingBetween("no picture and no sound lies between these times")

    def _take(self, packet: Packet[Stream]) -> None:
        time = _time(packet)
        if time is None:
            return
        if time >= self._to_s:
            # Pictures are not in the order of their times: decoding times tell when no more can come.
            if packet.dts is None or packet.dts * packet.time_base >= self._to_s:
                self._ended.add(packet.stream_index)
            return
        if packet.stream_index == self._leading.index and packet.is_keyframe and time <= self._from_s:
            # A key frame nearer to the wanted time: what leads up to it is not needed.
            self._held, self.start = [one for one in self._held if self._is_sound_after(one, time)], time
        self._held.append(packet)
        if (time > self._from_s and packet.stream_index == self._leading.index) or self._begun:
            self._begin()

    def _is_sound_after(self, packet: Packet[Stream], start: Fraction) -> bool:
        time = _time(packet)
        return packet.stream_index != self._leading.index and time is not None and time >= start - _LEAD_SECONDS

    def _far_behind(self, packet: Packet[Stream]) -> bool:
        time = _time(packet)
        return time is not None and time > self._to_s + 10 and self._leading.index in self._ended

    def _begin(self) -> None:
        """Copy what is held; from now on everything is copied as it comes."""
        if not self._begun and self._held:
            self._begun = True
            first = next((one for one in self._held if one.stream_index == self._leading.index), self._held[0])
            self.start = _time(first) or self.start
        for packet in self._held:
            self._copy(packet)
        self._held = []

    def _copy(self, packet: Packet[Stream]) -> None:
        unit, time = packet.time_base, _time(packet)
        if time is None or time < self.start - _LEAD_SECONDS:
            return
        shift = round(self.start / unit)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._made[packet.stream_index]
        self._output.mux(packet)
        self.count += 1


def _time(packet: Packet[Stream]) -> Fraction | None:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return None if ticks is None else ticks * packet.time_base
