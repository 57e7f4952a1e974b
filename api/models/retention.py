"""JSON about how long clips are kept, holds and disposals, and about the calendar of working days."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Digest, Page, PageQuery, ResponseModel, Time
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.custody.retention_payloads import MONTHS_MAX, MONTHS_MIN
from evidence.parties.names import REASON_CHARACTERS_MAX
from evidence.retention.disposal import CLIPS_MAX
from evidence.retention.rules import State

DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
MONTHS = "For how many months, from the day of the seal; null for ever"


class ScheduleRule(RequestModel):
    """For how long one kind of recording is kept; null means any."""

    item: str | None = Field(None, min_length=1, max_length=NAME_CHARS_MAX, description="Recording item")
    case_kind: str | None = Field(
        None, min_length=1, max_length=NAME_CHARS_MAX, description="What is cited for evidence of such cases"
    )
    key_mark: bool | None = Field(None, description="Whether its recorder marked it")
    months: int | None = Field(ge=MONTHS_MIN, le=MONTHS_MAX, description=MONTHS)
    citation: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="By which norm")


class StateSchedule(RequestModel):
    """Somebody states how long recordings are kept from a day on."""

    effective_from: str = Field(pattern=DAY_PATTERN, description="Today or later, YYYY-MM-DD", examples=["2027-01-01"])
    rules: list[ScheduleRule] = Field(max_length=500)
    months: int | None = Field(ge=MONTHS_MIN, le=MONTHS_MAX, description=f"{MONTHS}; where no rule fits", examples=[6])
    citation: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="By which norm")


class ScheduleMade(ResponseModel):
    """A schedule is on record."""

    schedule: UUID
    entry: UUID


class ScheduleItem(ResponseModel):
    """A schedule on record."""

    schedule: UUID
    effective_from: date
    rules: list[dict[str, object]]
    months: int | None
    citation: str
    in_force: bool = Field(description="Whether it counts for what is sealed today")
    stated_at: Time
    stated_by: str
    entry: UUID


class ScheduleItems(ResponseModel):
    """Every schedule, in the order in which they were stated."""

    items: list[ScheduleItem]


class RetentionItem(ResponseModel):
    """How long a clip is kept, as of today; computed, never stored."""

    clip: UUID
    state: State = Field(description="permanent, kept (the term runs), held (over, and held), expired")
    kept_through: date | None = Field(description="Last day of the term; null for ever")
    because: list[str]
    schedule: UUID | None


class DueItem(ResponseModel):
    """A clip whose term is over; `size` in bytes."""

    clip: UUID
    sha256: Digest
    size: int
    sealed_at: Time
    expired_on: date
    because: list[str]


class DueItems(Page[DueItem]):
    """Clips that may be disposed of. A page may be short, even empty, and have one behind it."""


class PlaceHold(RequestModel):
    """Somebody holds a clip, the clips of a case, or those of a recorder; exactly one of them."""

    clip: UUID | None = None
    case: UUID | None = None
    recorder: str | None = Field(None, min_length=1, max_length=NAME_CHARS_MAX)
    since: str | None = Field(None, max_length=40, description="Recordings of the recorder from this time on")
    until: str | None = Field(None, max_length=40, description="and up to this one")
    basis: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="By what right")


class HoldMade(ResponseModel):
    """A hold is on record."""

    hold: UUID
    entry: UUID


class Reasoned(RequestModel):
    """Why."""

    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)


class HoldItem(ResponseModel):
    """One hold; null what does not apply or has not happened."""

    hold: UUID
    clip: UUID | None
    case: UUID | None
    recorder: str | None
    since: Time | None
    until: Time | None
    basis: str
    placed_at: Time
    placed_by: str
    released_at: Time | None
    released_by: str | None
    reason: str | None
    entry: UUID


class HoldsQuery(PageQuery):
    """Which holds."""

    standing: bool = Field(default=True, description="Only those that stand")


class HoldItems(Page[HoldItem]):
    """Holds, those placed first first."""


class Appraise(RequestModel):
    """Somebody proposes to dispose of clips; all of them may go, or none is proposed."""

    clips: list[UUID] = Field(min_length=1, max_length=CLIPS_MAX)
    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)


class AppraisalMade(ResponseModel):
    """An appraisal is on record."""

    appraisal: UUID
    entry: UUID


class Decide(Reasoned):
    """Another person approves or refuses."""

    approve: bool


class AppraisalItem(ResponseModel):
    """One appraisal; `approved` is null until another person has decided."""

    appraisal: UUID
    reason: str
    appraised_at: Time
    appraised_by: str
    clips: int
    disposed: int = Field(description="How many of them have a tombstone")
    approved: bool | None
    decided_at: Time | None
    decided_by: str | None
    decision_reason: str | None
    entry: UUID


class AppraisalItems(Page[AppraisalItem]):
    """Appraisals, the newest first."""


class AppraisedClipItem(ResponseModel):
    """One clip of an appraisal; `size` in bytes."""

    clip: UUID
    sha256: Digest
    size: int
    expired_on: date
    because: list[str]
    disposed_at: Time | None


class AppraisalReport(AppraisalItem):
    """An appraisal with its list (鉴定清册)."""

    items: list[AppraisedClipItem]
