from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.tags import TAG_NAME_CHARACTERS_MAX, TAG_VALUE_CHARACTERS_MAX, TAGS_MAX, safe_tags, safe_text
from ledger.canonical import canonical_json


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("执法记录仪", "执法记录仪"),
        ("GoPro AVC", "GoPro AVC"),
        ("+00.0000/\udcfe\udcff", "+00.0000/\\xfe\\xff"),
        ("\x1fMainconcept", "\\x1fMainconcept"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("line\nline", "line\\x0aline"),
        ("C:\\video", "C:\\\\video"),
        ("\x85\x9b", "\\x85\\x9b"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("", ""),
        ("😀", "😀"),
    ],
)
def test_words_are_kept_and_the_rest_is_escaped(raw: str, safe: str) -> None:
    assert safe_text(raw) == safe


@given(st.text(st.characters(codec=None, categories=None) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)))
def test_whatever_comes_fits_into_canonical_json(raw: str) -> None:
    safe = safe_text(raw)
    canonical_json(safe)
    assert len(safe) <= TAG_VALUE_CHARACTERS_MAX
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in safe)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_two_different_tags_stay_different(one: bytes, other: bytes) -> None:
    left, right = (safe_text(raw.decode("utf-8", "surrogateescape")) for raw in (one, other))
    assert (left == right) == (one == other)


def test_a_long_value_ends_in_an_ellipsis() -> None:
    assert safe_text("a" * TAG_VALUE_CHARACTERS_MAX) == "a" * TAG_VALUE_CHARACTERS_MAX
    assert safe_text("a" * (TAG_VALUE_CHARACTERS_MAX + 1)) == "a" * (TAG_VALUE_CHARACTERS_MAX - 1) + "…"


@pytest.mark.parametrize("limit", range(1, 12))
def test_a_cut_never_splits_an_escape(limit: int) -> None:
    cut = safe_text("\udcff" * 10, characters_max=limit)
    assert len(cut) <= limit
    assert cut.removesuffix("…").replace("\\xff", "") == ""


def test_too_many_tags_are_counted() -> None:
    tags = safe_tags({f"tag{number}": "x" for number in range(TAGS_MAX + 5)})
    assert len(tags.kept) == TAGS_MAX
    assert tags.omitted == 5


def test_a_name_is_cut_and_of_two_alike_the_first_counts() -> None:
    tags = safe_tags({"n" * 200: "first", "n" * 300: "second"})
    assert tags.kept == {"n" * (TAG_NAME_CHARACTERS_MAX - 1) + "…": "first"}
    assert tags.omitted == 1
