"""From decoded sound to what AAC is made of: one rate, one layout, no holes, in equal pieces.

Pictures carry their own times and may come late; sound is a rope of samples and must be whole, or it drifts away from
the picture. So gaps are filled with silence and overlaps cut: small ones by FFmpeg's `aresample` (`async=1`), long ones
here, since a resampler would hold the whole silence in memory. When a recorder changes its format in the middle of a
file, the conversion starts anew at the same place in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.filter import Graph

GAP_SECONDS_MAX = 5
SAMPLE_RATE_MIN, SAMPLE_RATE_OTHERWISE = 16_000, 48_000
_KEPT_RATES = frozenset((16_000, 22_050, 24_000, 32_000, 44_100, 48_000))
_SILENCE_SAMPLES = 16_384


def review_sample_rate(sample_rate: int) -> int:
    """Return the sample rate of a review copy: the original's if browsers play it, else the next that loses nothing."""
    if sample_rate in _KEPT_RATES:
        return sample_rate
    return SAMPLE_RATE_MIN if sample_rate < SAMPLE_RATE_MIN else SAMPLE_RATE_OTHERWISE


class Resampling:
    """Turns pieces of decoded sound into a gapless run of `frame_samples` samples each, floating point, planar.

    Args:
        sample_rate: Samples per second that come out.
        layout: `mono` or `stereo`.
        frame_samples: Samples per piece that come out; only the last may be shorter.
        averaged: Whether channels that become one are averaged, so that nothing is louder than it was; else they are
            mixed as the standards have it, by which two equal channels are louder than one.
    """

    def __init__(self, *, sample_rate: int, layout: str, frame_samples: int, averaged: bool = False) -> None:
        self._mixing = ":rematrix_maxval=1" if averaged else ""
        self._sample_rate, self._layout, self._frame_samples = sample_rate, layout, frame_samples
        self._graph: Graph | None = None
        self._shape: tuple[int, str, str] | None = None
        self._fifo = AudioFifo()
        self._written = 0
        self._read = 0

    def push(self, frame: AudioFrame, *, seconds: Fraction) -> Iterator[AudioFrame]:
        """Yield the pieces that are ready after one more, which begins `seconds` after the common start.

        Raises:
            FFmpegError: The sound is of a kind that cannot be converted.
        """
        shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        late = seconds - Fraction(self._written, self._sample_rate)
        if self._graph is None or shape != self._shape or late > GAP_SECONDS_MAX:
            self._flush()
            if late > GAP_SECONDS_MAX:
                yield from self._silence(round(seconds * self._sample_rate) - self._written)
            self._graph, self._shape = self._build(shape), shape
        frame.pts, frame.time_base = round(seconds * frame.sample_rate), Fraction(1, frame.sample_rate)
        self._graph.push(frame)
        self._pull(self._graph)
        yield from self._ready(partial=False)

    def rest(self) -> Iterator[AudioFrame]:
        """Yield everything that is still held."""
        self._flush()
        yield from self._ready(partial=True)

    def _flush(self) -> None:
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.push(None)
            self._pull(graph)

    def _pull(self, graph: Graph) -> None:
        while True:
            try:
                frame = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if isinstance(frame, AudioFrame):
                self._write(frame)

    def _write(self, frame: AudioFrame) -> None:
        frame.pts = None  # the samples themselves are the clock from here on
        self._fifo.write(frame)
        self._written += frame.samples

    def _ready(self, *, partial: bool) -> Iterator[AudioFrame]:
        # Before the first sample the queue knows no format and cannot be asked.
        if not self._written:
            return
        while (frame := self._fifo.read(self._frame_samples, partial)) is not None:
            frame.pts, frame.time_base = self._read, Fraction(1, self._sample_rate)
            self._read += frame.samples
            yield frame

    def _silence(self, samples: int) -> Iterator[AudioFrame]:
        channels = 1 if self._layout == "mono" else 2
        while samples > 0:
            count = min(samples, _SILENCE_SAMPLES)
            frame = AudioFrame.from_ndarray(np.zeros((channels, count), np.float32), format="fltp", layout=self._layout)
            frame.sample_rate = self._sample_rate
            self._write(frame)
            samples -= count
            yield from self._ready(partial=False)

    def _build(self, shape: tuple[int, str, str]) -> Graph:
        sample_rate, layout, sample_format = shape
        # In samples of the input: where the output stands, so that what comes is padded or cut to fit on.
        first = self._written * sample_rate // self._sample_rate
        source = (
            f"time_base=1/{sample_rate}:sample_rate={sample_rate}:sample_fmt={sample_format}:channel_layout={layout}"
        )
        graph = Graph()
        graph.link_nodes(
            graph.add("abuffer", source),
            graph.add("aresample", f"{self._sample_rate}:async=1:first_pts={first}{self._mixing}"),
            graph.add("aformat", f"sample_fmts=fltp:channel_layouts={self._layout}"),
            graph.add("abuffersink"),
        ).configure()
        return graph
