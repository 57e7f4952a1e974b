"""JSON about annotations beyond the clip's detail: writing one, versions, differences, times of documents."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import ResponseModel, Time
from evidence.clips.content import AnnotationContent
from evidence.clips.parts import Line
from evidence.db.paging import LAST_INTEGER


class WriteAnnotation(AnnotationContent):
    """The next version: all that it says, and why there is one."""

    reason: Line | None = Field(None, description="Why there is a new version; stands beside the content on record")

    def content(self) -> AnnotationContent:
        """Return what it says."""
        return AnnotationContent.model_validate(self.model_dump(mode="json", by_alias=True, exclude={"reason"}))


class DifferenceQuery(BaseModel):
    """What a version is compared with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int | None = Field(
        None, ge=0, le=LAST_INTEGER, description="Version to compare with, 0 for none; the one before unless given"
    )


class ChangeItem(ResponseModel):
    """One difference between two versions."""

    where: str = Field(description="The field, in brackets the part of a list: `markers[key_moment@2000]`")
    change: Literal["added", "removed", "changed", "reordered"]
    before: object = Field(description="Its value before, null where there was none")
    after: object = Field(description="Its value after, null where there is none")
    fields: list[str] = Field(description="Of something with fields, those that differ")


class DifferenceItem(ResponseModel):
    """What a version changed, and in whose name."""

    clip: UUID
    since: int = Field(description="Version it is compared with; 0 is before the first")
    version: int
    annotated_by: str
    annotated_at: Time
    reason: str | None
    changes: list[ChangeItem]
