"""Byte ranges: held against the examples of RFC 9110 and against slices of real bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import RangeUnsatisfiable
from api.ranges import Span, choose_span

TAG = '"abc"'


def choose(header: str | None, *, if_range: str | None = None, size: int = 10_000) -> Span | None:
    return choose_span(range_header=header, if_range=if_range, etag=TAG, size=size)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-499", (0, 500)),
        ("bytes=500-999", (500, 1000)),
        ("bytes=-500", (9500, 10_000)),
        ("bytes=9500-", (9500, 10_000)),
        ("bytes=0-0", (0, 1)),
        ("bytes=-1", (9999, 10_000)),
        ("bytes=0-", (0, 10_000)),
        ("bytes=-20000", (0, 10_000)),
        ("bytes=9999-99999", (9999, 10_000)),
        ("BYTES=0-1", (0, 2)),
        (" bytes= 0-1 ", (0, 2)),
    ],
)
def test_single_ranges(header: str, span: tuple[int, int]) -> None:
    assert choose(header) == Span(*span, 10_000)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "bytes=0-0,-1",
        "lines=0-1",
        "bytes=0x0-1",
        "bytes=+1-2",
        "bytes=1-2-3",
        "bytes=٠-١",
        "bytes=0-" + "9" * 30,
    ],
)
def test_what_is_no_single_range_is_ignored(header: str | None) -> None:
    assert choose(header) is None


@pytest.mark.parametrize("header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999999-"])
def test_ranges_that_hold_nothing_are_refused_with_the_size(header: str) -> None:
    with pytest.raises(RangeUnsatisfiable) as caught:
        choose(header)
    assert caught.value.size == 10_000


def test_if_range_lets_a_range_stand_only_for_the_same_strong_tag() -> None:
    assert choose("bytes=0-1", if_range=TAG) is not None
    for other in ('"abd"', "abc", 'W/"abc"', "Sun, 06 Nov 1994 08:49:37 GMT", ""):
        assert choose("bytes=0-1", if_range=other) is None


def test_if_range_with_another_tag_makes_an_impossible_range_harmless() -> None:
    assert choose("bytes=10000-", if_range='"old"') is None


@given(st.binary(min_size=1, max_size=40), st.integers(0, 60), st.integers(0, 60) | st.none())
def test_a_range_is_a_slice(data: bytes, first: int, last: int | None) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    if last is not None and last < first:
        assert choose(header, size=len(data)) is None
    elif first >= len(data):
        with pytest.raises(RangeUnsatisfiable):
            choose(header, size=len(data))
    else:
        span = choose(header, size=len(data))
        assert span is not None
        assert data[span.start : span.stop] == data[first : None if last is None else last + 1]
        assert span.content_range == f"bytes {first}-{first + span.length - 1}/{len(data)}"


@given(st.integers(1, 50), st.integers(1, 80))
def test_a_suffix_is_the_end(size: int, suffix: int) -> None:
    span = choose(f"bytes=-{suffix}", size=size)
    assert span is not None
    assert (span.stop, span.length) == (size, min(suffix, size))
