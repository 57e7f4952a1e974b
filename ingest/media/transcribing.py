"""From the sound of a review copy and the list of where somebody speaks to a transcript; runs in a child process.

Only the stretches that the speech detector found are listened to, each by itself, the long ones in parts: models are
made for half a minute at most. The sound is read once, in the run of 16 kHz that waveform and detector hear, and no
more of it is held than one part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from ingest.media.errors import NothingDecodes
from ingest.media.models import library_name, read_models
from ingest.media.opening import opened
from ingest.media.recogniser import SAMPLE_RATE, Recogniser
from ingest.media.sound import Resampling
from ingest.media.timeline import Timeline
from ingest.media.transcript import Said, Transcript, format_transcript, parse_spans
from ledger.canonical import JsonObject

PART_MS_MAX: Final = 20_000
_PIECE_SAMPLES = 16_384

Report = Callable[[int], None]


def make_transcript(
    source: Path, target: Path, *, models: Path, speech: Path, threads: int, report: Report
) -> JsonObject:
    """Write the transcript of what is said in `source` to `target`; return what was done.

    Args:
        source: The review copy; only read.
        target: Where the transcript goes.
        models: Folder of models with its manifest.
        speech: The object `speech` of the same derivation.
        threads: Threads of the library.
        report: Called often, with the bytes read so far.

    Raises:
        SpeechMissing, ModelsMalformed, ModelsDiffer, ModelsRefused: The models cannot be used.
        TranscriptMalformed: The list of segments is none.
        NothingDecodes: There is no sound.
    """
    spans = list(parts(parse_spans(speech.read_bytes())))
    known = read_models(models)
    recogniser = Recogniser(models, known, threads=threads)
    report(0)
    said, voices = [], []
    for (start, end), samples in zip(spans, _stretches(source, spans, report), strict=True):
        heard = recogniser.words(samples)
        said.append(Said(start, end, heard.text, None, heard.confidence))
        voices.append(recogniser.voice(samples))
        report(0)
    names = recogniser.speakers(voices)
    segments = tuple(
        Said(one.from_ms, one.to_ms, one.text, name, one.confidence)
        for one, name in zip(said, names, strict=True)
        if one.text
    )
    target.write_bytes(format_transcript(Transcript(segments, known.as_json())))
    return {"library": library_name(), "parts": len(spans), "segments": len(segments)}


def parts(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the stretches in milliseconds, those that are too long for a model in parts of equal length."""
    for start, end in spans:
        count = -(-(end - start) // PART_MS_MAX)
        for number in range(count):
            yield start + (end - start) * number // count, start + (end - start) * (number + 1) // count


def _stretches(source: Path, spans: Sequence[tuple[int, int]], report: Report) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of each stretch, holding no more than one of them; what is not there is silence."""
    held, at, wanted = [np.zeros(0, np.float32)], 0, iter(spans)
    span = next(wanted, None)
    for piece in _run(source, report):
        held.append(piece)
        end = at + sum(map(len, held))
        while span is not None and (span[1] * SAMPLE_RATE) // 1000 <= end:
            yield _between(np.concatenate(held), at, span)
            span = next(wanted, None)
        keep = end if span is None else min(end, (span[0] * SAMPLE_RATE) // 1000)
        if keep > at:
            held, at = [np.concatenate(held)[keep - at :]], keep
    while span is not None:
        yield _between(np.concatenate(held), at, span)
        span = next(wanted, None)


def _between(run: NDArray[np.float32], at: int, span: tuple[int, int]) -> NDArray[np.float32]:
    first, last = (time * SAMPLE_RATE // 1000 - at for time in span)
    found = run[max(0, first) : max(0, last)]
    return np.pad(found, (0, last - first - len(found)))


def _run(source: Path, report: Report) -> Iterator[NDArray[np.float32]]:
    """Yield the sound as one gapless run of 16 kHz from zero of the players' clock."""
    with opened(source) as container:
        if not container.streams.audio:
            raise NothingDecodes("the review copy has no sound")
        stream = container.streams.audio[0]
        unit = stream.time_base or Fraction(1, SAMPLE_RATE)
        timeline = Timeline(unit=unit, origin=Fraction(0), step=Fraction(1, 50), length=None)
        resampling = Resampling(sample_rate=SAMPLE_RATE, layout="mono", frame_samples=_PIECE_SAMPLES, averaged=True)
        for packet in container.demux(stream):
            report(packet.pos or 0)
            try:
                pieces = packet.decode()
            except FFmpegError:
                continue
            for piece in pieces:
                duration = round(Fraction(piece.samples, piece.sample_rate) / unit)
                seconds = timeline.place(piece.pts, duration=duration) * unit
                for part in resampling.push(piece, seconds=seconds):
                    yield part.to_ndarray().reshape(-1).astype(np.float32, copy=False)
        for part in resampling.rest():
            yield part.to_ndarray().reshape(-1).astype(np.float32, copy=False)
