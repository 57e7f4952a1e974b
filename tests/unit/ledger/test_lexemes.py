"""Base64 and decimal numbers have one spelling each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.lexemes import format_base64, parse_base64, parse_decimal


@given(st.binary(max_size=100))
def test_base64_round_trips(data: bytes) -> None:
    assert parse_base64(format_base64(data)) == data


@given(st.text(alphabet="AB+/=-_ \n", max_size=12))
def test_base64_that_is_read_is_written_the_same(text: str) -> None:
    try:
        data = parse_base64(text)
    except ValueError:
        return
    assert format_base64(data) == text


@pytest.mark.parametrize(
    "text", ["A", "AA", "AA=", "AB==", "AAB=", "AA==\n", " AA==", "A-_=", "AA==AA==", "====", "ＡＡ＝＝", "\ud800"]
)
def test_another_spelling_of_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_base64(text)


@given(st.integers(0, 10**30))
def test_decimals_round_trip_within_their_bound(value: int) -> None:
    assert parse_decimal(str(value), maximum=10**30) == value


@pytest.mark.parametrize(
    "text", ["", "00", "01", "-1", "+1", " 1", "1\n", "1_0", "0x1", "1e3", "²", "١", "101", "9" * 9999]
)
def test_another_spelling_of_a_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_decimal(text, maximum=100)
