"""Nobody speaks in another's name: reviewers and proposals of a new version against the one before."""

from __future__ import annotations

from typing import Any

import pytest

from evidence.clips.content import AnnotationContent, read_content
from evidence.clips.reviews import check_reviews
from evidence.errors import AnnotationInvalid
from tests.support.annotations import ENTRY

ME, OTHER = "staff:me", "staff:other"
TAKEN = {"from_ms": 0, "to_ms": 9, "text": "排口", "source": "asr", "proposal": {"entry": ENTRY, "index": 0}}


def of(*dialogue: dict[str, Any]) -> AnnotationContent:
    return read_content({"dialogue": list(dialogue)})


def test_what_was_there_stands_as_it_is() -> None:
    before = of({**TAKEN, "reviewed_by": OTHER})
    check_reviews(before, before=before, actor=ME)


@pytest.mark.parametrize("reviewer", [None, ME])
def test_a_writer_corrects_words_that_were_taken_over_in_their_own_name(reviewer: str | None) -> None:
    corrected = {**TAKEN, "text": "排污口"} | ({"reviewed_by": reviewer} if reviewer else {})
    check_reviews(of(corrected), before=of({**TAKEN, "reviewed_by": OTHER}), actor=ME)


@pytest.mark.parametrize(
    ("said", "before", "where"),
    [
        ({"from_ms": 0, "to_ms": 9, "text": "好", "reviewed_by": OTHER}, of(), "dialogue.0.reviewed_by"),
        ({**TAKEN, "text": "不", "reviewed_by": OTHER}, of({**TAKEN, "reviewed_by": OTHER}), "dialogue.0.reviewed_by"),
        (TAKEN, of(), "dialogue.0.proposal"),
        ({**TAKEN, "proposal": {"entry": ENTRY, "index": 1}}, of(TAKEN), "dialogue.0.proposal"),
        ({**TAKEN, "proposal": {"entry": ENTRY, "index": 0, "text": "别的"}}, of(TAKEN), "dialogue.0.proposal"),
    ],
)
def test_who_speaks_for_somebody_else_is_refused_by_place(
    said: dict[str, Any], before: AnnotationContent, where: str
) -> None:
    with pytest.raises(AnnotationInvalid) as caught:
        check_reviews(of(said), before=before, actor=ME)
    assert caught.value.details["problems"][0]["where"] == where  # type: ignore[index]


def test_an_acceptance_brings_its_proposals() -> None:
    content = of({**TAKEN, "reviewed_by": ME})
    proposal = content.dialogue[0].proposal
    assert proposal is not None
    check_reviews(content, before=of(), actor=ME, accepted=[proposal])
