"""Payloads about the outbox: who is told of which entries, from when to when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evidence.custody.payloads import Id, Name, Payload, Word


class OutboxSubscribed(Payload):
    """Another platform is told of entries of some types from now on; of their words only if `detail` says so."""

    subscription: Id
    name: Name
    url: Name
    types: Annotated[list[Word], Field(min_length=1, max_length=200)]
    detail: Literal["ids", "payload"]


class OutboxEnded(Payload):
    """A platform is told of nothing any more."""

    subscription: Id
    reason: Name
