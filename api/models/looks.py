"""JSON about looks at many clips."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, field_validator

from api.bodies import RequestModel
from api.models.clips import WORD
from api.models.common import ResponseModel, Time
from evidence.custody.look_payloads import LOOK_CLIPS_MAX


class OpenLook(RequestModel):
    """Somebody wants to look at the pictures of many clips, and says what for."""

    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")
    clips: Annotated[list[UUID], Field(min_length=1, max_length=LOOK_CLIPS_MAX)] = Field(
        description="Each once; those that you may not look at are left out without a word"
    )

    @field_validator("clips")
    @classmethod
    def _each_once(cls, clips: list[UUID]) -> list[UUID]:
        if len(set(clips)) != len(clips):
            raise ValueError("a clip is named twice")
        return clips


class SeenClip(ResponseModel):
    """What there is to be seen of one clip: fetch each kind at the look's `url`, `/{clip}/{kind}`."""

    clip: UUID
    kinds: list[str] = Field(description="`poster`, `storyboard` (WebVTT) and `storyboard-sheet`, its pictures")


class NothingToSee(ResponseModel):
    """None of the clips has pictures that whoever asks may see."""

    clips: list[SeenClip] = Field(description="Empty")


class OpenedLook(ResponseModel):
    """The look is on record; the address works until it expires, for these pictures and nothing else."""

    url: str
    expires_at: Time
    entry: UUID
    clips: list[SeenClip]
