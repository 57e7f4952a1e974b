"""Case numbers are compared as people read them."""

from __future__ import annotations

import pytest

from evidence.cases.numbers import number_key


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("晋环罚〔2026〕1号", "晋环罚〔2026〕１号"),
        ("晋环罚（2026）1号", "晋环罚(2026)1号"),
        ("case 7", "CASE7"),
        (" 7 ", "7"),
        ("7\u3000号", "7号"),
    ],
)
def test_spellings_of_one_number(left: str, right: str) -> None:
    assert number_key(left) == number_key(right)


@pytest.mark.parametrize(("left", "right"), [("1号", "11号"), ("晋1", "冀1"), ("〔2026〕1", "〔2025〕1")])
def test_numbers_that_differ(left: str, right: str) -> None:
    assert number_key(left) != number_key(right)
