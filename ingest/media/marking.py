"""A marked copy: a playable copy, or a span of it, encoded anew with the watermark of its recipient in every picture.

Only pictures and sound go into it, as into a redacted copy. Its tags say that it is a watermarked copy and whose. Runs
in a child process, see `ingest.media.piece_child`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.media.errors import NothingBetween, NothingDecodes
from ingest.media.facts import Damage
from ingest.media.lanes import Clock, Lane, PictureEncoding, SoundEncoding
from ingest.media.opening import opened
from ingest.media.policy import Action, decide, without_copies
from ingest.media.probe import probe
from ingest.media.proxy import clock_of
from ingest.media.reading import packets
from ingest.media.watermark import Watermark, shape_of_lines, shape_of_picture
from ledger.canonical import JsonObject

LABEL: Final = "水印副本，非原件，不作为证据 / watermarked copy, not the original, not evidence"
_LAG_SECONDS = 2  # by which a track may lie behind another one in the file
_FAST = {"movflags": "+faststart"}


class Marking(PictureEncoding):
    """Pictures with the mark, those of a span alone."""

    shape: Any = None
    span: tuple[Fraction, Fraction | None] = (Fraction(0), None)
    mark: Watermark | None = None

    def _take(self, frame: VideoFrame) -> Iterable[Packet[Stream]]:
        if _within(self.span, frame.pts, self._source_unit):
            yield from super()._take(frame)

    def _encode(self, frame: VideoFrame, *, key: bool, duration: int) -> Iterable[Packet[Stream]]:
        if self.mark is None:
            self.mark = Watermark(self.shape, width=frame.width, height=frame.height)
        marked = self.mark.burn(frame, (frame.pts or 0) * self._unit)
        yield from super()._encode(marked, key=key, duration=duration)


class Passing:
    """Sound as it is decoded, that of a span alone."""

    def __init__(self, decoding: Any, span: tuple[Fraction, Fraction | None]) -> None:
        self._decoding, self._span = decoding, span
        self._unit = decoding.stream.time_base or Fraction(1, 90_000)

    def decode(self, packet: Packet[Stream] | None) -> Sequence[AudioFrame]:
        """See `SoundDecoding`."""
        return [one for one in self._decoding.decode(packet) if _within(self._span, one.pts, self._unit)]


class SoundBetween(SoundEncoding):
    """Sound of a span alone."""

    def keep(self, span: tuple[Fraction, Fraction | None]) -> None:
        """Let only this span through, in seconds of the file."""
        self._decoding = Passing(self._decoding, span)  # type: ignore[assignment]


def make_marked(
    source: Path,
    target: Path,
    wanted: Mapping[str, Any],
    *,
    picture: Path | None,
    threads: int,
    report: Callable[[int], None],
) -> JsonObject:
    """Write the marked copy of `source`, a playable copy, to `target`.

    Args:
        source, target: Files; the target must not exist.
        wanted: `lines` of the mark; `from_ms` and `to_ms` on the copy's clock, either null; `link` for the tags.
        picture: A picture of the lines; None to write them in the house's own glyphs.
        threads: Decoder and encoder threads.
        report: Called often with the bytes read so far.

    Returns:
        Pictures and samples that were written, where it begins, what was damaged.

    Raises:
        NothingDecodes: There is no film.
        NothingBetween: The span holds no picture.
        MediaError, FFmpegError, OSError: It cannot be read or written.
    """
    shape = shape_of_lines(wanted["lines"]) if picture is None else shape_of_picture(picture)
    facts = probe(source)
    decision = without_copies(decide(facts))
    if decision.action is not Action.FULL or decision.picture is None:
        raise NothingDecodes("there is no film that could be marked")
    damage = Damage()
    with opened(source) as container, av.open(str(target), "w", format="mp4", options=_FAST) as output:
        output.metadata["comment"] = LABEL
        output.metadata["title"] = f"watermarked copy {wanted['link']}"
        whole = clock_of(container, decision, facts)
        begin = whole.origin + Fraction(int(wanted["from_ms"] or 0), 1000)
        stop = None if wanted["to_ms"] is None else whole.origin + Fraction(int(wanted["to_ms"]), 1000)
        clock = Clock(origin=begin, length=whole.length)
        video = container.streams[decision.picture.index]
        if not isinstance(video, VideoStream):
            raise NothingDecodes("there is no film that could be marked")
        pictures = Marking(output, video, decision.picture, clock=clock, damage=damage, threads=threads, seen=_nobody)
        pictures.shape, pictures.span = shape, (begin, stop)
        lanes: dict[int, Lane] = {video.index: pictures}
        sounds = None
        audio = container.streams[decision.sound.index] if decision.sound else None
        if decision.sound is not None and isinstance(audio, AudioStream):
            sounds = SoundBetween(output, audio, decision.sound, clock=clock, damage=damage, heard=_nobody)
            sounds.keep((begin, stop))
            lanes[audio.index] = sounds
        if begin > whole.origin:
            container.seek(int(begin * 1_000_000))
        _carry(container, output, lanes, stop, damage, report)
    if not pictures.tally.count:
        raise NothingBetween("no picture lies between these times")
    return {
        "pictures": pictures.tally.count,
        "samples": sounds.tally.count if sounds else 0,
        "duration_ms": round(pictures.tally.end * 1000),
        "damage": damage.as_json(),
        "media_type": "video/mp4",
    }


def _carry(
    container: InputContainer,
    output: OutputContainer,
    lanes: Mapping[int, Lane],
    stop: Fraction | None,
    damage: Damage,
    report: Callable[[int], None],
) -> None:
    """Feed the lanes with their packets until the end of the file, or of the span."""
    read = 0
    for packet in packets(container, [container.streams[index] for index in lanes], damage):
        read += packet.size
        if stop is not None and _beyond(packet, stop + _LAG_SECONDS):
            break
        for made in lanes[packet.stream_index].feed(packet):
            output.mux(made)
        report(read)
    for lane in lanes.values():
        for made in lane.finish():
            output.mux(made)
            report(read)


def _within(span: tuple[Fraction, Fraction | None], ticks: int | None, unit: Fraction) -> bool:
    """Tell whether a picture or a piece of sound begins in a span; one without a time does."""
    if ticks is None:
        return True
    return span[0] <= ticks * unit and (span[1] is None or ticks * unit < span[1])


def _beyond(packet: Packet[Stream], seconds: Fraction) -> bool:
    return packet.dts is not None and packet.dts * packet.time_base > seconds


def _nobody(*_: object) -> None:
    """Nobody looks on."""
