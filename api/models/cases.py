"""JSON about cases and their exhibits."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.cases.cases import HANDLERS_MAX, NUMBER_CHARS_MAX, TITLE_CHARS_MAX
from evidence.cases.facts import UNKNOWN, CaseFacts
from evidence.clips.parts import Key


class OpenCase(RequestModel):
    """Somebody opens a case."""

    number: str = Field(min_length=1, max_length=NUMBER_CHARS_MAX, description="Case number, unique")
    title: str = Field(min_length=1, max_length=TITLE_CHARS_MAX)
    kind: Key | None = Field(None, description="Action type, a key of the recording-item list in force")
    unit: Annotated[UUID, Field(strict=False)] | None = Field(None, description="Whose case it is")
    agency: str | None = Field(None, max_length=TITLE_CHARS_MAX, description="Whose list counts, among several")
    handlers: list[str] = Field([], max_length=HANDLERS_MAX, description="Who handles it, in words")
    facts: CaseFacts = Field(UNKNOWN, description="What legal review will ask for; what is left out is not known")


class CaseMade(ResponseModel):
    """A case is on record."""

    case: UUID
    number: str
    title: str
    entry: UUID


class CaseItem(ResponseModel):
    """One case."""

    case: UUID
    number: str
    title: str
    opened_by: str
    opened_at: Time
    exhibits: int = Field(description="How many clips are its exhibits")
    entry: UUID
    kind: str | None = Field(None, description="Action type, a key of the recording-item list")
    unit: UUID | None = None
    items: UUID | None = Field(None, description="The recording-item list in force when it was opened")
    handlers: list[str] = Field([])
    facts: CaseFacts = UNKNOWN
    state: str = Field("open", description="open, concluded (执行终结) or archived")


class CaseItems(Page[CaseItem]):
    """Cases, the one opened last first."""


class LinkClip(RequestModel):
    """Somebody makes a clip an exhibit."""

    clip: UUID


class ExhibitMade(ResponseModel):
    """A clip is an exhibit, under a number that never moves."""

    exhibit: int
    entry: UUID


class ExhibitItem(ResponseModel):
    """One exhibit of a case."""

    exhibit: int
    clip: UUID
    linked_by: str
    linked_at: Time
    entry: UUID


class ExhibitItems(Page[ExhibitItem]):
    """Exhibits in order of their numbers."""


class CaseDue(ResponseModel):
    """When a concluded case has to be archived."""

    concluded_on: date
    due_on: date | None = Field(description="Last day; null when the list states no time")
    overdue: bool
    source: str | None = Field(description="Where the time is written")


class CasePage(CaseItem):
    """One case, whole."""

    version: int = Field(description="For If-Match of amending and arranging")
    due: CaseDue | None = Field(description="Null while it is not concluded")
    archived_at: Time | None
    archive_entry: UUID | None
    addenda: int = Field(description="How many were added since it was archived")
