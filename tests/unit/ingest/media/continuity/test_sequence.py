"""A clip among its neighbours: each rule by a small case that triggers it and only it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.continuity.observation import Notebook
from ingest.media.continuity.sequence import ClipFacts, note_sequence

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTES = 5 * 60_000


def clip(
    number: int, *, late_ms: int = 0, lasts_ms: int | None = MINUTES, size: int = 30_000_000, make: str = "mp4 h264"
) -> ClipFacts:
    at = NOON + timedelta(milliseconds=number * MINUTES + late_ms)
    return ClipFacts(f"REC_{number:04}.MP4", at, lasts_ms, size, make)


ROW = [clip(number) for number in (1, 2, 4, 5)]


def noted(own: ClipFacts, others: list[ClipFacts] | None = None) -> dict[str, Mapping[str, object]]:
    notebook = Notebook()
    note_sequence(own, ROW if others is None else others, notebook)
    return {item.code: item.measured for item in notebook}


def test_a_clip_that_fits_gives_no_occasion() -> None:
    assert noted(clip(3)) == {}
    assert noted(clip(3), []) == {}


def test_time_that_no_clip_covers() -> None:
    assert noted(clip(3, late_ms=10_000, lasts_ms=MINUTES - 10_000)) == {
        "sequence.short_gap": {"side": "before", "neighbour": "REC_0002.MP4", "milliseconds": 10_000}
    }
    assert set(noted(clip(3, lasts_ms=MINUTES - 100_000))) == {"sequence.gap", "sequence.length_outlier"}


def test_time_that_two_clips_claim() -> None:
    assert set(noted(clip(3, lasts_ms=MINUTES + 9000))) == {"sequence.overlap"}


def test_a_clock_that_went_back() -> None:
    seen = noted(clip(3, late_ms=-2 * MINUTES - 60_000))
    assert seen["sequence.clock_back"] == {
        "side": "before",
        "neighbour": "REC_0002.MP4",
        "milliseconds": 360_000,
    }


def test_numbers_that_are_missing() -> None:
    assert noted(clip(3), [clip(1), clip(4)])["sequence.number_gap"] == {
        "side": "before",
        "neighbour": "REC_0001.MP4",
        "missing": 1,
    }


def test_names_made_of_times_are_no_numbers() -> None:
    names = ["DCAM_3100127_20261118_091500.mp4", "DCAM_3100127_20261118_092000.mp4"]
    one, two = (ClipFacts(name, NOON + timedelta(minutes=place * 5), MINUTES, 9) for place, name in enumerate(names))
    assert (one.number, noted(two, [one])) == (None, {})


@pytest.mark.parametrize(("size", "expected"), [(2_000_000, True), (200_000_000, True), (20_000_000, False)])
def test_a_rate_far_from_the_neighbours(size: int, expected: bool) -> None:
    assert ("sequence.rate_outlier" in noted(clip(3, size=size))) is expected


def test_another_make_and_a_shorter_length() -> None:
    assert set(noted(clip(3, make="mp4 hevc"))) == {"sequence.make_outlier"}
    late = MINUTES - 60_000
    assert set(noted(clip(3, late_ms=0, lasts_ms=late))) == {"sequence.gap", "sequence.length_outlier"}


@given(
    st.lists(
        st.builds(
            ClipFacts,
            st.text(max_size=20),
            st.none() | st.datetimes(timezones=st.just(UTC)),
            st.none() | st.integers(0, 10**9),
            st.integers(0, 10**12),
            st.sampled_from(["", "a", "b"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_facts_break_the_rules(facts: list[ClipFacts]) -> None:
    note_sequence(facts[0], facts[1:], Notebook())
