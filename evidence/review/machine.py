"""The states of a review, and which step leads where. Pure: a table, and the fold of a case's steps over it.

    not_submitted --submitted--> under_review --approved--> approved --(decision)
                                  |  ^   |                     |
                            paused|  |   |problems             | the evidence changed: submitted again
                                  v  |resumed                  v
                                paused   +-> returned --submitted, every problem answered--> under_review
                                               |  ^
                                      disagreed|  |upheld
                                               v  |
                                          coordinating --reopened--> reopened --submitted--> under_review

`approved` says what the last opinion was, and never that a decision may be made: that is the gate's to say, from the
evidence as it stands (`gate`). Coordination never approves anything: its outcome only says whether the problems still
have to be answered, and the next round is reviewed like any other.

Steps are numbered from 1 within the case, under the case's lock: their order is that of the numbers, not of any clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from evidence.review.errors import StepRefused


class State(StrEnum):
    """Where a review stands."""

    NOT_SUBMITTED = "not_submitted"
    UNDER_REVIEW = "under_review"
    PAUSED = "paused"
    RETURNED = "returned"
    COORDINATING = "coordinating"
    REOPENED = "reopened"
    APPROVED = "approved"


class Move(StrEnum):
    """What leads from one state to the next."""

    SUBMIT = "submit"
    PAUSE = "pause"
    RESUME = "resume"
    APPROVE = "approve"
    OBJECT = "object"
    DISAGREE = "disagree"
    UPHOLD = "uphold"
    REOPEN = "reopen"


MOVES: Mapping[tuple[State, Move], State] = MappingProxyType(
    {
        (State.NOT_SUBMITTED, Move.SUBMIT): State.UNDER_REVIEW,
        (State.UNDER_REVIEW, Move.PAUSE): State.PAUSED,
        (State.UNDER_REVIEW, Move.APPROVE): State.APPROVED,
        (State.UNDER_REVIEW, Move.OBJECT): State.RETURNED,
        # What was submitted changed meanwhile: the next round is about what there is now.
        (State.UNDER_REVIEW, Move.SUBMIT): State.UNDER_REVIEW,
        (State.PAUSED, Move.RESUME): State.UNDER_REVIEW,
        (State.PAUSED, Move.SUBMIT): State.UNDER_REVIEW,
        (State.RETURNED, Move.SUBMIT): State.UNDER_REVIEW,
        (State.RETURNED, Move.DISAGREE): State.COORDINATING,
        (State.COORDINATING, Move.UPHOLD): State.RETURNED,
        (State.COORDINATING, Move.REOPEN): State.REOPENED,
        (State.REOPENED, Move.SUBMIT): State.UNDER_REVIEW,
        (State.APPROVED, Move.SUBMIT): State.UNDER_REVIEW,
    }
)

SUBMITTED_AGAIN_IF_CHANGED = frozenset({State.UNDER_REVIEW, State.APPROVED})
"""Where another submission makes sense only because the evidence is not what it was."""


def after(state: State, move: Move) -> State:
    """Return the state that a move leads to.

    Raises:
        StepRefused: It cannot be made here; `details["possible"]` says which can.
    """
    reached = MOVES.get((state, move))
    if reached is None:
        possible = sorted(str(other) for at, other in MOVES if at is state)
        raise StepRefused(f"a review that is {state} takes no {move}", state=str(state), possible=possible)
    return reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on record; `kind` is the name of its event, `content` its payload."""

    step: int
    kind: str
    content: Mapping[str, Any]
    stated_by: str
    stated_at: datetime
    entry_id: UUID


@dataclass(slots=True, kw_only=True)
class Round:
    """A submission and what came of it; times are those of the entries.

    Attributes:
        pauses: From when to when the clock stood still; a pause that lasts has no end.
        owed: Problems of the opinion before that this submission had to answer.
    """

    number: int
    submission: Step
    owed: tuple[int, ...] = ()
    opinion: Step | None = None
    disagreement: Step | None = None
    coordination: Step | None = None
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    @property
    def root(self) -> bytes:
        """The root over the evidence that was submitted."""
        return bytes.fromhex(self.submission.content["statement"]["root"])

    @property
    def approves(self) -> bool:
        """Whether its opinion is 同意."""
        return self.opinion is not None and self.opinion.content["statement"]["conclusion"] == "approve"

    @property
    def problems(self) -> tuple[int, ...]:
        """Numbers of the problems that its opinion names."""
        if self.opinion is None:
            return ()
        return tuple(one["problem"] for one in self.opinion.content["statement"]["problems"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A case's review, folded.

    Attributes:
        transfers: Entries of opinions whose 移送 is not done.
        last: The last step of any kind; None before the first.
    """

    state: State = State.NOT_SUBMITTED
    rounds: Sequence[Round] = ()
    corrections: Sequence[Step] = ()
    transfers: Sequence[Step] = ()
    last: Step | None = None

    @property
    def round(self) -> Round | None:
        """The round that counts; None before the first."""
        return self.rounds[-1] if self.rounds else None

    @property
    def next_step(self) -> int:
        """Number of the next step."""
        return 1 if self.last is None else self.last.step + 1

    @property
    def owed(self) -> tuple[int, ...]:
        """Problems that the next submission has to answer."""
        if self.state is State.RETURNED and self.round is not None:
            return self.round.problems
        return ()


def fold_review(steps: Sequence[Step]) -> Review:
    """Fold the steps of a case, in order of their numbers.

    Raises:
        StepRefused: A step does not follow from those before it: the record was tampered with.
    """
    state, rounds = State.NOT_SUBMITTED, list[Round]()
    corrections, transfers = list[Step](), dict[UUID, Step]()
    for step in steps:
        move = _move_of(step)
        owed = rounds[-1].problems if rounds and state is State.RETURNED else ()
        if move is not None:
            state = after(state, move)
        match step.kind:
            case "submitted":
                rounds.append(Round(number=len(rounds) + 1, submission=step, owed=owed))
            case "paused":
                rounds[-1].pauses.append((step.stated_at, None))
            case "opined":
                rounds[-1].opinion = step
                if any(one["verdict"] == "transfer" for one in step.content["statement"]["rows"]):
                    transfers[step.entry_id] = step
            case "disagreed":
                rounds[-1].disagreement = step
            case "coordinated":
                rounds[-1].coordination = step
            case "corrected":
                corrections.append(step)
            case "transferred":
                transfers.pop(UUID(step.content["opinion"]), None)
            case _:
                pass
        if move in {Move.RESUME, Move.SUBMIT}:
            _end_pauses(rounds, step.stated_at)
    return Review(
        state=state,
        rounds=tuple(rounds),
        corrections=tuple(corrections),
        transfers=tuple(transfers.values()),
        last=steps[-1] if steps else None,
    )


def _end_pauses(rounds: Sequence[Round], at: datetime) -> None:
    for one in rounds:
        one.pauses = [(start, end or at) for start, end in one.pauses]


def _move_of(step: Step) -> Move | None:
    """Return the move that a step makes; None for steps that change no state."""
    match step.kind:
        case "submitted":
            return Move.SUBMIT
        case "paused":
            return Move.PAUSE
        case "resumed":
            return Move.RESUME
        case "opined":
            return Move.APPROVE if step.content["statement"]["conclusion"] == "approve" else Move.OBJECT
        case "disagreed":
            return Move.DISAGREE
        case "coordinated":
            return Move.REOPEN if step.content["outcome"] == "reopen" else Move.UPHOLD
        case _:
            return None
