"""JSON about recordings: clips that came together, and what came beside them."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from api.models.common import Digest, ResponseModel, Time


class RecordedClipItem(ResponseModel):
    """One original of a recording."""

    name: str
    clip: UUID
    sha256: Digest
    size: int = Field(description="Bytes")
    started_at: Time | None
    stopped_at: Time | None
    metadata: dict[str, str]


class CompanionItem(ResponseModel):
    """What came beside the originals."""

    name: str
    kind: str = Field(description="bookmark, trail, key, checksum, sidecar")
    clip: UUID = Field(description="Clip it belongs to")
    sha256: Digest | None = Field(description="None where it has no bytes")
    size: int = Field(description="Bytes")
    metadata: dict[str, str]
    text: str | None = Field(description="What a bookmark says, None of anything else")


class RecordingItem(ResponseModel):
    """A recording as its controller delivered it; what it says about it is kept as it came."""

    recording: UUID
    controller: UUID
    container: str
    recorder: str | None
    wearer: str | None = Field(description="Who wore the recorder, by the controller's own id")
    officer: str | None = Field(description="The number registered for that id")
    officer_name: str | None
    started_at: Time | None
    stopped_at: Time | None
    metadata: dict[str, str]
    clips: list[RecordedClipItem]
    companions: list[CompanionItem]
    sealed_at: Time
    entry: UUID = Field(description="Ledger entry that states all of this")
