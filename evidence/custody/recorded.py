"""What is on record of one event: the value that projections turn into rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from evidence.db.pool import Connection
from ledger.canonical import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """One event as the ledger holds it.

    Attributes:
        entry_id: Id of its ledger entry, a UUIDv7.
        type: A key of `evidence.custody.events.EVENTS`.
        actor: Who did it: `dock:<uuid>`, `staff:<uuid>` or `service`.
        subject: What it is about, for example `clip:<uuid>`.
        at: When it was recorded, to the millisecond.
        payload: What the entry commits to; valid for its type.
    """

    entry_id: UUID
    type: str
    actor: str
    subject: str
    at: datetime
    payload: JsonObject


Projection: TypeAlias = Callable[[Connection, RecordedEvent], Awaitable[None]]
"""Inserts the rows of an event, from the event alone: it reads no table, no clock and no random bytes."""
