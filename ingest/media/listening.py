"""One ear for everything that is found out about sound: decoded pieces in, one run of 16 kHz mono out to who needs it.

The run begins at zero of the players' clock, and holes become silence, so that a place in it is a time. It is apart
from the sound of the review copy, which may be copied and then is never resampled.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError

from ingest.media.sound import Resampling
from ingest.media.speech import SAMPLE_RATE, Speech, detector_name
from ingest.media.timeline import Timeline
from ingest.media.waveform import Waveform

PIECE_SAMPLES = 16_384


class Listening:
    """Hears one track.

    Args:
        unit: Seconds per tick of the pieces' times.
        origin, length: As in `ingest.media.timeline`.
    """

    def __init__(self, *, unit: Fraction, origin: Fraction, length: Fraction | None) -> None:
        self.detector = detector_name()
        self.waveform = Waveform(sample_rate=SAMPLE_RATE)
        self._speech = None if self.detector is None else Speech()
        self._unit = unit
        self._timeline = Timeline(unit=unit, origin=origin, step=Fraction(1, 50), length=length)
        self._resampling = Resampling(
            sample_rate=SAMPLE_RATE, layout="mono", frame_samples=PIECE_SAMPLES, averaged=True
        )
        self._heard = False

    def hear(self, piece: AudioFrame) -> None:
        """Take a decoded piece, before anybody changes its times."""
        duration = round(Fraction(piece.samples, piece.sample_rate) / self._unit)
        seconds = self._timeline.place(piece.pts, duration=duration) * self._unit
        times = piece.pts, piece.time_base
        try:
            self._pass_on(self._resampling.push(piece, seconds=seconds))
        except FFmpegError:
            # Who carries the sound counts what cannot be converted.
            pass
        finally:
            piece.pts, piece.time_base = times
        self._heard = True

    def finish(self) -> None:
        """Take what is still held; nothing may be heard afterwards."""
        if self._heard:
            self._pass_on(self._resampling.rest())

    def speech(self) -> bytes | None:
        """Return the file of speech segments, None without a detector; call once, after `finish`."""
        return None if self._speech is None or self.detector is None else self._speech.file(detector=self.detector)

    @property
    def heard(self) -> bool:
        """Whether there was anything to hear."""
        return self._heard

    def _pass_on(self, pieces: Iterable[AudioFrame]) -> None:
        for piece in pieces:
            samples = piece.to_ndarray().reshape(-1).astype(np.float32, copy=False)
            self.waveform.push(samples)
            if self._speech is not None:
                self._speech.push(samples)
