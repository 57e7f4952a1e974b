"""JSON about annotating many clips at once."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from api.bodies import RequestModel
from api.models.common import ResponseModel
from evidence.clips.bulk import ATOMIC_MAX, CLIPS_MAX, Addition, Target
from evidence.clips.parts import Line
from evidence.db.paging import LAST_INTEGER


class BulkTarget(RequestModel):
    """A clip to add to."""

    clip: UUID
    version: int | None = Field(
        None,
        ge=0,
        le=LAST_INTEGER,
        description="Version that was seen, 0 for none; without it, only adds to the newest",
    )


class AnnotateMany(RequestModel):
    """One addition to many clips: what is empty is filled in, what is not there is added, nothing is taken away."""

    clips: Annotated[list[BulkTarget], Field(min_length=1, max_length=CLIPS_MAX)]
    add: Addition = Field(examples=[{"remark": "现场检查全程"}])
    all_or_nothing: bool = Field(
        default=False, description=f"Whether nothing is written if one clip is refused; at most {ATOMIC_MAX} clips"
    )
    reason: Line | None = Field(None, description="Why, on record with every version that comes of it")

    @model_validator(mode="after")
    def _fits_together(self) -> AnnotateMany:
        if len({target.clip for target in self.clips}) != len(self.clips):
            raise ValueError("a clip is named twice")
        if self.all_or_nothing and len(self.clips) > ATOMIC_MAX:
            raise ValueError(f"at most {ATOMIC_MAX} clips are annotated all or nothing")
        return self

    def targets(self) -> list[Target]:
        """Return the clips, for the domain."""
        return [Target(clip=target.clip, version=target.version) for target in self.clips]


class BulkItem(ResponseModel):
    """What became of one clip."""

    clip: UUID
    outcome: Literal["written", "unchanged", "refused"] = Field(description="`unchanged`: it says all of it already")
    version: int | None = Field(description="Version of its annotation now; null where it was refused")
    entry: UUID | None = Field(description="Ledger entry of the version that was written")
    kept: list[str] = Field(description="Fields that were not filled in, because the clip says something else there")
    code: str | None = Field(description="Why it was refused")
    detail: str | None


class BulkItems(ResponseModel):
    """What became of the clips, in the order of the request."""

    items: list[BulkItem]


class BulkAnswer(BulkItems):
    """What became of all of them, and how many there are of each kind."""

    written: int
    unchanged: int
    refused: int
