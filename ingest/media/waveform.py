"""The shape of sound as `.dat` of BBC's audiowaveform, version 2, 8 bit, one channel: what players of waveforms read.

Little-endian: i32 version (2), u32 flags (bit 0: 8 bit), i32 sample rate, i32 samples per pixel, u32 length in pixels,
i32 channels, then for each pixel the lowest and the highest sample of it as i8. As the tool does it, a 16-bit sample is
divided by 256 towards zero, and the last pixel may stand for fewer samples.

Source: doc/DataFormat.md of that project.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

SAMPLES_PER_PIXEL = 320
"""At 16 kHz, fifty pixels a second: 700 KB for two hours."""
_HEAD = struct.Struct("<iIiiIi")
_VERSION, _EIGHT_BIT = 2, 1
_PEAK = 32_767


class Waveform:
    """Collects the peaks of one channel; `sample_rate` is that of the samples that come."""

    def __init__(self, *, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._peaks = bytearray()
        self._rest = np.zeros(0, np.int16)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Add samples between -1 and 1."""
        whole = np.rint(np.clip(samples, -1.0, 1.0) * _PEAK).astype(np.int16)
        joined = np.concatenate([self._rest, whole])
        full = len(joined) // SAMPLES_PER_PIXEL * SAMPLES_PER_PIXEL
        self._add(joined[:full].reshape(-1, SAMPLES_PER_PIXEL))
        self._rest = joined[full:]

    def file(self) -> bytes:
        """Return the file of all samples so far."""
        peaks = self._peaks + (_peaks(self._rest.reshape(1, -1)) if len(self._rest) else b"")
        head = _HEAD.pack(_VERSION, _EIGHT_BIT, self._sample_rate, SAMPLES_PER_PIXEL, len(peaks) // 2, 1)
        return head + bytes(peaks)

    def _add(self, pixels: NDArray[np.int16]) -> None:
        if len(pixels):
            self._peaks += _peaks(pixels)


def _peaks(pixels: NDArray[np.int16]) -> bytes:
    ends = np.stack([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
    return np.trunc(ends / 256).astype(np.int8).tobytes()
