"""JSON about the continuity of a clip."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from api.models.common import ResponseModel


class ObservationItem(ResponseModel):
    """A lead, never a verdict."""

    code: str = Field(description="See docs/continuity.md")
    severity: str = Field(description="`info`, `notice` or `high`")
    en: str = Field(description="What it means, in English; empty for a code of a later version")
    zh: str = Field(description="The same in Chinese")
    causes_en: str = Field(description="What may innocently cause it")
    causes_zh: str = Field(description="The same in Chinese")
    track: int | None = Field(description="Number of the track in the file, from 0")
    bytes: list[int] | None = Field(description="First byte in the original and the end of the place")
    ms: list[int] | None = Field(description="From when to when, in milliseconds as the container counts them")
    measured: dict[str, object] = Field(description="What was measured: whole numbers and words")


class ContinuityItem(ResponseModel):
    """What a clip's own bookkeeping, and its neighbours', give occasion to note."""

    clip: UUID
    walk: str = Field(description="The container whose structure was walked, `none` if it is not known")
    packets: int = Field(description="How many coded packets were followed")
    whole: bool = Field(description="Whether they could be read to the end of the file")
    tracks: list[dict[str, object]] = Field(description="Tracks that were followed, with what is understood of them")
    counts: dict[str, int] = Field(description="How often each code was noted; the first ones of each are listed")
    observations: list[ObservationItem] = Field(description="About the file itself, the heaviest first")
    sequence: list[ObservationItem] = Field(
        description="About its neighbours of the same recorder that are in the house now, by the recorder's own clock"
    )
