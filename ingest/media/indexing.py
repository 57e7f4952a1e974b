"""Making the frame index while packets pass by on their way to the decoders; see `ingest.media.frames`.

What the demuxer says about a unit's place is checked against the bytes: the original is looked at there (they have just
been read, so they come from memory) and the unit's bytes must stand at that place or a few bytes behind it, where some
formats (Matroska, FLV) put the head of a block. A unit that does not is marked; after `FAILURES_MAX` in a row a track
is not looked at any more. So `ranges` is a statement about this very file and not about its format.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from ingest.media.edits import edit_shifts
from ingest.media.frame_format import CODEC_CHARACTERS_MAX, KINDS, TRACKS_MAX, UNITS_MAX
from ingest.media.frames import CORRUPT, HIDDEN, KEY, NO_DTS, NO_PLACE, NO_PTS, FrameIndex, FrameTrack
from ingest.media.tags import safe_text
from ledger.canonical import INTEGER_MAX

FAILURES_MAX = 16
SLACK_BYTES = 32
_UNIT_OTHERWISE = Fraction(1, 90_000)


@contextmanager
def indexing(source: Path, container: InputContainer) -> Iterator[Indexing]:
    """Open the original a second time, to compare, and close it again.

    Raises:
        OSError: It cannot be opened.
    """
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Indexing(descriptor, container)
    finally:
        os.close(descriptor)


class Indexing:
    """Collects what is known of each packet; made by `indexing`."""

    def __init__(self, descriptor: int, container: InputContainer) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._units = 0
        iso = "mp4" in container.format.name.split(",")
        shifts = edit_shifts(self._read_at, self._size) if iso else {}
        self._tracks = {
            stream.index: _blank(stream, _sane(shifts.get(stream.id)) or 0)
            for stream in list(container.streams)[:TRACKS_MAX]
        }
        self._failures = dict.fromkeys(self._tracks, 0)

    def note(self, packet: Packet[Stream]) -> None:
        """Note one packet as it comes from the demuxer, before anybody changes it.

        Raises:
            OSError: The disk does not give the original's bytes.
        """
        track = self._tracks.get(packet.stream_index)
        self._units += 1
        if track is None or self._units > UNITS_MAX:
            return
        pts, dts = _sane(packet.pts), _sane(packet.dts)
        last = track.dts[-1] if len(track) else 0
        place = self._place(packet)
        track.offsets.append(0 if place is None else place)
        track.sizes.append(packet.size)
        track.dts.append(dts if dts is not None else pts if pts is not None else last)
        track.pts.append(pts if pts is not None else track.dts[-1])
        track.durations.append(max(0, _sane(packet.duration) or 0))
        track.flags.append(
            KEY * packet.is_keyframe
            | HIDDEN * packet.is_discard
            | CORRUPT * packet.is_corrupt
            | NO_PTS * (pts is None)
            | NO_DTS * (dts is None)
            | NO_PLACE * (place is None)
        )

    def index(self, *, origin: Fraction) -> FrameIndex | None:
        """Return the index, None if the file has more units than one can state, or states times beyond all bounds.

        `origin` is as in `FrameIndex`.
        """
        if self._units > UNITS_MAX or abs(origin.numerator) > INTEGER_MAX:
            return None
        return FrameIndex(size=self._size, origin=origin, tracks=tuple(self._tracks.values()))

    def _place(self, packet: Packet[Stream]) -> int | None:
        number, stated = packet.stream_index, packet.pos
        if stated is None or stated < 0 or self._failures[number] >= FAILURES_MAX:
            return None
        found = self._read_at(stated, packet.size + SLACK_BYTES).find(bytes(packet))
        self._failures[number] = 0 if found >= 0 else self._failures[number] + 1
        return None if found < 0 else stated + found

    def _read_at(self, offset: int, count: int) -> bytes:
        return os.pread(self._descriptor, count, offset)


def _blank(stream: Stream, edit_shift: int) -> FrameTrack:
    kind = stream.type if stream.type in KINDS else "unknown"
    unit = stream.time_base if stream.time_base is not None and stream.time_base > 0 else _UNIT_OTHERWISE
    return FrameTrack(index=stream.index, kind=kind, codec=_codec(stream), unit=unit, edit_shift=edit_shift)


def _codec(stream: Stream) -> str:
    """Return FFmpeg's name of a stream's codec, or nothing where it knows none (the type stubs do not say so)."""
    context: CodecContext | None = stream.codec_context
    return "" if context is None else safe_text(context.name, characters_max=CODEC_CHARACTERS_MAX)


def _sane(ticks: int | None) -> int | None:
    return ticks if ticks is not None and abs(ticks) <= INTEGER_MAX else None
