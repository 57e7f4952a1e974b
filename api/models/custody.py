"""Custody reports: who looked, when, what for, from which session, and what they were given."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from api.models.common import Digest, Page, PageQuery, ResponseModel, Time


class ReportQuery(PageQuery):
    """Which stretch of a report, and how to write it."""

    form: Literal["json", "html", "pdf"] = Field(
        "json",
        description="`json`: a page; `html`: the whole as one file; `pdf`: a part that begins at `cursor`, the next "
        "part's cursor is in the header `X-Shilu-Next`",
    )


class PersonReportQuery(ReportQuery):
    """Of which time, too."""

    since: AwareDatetime | None = Field(None, alias="from", description="On record at or after this instant")
    until: AwareDatetime | None = Field(None, alias="to", description="On record before this instant")


class ReportLineItem(ResponseModel):
    """One entry of a report."""

    entry: UUID
    index: int | None = Field(description="Place in the published log; null until it is published")
    at: Time
    local: str = Field(description="The same moment in the agency's time zone, with its offset")
    type: str
    actor: str
    name: str | None = Field(description="What the person is called; null when no person of this house did it")
    looks: bool = Field(description="Whether somebody looked at footage by it, or was handed some")
    purpose: str | None
    session: UUID | None = Field(description="Session or token that was shown; null where the entry does not say")
    served: dict[str, object] = Field(description="What was given, by the names the entry uses")
    clips: list[UUID] = Field(description="Clips it is about that whoever asks may know of")


class CustodyReport(Page[ReportLineItem]):
    """A page of a report, with what it is about and the log that it comes from."""

    clip: UUID | None
    staff: UUID | None
    name: str = Field(description="Name of the original, or of the person")
    zone: str = Field(description="The agency's time zone")
    origin: str = Field(description="Name of the log")
    size: int = Field(description="Entries of the log at its newest published checkpoint")
    root: Digest
