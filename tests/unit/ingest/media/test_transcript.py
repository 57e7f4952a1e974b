from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.errors import TranscriptMalformed
from ingest.media.transcript import (
    SEGMENTS_MAX,
    TEXT_CHARACTERS_MAX,
    Said,
    Transcript,
    captions,
    format_transcript,
    parse_spans,
    parse_transcript,
    plain,
)
from ledger.canonical import canonical_json

GOOD = Transcript((Said(0, 900, "你好", "S1", 870), Said(900, 1200, "好", None, None)), {"recogniser": {"name": "x"}})


def changed(**fields: object) -> bytes:
    return json.dumps(
        {**json.loads(format_transcript(GOOD)), **fields}, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()


def with_segment(**fields: object) -> bytes:
    first, second = json.loads(format_transcript(GOOD))["segments"]
    return changed(segments=[{**first, **fields}, second])


@given(
    st.lists(st.tuples(st.text(max_size=60), st.sampled_from([None, "S1", "S12"]), st.none() | st.integers(0, 1000)))
)
def test_what_is_written_is_read(items: list[tuple[str, str | None, int | None]]) -> None:
    segments = tuple(
        Said(1000 * number, 1000 * number + 999, plain(text), speaker, sure)
        for number, (text, speaker, sure) in enumerate(items)
    )
    transcript = Transcript(segments, {"a": 1})
    assert parse_transcript(format_transcript(transcript)) == transcript
    assert captions(segments).decode().startswith("WEBVTT\n\nNOTE\n")


BROKEN = {
    "nothing": b"",
    "spaces": format_transcript(GOOD) + b" ",
    "another version": changed(version=2),
    "no proposal": changed(proposal=False),
    "one thing more": changed(verdict="true"),
    "too many": changed(segments=[json.loads(format_transcript(GOOD))["segments"][0]] * (SEGMENTS_MAX + 1)),
    "overlap": with_segment(to_ms=901),
    "backwards": with_segment(from_ms=900),
    "before the beginning": with_segment(from_ms=-1),
    "a truth for a time": with_segment(from_ms=False),
    "beyond all times": with_segment(to_ms=10**12),
    "surer than sure": with_segment(confidence=1001),
    "a truth for a number": with_segment(confidence=True),
    "a name": with_segment(speaker="张三"),
    "a tag for a name": with_segment(speaker="S1>"),
    "a line break": with_segment(text="a\nb"),
    "an escape": with_segment(text="a\x1b[2J"),
    "a novel": with_segment(text="a" * (TEXT_CHARACTERS_MAX + 1)),
    "a number for a word": with_segment(text=1),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_what_a_child_may_not_say_is_refused(raw: bytes) -> None:
    assert parse_transcript(changed()) == GOOD, "else the test below would prove nothing"
    with pytest.raises(TranscriptMalformed):
        parse_transcript(raw)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_get_through(noise: bytes, place: int) -> None:
    raw = format_transcript(GOOD)
    mixed = raw[:place] + noise + raw[place + len(noise) :]
    with contextlib.suppress(TranscriptMalformed):
        parse_spans(mixed)
    with contextlib.suppress(TranscriptMalformed):
        assert format_transcript(parse_transcript(mixed)) == mixed


@pytest.mark.parametrize(
    "spans", [[[1]], [[2, 1]], [[0, 5], [4, 9]], [[-1, 5]], [["0", 5]], [[0, 10**12]], [None], "x", None, [[0, 1]] * 2]
)
def test_segments_that_do_not_rise_are_refused(spans: object) -> None:
    with pytest.raises(TranscriptMalformed):
        parse_spans(canonical_json({"segments": spans}))  # type: ignore[dict-item]


def test_segments_are_read_as_the_detector_writes_them() -> None:
    raw = canonical_json({"detector": "x", "segments": [[0, 5], [5, 9]], "version": 1, "window_ms": 32})
    assert parse_spans(raw) == [(0, 5), (5, 9)]


@given(st.text(st.characters(codec=None), max_size=200))
def test_a_models_words_become_one_line(text: str) -> None:
    said = replace(GOOD.segments[0], text=plain(text))
    assert plain(said.text) == said.text
    assert len(captions([said]).decode().split("\n\n")) <= 3
    assert b"-->" not in captions([said]).split(b"-->", 1)[1] if said.text else True
