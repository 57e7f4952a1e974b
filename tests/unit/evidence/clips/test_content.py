"""What an annotation may say: every rule is broken once, and what is good survives unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evidence.clips.content import CLIP_MS_MAX, DIALOGUE_MAX, MARKERS_MAX, check_words, read_content
from evidence.clips.vocabulary import Vocabulary, Word, vocabulary
from evidence.errors import AnnotationInvalid

FULL: dict[str, Any] = {
    "remark": "执法人员出示证件，\n告知正在录音录像。",
    "item": "现场检查",
    "place": "朔州市某化工厂",
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
    ],
}


def test_a_full_annotation_is_kept_as_it_was_given() -> None:
    assert json.loads(json.dumps(read_content(FULL).as_json())) == FULL


def test_an_empty_annotation_says_nothing() -> None:
    assert read_content({}).as_json() == {}


def changed(**changes: object) -> dict[str, Any]:
    return FULL | changes


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
