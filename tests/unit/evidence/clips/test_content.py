"""What an annotation may say: every rule is broken once, and what is good survives unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from evidence.clips.content import DIALOGUE_MAX, DOCUMENTS_MAX, MARKERS_MAX, check_words, read_content
from evidence.clips.parts import CLIP_MS_MAX
from evidence.clips.vocabulary import Vocabulary, Word, vocabulary
from evidence.custody.payloads import ClipAnnotated
from evidence.errors import AnnotationInvalid
from ledger.canonical import canonical_json
from tests.support.annotations import contents

FULL: dict[str, Any] = {
    "remark": "执法人员出示证件，\n告知正在录音录像。",
    "item": "现场检查",
    "item_from": "list",
    "place": "朔州市某化工厂",
    "position": {"latitude_e6": 39_331_595, "longitude_e6": 112_432_825, "datum": "gcj02", "accuracy_m": 5},
    "markers": [
        {"kind": "credentials_shown", "at_ms": 1_000},
        {"kind": "key_moment", "at_ms": 2_000, "until_ms": 9_000, "note": "排污口"},
    ],
    "speakers": [
        {"key": "s1", "role": "officer", "name": "王某", "spans": [{"from_ms": 0, "to_ms": 4_000}]},
        {"key": "s2", "role": "party", "description": "戴帽男子"},
    ],
    "dialogue": [
        {"from_ms": 0, "to_ms": 900, "speaker": "s1", "text": "我们是执法人员"},
        {"from_ms": 900, "to_ms": 1_500, "text": "知道了", "source": "asr", "confidence": 870},
        {
            "from_ms": 1_500, "to_ms": 1_900, "text": "排口", "source": "asr", "reviewed_by": "staff:1",
            "proposal": {"entry": "0195a000-0000-7000-8000-00000000000a", "index": 0, "text": "排狗", "to_ms": 1_800},
        },
    ],
    "not_needed_because": "现场无对话",
    "documents": [
        {"kind": "现场检查笔录", "number": "晋环检〔2026〕9号", "from": "2026-03-02T09:00+08:00"},
        {"kind": "照片说明", "to": "2026-03-02T01:40:00Z"},
    ],
    "covert": {"basis": "经批准的暗访", "approver": "王某某"},
    "exemption": "豁免〔2026〕1号",
    "legality_argument": "论证〔2026〕2号",
}  # fmt: skip


def test_a_full_annotation_is_kept_as_it_was_given() -> None:
    assert json.loads(json.dumps(read_content(FULL).as_json())) == FULL


def test_an_empty_annotation_says_nothing() -> None:
    assert read_content({}).as_json() == {}


def changed(**changes: object) -> dict[str, Any]:
    return FULL | changes


ENTRY = "0195a000-0000-7000-8000-00000000000a"
SAID = {"from_ms": 0, "to_ms": 1, "text": "喂"}

HOSTILE: dict[str, object] = {
    "no object": [],
    "null": None,
    "a text": "remark",
    "unknown field": changed(colour="red"),
    "blank remark": changed(remark="  "),
    "number as remark": changed(remark=1),
    "control character": changed(remark="a\x07b"),
    "NUL": changed(remark="a\0b"),
    "escape sequence": changed(place="\x1b[31m"),
    "line separator": changed(item="a\u2028b"),
    "over-long remark": changed(remark="字" * 4_001),
    "over-long place": changed(place="字" * 401),
    "markers as object": changed(markers={}),
    "too many markers": changed(markers=[{"kind": "other", "at_ms": 0}] * (MARKERS_MAX + 1)),
    "marker without kind": changed(markers=[{"at_ms": 0}]),
    "marker of a strange kind": changed(markers=[{"kind": "Key Moment", "at_ms": 0}]),
    "marker before the clip": changed(markers=[{"kind": "other", "at_ms": -1}]),
    "marker after a week": changed(markers=[{"kind": "other", "at_ms": CLIP_MS_MAX + 1}]),
    "marker in fractions": changed(markers=[{"kind": "other", "at_ms": 0.5}]),
    "marker at true": changed(markers=[{"kind": "other", "at_ms": True}]),
    "marker at text": changed(markers=[{"kind": "other", "at_ms": "0"}]),
    "marker backwards": changed(markers=[{"kind": "other", "at_ms": 5, "until_ms": 5}]),
    "speaker twice": changed(speakers=[{"key": "s1", "role": "party"}] * 2, dialogue=[]),
    "speaker without role": changed(speakers=[{"key": "s1"}], dialogue=[]),
    "span backwards": changed(
        speakers=[{"key": "s1", "role": "party", "spans": [{"from_ms": 2, "to_ms": 1}]}], dialogue=[]
    ),
    "dialogue of a stranger": changed(dialogue=[{"from_ms": 0, "to_ms": 1, "speaker": "s9", "text": "喂"}]),
    "dialogue backwards": changed(dialogue=[{"from_ms": 1, "to_ms": 0, "text": "喂"}]),
    "dialogue without words": changed(dialogue=[{"from_ms": 0, "to_ms": 1, "text": ""}]),
    "too much dialogue": changed(dialogue=[{"from_ms": 0, "to_ms": 1, "text": "喂"}] * (DIALOGUE_MAX + 1)),
    "confidence of 1001": changed(dialogue=[{"from_ms": 0, "to_ms": 1, "text": "喂", "confidence": 1001}]),
    "source unknown": changed(dialogue=[{"from_ms": 0, "to_ms": 1, "text": "喂", "source": "rumour"}]),
    "lone surrogate": changed(remark="\ud800"),
    "item from a list without an item": {"item_from": "list"},
    "item from nowhere": changed(item_from="memory"),
    "position in fractions": changed(position={"latitude_e6": 39.3, "longitude_e6": 1}),
    "position beyond the pole": changed(position={"latitude_e6": 90_000_001, "longitude_e6": 1}),
    "position without a longitude": changed(position={"latitude_e6": 1}),
    "position on another planet": changed(position={"latitude_e6": 1, "longitude_e6": 1, "datum": "mars"}),
    "covert without basis": changed(covert={"approver": "王某某"}),
    "covert with a blank basis": changed(covert={"basis": " ", "approver": "王某某"}),
    "covert without approver": changed(covert={"basis": "批准"}),
    "covert as a flag": changed(covert=True),
    "document without a kind": changed(documents=[{"number": "9"}]),
    "document at a time without zone": changed(documents=[{"kind": "笔录", "from": "2026-03-02T09:00"}]),
    "document on a day that is none": changed(documents=[{"kind": "笔录", "from": "2026-02-30T09:00+08:00"}]),
    "document at the beginning of time": changed(documents=[{"kind": "笔录", "from": "0001-01-01T00:00+08:00"}]),
    "document at a number": changed(documents=[{"kind": "笔录", "from": 0}]),
    "document by Python's names": changed(documents=[{"kind": "笔录", "starts": "2026-03-02T09:00+08:00"}]),
    "document backwards": changed(
        documents=[{"kind": "笔录", "from": "2026-03-02T09:00+08:00", "to": "2026-03-02T00:59:59Z"}]
    ),
    "too many documents": changed(documents=[{"kind": "笔录"}] * (DOCUMENTS_MAX + 1)),
    "proposal of no entry": changed(dialogue=[{**SAID, "proposal": {"entry": "x" * 36, "index": 0}}]),
    "proposal of an entry in capitals": changed(dialogue=[{**SAID, "proposal": {"entry": ENTRY.upper(), "index": 0}}]),
    "proposal before the first": changed(dialogue=[{**SAID, "proposal": {"entry": ENTRY, "index": -1}}]),
    "a proposal twice": changed(dialogue=[{**SAID, "proposal": {"entry": ENTRY, "index": 0}}] * 2),
    "proposal with an escape sequence": changed(
        dialogue=[{**SAID, "proposal": {"entry": ENTRY, "index": 0, "text": "\x1b[2J"}}]
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_broken_rule_is_named(what: str) -> None:
    with pytest.raises(AnnotationInvalid) as caught:
        read_content(HOSTILE[what])
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert problems[0]["problem"]
    json.dumps(caught.value.details)


def test_words_that_are_not_in_force_are_refused_with_those_that_are() -> None:
    words = Vocabulary(
        markers={"old": Word(zh="旧", en="old", retired=True), "new": Word(zh="新", en="new")},
        speakers={"party": Word(zh="当事人", en="party")},
    )
    check_words(read_content({"markers": [{"kind": "new", "at_ms": 0}]}), words)
    for content in (
        {"markers": [{"kind": "old", "at_ms": 0}]},
        {"markers": [{"kind": "never", "at_ms": 0}]},
        {"speakers": [{"key": "s", "role": "judge"}]},
    ):
        with pytest.raises(AnnotationInvalid) as caught:
            check_words(read_content(content), words)
        assert caught.value.details["known"] in (["new"], ["party"])


def test_the_vocabulary_has_labels_in_both_languages_and_keys_fit_for_payloads() -> None:
    words = vocabulary()
    for key, word in [*words.markers.items(), *words.speakers.items()]:
        assert word.zh
        assert word.en
        read_content({"markers": [{"kind": key, "at_ms": 0}]})
    assert words.markers["credentials_shown"].zh == "亮证"


@given(contents())
def test_every_content_survives_the_record_and_back(content: dict[str, Any]) -> None:
    stated = read_content(content).as_json()
    assert stated == content
    written = json.loads(canonical_json({"clip": ENTRY, "version": 1, "content": stated}))
    assert ClipAnnotated.model_validate(written).content.as_json() == content
