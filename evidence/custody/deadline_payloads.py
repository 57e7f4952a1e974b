"""Payloads of entries about deadlines; same rules as in `payloads`.

Clocks are derived from what is on record anyway; these say what nothing else says: the agency's rules, a clock that
nothing else began or ended, what stopped it, what made it longer, and that somebody was told.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evidence.cases.statements import Day
from evidence.clips.parts import Line, Remark
from evidence.custody.payloads import Id, Ordinal, Payload, Time
from evidence.deadlines.rules import Kind, RuleTable

ClockKey = Annotated[str, Field(pattern=r"^[a-z_]{1,20}/[0-9a-f-]{4,64}$")]
"""Name of a clock: its kind and what it is about, such as `archive/<case>`."""


class DeadlineRulesPublished(Payload):
    """A version of the agency's deadlines, whole; in force from its day on until the next version's."""

    rules: Id
    version: Ordinal
    effective_from: Day
    table: RuleTable


class DeadlineStarted(Payload):
    """A clock begins that nothing else on record begins."""

    clock: ClockKey
    kind: Kind
    started_at: Time
    case: Id
    note: Line


class DeadlinePaused(Payload):
    """A clock stands still from now on."""

    clock: ClockKey
    case: Id
    reason: Remark


class DeadlineResumed(Payload):
    """A clock goes on."""

    clock: ClockKey
    case: Id
    reason: Remark


class DeadlineExtended(Payload):
    """Days are added to a term, by whoever records this; `asked_by` handles the case and is somebody else (R31)."""

    clock: ClockKey
    case: Id
    days: Ordinal
    reason: Remark
    asked_by: Line | None = None


class DeadlineFulfilled(Payload):
    """What was due was done where this house does not see it; `reference` says where that is written."""

    clock: ClockKey
    case: Id
    done_at: Time
    reference: Line


class DeadlineVoided(Payload):
    """A clock does not count any more."""

    clock: ClockKey
    case: Id
    reason: Remark


class DeadlineExplained(Payload):
    """Why something came late, or is overdue; the newest counts."""

    clock: ClockKey
    case: Id | None
    reason: Remark


class DeadlineWarned(Payload):
    """Somebody was told that a last day comes near (`ahead`) or is over (`overdue`), once for each last day."""

    clock: ClockKey
    kind: Kind
    case: Id | None
    due_on: Day
    mark: Literal["ahead", "overdue"]
    provisional: bool
