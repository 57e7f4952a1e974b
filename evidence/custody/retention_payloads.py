"""Payloads of entries about how long clips are kept and how they go; same rules as in `payloads`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.calendar_payloads import Day
from evidence.custody.payloads import Digest, Id, Name, Payload, Size, Time, Word

MONTHS_MIN = 6
"""No recording is kept for less: police practice, and what every schedule here has to obey."""

MONTHS_MAX = 1200

Months = Annotated[int, Field(ge=MONTHS_MIN, le=MONTHS_MAX)]


class RetentionRule(Payload):
    """For how many months a kind of recording is kept, for ever when `months` is null, by which norm.

    `item` is a key of the recording-item list, `case_kind` a kind of case, `key_mark` whether the recorder marked it;
    null means any.
    """

    item: Name | None
    case_kind: Name | None
    key_mark: bool | None
    months: Months | None
    citation: Name


class RetentionScheduled(Payload):
    """A schedule of how long recordings are kept counts from a day on; `months` and `citation` are for all others."""

    schedule: Id
    effective_from: Day
    rules: Annotated[list[RetentionRule], Field(max_length=500)]
    months: Months | None
    citation: Name


class HoldPlaced(Payload):
    """Nothing of this is disposed of: one clip, the clips of a case, or of a recorder (from `since` until `until`)."""

    hold: Id
    clip: Id | None
    case: Id | None
    recorder: Name | None
    since: Time | None
    until: Time | None
    basis: Name


class HoldReleased(Payload):
    """A hold ends, by somebody else than who placed it."""

    hold: Id
    reason: Name


class AppraisedClip(Payload):
    """One clip of a list for appraisal: whose term was over since `expired_on`, and why; `size` in bytes."""

    clip: Id
    sha256: Digest
    size: Size
    expired_on: Day
    because: Annotated[list[Name], Field(min_length=1, max_length=20)]


class DisposalAppraised(Payload):
    """Somebody has appraised these clips (鉴定) and proposes to dispose of them."""

    appraisal: Id
    reason: Name
    clips: Annotated[list[AppraisedClip], Field(min_length=1, max_length=1000)]


class DisposalApproved(Payload):
    """Another person approves of an appraisal as a whole."""

    appraisal: Id
    reason: Name


class DisposalRefused(Payload):
    """Another person refuses an appraisal as a whole."""

    appraisal: Id
    reason: Name


class DisposedObject(Payload):
    """One object that goes with a clip; `size` in bytes."""

    kind: Word
    sha256: Digest
    size: Size


class ClipDisposed(Payload):
    """A clip is disposed of: its tombstone. What is listed goes when this entry is published; what proves it stays.

    `stores` names the stores it is removed from.
    """

    clip: Id
    appraisal: Id
    expired_on: Day
    because: Annotated[list[Name], Field(min_length=1, max_length=20)]
    objects: Annotated[list[DisposedObject], Field(min_length=1)]
    stores: Annotated[list[Name], Field(min_length=1)]
