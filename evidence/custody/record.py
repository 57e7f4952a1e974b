"""Putting an event on record: ledger entry, payload and rows, all in the caller's transaction.

The order inside the transaction does not matter to the outside: either all of it is committed, or none. What does
matter: the rows are made from the payload's canonical bytes as they were written, not from the values the caller handed
in, so that a replay years later goes through exactly the same code with exactly the same input.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time, parse_time
from evidence.core.ids import uuid7
from evidence.custody.events import checked_payload
from evidence.custody.recorded import RecordedEvent
from evidence.custody.store import StoredPayload, insert_payload
from evidence.db.pool import Connection
from evidence.errors import EventInvalid
from ledger.canonical import SALT_BYTES, Entry, JsonObject, canonical_json, commitment
from ledger.store import append


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event on record: the id of its entry and its time, to the millisecond."""

    entry_id: UUID
    at: datetime


async def record(
    conn: Connection,
    *,
    type: str,  # noqa: A002 - the ledger's own word
    actor: str,
    subject: str,
    payload: JsonObject,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Write an event's entry, payload and rows within the caller's transaction.

    Args:
        type: A key of `evidence.custody.events.EVENTS`.
        actor: `dock:<uuid>`, `controller:<uuid>`, `staff:<uuid>` or `service`.
        subject: What it is about, as the event's definition demands.

    Raises:
        EventInvalid: Unknown type, payload or subject that does not fit it, or no transaction.
        CanonicalMalformed: The payload is no canonical JSON.
    """
    if not conn.is_in_transaction():
        raise EventInvalid(f"{type} must be recorded within a transaction")
    canonical = canonical_json(payload)
    body = json.loads(canonical)
    event = checked_payload(type, body)
    if subject != event.subject_of(body):
        raise EventInvalid(f"the subject of {type} is {event.subject_of(body)}, not {subject}")
    at = parse_time(format_time(clock()))
    entry_id = uuid7(clock=lambda: at, entropy=entropy)
    salt = entropy(SALT_BYTES)
    commit = commitment(salt=salt, payload=canonical)
    await append(conn, Entry(type=type, id=entry_id, at=at, actor=actor, subject=subject, commit=commit))
    await insert_payload(
        conn,
        StoredPayload(entry_id=entry_id, type=type, actor=actor, subject=subject, at=at, payload=canonical, salt=salt),
    )
    recorded = RecordedEvent(entry_id=entry_id, type=type, actor=actor, subject=subject, at=at, payload=body)
    await event.project(conn, recorded)
    if event.refresh is not None:
        await event.refresh(conn, recorded)
    return Recorded(entry_id=entry_id, at=at)
