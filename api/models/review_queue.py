"""JSON about the queue of reviews."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.models.common import Page, PageQuery, ResponseModel, Time
from evidence.deadlines.clocks import State as ClockState
from evidence.review.machine import State


class ReviewsQuery(PageQuery):
    """Which reviews, those due first in front."""

    state: State | None = Field(None, description="Where it stands")
    unit: UUID | None = Field(None, description="Whose case it is; its own unit only")
    mine: bool = Field(default=False, description="Only those whose next step is the caller's to take")
    late: bool = Field(default=False, description="Only those whose last day is over")


class ReviewDue(ResponseModel):
    """Until when the review has to be done."""

    clock: str = Field(description="Name of the clock")
    due_on: date = Field(description="The last day; of a clock that stands still, if it went on today")
    provisional: bool = Field(description="Counted over days that nobody has announced yet")
    state: ClockState
    remaining: int = Field(description="Days of the rule's unit left; below 0 how long it is over")
    citation: str
    source: str


class WaitsFor(ResponseModel):
    """Whose step is next: somebody who worked on the case, somebody who reviews and did not, or whoever was named."""

    office: Literal["handler", "reviewer", "coordinator"]
    person: str | None = Field(description="Who handed it in or opened it, or who was named; null for any reviewer")


class QueuedReview(ResponseModel):
    """A case whose review waits for a step."""

    case: UUID
    number: str
    title: str
    unit: UUID | None
    state: State
    rounds: int = Field(description="How often it was submitted")
    submitted_by: str | None = Field(description="Of the last submission; null before the first")
    submitted_at: Time | None
    waits_for: WaitsFor
    due: ReviewDue | None = Field(description="Null while no clock runs")
    late: bool


class ReviewCounts(ResponseModel):
    """Cases that were submitted and are not decided, of those that the caller may know of."""

    states: Mapping[str, int] = Field(description="State -> how many; without those of which there are none")
    mine: int
    late: int


class QueuedReviews(Page[QueuedReview]):
    """Reviews; a page may be shorter than its limit and still have a next one."""

    counts: ReviewCounts | None = Field(description="Within the unit asked for, on the first page; null on others")
