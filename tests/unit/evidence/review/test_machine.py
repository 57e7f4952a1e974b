"""The states of a review: every pair of state and move, and the fold of steps. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from evidence.review.errors import StepRefused
from evidence.review.machine import MOVES, Move, State, Step, after, fold_review

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def step(number: int, kind: str, **content: Any) -> Step:
    return Step(
        step=number,
        kind=kind,
        content=content,
        stated_by="staff:x",
        stated_at=NOON + timedelta(hours=number),
        entry_id=UUID(int=number),
    )


def submitted(number: int) -> Step:
    return step(number, "submitted", statement={"root": "00" * 32})


def opined(number: int, *problems: int, verdict: str = "ok") -> Step:
    conclusion = "problems" if problems else "approve"
    numbered = [{"problem": one} for one in problems]
    return step(
        number,
        "opined",
        statement={"conclusion": conclusion, "problems": numbered, "rows": [{"verdict": verdict}]},
    )


@pytest.mark.parametrize(("state", "move"), list(product(State, Move)))
def test_every_pair_leads_somewhere_or_is_refused_with_what_can_be_done(state: State, move: Move) -> None:
    if (state, move) in MOVES:
        assert after(state, move) is MOVES[state, move]
        return
    with pytest.raises(StepRefused) as caught:
        after(state, move)
    assert caught.value.details["possible"] == sorted(one for at, one in MOVES if at is state)


def test_r25_only_an_approving_opinion_leads_to_approved() -> None:
    assert {pair for pair, reached in MOVES.items() if reached is State.APPROVED} == {
        (State.UNDER_REVIEW, Move.APPROVE)
    }


def test_r30_nothing_but_an_outcome_leads_out_of_coordination() -> None:
    assert {move for at, move in MOVES if at is State.COORDINATING} == {Move.UPHOLD, Move.REOPEN}


def test_r29_problems_are_owed_until_they_are_answered_or_the_case_is_reopened() -> None:
    steps = [submitted(1), opined(2, 1, 2)]
    assert fold_review(steps).owed == (1, 2)
    disputed = [*steps, step(3, "disagreed", coordinator=str(UUID(int=9)))]
    assert fold_review(disputed).state is State.COORDINATING
    assert fold_review([*disputed, step(4, "coordinated", outcome="uphold")]).owed == (1, 2)
    assert fold_review([*disputed, step(4, "coordinated", outcome="reopen")]).owed == ()
    assert fold_review([*steps, submitted(3)]).rounds[1].owed == (1, 2)


def test_r31_pauses_are_kept_from_the_request_to_its_answer() -> None:
    resumed = fold_review([submitted(1), step(2, "paused"), step(3, "resumed"), step(4, "paused")])
    assert resumed.state is State.PAUSED
    assert resumed.rounds[0].pauses == [
        (NOON + timedelta(hours=2), NOON + timedelta(hours=3)),
        (NOON + timedelta(hours=4), None),
    ]
    again = fold_review([submitted(1), step(2, "paused"), submitted(3)])
    assert again.rounds[0].pauses == [(NOON + timedelta(hours=2), NOON + timedelta(hours=3))]


def test_r27_a_transfer_is_open_until_it_is_done() -> None:
    found = fold_review([submitted(1), opined(2, verdict="transfer")])
    assert [one.entry_id for one in found.transfers] == [UUID(int=2)]
    assert (
        fold_review(
            [submitted(1), opined(2, verdict="transfer"), step(3, "transferred", opinion=str(UUID(int=2)))]
        ).transfers
        == ()
    )


@pytest.mark.parametrize("kinds", [["opined"], ["paused"], ["submitted", "resumed"], ["submitted", "coordinated"]])
def test_steps_that_do_not_follow_are_no_review(kinds: list[str]) -> None:
    steps = [
        submitted(place)
        if kind == "submitted"
        else opined(place)
        if kind == "opined"
        else step(place, kind, outcome="x")
        for place, kind in enumerate(kinds, 1)
    ]
    with pytest.raises(StepRefused):
        fold_review(steps)
