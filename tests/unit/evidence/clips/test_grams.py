"""Cutting folded text into the numbers that the index holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.folding import fold, haystack
from evidence.clips.grams import DEMANDED_MAX, grams, is_exact, term_grams

TEXT = st.text(max_size=40) | st.text(alphabet="ab01_ 查封\n𠮷", max_size=20)


@given(before=TEXT, term=TEXT, after=TEXT)
def test_whatever_holds_a_term_has_all_its_grams(before: str, term: str, after: str) -> None:
    folded = fold(term)
    if not folded:
        return
    text = haystack([f"{before} {folded}{after}", f"{before}{folded} {after}"])
    if folded in text:  # folding may join what stands side by side
        assert set(term_grams(folded)) <= set(grams(text))


@given(text=TEXT, term=st.text(alphabet="ab0_查封扣\u0301 ", min_size=1, max_size=2))
def test_an_exact_term_has_its_gram_exactly_where_it_stands(text: str, term: str) -> None:
    folded, term = haystack([text]), fold(term)
    if term and is_exact(term):
        assert (term in folded) == (set(term_grams(term)) <= set(grams(folded)))


@given(st.lists(TEXT, max_size=5))
def test_grams_are_sorted_distinct_and_of_32_bits(fields: list[str]) -> None:
    found = grams(haystack(fields))
    assert found == sorted(set(found))
    assert all(-(1 << 31) <= gram < 1 << 31 for gram in found)


@pytest.mark.parametrize(
    ("term", "exact"),
    [("封", True), ("查封", True), ("m_", True), ("查封设", False), ("𠮷", False), ("查𠮷", False), ("a b", False)],
)
def test_which_terms_need_no_look_at_the_text(term: str, exact: bool) -> None:
    assert is_exact(term) is exact


def test_a_file_name_is_asked_for_by_fours_and_no_pair_of_letters() -> None:
    asked = set(term_grams("dcam_a000123_20260301"))
    assert asked == set(term_grams("dcam")) | set(term_grams("a000123")) | set(term_grams("20260301"))
    assert not asked & set(term_grams("m_"))
    assert set(term_grams("罚〔2026〕9号")) == set(term_grams("罚〔")) | set(term_grams("2026")) | {
        gram for pair in ("〔2", "6〕", "〕9", "9号") for gram in term_grams(pair)
    }


def test_a_long_term_demands_a_bounded_number_of_grams() -> None:
    term = "".join(chr(0x4E00 + number) for number in range(500))
    assert len(term_grams(term)) == DEMANDED_MAX
    assert set(term_grams(term)) <= set(grams(term))


def test_characters_beyond_16_bits_are_found_by_a_number_that_no_plain_pair_has() -> None:
    plain = set(grams("查封a𠮷b")) - set(grams("𠮷"))
    assert set(term_grams("𠮷")).isdisjoint(plain - set(grams("a𠮷b")))
    assert set(term_grams("𠮷")) <= set(grams("查𠮷"))


@pytest.mark.parametrize(
    ("term", "demanded"),
    [("封", ["封"]), ("查封", ["查封"]), ("查封决", ["封决", "查封"]), ("a b", ["a", "b"]), ("ab c", ["ab"])],
)
def test_a_term_demands_its_pairs_or_its_characters(term: str, demanded: list[str]) -> None:
    assert set(term_grams(term)) == {number for gram in demanded for number in term_grams(gram)}
