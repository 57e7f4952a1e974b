"""Folding and cutting text for search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.folding import fold, grams, haystack, like_pattern, term_grams

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


@given(before=TEXT, term=TEXT, after=TEXT)
def test_whatever_holds_a_term_has_all_its_grams(before: str, term: str, after: str) -> None:
    folded = fold(term)
    if not folded:
        return
    text = haystack([f"{before} {folded} {after}"])
    assert folded in text
    assert set(term_grams(folded)) <= set(grams(text))


@given(st.lists(TEXT, max_size=5))
def test_grams_are_sorted_distinct_and_without_blanks(fields: list[str]) -> None:
    found = grams(haystack(fields))
    assert found == sorted(set(found))
    assert not [gram for gram in found if any(character.isspace() for character in gram)]


def test_no_term_matches_across_fields() -> None:
    assert haystack(["查封", None, "", "扣押\n决定"]) == "查封\n扣押 决定"


@pytest.mark.parametrize(
    ("term", "pattern"), [("100%", r"%100\%%"), ("a_b", r"%a\_b%"), ("c:\\x", r"%c:\\x%"), ("查封", "%查封%")]
)
def test_the_pattern_takes_no_character_for_a_wildcard(term: str, pattern: str) -> None:
    assert like_pattern(term) == pattern


@pytest.mark.parametrize(
    ("term", "demanded"),
    [("封", ["封"]), ("查封", ["查封"]), ("查封决", ["封决", "查封"]), ("a b", ["a", "b"]), ("ab c", ["ab"])],
)
def test_a_term_demands_its_pairs_or_its_characters(term: str, demanded: list[str]) -> None:
    assert term_grams(term) == demanded
