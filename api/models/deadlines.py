"""JSON about deadlines: clocks, what people say about them, tables of rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Page, PageQuery, ResponseModel, Time
from evidence.clips.parts import LINE_CHARS_MAX
from evidence.deadlines.clocks import State
from evidence.deadlines.rules import DAYS_MAX, Kind, RuleTable
from evidence.parties.names import REASON_CHARACTERS_MAX

CLOCK_PATTERN = r"^[a-z_]{1,20}/[0-9a-f-]{4,64}$"
_CASE = "0195a1b2-0000-7000-8000-000000000001"
_CLOCK = f"review/{_CASE}"

ClockKey = Annotated[str, Field(pattern=CLOCK_PATTERN, description="Name of the clock", examples=[_CLOCK])]
Uuid = Annotated[UUID, Field(strict=False)]


class DeadlineQuery(PageQuery):
    """Which clocks, in the order of their last days."""

    state: State | None = Field(None, description="Where it stands today")
    kind: Kind | None = Field(None, description="What it is about")
    unit: UUID | None = Field(None, description="Whose it is; its own unit only")
    case: UUID | None = Field(None, description="Of this case")
    due_before: date | None = Field(None, description="Last day before this one", examples=["2026-12-01"])
    unexplained: bool = Field(default=False, description="Only those without a reason on record")


class PauseItem(ResponseModel):
    """A clock stood still; `until` is null while it still does."""

    since: Time
    until: Time | None
    reason: str


class ExtensionItem(ResponseModel):
    """Days were added."""

    days: int
    at: Time
    approver: str
    reason: str


class FulfilmentItem(ResponseModel):
    """What proves that it was done: the entry, and its place in the log."""

    at: Time
    entry: UUID
    index: int | None


class DeadlineItem(ResponseModel):
    """A clock and where it stands today."""

    clock: str
    kind: str
    case: UUID | None
    clip: UUID | None
    unit: UUID | None
    name: str = Field(description="Number of the case, name of the file, or the period")
    started_at: Time
    due_on: date = Field(description="The last day; of a clock that stands still, if it went on today")
    provisional: bool = Field(description="Counted over days that nobody has announced yet")
    state: State
    remaining: int = Field(description="Days of the rule's unit left; below 0 how long it is over")
    extended_by: int
    days: int | None = Field(description="Days of the term; null for a day by which something is done")
    days_are: Literal["working_days", "calendar_days", "by_date"]
    citation: str
    source: str
    pauses: list[PauseItem]
    extensions: list[ExtensionItem]
    fulfilment: FulfilmentItem | None
    void_because: str | None
    explained: str | None = Field(description="The newest reason for being late")


class DeadlinePage(Page[DeadlineItem]):
    """Clocks in the order of their last days."""

    read: int = Field(description="How many entries of the log these clocks are made of")


class StartDeadline(RequestModel):
    """A clock begins that nothing else on record begins."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "case": _CASE,
                    "kind": "withdrawal",
                    "started_at": "2026-11-20T02:00:00.000Z",
                    "note": "行政复议决定书〔2026〕5号撤销原决定",
                }
            ]
        }
    )

    case: Uuid
    kind: Kind
    started_at: Annotated[datetime, Field(strict=False)] = Field(description="Not after now")
    note: str = Field(min_length=1, max_length=LINE_CHARS_MAX, description="What began it, and where that is written")


class DeadlineStarted(ResponseModel):
    """A clock is on record."""

    clock: str
    entry: UUID


class StateDeadline(RequestModel):
    """Somebody says something about a clock."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"clock": _CLOCK, "case": _CASE, "verb": "pause", "reason": "通知补充材料"}],
        }
    )

    clock: ClockKey
    case: Uuid | None = Field(None, description="The clock's case; none only for reasons about recordings and periods")
    verb: Literal["pause", "resume", "fulfil", "void", "explain"]
    reason: str = Field(
        min_length=1,
        max_length=LINE_CHARS_MAX,
        description="Why; for `fulfil` where it is written that it was done",
    )
    done_at: Annotated[datetime, Field(strict=False)] | None = Field(None, description="For `fulfil`: when it was done")


class ExtendDeadline(RequestModel):
    """Somebody who does not handle the case grants more days."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"clock": _CLOCK, "case": _CASE, "days": 3, "reason": "案情重大复杂", "asked_by": "张三"},
            ]
        }
    )

    clock: ClockKey
    case: Uuid
    days: int = Field(ge=1, le=DAYS_MAX, description="In the unit of the rule")
    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)
    asked_by: str | None = Field(None, min_length=1, max_length=LINE_CHARS_MAX, description="Who asked for it")


class PublishRules(RequestModel):
    """Somebody publishes a version of the agency's deadlines."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "effective_from": "2026-12-01",
                    "table": {
                        "title": "期限规则",
                        "source": "某环发〔2026〕1号",
                        "rules": [
                            {
                                "key": "review",
                                "kind": "review",
                                "unit": "working_days",
                                "days": 5,
                                "citation": "某环发〔2026〕1号第九条",
                                "source": "own",
                                "extension_days_max": 5,
                            }
                        ],
                    },
                }
            ]
        }
    )

    effective_from: Annotated[date, Field(strict=False)] = Field(
        description="First day it is in force, Beijing time", examples=["2026-12-01"]
    )
    table: RuleTable


class RulesPublished(ResponseModel):
    """A version is on record."""

    rules: UUID
    version: int
    entry: UUID


class RulesItem(ResponseModel):
    """A version of the agency's deadlines."""

    rules: UUID
    version: int
    effective_from: date
    published_by: str
    published_at: Time
    entry: UUID
    table: Mapping[str, Any]


class RulesItems(ResponseModel):
    """Every version in their order, and what counts where none of them says anything."""

    items: list[RulesItem]
    base: Mapping[str, Any]
