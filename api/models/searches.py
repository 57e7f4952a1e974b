"""JSON about saved searches and counts."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.clips.language import TEXT_CHARS_MAX
from evidence.clips.saved import NAME_CHARS_MAX


class FacetsQuery(BaseModel):
    """What is counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field("", max_length=TEXT_CHARS_MAX, description="Words and conditions of the query language")
    fields: str = Field(
        "",
        # A character takes up to 12 bytes in an address; beside a question of 500 a line of HTTP has room for so many.
        max_length=150,
        description="Fields to count the values of, by commas, such as `recorder,item`; all that can be if empty",
    )


class ValueItem(ResponseModel):
    """How many of the counted clips have a value."""

    value: str = Field(description="As the query language takes it after `field:`, folded")
    clips: int


class FacetItem(ResponseModel):
    """A field and its commonest values."""

    field: str
    values: list[ValueItem]


class FacetItems(ResponseModel):
    """Counts over the newest clips that answer."""

    clips: int = Field(description="How many clips were counted; 0 with `more` when there was no time to count")
    more: bool = Field(description="Whether more clips answer than were counted")
    facets: list[FacetItem]


class SaveSearch(RequestModel):
    """A question to keep."""

    name: str = Field(min_length=1, max_length=NAME_CHARS_MAX, examples=["未亮证的视频"])
    q: str = Field(max_length=TEXT_CHARS_MAX, description="The question", examples=["查封 -marker:亮证"])
    unit: UUID | None = Field(None, description="Unit whose people may use it too")


class SavedItem(ResponseModel):
    """A question that is kept."""

    search: UUID
    name: str
    q: str
    unit: UUID | None
    own: bool = Field(description="Whether it is yours; what is shared by others can be asked and not be forgotten")
    saved_at: Time
    run_at: Time | None = Field(description="When you asked it last")


class SavedItems(Page[SavedItem]):
    """Saved searches, in the order in which they were kept."""


class RunSearch(RequestModel):
    """Nothing needs to be said."""


class RunItem(ResponseModel):
    """A saved search asked again; the clips themselves are listed by `GET /v1/clips`."""

    q: str
    since: Time | None = Field(description="When you asked it last before; null for never")
    at: Time
    new: int = Field(description="Clips received since then that answer; with `more`, at least so many")
    more: bool
