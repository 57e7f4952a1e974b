"""JSON about links by which somebody outside watches one clip."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from api.bodies import RequestModel
from api.models.clips import WORD
from api.models.common import Digest, Page, ResponseModel, Time
from evidence.export.links import USES_MAX
from evidence.export.watching import SPAN_MS_MAX

Milliseconds = Annotated[int, Field(ge=0, le=SPAN_MS_MAX)]


class ShareClip(RequestModel):
    """A link to watch a clip by, for somebody outside, such as counsel."""

    recipient: str = Field(min_length=1, max_length=100, description="Who it is for, by name; the watermark says it")
    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")
    expires_at: Annotated[datetime, Field(strict=False)] = Field(description="Until when, at most a year ahead")
    uses: int = Field(1, ge=1, le=USES_MAX, description="How often it may be used")
    rendition: Literal["proxy", "redacted"] = Field(
        "proxy", description="What is watched: the review copy, or the newest redacted copy"
    )
    from_ms: Milliseconds | None = Field(None, description="Where it begins on that copy's clock; null: its beginning")
    to_ms: Milliseconds | None = Field(None, description="Where it ends; null: its end")

    @model_validator(mode="after")
    def _in_order(self) -> ShareClip:
        if self.to_ms is not None and (self.from_ms or 0) >= self.to_ms:
            raise ValueError("a span begins before it ends")
        return self


class SharedClip(ResponseModel):
    """The link is on record; its address is shown this once, and its copy is made meanwhile."""

    link: UUID
    url: str
    entry: UUID


class ClipLinkItem(ResponseModel):
    """A link to a clip, its marked copy, and what became of them."""

    link: UUID
    mark: str = Field(description="The link's short id, as the watermark shows it")
    recipient: str
    purpose: str
    expires_at: Time
    uses: int
    uses_max: int
    rendition: Literal["proxy", "redacted"]
    from_ms: int | None
    to_ms: int | None
    shared_by: str
    shared_at: Time
    revoked_at: Time | None
    state: Literal["waiting", "running", "done", "refused", "cancelled", "removed"] = Field(
        description="Of the marked copy"
    )
    reason: str | None = Field(description="Why it was refused, or why the last attempt failed")
    bytes_done: int = Field(description="Of the copy that it is made from")
    bytes_total: int | None
    sha256: Digest | None = Field(description="Of the marked copy, once it was made")
    entry: UUID


class ClipLinkItems(Page[ClipLinkItem]):
    """Links in the order they were made."""
