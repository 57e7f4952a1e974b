"""JSON about the outbox."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.outbox.subscriptions import URL_CHARACTERS_MAX
from evidence.parties.names import NAME_CHARACTERS_MAX


class Subscribe(RequestModel):
    """An administrator wants another platform to be told of entries."""

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, description="What people call the platform")
    url: str = Field(
        min_length=1,
        max_length=URL_CHARACTERS_MAX,
        description="Where messages go; its origin has to be in the setting OUTBOX_TARGETS",
        examples=["https://platform.example.cn/hooks/shilu"],
    )
    types: list[str] = Field(
        min_length=1, max_length=200, description="Types of entries, see docs/entries.md", examples=[["clip.sealed"]]
    )
    detail: Literal["ids", "payload"] = Field(
        "ids", description="`ids`: who, what and where in the log; `payload`: people's words too, and the salt"
    )


class SubscriptionItem(ResponseModel):
    """One subscription as it stands."""

    subscription: UUID
    name: str
    url: str
    types: list[str]
    detail: str
    begun_at: Time
    ended_at: Time | None
    reason: str | None = Field(description="Why it was ended")
    next_index: int = Field(description="Place in the log that is looked at next; all before it is told or given up")
    attempts: int = Field(description="Failed attempts with the message that is next")
    retry_at: Time = Field(description="When the next attempt is made")
    problem: str | None = Field(description="What the last attempt failed by")
    paused_at: Time | None = Field(description="Since when nothing is sent because somebody has paused it")
    has_secret: bool = Field(description="Nothing is sent before there is one")
    dead: int = Field(description="Messages that were given up")


class SubscriptionPage(Page[SubscriptionItem]):
    """Subscriptions in the order they were made in."""


class OutboxSecret(ResponseModel):
    """The only copy of a secret."""

    secret: str = Field(description="`whsec_`..., as Standard Webhooks spells it; the one before signs for a day more")


class SendAgain(RequestModel):
    """An administrator wants messages sent again that were given up."""

    entries: list[Annotated[UUID, Field(strict=False)]] | None = Field(
        None, min_length=1, max_length=200, description="Entries that they are about; all without it"
    )


class SentAgain(ResponseModel):
    """They are sent as soon as nothing else is to be told, under the ids they always had."""

    waiting: int = Field(description="How many of them are waiting")


class DeadLetterItem(ResponseModel):
    """A message that was given up."""

    entry: UUID
    index: int
    problem: str
    given_up_at: Time
    again_at: Time | None = Field(description="When it is sent again because somebody asked for it")


class DeadLetterPage(Page[DeadLetterItem]):
    """What was given up, in the order of the log."""
