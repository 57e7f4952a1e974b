from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.media.waveform import SAMPLES_PER_PIXEL, Waveform


def made(*pieces: list[float]) -> bytes:
    waveform = Waveform(sample_rate=16_000)
    for piece in pieces:
        waveform.push(np.array(piece, np.float32))
    return waveform.file()


def test_the_file_is_that_of_audiowaveform_byte_for_byte() -> None:
    """The head by doc/DataFormat.md of audiowaveform: version 2, flag 1, rate, samples per pixel, length, channels."""
    loud = [0.0] * (SAMPLES_PER_PIXEL - 2) + [-1.0, 1.0]
    short = [0.5, -0.5]
    head = b"\x02\0\0\0" + b"\x01\0\0\0" + b"\x80\x3e\0\0" + b"\x40\x01\0\0" + b"\x02\0\0\0" + b"\x01\0\0\0"
    # -32767 / 256 is -127.99 and becomes -127, towards zero; 16384 / 256 is 64; -16384 / 256 is -64.
    assert made(loud + short) == head + bytes([129, 127, 192, 64])


def test_no_sound_is_a_head_alone() -> None:
    assert made() == struct.pack("<iIiiIi", 2, 1, 16_000, SAMPLES_PER_PIXEL, 0, 1)


@pytest.mark.parametrize("wild", [7.0, -7.0, float("inf")])
def test_what_is_too_loud_is_cut(wild: float) -> None:
    assert made([wild] * SAMPLES_PER_PIXEL)[24:] in (b"\x7f\x7f", b"\x81\x81")


def oracle(samples: list[int], rate: int) -> bytes:
    """Return the file of 16-bit samples as doc/DataFormat.md and WaveformGenerator.cpp of audiowaveform have it.

    Sample by sample, in whole numbers, as that program goes through a file; it shares nothing with what is tested. The
    program itself is packaged for neither Debian nor PyPI, so it cannot be asked here.
    """
    pairs: list[tuple[int, int]] = []
    lowest, highest, count = 32_767, -32_768, 0
    for sample in samples:
        lowest, highest, count = min(lowest, sample), max(highest, sample), count + 1
        if count == 320:
            pairs.append((lowest, highest))
            lowest, highest, count = 32_767, -32_768, 0
    if count:
        pairs.append((lowest, highest))
    towards_zero = [int(math.copysign(abs(value) // 256, value)) for pair in pairs for value in pair]
    head = b"".join(number.to_bytes(4, "little") for number in (2, 1, rate, 320, len(pairs), 1))
    return head + b"".join(value.to_bytes(1, "little", signed=True) for value in towards_zero)


@settings(deadline=None)
@given(st.lists(st.integers(-32_767, 32_767), max_size=1500), st.sampled_from([8_000, 16_000, 44_100]))
def test_the_file_agrees_with_another_implementation(samples: list[int], rate: int) -> None:
    waveform = Waveform(sample_rate=rate)
    waveform.push(np.array(samples, np.float64).astype(np.float32) / np.float32(32_767))
    assert waveform.file() == oracle(samples, rate)


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(-1, 1, width=32), max_size=700), max_size=4))
def test_pieces_make_no_difference(pieces: list[list[float]]) -> None:
    whole = [sample for piece in pieces for sample in piece]
    assert made(*pieces) == made(whole)
    assert len(made(whole)) == 24 + 2 * -(-len(whole) // SAMPLES_PER_PIXEL)
