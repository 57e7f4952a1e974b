"""Priming of a sound encoder in the middle of a recording, heard where the sound is decoded anyway.

An encoder of AAC or MP3 begins with samples that are none: 529 to 2,112 of digital silence (ISO/IEC 14496-24), and ends
with some that fill its last packet. Players leave them out at the ends of a file, where it says so. In the middle
nobody does: where a recording was put behind another without coding it anew, the sound is exactly nothing for that
long. A microphone gives noise, never nothing. An encoder that was fed without a pause, that smears its
beginning over the silence, or whose priming was cut off, leaves nothing to be heard; longer silence is muting and none
of this.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from ingest.media.continuity.observation import Notebook, Place

NOTHING_MAX = 1 / 16_384
"""Largest sample, of 1, that counts as nothing: coding leaves some dust where there was digital silence."""

SAMPLES_MIN, SAMPLES_MAX = 512, 4_224
"""Shortest priming, a little less; twice the longest, for what fills the packet before it."""

ALIVE_MS_MIN = 250
"""For so long there has to be sound before it: between two silences nothing begins."""


class Ear:
    """Hears the sound of one track."""

    def __init__(self, notebook: Notebook, *, track: int) -> None:
        self._notebook = notebook
        self._track = track
        self._nothing = 0
        self._alive = 0

    def hear(self, piece: AudioFrame) -> None:
        """Take a decoded piece; it is left as it is."""
        loudest = _loudest(piece)
        if loudest is None:
            return
        loud = np.flatnonzero(loudest > NOTHING_MAX)
        # Places of the first sound behind each stretch of nothing; what came before this piece counts along.
        gaps = np.diff(loud, prepend=-1 - self._nothing) - 1
        after = 0
        for number in np.flatnonzero(gaps >= SAMPLES_MIN):
            place, gap = int(loud[number]), int(gaps[number])
            self._alive += max(0, place - gap - after)
            self._end(piece, place, gap)
            self._alive, after = 0, place
        self._alive += len(loudest) - after if len(loud) else 0
        self._nothing = len(loudest) - 1 - int(loud[-1]) if len(loud) else self._nothing + len(loudest)

    def _end(self, piece: AudioFrame, place: int, gap: int) -> None:
        if gap > SAMPLES_MAX or self._alive * 1000 < ALIVE_MS_MIN * piece.sample_rate:
            return
        end_ms = None
        if piece.pts is not None and piece.time_base is not None:
            end_ms = int((piece.pts * piece.time_base + Fraction(place, piece.sample_rate)) * 1000)
        length_ms = gap * 1000 // piece.sample_rate
        where = Place(track=self._track, from_ms=None if end_ms is None else end_ms - length_ms, to_ms=end_ms)
        self._notebook.note("timeline.sound_primed", where, samples=gap, milliseconds=length_ms)


def _loudest(piece: AudioFrame) -> NDArray[np.float32] | None:
    """Return the loudest of all channels at each sample; None where the decoder gives no planes of floating point."""
    if piece.format.name not in ("fltp", "flt") or (piece.format.name == "flt" and len(piece.layout.channels) > 1):
        return None
    loudest: NDArray[np.float32] = np.abs(piece.to_ndarray()).max(axis=0)
    return loudest
