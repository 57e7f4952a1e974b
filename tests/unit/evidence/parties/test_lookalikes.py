"""Names that look alike: what is one skeleton, what is not, and who may bear which."""

from __future__ import annotations

import pytest

from evidence.parties.errors import NameLookalike
from evidence.parties.lookalikes import KnownNames, mixes_scripts, skeleton

ALIKE = [
    ("王芳", "王芳\ufe00"),
    ("王芳", "王\u3000芳"),
    ("王芳", "王芳\u3164"),
    ("王芳", "王\u200d芳"),
    ("玉兰", "⽟兰"),
    ("八一队", "ハ一队"),
    ("八一队", "八ー队"),
    ("力工", "カエ"),
    ("admin", "аdmin"),
    ("admin", "ａｄｍｉｎ"),
    ("scope", "ѕсоре"),
    ("AB", "ΑΒ"),
    ("015678", "０15678"),
]
"""Pairs that nobody tells apart on a screen, the plain one first."""

DIFFERENT = [
    ("王芳", "王方"),
    ("王芳", "王 方"),
    ("admin", "Admin"),
    ("刘", "劉"),
    ("Zhang San", "ZhangSan"),
    ("张三", "张三2"),
]


@pytest.mark.parametrize(("plain", "other"), [pair for pair in ALIKE if pair[0] != pair[1]])
def test_who_looks_like_somebody_is_refused_in_either_order(plain: str, other: str) -> None:
    assert skeleton(plain) == skeleton(other)
    for first, second in ((plain, other), (other, plain)):
        known = KnownNames.of([("first", first)])
        with pytest.raises(NameLookalike):
            known.require_distinct("second", second)
        known.require_distinct("first", second if not mixes_scripts(second) else first)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_to_the_eye_is_another_name(one: str, other: str) -> None:
    KnownNames.of([("first", one)]).require_distinct("second", other)


def test_two_people_of_the_very_same_name_are_two_people() -> None:
    KnownNames.of([("first", "王芳")]).require_distinct("second", "王芳")


@pytest.mark.parametrize("text", ["аdmin", "Ωmega", "王 pаnel"])
def test_a_word_of_several_scripts_is_refused_whoever_is_there(text: str) -> None:
    with pytest.raises(NameLookalike):
        KnownNames().require_distinct("first", text)


@pytest.mark.parametrize("text", ["admin", "админ", "王芳", "αβγ中队", "Ürümqi 站", "买买提·艾力", "一中队 A 组"])
def test_honest_names_are_let_through(text: str) -> None:
    KnownNames().require_distinct("first", text)
