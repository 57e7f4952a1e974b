"""JSON about what is said about cases: statements, amendments, the order of the file, coverage."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Digest, Page, ResponseModel, Time
from evidence.cases.cases import HANDLERS_MAX, REASON_CHARS_MAX, TITLE_CHARS_MAX
from evidence.cases.facts import CaseFacts
from evidence.cases.statements import SECTIONS_MAX, Section, Statement


class AmendCase(RequestModel):
    """Other words for a case; what is left out stays as it is."""

    reason: str = Field(min_length=1, max_length=REASON_CHARS_MAX, description="Why; goes on record")
    title: str | None = Field(None, max_length=TITLE_CHARS_MAX)
    handlers: list[str] | None = Field(None, max_length=HANDLERS_MAX)
    facts: CaseFacts | None = Field(None, description="All facts, in the place of those before")


class CaseVersion(ResponseModel):
    """Where the case's page is now."""

    version: int = Field(description="For If-Match of the next change")


class UnlinkClip(RequestModel):
    """Somebody takes an exhibit out of a case."""

    exhibit: int = Field(ge=1, le=2**31 - 1)
    reason: str = Field(min_length=1, max_length=REASON_CHARS_MAX, description="Why; goes on record")


class StateAboutCase(RequestModel):
    """Something is said about a case."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "statement": {
                        "kind": "activity",
                        "item": "sealing_and_seizure",
                        "starts_at": "2026-11-20T01:00:00.000Z",
                        "ends_at": "2026-11-20T02:00:00.000Z",
                        "basis": "查封（扣押）决定书〔2026〕9号",
                    }
                },
                {"statement": {"kind": "conclusion", "on": "2026-11-21", "reference": "结案审批表"}},
            ]
        }
    )

    statement: Statement


class StatementItem(ResponseModel):
    """One thing that was said about a case, whole."""

    entry: UUID
    kind: str
    content: dict[str, Any] = Field(description="The payload of its ledger entry")
    stated_by: str
    stated_at: Time


class StatementItems(Page[StatementItem]):
    """What was said about a case, in the order it was said; what does not count any more included."""


class ArrangeCase(RequestModel):
    """The order of the 案卷."""

    sections: list[Section] = Field(max_length=SECTIONS_MAX)


class PlaceItem(ResponseModel):
    """What stands at a place of the 案卷: an exhibit or a document, and what it is."""

    exhibit: int | None = None
    document: UUID | None = None
    clip: UUID
    title: str = Field(description="摄录内容 of an exhibit, title of a document")
    number: str | None = Field(None, description="案号-序号 of an exhibit, number of a document")


class SectionItem(ResponseModel):
    """A section of the 案卷."""

    title: str
    places: list[PlaceItem]


class CaseStructure(ResponseModel):
    """The 案卷 in its order; what nobody has put anywhere comes last, under an empty title."""

    case: UUID
    number: str
    title: str
    version: int
    sections: list[SectionItem]


class GapItem(ResponseModel):
    """A stretch of an activity that no footage covers."""

    starts_at: Time
    ends_at: Time
    seconds: float
    reason: str | None = Field(description="Null while nobody gave one")


class ElementItem(ResponseModel):
    """An element that is missing, and the exhibits that lack it."""

    element: str
    exhibits: list[int]


class ItemStanding(ResponseModel):
    """How an item of the list stands in the case."""

    item: str
    title: str
    mode: str
    required: bool
    state: str = Field(description="recorded, exempted, not_held, missing, gaps, unstated or open")
    exhibits: list[int]
    gaps: list[GapItem]
    elements_missing: list[ElementItem]
    source: str


class OffListItem(ResponseModel):
    """Footage of what is not on the list; usable once a 合法性论证 is on record."""

    exhibit: int
    clip: UUID
    item: str
    argument: str | None


class TimesItem(ResponseModel):
    """A document and the footage of its act differ in time."""

    document: str
    number: str | None
    starts_at: Time
    ends_at: Time
    footage_starts_at: Time
    footage_ends_at: Time
    start_seconds: float = Field(description="How much later the footage starts; negative when earlier")
    end_seconds: float = Field(description="How much later the footage ends; negative when earlier")
    exhibits: list[int]


class CaseCoverage(ResponseModel):
    """A case against the recording-item list that was in force when it was opened."""

    case: UUID
    items: UUID | None = Field(description="The list; null when none was in force, then nothing is required")
    required: list[str]
    recorded: list[str]
    exempted: list[str] = Field(description="A written record stands in; never counted as recorded")
    not_held: list[str]
    missing: list[str]
    gap_seconds: float
    standings: list[ItemStanding]
    off_list: list[OffListItem]
    unclassified: list[int] = Field(description="Exhibits whose annotation names no item")
    undated: list[int] = Field(description="Exhibits without a time of their own: they cover nothing")
    times: list[TimesItem]


class ReasonItem(ResponseModel):
    """One thing that stands against archiving; more fields say what it is about."""

    model_config = ConfigDict(extra="allow", frozen=True)

    code: str
    means: str


class CaseReadiness(ResponseModel):
    """What stands against archiving a case now."""

    case: UUID
    ready: bool
    reasons: list[ReasonItem]


class CaseArchive(ResponseModel):
    """An archived case: what its ledger entry froze."""

    case: UUID
    entry: UUID
    archived_at: Time
    archived_by: str
    root: str = Field(description="RFC 6962 root over the manifest, hex; docs in evidence/core/wire/case_manifest.py")
    manifest: dict[str, Any]
    receipt: str | None = Field(description="Receipt of the entry, for shilu-verify; null until it is published")


class ArchiveGoing(ResponseModel):
    """Files are still to be verified: ask again, and it goes on there."""

    files: int = Field(description="Sealed files of the case")
    verified: int = Field(description="How many of them were read and verified lately")


class ArchiveMade(ResponseModel):
    """The case is archived."""

    entry: UUID
    root: Digest
