"""A redacted copy: the review copy made once more, all of it encoded anew, with boxes covered and spans silent.

Only the chosen track of pictures and the chosen track of sound go into it, decoded and encoded: no packet, tag,
chapter, cover picture, subtitle or telemetry of the original is copied, so none can leak. It says of itself that it is
a derivative. Runs in a child process, see `ingest.media.piece_child`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.media.covering import Box, Span, cover, mute
from ingest.media.cutting import LABEL
from ingest.media.errors import NothingDecodes
from ingest.media.facts import Damage
from ingest.media.lanes import Lane, PictureEncoding, SoundEncoding
from ingest.media.opening import opened
from ingest.media.policy import Action, decide, without_copies
from ingest.media.probe import probe
from ingest.media.proxy import clock_of
from ingest.media.reading import packets
from ledger.canonical import JsonObject


class Covering(PictureEncoding):
    """Pictures with boxes covered, each at its time."""

    boxes: Sequence[Box] = ()
    covered: int = 0

    def _encode(self, frame: VideoFrame, *, key: bool, duration: int) -> Iterable[Packet[Stream]]:
        # A picture is shown until the next one comes: a box that begins meanwhile covers it from the first moment on.
        start = (frame.pts or 0) * self._unit
        boxes = [box for box in self.boxes if box.span.touches(start, start + max(duration, 1) * self._unit)]
        self.covered += bool(boxes)
        yield from super()._encode(cover(frame, boxes), key=key, duration=duration)


class Muting(SoundEncoding):
    """Sound with silent spans."""

    spans: Sequence[Span] = ()

    def _encode(self, piece: AudioFrame) -> Iterable[Packet[Stream]]:
        return super()._encode(mute(piece, self.spans))


def make_redacted(
    source: Path, target: Path, changes: Mapping[str, Any], *, threads: int, report: Callable[[int], None]
) -> JsonObject:
    """Write the redacted copy of `source` to `target`.

    Args:
        source, target: Files; the target must not exist.
        changes: `picture`, `cover` and `mute` as `evidence.clips.redaction` states them.
        threads: Decoder and encoder threads.
        report: Called often with the bytes read so far.

    Returns:
        Pictures and samples that were written, pictures that were covered, what was damaged.

    Raises:
        NothingDecodes: There is no film and no sound, or what is to be covered or muted is not there.
        MediaError, FFmpegError, OSError: It cannot be read or written.
    """
    facts = probe(source)
    decision = without_copies(decide(facts))
    if decision.action not in {Action.FULL, Action.AUDIO_ONLY}:
        raise NothingDecodes("there is neither film nor sound that could be redacted")
    boxes, spans = _boxes(changes), [_span(one) for one in changes["mute"]]
    if (boxes and decision.picture is None) or (spans and decision.sound is None):
        raise NothingDecodes("what is to be covered or muted is not in this file")
    damage, read = Damage(), 0
    with opened(source) as container, av.open(str(target), "w", format="mp4", options=_FAST) as output:
        output.metadata["comment"] = LABEL
        clock = clock_of(container, decision, facts)
        lanes: dict[int, Lane] = {}
        pictures, sounds = None, None
        video = container.streams[decision.picture.index] if decision.picture else None
        if decision.picture is not None and isinstance(video, VideoStream):
            pictures = Covering(
                output, video, decision.picture, clock=clock, damage=damage, threads=threads, seen=_nobody
            )
            pictures.boxes = boxes
            lanes[video.index] = pictures
        audio = container.streams[decision.sound.index] if decision.sound else None
        if decision.sound is not None and isinstance(audio, AudioStream):
            sounds = Muting(output, audio, decision.sound, clock=clock, damage=damage, heard=_nobody)
            sounds.spans = spans
            lanes[audio.index] = sounds
        for packet in packets(container, [container.streams[index] for index in lanes], damage):
            read += packet.size
            for made in lanes[packet.stream_index].feed(packet):
                output.mux(made)
                report(read)
            report(read)
        for lane in lanes.values():
            for made in lane.finish():
                output.mux(made)
                report(read)
    if (boxes and (pictures is None or not pictures.tally.count)) or (spans and (not sounds or not sounds.tally.count)):
        raise NothingDecodes("what is to be covered or muted does not decode")
    return {
        "pictures": pictures.tally.count if pictures else 0,
        "covered": pictures.covered if pictures else 0,
        "samples": sounds.tally.count if sounds else 0,
        "origin_ms": round(clock.origin * 1000),
        "damage": damage.as_json(),
        "media_type": "video/mp4" if pictures else "audio/mp4",
    }


_FAST = {"movflags": "+faststart"}


def _nobody(*_: object) -> None:
    """Nobody looks on."""


def _span(stated: Mapping[str, Any]) -> Span:
    return Span(Fraction(int(stated["from_ms"]), 1000), Fraction(int(stated["to_ms"]), 1000))


def _boxes(changes: Mapping[str, Any]) -> list[Box]:
    picture = changes["picture"]
    if picture is None:
        return []
    width, height = int(picture["width"]), int(picture["height"])
    return [
        Box(
            span=_span(one),
            left=Fraction(int(one["x"]), width),
            top=Fraction(int(one["y"]), height),
            right=Fraction(int(one["x"]) + int(one["width"]), width),
            bottom=Fraction(int(one["y"]) + int(one["height"]), height),
            how=one["how"],
        )
        for one in changes["cover"]
    ]
