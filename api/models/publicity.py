"""JSON about what is told the public: drafts, spans, decisions, steps, terms, reports, and what anybody reads."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from api.bodies import RequestModel
from api.models.common import Digest, Page, PageQuery, ResponseModel, Time
from evidence.parties.names import REASON_CHARACTERS_MAX
from ledger.canonical import INTEGER_MAX

Day = Annotated[date, Field(strict=False)]
Fields = Annotated[dict[Annotated[str, StringConstraints(max_length=64)], str], Field(max_length=40)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=REASON_CHARACTERS_MAX)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="The newest version, that this is about")]

_BRIEF: JsonDict = {
    "authority": "某市生态环境局",
    "subject": "某化工厂",
    "category": "行政处罚",
    "conclusion": "罚款人民币十万元",
}


class DraftPublication(RequestModel):
    """Somebody drafts what the public shall read; forms and kinds are those of evidence/publicity/forms.toml."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"form": "brief", "kind": "penalty", "fields": _BRIEF}]},
    )

    form: str = Field(max_length=64, description="`brief`, `summary`, `document`, or `register`")
    kind: str = Field(max_length=64, description="Kind of the decision, or of the register")
    fields: Fields = Field(description="Texts by name; the form demands some of them")
    case: UUID | None = Field(None, description="The case that it tells of")
    until: Day | None = Field(None, description="Last day on which it is public; without it the term of its kind")


class CorrectPublication(RequestModel):
    """Somebody drafts the next version; the one that is public stays so until this one is published."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 1, "fields": _BRIEF, "reason": "当事人名称有误"}]},
    )

    version: Version
    fields: Fields
    reason: Reason
    until: Day | None = None


class JudgeSpan(RequestModel):
    """What is to become of characters of a field."""

    field: str = Field(max_length=64)
    start: int = Field(ge=0, le=INTEGER_MAX, description="First character, from 0")
    end: int = Field(ge=1, le=INTEGER_MAX, description="Character behind the last")
    verdict: Literal["mask", "keep", "not_one"] = Field(
        description="`mask` replaces it, `keep` leaves it for a reason, `not_one` says that the scan was wrong"
    )
    reason: str = Field("", max_length=REASON_CHARACTERS_MAX)


class JudgeSpans(RequestModel):
    """A person decides about spans of the newest version."""

    version: Version
    decisions: list[JudgeSpan] = Field(min_length=1, max_length=1000)


class ApprovePublication(RequestModel):
    """Another person agrees that it be published (审核)."""

    version: Version
    note: str = Field("", max_length=REASON_CHARACTERS_MAX)


class PublishPublication(RequestModel):
    """What was approved becomes public."""

    version: Version


class WithdrawPublication(RequestModel):
    """A publication ends; the public reads why."""

    cause: Literal["revoked", "changed", "unlawful", "invalid", "redone", "erroneous"] = Field(
        description="撤销, 变更, 确认违法, 确认无效, 要求重新作出, or published in error"
    )
    reason: Reason


class StateTerm(RequestModel):
    """How long what is of a kind stays public."""

    kind: str = Field(max_length=64)
    months: int | None = Field(ge=1, le=1200, description="Null for as long as it is not withdrawn")
    citation: Reason


class MakeReport(RequestModel):
    """The figures of a month or a year are put on record, and are public from then on."""

    period: str = Field(max_length=7, description="2026, or 2026-03", examples=["2026-03"])
    stated: dict[Annotated[str, StringConstraints(max_length=64)], int] = Field(
        default_factory=dict,
        max_length=40,
        description="What the log does not know, by the names of evidence/publicity/reports.py",
    )
    size: int | None = Field(None, ge=1, le=INTEGER_MAX, description="At this checkpoint, else at the newest")


class SpanItem(ResponseModel):
    """What the scan took for something about a person."""

    field: str
    start: int
    end: int
    kind: str
    certainty: str
    decided: bool
    verdict: Literal["mask", "keep", "not_one"] | None = Field(description="What was said of this very span last")
    reason: str = Field(description="Why; empty where nobody said")


class PublicationItem(ResponseModel):
    """A publication as those who make it see it: the newest version, unmasked."""

    publication: UUID
    form: str
    kind: str
    state: str
    version: int
    case: UUID | None
    until: date | None
    fields: dict[str, str]
    reason: str
    drafted_by: str
    drafted_at: Time
    spans: list[SpanItem]
    published_version: int | None = Field(description="The version that is or was public last; null while none was")


class PublicationRow(ResponseModel):
    """A publication in a list, without its texts."""

    publication: UUID
    form: str
    kind: str
    version: int
    case: UUID | None
    drafted_by: str
    drafted_at: Time
    must_go: UUID | None = Field(
        description="With `must_go`: entry for which it has to go; its clock is withdrawal/<it>"
    )


class PublicationQuery(PageQuery):
    """Which publications."""

    must_go: bool = Field(
        default=False, description="Only those that are public though the decision they tell of was revoked or changed"
    )


class PublicationRows(Page[PublicationRow]):
    """Publications, the newest first."""


class FormField(ResponseModel):
    """A text that a publication holds, by what people call it."""

    field: str
    zh: str
    en: str
    chars_max: int = Field(description="Longest text, in characters")
    is_day: bool = Field(description="Whether it is a day, written as 2026-03-02")


class FormItem(ResponseModel):
    """A form: what it demands and what it allows, in the order in which they are shown, and where that is written."""

    form: str
    zh: str
    en: str
    required: list[FormField]
    optional: list[FormField]
    kinds: list[str] = Field(description="Kinds of what is published in this form")
    source: str


class KindItem(ResponseModel):
    """A kind of what is published."""

    kind: str
    zh: str
    en: str
    days: int | None = Field(description="Working days to publish a decision within; null for registers")
    source: str


class FormItems(ResponseModel):
    """Every form and every kind."""

    items: list[FormItem]
    kinds: list[KindItem]


class TermItem(ResponseModel):
    """A term in force."""

    kind: str
    months: int | None
    citation: str
    stated_at: Time
    entry: UUID


class Terms(ResponseModel):
    """The newest term of each kind."""

    items: list[TermItem]


class ReportItem(ResponseModel):
    """A report: what was counted at a checkpoint, and what was stated beside it."""

    report: UUID
    period: str
    rules: str
    size: int
    root: Digest
    figures: dict[str, int]
    stated: dict[str, int]
    reported_at: Time
    entry: UUID


class ReportItems(Page[ReportItem]):
    """Reports, the newest first."""


class RecountedReport(ResponseModel):
    """A report, and its figures counted again at its checkpoint."""

    report: ReportItem
    figures: dict[str, int]
    identical: bool


class PublicQuery(PageQuery):
    """Which decisions."""

    kind: str | None = Field(None, max_length=64, pattern="^[a-z][a-z0-9_]*$", description="Only of this kind")


class OnDayQuery(BaseModel):
    """Which day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Day | None = Field(None, description="What was in force on this day; without it, today")


class PublicVersionItem(ResponseModel):
    """That there was a version, and when."""

    version: int
    published_at: Time
    effective_from: date | None
    entry: UUID


class PublicRecord(ResponseModel):
    """What anybody reads of a publication; of one that is gone no content, and why."""

    schema_name: Literal["shilu-publication-1"] = Field(serialization_alias="schema")
    publication: UUID
    status: Literal["public", "withdrawn", "over"]
    form: str | None
    kind: str | None
    fields: dict[str, str] | None
    version: int | None
    published_at: Time | None
    until: date | None
    versions: list[PublicVersionItem]
    cause: str | None
    reason: str | None
    gone_at: Time | None
    proof: str = Field(description="Where the proof is that it was in the log")


class PublicRecords(Page[PublicRecord]):
    """What is public, what was published last first."""


class PublicRegisters(ResponseModel):
    """Of each register the version in force on a day."""

    on: date
    items: list[PublicRecord]
