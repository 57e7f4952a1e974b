"""JSON about who may see what: grants, their withdrawal, access classes of clips."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, Field

from api.bodies import RequestModel
from api.models.common import Page, PageQuery, ResponseModel, Time
from evidence.custody.access_payloads import CLASSES_MAX, GRANT_CASES_MAX, GRANT_UNITS_MAX
from evidence.parties.names import REASON_CHARACTERS_MAX


class GrantAccess(RequestModel):
    """An administrator lets a person reach units, cases or access classes."""

    staff: UUID = Field(description="The person, as `list_tokens` names them")
    units: list[UUID] = Field(
        default_factory=list, max_length=GRANT_UNITS_MAX, description="Units, each with all that lies below it"
    )
    all_units: bool = Field(default=False, description="Every unit, and footage that belongs to none")
    cases: list[UUID] = Field(default_factory=list, max_length=GRANT_CASES_MAX, description="Cases of any unit")
    classes: list[str] = Field(
        default_factory=list, max_length=CLASSES_MAX, description="Access classes, see /v1/vocabulary"
    )
    until: AwareDatetime | None = Field(None, description="When it ends by itself; null for when it is withdrawn")
    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="Why; goes on record")


class MadeGrant(ResponseModel):
    """A grant is on record."""

    grant: UUID
    entry: UUID = Field(description="Id of the ledger entry")
    in_force: bool = Field(description="Whether this service decides by grants (SHILU_ACCESS)")


class GrantsQuery(PageQuery):
    """Whose grants."""

    staff: UUID | None = Field(None, description="Of one person only")


class GrantItem(ResponseModel):
    """One grant as it stands."""

    grant: UUID
    staff: UUID
    units: list[UUID]
    all_units: bool
    cases: list[UUID]
    classes: list[str]
    until: Time | None
    reason: str
    granted_at: Time
    granted_by: str
    withdrawn_at: Time | None
    withdrawn_reason: str | None
    counts: bool = Field(description="Whether it opens anything now")


class GrantPage(Page[GrantItem]):
    """Grants in the order they were made in."""


class ClassifyClip(RequestModel):
    """Somebody states which access classes a clip bears from now on; the whole set."""

    classes: list[str] = Field(max_length=CLASSES_MAX, description="Access classes, see /v1/vocabulary; none, []")
    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="Why; goes on record")


class Classified(ResponseModel):
    """Which classes a clip bears is on record."""

    entry: UUID = Field(description="Id of the ledger entry")
    in_force: bool = Field(description="Whether this service decides by grants and classes (SHILU_ACCESS)")
