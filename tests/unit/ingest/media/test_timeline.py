from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.media.timeline import REACH_SLACK_SECONDS, UNSTATED_REACH_SECONDS, Timeline

MS = Fraction(1, 1000)


def timeline(*, origin: int = 0, length: int | None = 100) -> Timeline:
    return Timeline(
        unit=MS, origin=Fraction(origin), step=Fraction(1, 25), length=None if length is None else Fraction(length)
    )


def placed(line: Timeline, times: list[int | None]) -> list[int]:
    return [line.place(time) for time in times]


def test_true_times_are_kept_to_the_tick() -> None:
    line = timeline()
    times: list[int | None] = [0, 33, 67, 100, 4100, 4101, 99_000]
    assert placed(line, times) == times
    assert (line.repairs, line.breaks) == (0, 0)


def test_the_origin_becomes_zero() -> None:
    assert placed(timeline(origin=2), [2000, 2040, 2500]) == [0, 40, 500]


def test_a_track_that_begins_later_stays_later() -> None:
    assert placed(timeline(origin=1), [1128, 1168]) == [128, 168]


def test_a_missing_time_is_a_step_after_the_last() -> None:
    line = timeline()
    assert placed(line, [0, 100, None, None, 260]) == [0, 100, 140, 180, 260]
    assert (line.repairs, line.breaks) == (2, 0)


def test_a_stream_without_any_times_is_no_damage() -> None:
    line = timeline()
    assert placed(line, [None, None, None]) == [0, 40, 80]
    assert line.repairs == 0


def test_the_last_known_duration_is_the_step() -> None:
    line = timeline()
    assert line.place(0, duration=100) == 0
    assert line.place(None) == 100
    assert line.step == 100


def test_an_absurd_duration_is_no_step() -> None:
    line = timeline()
    line.place(0, duration=10_000_000)
    assert line.place(None) == 40


def test_a_small_step_back_becomes_the_next_tick() -> None:
    line = timeline()
    assert placed(line, [0, 40, 40, 20, 120]) == [0, 40, 41, 42, 120]
    assert (line.repairs, line.breaks) == (2, 0)


def test_a_clock_that_starts_anew_is_a_break() -> None:
    line = timeline()
    assert placed(line, [50_000, 50_040, 0, 40, 80]) == [50_000, 50_040, 50_080, 50_120, 50_160]
    assert (line.repairs, line.breaks) == (0, 1)


def test_a_jump_beyond_the_files_own_length_is_a_break() -> None:
    line = timeline(length=10)
    last = (10 + REACH_SLACK_SECONDS) * 1000
    assert placed(line, [0, last, last + 2000, last + 2040]) == [0, last, last + 40, last + 80]
    assert line.breaks == 1


def test_a_stated_length_of_centuries_is_not_believed() -> None:
    line = timeline(length=400 * 365 * 86_400)
    assert placed(line, [0, 100 * 365 * 86_400_000]) == [0, 40]
    assert line.breaks == 1


def test_running_on_past_a_length_stated_too_short_is_no_break() -> None:
    line = timeline(length=1)
    times: list[int | None] = list(range(0, 200_000, 1000))
    assert placed(line, times) == times
    assert (line.repairs, line.breaks) == (0, 0)


def test_without_a_stated_length_the_size_of_a_jump_counts() -> None:
    line = timeline(length=None)
    far = UNSTATED_REACH_SECONDS * 1000
    assert placed(line, [0, far, 2 * far, 3 * far + 1]) == [0, far, 2 * far, 2 * far + 40]
    assert line.breaks == 1


def test_a_first_time_of_years_is_a_break() -> None:
    line = timeline(length=10)
    assert placed(line, [2**40, 2**40 + 40]) == [0, 40]
    assert line.breaks == 1


def test_priming_before_the_start_is_no_break() -> None:
    line = timeline()
    assert placed(line, [-21, 0, 21])[0] == 0
    assert line.breaks == 0


@given(
    st.lists(st.none() | st.integers(-(2**62), 2**62) | st.integers(-5000, 120_000), max_size=60),
    st.none() | st.integers(0, 1000),
)
def test_times_always_rise_and_never_run_away(times: list[int | None], length: int | None) -> None:
    line = timeline(length=length)
    result = placed(line, times)
    assert all(a < b for a, b in pairwise(result))
    assert all(time >= 0 for time in result)
    if length is not None and result:
        assert result[-1] <= (length + REACH_SLACK_SECONDS) * 1000 + 1001 * len(times)
