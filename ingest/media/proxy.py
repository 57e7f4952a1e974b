"""Make the review copy: one pass over the original, one lane per chosen track, into an MP4 that starts at once.

The copy begins at zero with whichever track begins first, and keeps every distance from there: what is at 12.480 s of
the copy is at 12.480 s after `origin_ms` of the original.

It is written in fragments that begin with key frames, with one index of all of them at the front (moved there when the
file is closed), so that a player may read it progressively or piece by piece (`ingest.media.playlist`). A file whose
tracks begin apart is written in one piece: the index of fragments has no word for that, and players would add the gap
to its length.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.media.continuity.observe import Observer
from ingest.media.continuity.report import Report as ContinuityReport
from ingest.media.facts import Damage, Probe
from ingest.media.frames import FrameIndex
from ingest.media.geometry import review_size
from ingest.media.indexing import indexing
from ingest.media.lanes import (
    KEYFRAME_SECONDS_MAX,
    Clock,
    Copying,
    Lane,
    OnPicture,
    OnSound,
    PictureEncoding,
    SoundEncoding,
    Tally,
)
from ingest.media.listening import Listening
from ingest.media.opening import opened
from ingest.media.playlist import Fragments, fragments_of, is_whole
from ingest.media.policy import Action, Decision, fragments_fit
from ingest.media.reading import PictureDecoding, SoundDecoding, packets
from ingest.media.storyboard import Storyboard
from ingest.media.whereabouts import GPMF_MAGIC, GPMF_PACKET_BYTES_MAX, Positions

Report = Callable[[int], None]
"""Called often with how much of the original has been read, in bytes."""

Tap = Callable[["Packet[Stream]"], None]
"""Looks at a packet of any track before a lane takes it."""

_COPY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ProxyFacts:
    """What one pass has seen.

    Attributes:
        origin_ms: Time in the original at which the copy begins.
        duration_ms: End of the last picture or sample, from there.
        pictures: Pictures decoded.
        samples: Samples of sound decoded, per channel.
        damage: What was lost on the way.
        continuity: What was observed of the original in passing.
        frames: Where every unit of every track lies; None if there are more than an index can state.
        board: The storyboard's tiles, None for sound alone.
        ear: What was heard, None without sound.
        fragments: What the copy consists of, None if it is in one piece.
        positions: What a track of telemetry says of places.
    """

    origin_ms: int
    duration_ms: int
    pictures: int
    samples: int
    damage: Damage
    frames: FrameIndex | None
    board: Storyboard | None
    ear: Listening | None
    continuity: ContinuityReport
    fragments: Fragments | None
    positions: Positions


def make_proxy(
    source: Path, target: Path, decision: Decision, probe: Probe, *, threads: int, report: Report
) -> ProxyFacts:
    """Write the review copy of `source` to `target`, which must not exist, and say what was seen.

    The copy is worthless if `ProxyFacts` shows damage where something was copied, or nothing decoded where there
    should have been pictures: the caller decides again then.

    Raises:
        MemorySpent: It would take more memory than one file may have.
        FFmpegError, OSError: The copy cannot be written.
    """
    damage = Damage()
    keep = decision.action is Action.KEEP
    observer = Observer(source)
    with contextlib.ExitStack() as stack:
        container = stack.enter_context(opened(source))
        clock = clock_of(container, decision, probe)
        fragmented = not keep and fragments_fit(decision, _starts(container, decision))
        muxing = _muxing(fragmented=fragmented, film=decision.picture is not None)
        output = None if keep else stack.enter_context(_created(target, muxing))
        board, ear = _onlookers(container, decision, clock)
        heard: OnSound = _nothing if ear is None else ear.hear
        if decision.sound is not None:
            heard = _heard_by(heard, observer.ear(decision.sound.index).hear)
        seen: OnPicture = _nothing if board is None else board.see
        if decision.picture is not None:
            seen = _both(seen, observer.eye(decision.picture.index, clock.origin).see)
        lanes = _lanes(container, output, decision, clock=clock, damage=damage, threads=threads, seen=seen, heard=heard)
        notes = stack.enter_context(indexing(source, container))
        observer.follow(container.streams)
        positions = Positions()
        telemetry = _telemetry(positions, clock)
        _run(container, output, lanes, (notes.note, observer.take, telemetry), damage, report)
    if keep:
        _copy(source, target, report)
    tallies = {index: lane.tally for index, lane in lanes.items()}
    picture = _tally(tallies, decision.picture.index if decision.picture else None)
    sound = _tally(tallies, decision.sound.index if decision.sound else None)
    return ProxyFacts(
        origin_ms=round(clock.origin * 1000),
        duration_ms=round(max(picture.end, sound.end) * 1000),
        pictures=picture.count,
        samples=sound.count,
        damage=damage,
        frames=notes.index(origin=clock.origin),
        board=board if board is not None and board.count else None,
        ear=ear if ear is not None and ear.heard else None,
        continuity=observer.finish(whole=not damage.read_errors),
        # Of what never decodes not even an empty file is written.
        fragments=_checked(target) if fragmented and (picture.count or sound.count) else None,
        positions=positions,
    )


def _checked(target: Path) -> Fragments:
    """Return the fragments of a finished copy.

    FFmpeg swallows a refused write when it ends such a file, and leaves a shorter one. So it is looked at whether it is
    whole, and if it is not, the disk is asked once more for its reason.

    Raises:
        OSError: The copy is not whole; the disk's reason, or that there was no room.
    """
    descriptor = os.open(target, os.O_RDWR | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        fragments = fragments_of(lambda offset, count: os.pread(descriptor, count, offset), size)
        if fragments and is_whole(lambda offset, count: os.pread(descriptor, count, offset), size, fragments):
            return fragments
        written = os.pwrite(descriptor, bytes(_COPY_BYTES), size)
        os.pwrite(descriptor, b"\0", size + written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _created(target: Path, muxing: dict[str, str]) -> Iterator[OutputContainer]:
    with av.open(str(target), "w", format="mp4", options=muxing) as output:
        yield output


def _muxing(*, fragmented: bool, film: bool) -> dict[str, str]:
    """Return the muxer's options: a head that is complete at once, and one index of all fragments behind it."""
    if not fragmented:
        return {"movflags": "+faststart"}
    cut = {"movflags": "+frag_keyframe"} if film else {"frag_duration": str(KEYFRAME_SECONDS_MAX * 1_000_000)}
    # Late heads hold the edit lists: without them sound would start with the encoder's run-up.
    return {**cut, "movflags": cut.get("movflags", "") + "+delay_moov+default_base_moof+global_sidx"}


def _run(
    container: InputContainer,
    output: OutputContainer | None,
    lanes: dict[int, Lane],
    taps: Sequence[Tap],
    damage: Damage,
    report: Report,
) -> None:
    read = 0
    for packet in packets(container, list(container.streams), damage, counted=lanes.keys()):
        read += packet.size
        for tap in taps:
            tap(packet)
        lane = lanes.get(packet.stream_index)
        for made in () if lane is None else lane.feed(packet):
            if output is not None:
                output.mux(made)
            report(read)
        report(read)
    for lane in lanes.values():
        for made in lane.finish():
            if output is not None:
                output.mux(made)
            report(read)


def _lanes(
    container: InputContainer,
    output: OutputContainer | None,
    decision: Decision,
    *,
    clock: Clock,
    damage: Damage,
    threads: int,
    seen: OnPicture,
    heard: OnSound,
) -> dict[int, Lane]:
    lanes: dict[int, Lane] = {}
    if decision.picture is not None:
        video = container.streams[decision.picture.index]
        if isinstance(video, VideoStream):
            if decision.copies_picture or output is None:
                pictures = PictureDecoding(video, damage, threads=threads)
                lanes[video.index] = Copying(output, pictures, clock=clock, seen=seen, heard=heard)
            else:
                lanes[video.index] = PictureEncoding(
                    output, video, decision.picture, clock=clock, damage=damage, threads=threads, seen=seen
                )
    if decision.sound is not None:
        audio = container.streams[decision.sound.index]
        if isinstance(audio, AudioStream):
            if decision.copies_sound or output is None:
                sounds = SoundDecoding(audio, damage)
                lanes[audio.index] = Copying(output, sounds, clock=clock, seen=seen, heard=heard)
            else:
                lanes[audio.index] = SoundEncoding(
                    output, audio, decision.sound, clock=clock, damage=damage, heard=heard
                )
    return lanes


def _onlookers(
    container: InputContainer, decision: Decision, clock: Clock
) -> tuple[Storyboard | None, Listening | None]:
    """Return who else sees and hears what is decoded."""
    board, ear = None, None
    if (picture := decision.picture) is not None:
        size = review_size(picture.size, pixel_aspect=picture.pixel_aspect, turn=picture.turn)
        board = Storyboard(review=size)
    if decision.sound is not None:
        unit = container.streams[decision.sound.index].time_base or Fraction(1, 90_000)
        ear = Listening(unit=unit, origin=clock.origin, length=clock.length)
    return board, ear


def _both(one: OnPicture, other: OnPicture) -> OnPicture:
    def seen(picture: VideoFrame, seconds: Fraction) -> None:
        one(picture, seconds)
        other(picture, seconds)

    return seen


def _heard_by(one: OnSound, other: OnSound) -> OnSound:
    def heard(piece: AudioFrame) -> None:
        one(piece)
        other(piece)

    return heard


def _telemetry(positions: Positions, clock: Clock) -> Tap:
    """Return what reads telemetry among the packets that pass by; its tracks are known by what they hold."""

    def tap(packet: Packet[Stream]) -> None:
        if packet.stream.type == "data" and packet.size <= GPMF_PACKET_BYTES_MAX and packet.pts is not None:
            raw = bytes(packet)
            if raw.startswith(GPMF_MAGIC):
                positions.note(raw, seconds=packet.pts * packet.time_base - clock.origin)

    return tap


def _nothing(*_: object) -> None:
    """Look the other way."""


def clock_of(container: InputContainer, decision: Decision, probe: Probe) -> Clock:
    """Return what the lanes of a file share: the time at which the first chosen track begins, and the stated length."""
    starts = [start for start in _starts(container, decision) if start is not None]
    stated = probe.container.duration_ms
    return Clock(origin=min(starts, default=Fraction(0)), length=None if not stated else Fraction(stated, 1000))


def _starts(container: InputContainer, decision: Decision) -> tuple[Fraction | None, Fraction | None]:
    """Return when the chosen picture and sound begin in the original, in seconds, where that is stated."""
    picture, sound = (
        None if track is None else container.streams[track.index] for track in (decision.picture, decision.sound)
    )
    return _start(picture), _start(sound)


def _start(stream: Stream | None) -> Fraction | None:
    if stream is None or stream.start_time is None or stream.time_base is None:
        return None
    return Fraction(stream.start_time) * stream.time_base


def _copy(source: Path, target: Path, report: Report) -> None:
    copied = 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while piece := reader.read(_COPY_BYTES):
            writer.write(piece)
            copied += len(piece)
            report(copied)


def _tally(tallies: dict[int, Tally], index: int | None) -> Tally:
    return Tally() if index is None else tallies.get(index, Tally())
