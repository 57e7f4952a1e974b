"""Priming in the middle: sound, exactly nothing for as long as an encoder's run-up, sound; and nothing else."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from av.audio.frame import AudioFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.media.continuity.ear import Ear
from ingest.media.continuity.observation import Notebook, Place

RATE = 16_000
SOUND, SHORT = ("sound", 8_000), ("sound", 1_000)


def run_of(*parts: tuple[str, int]) -> np.ndarray:
    """Make noise and nothing, in samples."""
    chance = np.random.default_rng(4)
    made = [chance.normal(0, 0.05, count) if what == "sound" else np.full(count, 1e-6) for what, count in parts]
    return np.concatenate([np.zeros(0), *made]).astype(np.float32)


def heard(samples: np.ndarray, *, piece: int = 1024, form: str = "fltp", channels: int = 1) -> list[Place]:
    notebook = Notebook()
    ear = Ear(notebook, track=1)
    for start in range(0, len(samples), piece):
        part = np.ascontiguousarray(np.tile(samples[start : start + piece], (channels, 1)))
        if form == "s16p":
            part = (part * 32_767).astype(np.int16)
        frame = AudioFrame.from_ndarray(part, format=form, layout="mono" if channels == 1 else "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        ear.hear(frame)
    assert set(notebook.counts) <= {"timeline.sound_primed"}
    return [one.place for one in notebook]


@pytest.mark.parametrize("gap", [529, 1024, 1105, 2112, 4000])
@pytest.mark.parametrize("piece", [160, 1024, 5000])
@pytest.mark.parametrize("channels", [1, 2])
def test_nothing_between_sound_is_noted_where_it_is(gap: int, piece: int, channels: int) -> None:
    (place,) = heard(run_of(SOUND, ("nothing", gap), SOUND), piece=piece, channels=channels)
    assert place.from_ms is not None
    assert place.to_ms is not None
    assert abs(place.from_ms - 500) <= 1
    assert abs(place.to_ms - (500 + gap * 1000 / RATE)) <= 1


def test_each_place_is_noted() -> None:
    gap = ("nothing", 1600)
    assert len(heard(run_of(SOUND, gap, SOUND, gap, SOUND))) == 2


@pytest.mark.parametrize(
    "parts",
    [
        [("nothing", 1024), SOUND],
        [SOUND, ("nothing", 1024)],
        [SOUND, ("nothing", 300), SOUND],
        [SOUND, ("nothing", 6000), SOUND],
        [SOUND, ("nothing", 90_000), SOUND],
        [SHORT, ("nothing", 1024), SOUND],
        [("nothing", 5000)],
        [SOUND],
        [],
    ],
    ids=["begins", "ends", "a click", "muted", "muted long", "hardly any sound before", "silent", "sound", "none"],
)
def test_other_silence_is_not(parts: list[tuple[str, int]]) -> None:
    assert heard(run_of(*parts)) == []


def test_decoders_without_floating_point_say_nothing() -> None:
    """Their silence is no sign: PCM and telephone sound round noise to nothing."""
    assert heard(run_of(SOUND, ("nothing", 1024), SOUND), form="s16p") == []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 5_000), max_size=6), st.integers(1, 4_000))
def test_pieces_make_no_difference(lengths: list[int], piece: int) -> None:
    parts = [("nothing" if number % 2 else "sound", count) for number, count in enumerate(lengths)]
    places = [place.from_ms for place in heard(run_of(*parts), piece=piece)]
    assert len(places) <= len(lengths) // 2
