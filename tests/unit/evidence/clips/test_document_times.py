"""Times of documents against times of clips."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.circumstances import Document
from evidence.clips.document_times import compare_times

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Nine o'clock in Beijing."""


def document(**times: str) -> Document:
    return Document.model_validate({"kind": "现场检查笔录", **times})


RECORD = document(**{"from": "2026-03-02T09:00+08:00", "to": "2026-03-02T09:40+08:00"})


def test_r10_a_record_from_nine_and_a_clip_five_minutes_later_differ_by_both_deltas() -> None:
    compared = compare_times(RECORD, starts=NINE + timedelta(minutes=5), ends=NINE + timedelta(minutes=30))
    assert compared.agrees is False
    assert (compared.begins, compared.ends) == (timedelta(minutes=5), timedelta(minutes=-10))


@pytest.mark.parametrize(
    ("late", "agrees"), [(0, True), (59_999, True), (-59_999, True), (60_000, False), (-60_000, False)]
)
def test_less_than_a_minute_agrees(late: int, agrees: bool) -> None:
    starts = NINE + timedelta(milliseconds=late)
    assert compare_times(RECORD, starts=starts, ends=NINE + timedelta(minutes=40)).agrees is agrees


def test_what_is_not_stated_is_not_compared() -> None:
    end_only = document(to="2026-03-02T01:40:00Z")
    assert compare_times(end_only, starts=NINE, ends=NINE + timedelta(minutes=40)).agrees is True
    assert compare_times(end_only, starts=NINE, ends=NINE).agrees is False
    assert compare_times(document(), starts=NINE, ends=NINE).agrees is None
    assert compare_times(RECORD, starts=None, ends=None).agrees is None


@given(st.integers(-10_000, 10_000))
def test_a_delta_added_to_the_document_is_the_clip(seconds: int) -> None:
    starts = NINE + timedelta(seconds=seconds)
    compared = compare_times(RECORD, starts=starts, ends=None)
    assert compared.begins == timedelta(seconds=seconds)
    assert compared.ends is None
