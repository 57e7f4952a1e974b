"""JSON about what a machine takes people to have said in a clip."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from api.models.clips import RenditionItem
from api.models.common import ResponseModel, Time


class TranscriptItem(ResponseModel):
    """How far the transcript of a clip is, and what it is made of; its words are seen by a view like the footage."""

    clip: UUID
    state: Literal["none", "waiting", "running", "silent", "failed", "transcribed"] = Field(
        description="`none`: nobody listens here, or not yet; `silent`: nobody speaks; `failed`: see `reason`"
    )
    reason: str | None = Field(description="Why it failed, or why it was put off")
    proposal: Literal[True] = Field(description="A machine says so and nobody has confirmed it")
    entry: UUID | None = Field(description="Its entry in the ledger")
    transcribed_at: Time | None
    counts: dict[str, int] = Field(description="Stretches of speech, segments with words, voices told apart")
    models: dict[str, object] = Field(description="The models that say so: kind, name, licence, languages, digest")
    tools: dict[str, str]
    renditions: list[RenditionItem] = Field(
        description="`transcript` and `captions` (WebVTT); the words come through POST /v1/clips/{clip}/views"
    )
