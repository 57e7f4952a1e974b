"""Characters that are not written, and those that names of this country need."""

from __future__ import annotations

import pytest
from hypothesis import given

from evidence.clips.wording import check_wording, strange_character
from evidence.errors import AnnotationInvalid
from ledger.canonical import JsonObject
from tests.support.annotations import words

REFUSED = {
    "right-to-left override": "王\u202e强",
    "left-to-right embedding": "\u202a9号",
    "pop of a direction": "9\u202c号",
    "isolate": "\u2067王强\u2069",
    "zero-width space": "排\u200b口",
    "word joiner": "排\u2060口",
    "byte order mark": "\ufeff检查",
    "soft hyphen": "排\u00ad口",
    "C1 control": "a\x9b31m",
    "tag": "a\U000e0041",
    "noncharacter": "a\uffff",
    "noncharacter of another plane": "a\U0002fffe",
    "interlinear annotation": "\ufff9a",
}

TAKEN = [
    "王㐂强𠮷",
    "ئابدۇ\u200dرېھىم",
    "\u200fئىمزا\u200e 9",
    "ᠮᠣᠩᠭᠣᠯ\u180b",
    "葛\U000e0100城",
    "<script>alert(1)</script>",
    "'; DROP TABLE clip; --",
    "../../etc/passwd",
    "👮🏽\u200d♂️ 行\n第二行\t",
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("what", REFUSED)
def test_what_reads_otherwise_than_it_is_stored_is_refused_by_place(what: str) -> None:
    content: JsonObject = {"remark": "检查", "speakers": [{"key": "s1", "name": REFUSED[what]}]}
    with pytest.raises(AnnotationInvalid) as caught:
        check_wording(content, known={})
    strange = strange_character(REFUSED[what])
    assert strange is not None
    assert caught.value.details["problems"] == [
        {"where": "speakers.0.name", "problem": f"the character U+{ord(strange):04X} is not allowed"}
    ]


@pytest.mark.parametrize("text", TAKEN)
def test_names_of_this_country_and_mere_text_are_taken(text: str) -> None:
    check_wording({"speakers": [{"name": text}]}, known={})


def test_what_was_written_before_may_stay_where_it_is() -> None:
    old: JsonObject = {"remark": REFUSED["zero-width space"], "markers": [{"note": "好"}]}
    check_wording({**old, "place": "朔州"}, known=old)
    with pytest.raises(AnnotationInvalid):
        check_wording({**old, "place": REFUSED["isolate"]}, known=old)


@given(words)
def test_ordinary_words_are_taken(text: str) -> None:
    assert strange_character(text) is None
