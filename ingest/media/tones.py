"""A picture of high dynamic range as an ordinary one, quickly: for the first still, which cannot wait for a good table.

The scaler maps such pictures well and needs seconds before the first one. Here one small picture is mapped by a table
and a matrix: to light by its transfer function, bright parts drawn together towards the peak (Reinhard, extended), from
BT.2020 to BT.709 primaries, to code values of an ordinary display. Colours are near those of the review copy, not equal
to them; this still is only shown until the poster of the finished copy is there.

Sources: ITU-R BT.2100-2 (tables 4 and 5: PQ and HLG), BT.2087-0 (primaries), BT.1886 (display).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

_HLG = 18
_CODES = 65_536
_WHITE_NITS, _PEAK_NITS, _PQ_NITS = 203.0, 1000.0, 10_000.0
"""Reference white of BT.2408; the peak that is taken for granted; what PQ's largest code stands for."""

_HLG_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4
_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)
"""From linear BT.2020 to linear BT.709 (BT.2087-0, the inverse of its matrix)."""


def ordinary(picture: VideoFrame, *, transfer: int) -> VideoFrame:
    """Map a picture in `rgb48le`; `transfer` is its code point (ITU-T H.273), 16 or 18. Returns `rgb24`."""
    light = _light_of_codes(transfer)[picture.to_ndarray()]
    luma = (light @ _LUMA)[..., np.newaxis]
    if transfer == _HLG:
        # Light of the scene; the display's own curve makes it light of the display.
        light = light * np.power(luma, _HLG_GAMMA - 1) * _PEAK_NITS / _WHITE_NITS
        luma = (light @ _LUMA)[..., np.newaxis]
    peak = _PEAK_NITS / _WHITE_NITS
    light = light * (1 + luma / peak**2) / (1 + luma)
    shown = np.clip(light @ _TO_709.T, 0.0, 1.0) ** (1 / _DISPLAY_GAMMA)
    return VideoFrame.from_ndarray(np.rint(shown * 255).astype(np.uint8), format="rgb24")


@cache
def _light_of_codes(transfer: int) -> NDArray[np.float32]:
    """Return the light of every code value: of the scene, 0 to 1, for HLG; in units of reference white for PQ."""
    codes = np.arange(_CODES, dtype=np.float64) / (_CODES - 1)
    if transfer == _HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12).astype(np.float32)
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = codes ** (1 / m2)
    light: NDArray[np.float64] = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return (light * _PQ_NITS / _WHITE_NITS).astype(np.float32)
