"""JSON of docks as they stand, and of what they say of themselves every minute."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from ledger.canonical import INTEGER_MAX

SLOTS_MAX = 64
"""Most slots of one dock; the largest racks have 25."""

Word = Annotated[str, Field(max_length=100)]
Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]


class SlotSaid(RequestModel):
    """One slot as its dock shows it."""

    name: Word
    recorder: Word | None
    phase: Word
    safe: bool


class ClockSaid(RequestModel):
    """The dock's clock minus the service's in milliseconds, and by how much that may be off."""

    offset_ms: int = Field(ge=-INTEGER_MAX, le=INTEGER_MAX)
    uncertainty_ms: Count


class Heartbeat(RequestModel):
    """What a dock says of itself; none of it is evidence, and the newest word replaces the one before."""

    agent: Word = Field(description="Version of the program")
    profiles: dict[Word, Word] = Field(max_length=100, description="Layout profiles, name to digest")
    disk_free_bytes: Count = Field(description="Free on the disk of its state folder")
    slots: list[SlotSaid] = Field(max_length=SLOTS_MAX)
    journal: dict[Word, Count] = Field(max_length=50, description="Files in its journal, state to number")
    waiting_notes: Count = Field(description="Signed statements that were not acknowledged yet")
    clock: ClockSaid | None = Field(description="Null until the service answered once")


class HeartbeatAnswer(ResponseModel):
    """What the dock should know."""

    server_time: Time = Field(description="The service's clock when it answered")
    rotate_key: bool = Field(description="Whether an administrator wants it to go over to another key")
    next_seconds: int = Field(description="When to speak again")


class DockStanding(StrEnum):
    """How a dock stands."""

    HEARD = "heard"
    SILENT = "silent"
    NEVER_HEARD = "never_heard"
    REVOKED = "revoked"


class DockItem(ResponseModel):
    """One dock as it stands."""

    dock: UUID
    name: str
    vkey: str = Field(description="The key that counts now")
    key_sequence: int = Field(description="How often its key was changed")
    key_since: Time = Field(description="Since when the present key counts")
    key_demanded_at: Time | None = Field(description="When an administrator asked for another key than this one")
    enrolled_at: Time
    revoked_at: Time | None
    revoked_reason: str | None
    state: DockStanding
    heard_at: Time | None = Field(description="When it spoke last; docks of older versions never do")
    said: Heartbeat | None = Field(description="What it said then")


class DockPage(Page[DockItem]):
    """Docks in order of their ids."""


class DemandKey(RequestModel):
    """An administrator wants a dock to go over to another key."""

    reason: str = Field(min_length=1, max_length=1000, description="Why; goes on record")
