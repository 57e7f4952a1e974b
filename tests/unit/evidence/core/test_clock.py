"""One instant, one spelling: what is written is read back, what is spelled otherwise is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.core.clock import format_time, parse_time, utc_now
from evidence.errors import TimeInvalid

INSTANTS = st.datetimes(min_value=datetime(1601, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 strategy wants it naive
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)

HOSTILE = [
    "",
    "2026-11-21",
    "2026-11-21T23:21:23Z",
    "2026-11-21T23:21:23.12Z",
    "2026-11-21T23:21:23.1234Z",
    "2026-11-21T23:21:23.123",
    "2026-11-21T23:21:23.123z",
    "2026-11-21t23:21:23.123Z",
    "2026-11-21 23:21:23.123Z",
    "2026-11-21T23:21:23.123+00:00",
    "2026-11-21T23:21:23,123Z",
    " 2026-11-21T23:21:23.123Z",
    "2026-11-21T23:21:23.123Z\n",
    "2026-02-29T00:00:00.000Z",
    "2026-13-01T00:00:00.000Z",
    "2026-11-21T24:00:00.000Z",
    "2026-11-21T23:60:00.000Z",
    "2026-11-21T23:59:60.000Z",
    "0000-01-01T00:00:00.000Z",
    "+2026-11-21T23:21:23.123Z",
    "２０２６-11-21T23:21:23.123Z",
    "2026-11-21T23:21:23.123Z" * 1000,
]


@given(INSTANTS)
def test_what_is_written_is_read_back(instant: datetime) -> None:
    assert parse_time(format_time(instant)) == instant


@given(INSTANTS, INSTANTS)
def test_times_sort_as_text(left: datetime, right: datetime) -> None:
    assert (left < right) == (format_time(left) < format_time(right))


def test_parts_finer_than_milliseconds_are_cut_not_rounded() -> None:
    assert format_time(datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)) == "2026-01-01T00:00:00.999Z"


def test_another_zone_is_the_same_instant() -> None:
    beijing = datetime(2026, 11, 22, 7, 21, 23, 123_000, tzinfo=timezone(timedelta(hours=8)))
    assert format_time(beijing) == "2026-11-21T23:21:23.123Z"


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(TimeInvalid):
        format_time(datetime(2026, 1, 1))  # noqa: DTZ001 the point of the test


@pytest.mark.parametrize("text", HOSTILE)
def test_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(TimeInvalid) as caught:
        parse_time(text)
    assert len(caught.value.message) < 200, "a hostile text must not be echoed whole"


def test_now_is_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)
