"""Searching among what bears access classes: the purpose and what was shown go on record before anybody sees it.

Order of effects in `put_on_record`: the page has been found, the entry with its question, purpose and the restricted
clips on that page is written in the caller's transaction; the caller answers only after the commit. A crash before it
leaves nothing and has shown nothing, one after it leaves an entry of a page that perhaps nobody saw.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from evidence.access.grant_store import subjects_of_clips
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.pool import Connection
from ledger.canonical import JsonValue


async def put_on_record(
    conn: Connection,
    *,
    staff: UUID,
    session: UUID | None = None,
    purpose: str,
    question: str,
    shown: Collection[UUID],
    clock: Clock,
    entropy: Entropy,
) -> UUID:
    """Record that a person searched for a purpose, and which restricted clips the page shows; return the entry.

    Args:
        session: Public id of the session or token they showed.
        purpose: A key of `evidence.parties.purposes.PURPOSES`.
        question: The question in words, as it was asked.
        shown: All clips of the page; those that bear a class are stated.
    """
    subjects = await subjects_of_clips(conn, shown)
    restricted = {clip: subject.classes for clip, subject in subjects.items() if subject.classes}
    classes = frozenset[str]().union(*restricted.values())
    recorded = await record(
        conn,
        type="clips.searched",
        actor=f"staff:{staff}",
        subject=f"staff:{staff}",
        payload={
            "search": str(uuid7(clock=clock, entropy=entropy)),
            "staff": str(staff),
            "purpose": purpose,
            "question": question,
            "classes": list[JsonValue](sorted(classes)),
            "clips": list[JsonValue](sorted(map(str, restricted))),
            "session": None if session is None else str(session),
        },
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id
