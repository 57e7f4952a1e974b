"""Folding and cutting text for search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.folding import fold, haystack, like_pattern

TEXT = st.text(max_size=40)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ＤＣＡＭ＿０１", "dcam_01"),
        ("Straße", "STRASSE"),
        ("㈱化工", "(株)化工"),
        ("Ａ　Ｂ", "a b"),
        ("ﬁle", "FILE"),
        ("  a \t b ", "a b"),
        ("a\r\nb\u3000c", "a b c"),
    ],
)
def test_spellings_that_mean_the_same_are_one(left: str, right: str) -> None:
    assert fold(left) == fold(right)


def test_words_that_differ_stay_apart() -> None:
    assert fold("查封") != fold("查扣")
    assert fold("ｶ") != fold("カタ")


@given(TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_no_term_matches_across_fields() -> None:
    assert haystack(["查封", None, "", "扣押\n决定"]) == "查封\n扣押 决定"


@pytest.mark.parametrize(
    ("term", "pattern"), [("100%", r"%100\%%"), ("a_b", r"%a\_b%"), ("c:\\x", r"%c:\\x%"), ("查封", "%查封%")]
)
def test_the_pattern_takes_no_character_for_a_wildcard(term: str, pattern: str) -> None:
    assert like_pattern(term) == pattern
