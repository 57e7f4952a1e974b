"""Taking proposals over: what becomes of them, what stays visible, and that people's words stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.content import AnnotationContent, read_content
from evidence.clips.errors import ProposalTaken, ProposalUnknown
from evidence.clips.proposals import AcceptProposals, Proposal, take_over
from evidence.errors import AnnotationInvalid
from tests.support.annotations import ENTRY, contents

ME = "staff:me"
SAID = [
    Proposal(from_ms=0, to_ms=900, text="排狗在这里", voice="S1", confidence=612),
    Proposal(from_ms=1_000, to_ms=1_900, text="是", voice="S2", confidence=None),
    Proposal(from_ms=2_000, to_ms=2_500, text="", voice="S1"),
]
NOTHING = AnnotationContent()


def wanting(*utterances: dict[str, Any], **more: Any) -> AcceptProposals:
    return AcceptProposals.model_validate({"transcript": ENTRY, "utterances": list(utterances), **more})


def test_r14_what_is_taken_over_as_proposed_says_so() -> None:
    content, accepted = take_over(NOTHING, wanting({"index": 0}), SAID, reviewer=ME)
    assert content.as_json() == {
        "dialogue": [
            {
                "from_ms": 0, "to_ms": 900, "text": "排狗在这里", "source": "asr", "confidence": 612,
                "reviewed_by": ME, "proposal": {"entry": ENTRY, "index": 0},
            }
        ]
    }  # fmt: skip
    assert accepted == [content.dialogue[0].proposal]


def test_r14_correcting_keeps_the_proposal_visible() -> None:
    wanted = wanting({"index": 0, "text": "排口在这里", "to_ms": 950})
    content, _ = take_over(NOTHING, wanted, SAID, reviewer=ME)
    (said,) = content.dialogue
    assert (said.text, said.to_ms, said.confidence, said.source) == ("排口在这里", 950, 612, "asr")
    assert said.proposal is not None
    assert (said.proposal.text, said.proposal.to_ms, said.proposal.from_ms) == ("排狗在这里", 900, None)


def test_voices_become_speakers_and_a_single_word_wins() -> None:
    speakers = [{"key": "wang", "role": "officer", "name": "王某"}, {"key": "li", "role": "party"}]
    wanted = wanting(
        {"index": 0}, {"index": 1, "speaker": "wang"}, voices={"S1": "wang", "S2": "li"}, speakers=speakers
    )
    content, _ = take_over(NOTHING, wanted, SAID, reviewer=ME)
    assert [said.speaker for said in content.dialogue] == ["wang", "wang"]
    assert [speaker.key for speaker in content.speakers] == ["wang", "li"]
    again, _ = take_over(content, wanting({"index": 2, "text": "嗯"}, speakers=speakers[:1]), SAID, reviewer=ME)
    assert len(again.speakers) == 2
    with pytest.raises(AnnotationInvalid):
        take_over(
            content, wanting({"index": 2, "text": "嗯"}, speakers=[{"key": "li", "role": "witness"}]), SAID, reviewer=ME
        )


def test_a_proposal_is_taken_over_once_and_only_if_there_is_one() -> None:
    content, _ = take_over(NOTHING, wanting({"index": 1}), SAID, reviewer="staff:other")
    with pytest.raises(ProposalTaken) as caught:
        take_over(content, wanting({"index": 0}, {"index": 1, "text": "不"}), SAID, reviewer=ME)
    assert caught.value.details["indexes"] == [1]
    with pytest.raises(ProposalUnknown):
        take_over(content, wanting({"index": 3}), SAID, reviewer=ME)
    with pytest.raises(AnnotationInvalid):
        take_over(content, wanting({"index": 2}), SAID, reviewer=ME)


def test_another_transcript_is_another_proposal() -> None:
    content, _ = take_over(NOTHING, wanting({"index": 0}), SAID, reviewer=ME)
    newer = wanting({"index": 0}, transcript=ENTRY[:-1] + "b")
    both, accepted = take_over(content, newer, SAID, reviewer=ME)
    assert both.dialogue[0] == content.dialogue[0]
    assert (len(both.dialogue), len(accepted)) == (2, 1)


@given(contents(), st.sets(st.integers(0, 1), min_size=1))
def test_peoples_words_stay_as_they_are_in_their_order(before: dict[str, Any], indexes: set[int]) -> None:
    content = read_content(before)
    after, accepted = take_over(content, wanting(*({"index": index} for index in indexes)), SAID, reviewer=ME)
    assert [said for said in after.dialogue if said.proposal is None] == content.dialogue
    assert len(accepted) == len(indexes)
    assert {**after.as_json(), "dialogue": None} == {**content.as_json(), "dialogue": None}


@pytest.mark.parametrize(
    "broken",
    [
        {"utterances": []},
        {"utterances": [{"index": 0}, {"index": 0}]},
        {"utterances": [{"index": -1}]},
        {"utterances": [{"index": True}]},
        {"utterances": [{"index": 0, "text": " "}]},
        {"utterances": [{"index": index} for index in range(10_000)]},
        {"utterances": [{"index": 0}], "transcript": "not-an-id"},
        {"utterances": [{"index": 0}], "reviewed_by": "staff:else"},
    ],
)
def test_an_acceptance_that_breaks_a_rule(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        AcceptProposals.model_validate({"transcript": ENTRY, **broken})
