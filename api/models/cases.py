"""JSON about cases and their exhibits."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.cases.cases import NUMBER_CHARS_MAX, TITLE_CHARS_MAX


class OpenCase(RequestModel):
    """Somebody opens a case."""

    number: str = Field(min_length=1, max_length=NUMBER_CHARS_MAX, description="Case number, unique")
    title: str = Field(min_length=1, max_length=TITLE_CHARS_MAX)


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
