from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.speech import (
    BEGINS,
    LASTS,
    SAMPLE_RATE,
    SILENCE_MS_MIN,
    SPEECH_MS_MIN,
    WINDOW_MS,
    Speech,
    detector_name,
    segments,
)

LOUD, MIDDLE, LOW = 255, LASTS, 0


def test_a_stretch_is_from_the_first_to_the_last_window_of_speech() -> None:
    assert list(segments([LOW] * 10 + [LOUD] * 20 + [LOW] * 20)) == [(320, 960)]


def test_a_short_pause_does_not_part_a_sentence_a_long_one_does() -> None:
    assert len(list(segments([LOUD] * 10 + [LOW] * 9 + [LOUD] * 10))) == 1
    assert len(list(segments([LOUD] * 10 + [LOW] * 11 + [LOUD] * 10))) == 2


def test_a_voice_that_falls_off_goes_on_but_does_not_begin() -> None:
    assert list(segments([LOUD] * 5 + [MIDDLE] * 10)) == [(0, 480)]
    assert list(segments([MIDDLE] * 50)) == []


def test_a_click_is_no_speech() -> None:
    assert list(segments([LOW] * 5 + [LOUD] * 7 + [LOW] * 20)) == []


def test_speech_up_to_the_end_is_told() -> None:
    assert list(segments([LOUD] * 30)) == [(0, 960)]


@given(st.lists(st.integers(min_value=0, max_value=255), max_size=400))
def test_segments_rise_and_stay_apart(probabilities: list[int]) -> None:
    found = list(segments(probabilities))
    for start, end in found:
        assert end - start >= SPEECH_MS_MIN
        assert end <= len(probabilities) * WINDOW_MS
        assert probabilities[start // WINDOW_MS] >= BEGINS
    for (_, before), (after, _) in pairwise(found):
        assert after - before >= SILENCE_MS_MIN - WINDOW_MS


@pytest.mark.skipif(detector_name() is None, reason="no detector for this kind of machine")
def test_silence_and_a_hum_are_not_speech() -> None:
    speech = Speech()
    places = np.arange(SAMPLE_RATE * 2 + 100)
    speech.push(np.zeros(SAMPLE_RATE, np.float32))
    speech.push((0.3 * np.sin(2 * np.pi * 100 * places / SAMPLE_RATE)).astype(np.float32))
    said = json.loads(speech.file(detector=detector_name() or ""))
    assert said == {"detector": detector_name(), "segments": [], "version": 1, "window_ms": 32}
