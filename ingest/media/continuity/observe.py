"""Observe one file: walk its structure, follow its packets, report. Runs in the decoding child, on hostile files.

`observe` reads the file by itself. `Observer` is for a pass that reads the packets anyway: `follow` the streams, `take`
each packet in file order, then `finish`; if the pass decodes, an `eye` may see the pictures. Both cost one look at each
packet and no decoding of their own, and hold a bounded amount of memory.

The order: structure first (`container`), then packets (`bitstream`, `timeline`). A file that no demuxer opens has the
first half of a report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from ingest.media.continuity.bitstream import PictureWatch, SoundWatch, picture_codec
from ingest.media.continuity.container import note_container
from ingest.media.continuity.ear import Ear
from ingest.media.continuity.extents import Extent, note_extents
from ingest.media.continuity.eye import Eye
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.report import Report, TrackRead
from ingest.media.continuity.source import source_of
from ingest.media.continuity.timeline import PictureTimes, SoundTimes
from ingest.media.errors import MemorySpent
from ingest.media.facts import Damage
from ingest.media.opening import opened
from ingest.media.probe import TRACKS_MAX, decoder_of
from ingest.media.reading import packets

_UNIT_OTHERWISE = Fraction(1, 90_000)


@dataclass(slots=True)
class _Followed:
    codec: str
    unit: Fraction
    watch: PictureWatch | SoundWatch | None
    times: PictureTimes | SoundTimes


class Observer:
    """Follows one file; its structure is walked at once.

    Raises:
        OSError: The disk does not give its bytes.
    """

    def __init__(self, source: Path) -> None:
        self._notebook = Notebook()
        self._packets = 0
        self._tracks: dict[int, _Followed] = {}
        self._eyes: list[Eye] = []
        with source_of(source) as walked:
            self._size = walked.size
            self._walk = note_container(walked, self._notebook)

    def follow(self, streams: Iterable[Stream]) -> None:
        """Follow the tracks of pictures and sound among a file's streams."""
        for stream in list(streams)[:TRACKS_MAX]:
            followed = _follow(stream, self._notebook)
            if followed is not None:
                self._tracks[stream.index] = followed

    def eye(self, track: int, origin: Fraction) -> Eye:
        """Return what sees the decoded pictures of a track; for a pass that decodes them anyway."""
        self._eyes.append(Eye(self._notebook, track=track, origin=origin))
        return self._eyes[-1]

    def ear(self, track: int) -> Ear:
        """Return what hears the decoded sound of a track; for a pass that decodes it anyway."""
        return Ear(self._notebook, track=track)

    def take(self, packet: Packet[Stream]) -> None:
        """Take a packet as it comes out of the demuxer, before anybody changes it."""
        track = self._tracks.get(packet.stream_index)
        if track is None or not packet.size:
            return
        self._packets += 1
        time = packet.dts if packet.pts is None else packet.pts
        first = packet.pos if packet.pos is not None and packet.pos >= 0 else None
        where = Place(
            track=packet.stream_index,
            first_byte=first,
            end_byte=None if first is None else first + packet.size,
            from_ms=None if time is None else int(time * track.unit * 1000),
        )
        if track.watch is not None:
            track.watch.feed(bytes(packet), where)
        if time is not None and not packet.is_discard:
            duration = packet.duration or 0
            if isinstance(track.times, PictureTimes):
                track.times.take(time, packet.dts, duration, where)
            else:
                track.times.take(time, duration, where)

    def finish(self, *, whole: bool) -> Report:
        """Note what only the whole can tell, and report; `whole` says whether reading came to the end of the file."""
        for eye in self._eyes:
            eye.finish()
        read = []
        for index, track in self._tracks.items():
            track.times.finish()
            if track.watch is not None:
                track.watch.finish()
            if isinstance(track.watch, PictureWatch):
                read.append(TrackRead(index, track.codec, track.watch.pictures, track.watch.entries))
            else:
                read.append(TrackRead(index, track.codec))
        note_extents(self._notebook, self._first(PictureTimes), self._first(SoundTimes))
        return Report(self._size, self._walk, self._packets, whole, tuple(read), self._notebook)

    def _first(self, kind: type[PictureTimes] | type[SoundTimes]) -> Extent:
        extents = (track.times.extent for track in self._tracks.values() if isinstance(track.times, kind))
        return next(extents, Extent())


def observe(source: Path, report: Callable[[int], None]) -> Report:
    """Observe a file by itself; `report` is called with the bytes read so far.

    Raises:
        OSError: The disk does not give its bytes.
    """
    observer, damage, read = Observer(source), Damage(), 0
    report(0)
    try:
        with opened(source) as container:
            observer.follow(container.streams)
            for packet in packets(container, list(container.streams), damage):
                observer.take(packet)
                read += packet.size
                report(read)
    except (FFmpegError, MemorySpent):
        # What no demuxer opens is a finding of the probe; the structure was walked all the same.
        return observer.finish(whole=False)
    return observer.finish(whole=not damage.read_errors)


def _follow(stream: Stream, notebook: Notebook) -> _Followed | None:
    context = decoder_of(stream)
    if context is None:
        return None
    name, unit = context.codec.canonical_name, stream.time_base or _UNIT_OTHERWISE
    if isinstance(stream, AudioStream):
        heard = SoundWatch(notebook) if name == "aac" else None
        return _Followed(name, unit, heard, SoundTimes(notebook, unit))
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        return None
    codec = picture_codec(name)
    seen = None if codec is None else PictureWatch(notebook, codec, bytes(context.extradata or b""))
    return _Followed(name, unit, seen, PictureTimes(notebook, unit))
