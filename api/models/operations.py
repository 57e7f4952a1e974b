"""JSON about how the house does: its log, witnesses, time stamps, audit, jobs and storage."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import Digest, ResponseModel, Time
from api.models.service import Check

WATCH_SECONDS_MAX = 60
"""Longest one stream of docks stays open; a browser comes again by itself, and is let in anew."""


class WatchQuery(BaseModel):
    """How long to be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: int = Field(
        0, ge=0, le=WATCH_SECONDS_MAX, description="How long the stream stays open; 0 tells once how they stand"
    )


class LogItem(ResponseModel):
    """The log, and how far its newest published checkpoint is."""

    origin: str
    sequenced: int = Field(description="Entries in the tree")
    published: int = Field(description="Entries under the newest published checkpoint")
    pending: int = Field(description="Entries that wait for their place")
    behind_seconds: float = Field(description="Age of the oldest entry that is not published; 0 when all are")
    root: Digest | None = Field(description="Of the published tree; null before the first publication")
    published_at: Time | None
    withheld: str | None = Field(description="Why the newest checkpoint waits for witnesses; null when none does")


class WitnessItem(ResponseModel):
    """A witness as this process knows it."""

    name: str
    size: int | None = Field(description="Size it cosigned last")
    succeeded_at: Time | None
    error: str | None = Field(description="Why it did not when it was asked last")
    offset_seconds: float | None = Field(description="Its clock minus ours")


class StamperItem(ResponseModel):
    """A time stamp authority as this process knows it."""

    name: str
    size: int | None = Field(description="Size of the newest checkpoint it stamped")
    stamped_at: Time | None
    failures: int = Field(description="Tries in a row that failed")
    error: str | None = Field(description="Why the last try failed")
    offset_seconds: float | None = Field(description="Its clock minus ours, at the last stamp")


class AuditFindingItem(ResponseModel):
    """What the audit named under one code."""

    code: str = Field(description="See docs/findings.md")
    means: str
    severity: str
    count: int
    clips: list[UUID] = Field(description="Clips it is about that the caller may know of, at most 20")


class AuditItem(ResponseModel):
    """The background audit."""

    completed_at: Time | None = Field(description="When its last round ended; null before the first")
    coverage: float = Field(description="Part of the objects that the present round has read, 0 to 1")
    findings: list[AuditFindingItem]


class JobsItem(ResponseModel):
    """Work of one kind that is done behind requests; a job that was given up counts as failed."""

    kind: Literal["derivation", "transcription", "redaction", "export"]
    waiting: int
    running: int
    failed: int
    failed_recently: int = Field(description="Of those, the ones that ended within seven days")
    oldest_at: Time | None = Field(description="Since when the oldest waits that is not begun")
    reason: str | None = Field(description="Why the last one failed")


class OutboxItem(ResponseModel):
    """Messages to other platforms."""

    subscriptions: int = Field(description="That were not ended")
    paused: int
    failing: int = Field(description="Whose next message has failed at least once")
    dead: int = Field(description="Messages that were given up and nobody has sent again")


class StorageItem(ResponseModel):
    """The disk of the data folder, in bytes."""

    total: int
    free: int
    reserve: int = Field(description="Below this no upload is taken")
    copies_waiting: int | None = Field(description="Objects without a copy; null without a second store")
    copies_error: str | None = Field(description="What keeps them from being copied")


class OperationsItem(ResponseModel):
    """How the house does, as the answering process knows it."""

    at: Time = Field(description="The service's clock")
    checks: list[Check] = Field(description="As in /readyz")
    log: LogItem
    witnesses: list[WitnessItem]
    stampers: list[StamperItem]
    audit: AuditItem | None = Field(description="Null where this process does not audit")
    jobs: list[JobsItem]
    outbox: OutboxItem
    storage: StorageItem
