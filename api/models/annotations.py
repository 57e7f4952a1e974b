"""JSON about annotations beyond the clip's detail: writing one, versions, differences, times of documents."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import ResponseModel, Time
from evidence.clips.content import AnnotationContent
from evidence.clips.marks import MarkSource
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


class PositionItem(ResponseModel):
    """Where a camera says it was."""

    latitude_e6: int = Field(description="Millionths of a degree, north positive")
    longitude_e6: int = Field(description="Millionths of a degree, east positive")
    height_mm: int | None = None


class MarkItem(ResponseModel):
    """A mark, and who says so."""

    source: MarkSource = Field(description="person, recorder or controller")
    kind: str = Field(description="A marker of the vocabulary; of devices key_mark, position, bookmark or trail")
    at_ms: int | None = Field(description="Milliseconds from the first frame; null for what is about the whole clip")
    until_ms: int | None
    note: str | None
    by: str = Field(description="Actor of the entry that states it")
    entry: UUID
    position: PositionItem | None


class MarkItems(ResponseModel):
    """Marks of people and devices, in the order of their moments; devices' marks are in no annotation."""

    clip: UUID
    version: int = Field(description="Version of the annotation that people's marks are from, 0 for none")
    items: list[MarkItem]


class DocumentItem(ResponseModel):
    """A related document against the clip's own times."""

    kind: str
    number: str | None
    starts: str | None = Field(description="From when, as the document states it")
    ends: str | None = Field(description="Until when, as the document states it")
    begins_ms: int | None = Field(description="How much later the clip begins than the document says")
    ends_ms: int | None = Field(description="How much later the clip ends than the document says")
    agrees: bool | None = Field(description="Whether both are less than a minute; null if nothing can be compared")


class DocumentItems(ResponseModel):
    """Documents that tell of the same act, as the annotation names them, against the recorder's word."""

    clip: UUID
    version: int
    recorded_at: Time | None
    duration_ms: int | None
    items: list[DocumentItem]
