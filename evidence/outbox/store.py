"""SQL of the outbox: subscriptions, how far each is told, what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from evidence.custody.outbox_payloads import OutboxEnded, OutboxSubscribed
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.outbox.message import Message

_WINDOW = 5_000
"""Places of the log that one statement looks at; a subscription to something rare takes several."""

_SUBSCRIPTIONS = """
SELECT s.subscription, s.name, s.url, s.types, s.detail, s.begun_at, e.ended_at, e.reason,
       c.next_index, c.attempts, c.retry_at, c.problem, c.paused_at, c.secret IS NOT NULL AS has_secret,
       (SELECT count(*) FROM outbox_dead d WHERE d.subscription = s.subscription) AS dead
FROM outbox_subscription s JOIN outbox_cursor c USING (subscription) LEFT JOIN outbox_end e USING (subscription)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription as it stands: `attempts` and `problem` are of the next message, `dead` counts the given up."""

    subscription: UUID
    name: str
    url: str
    types: list[str]
    detail: str
    begun_at: datetime
    ended_at: datetime | None
    reason: str | None
    next_index: int
    attempts: int
    retry_at: datetime
    problem: str | None
    paused_at: datetime | None
    has_secret: bool
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to send for a subscription, until its lease ends."""

    subscription: UUID
    url: str
    types: list[str]
    detail: str
    next_index: int
    attempts: int
    first_failed_at: datetime | None
    lease: UUID
    secrets: list[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was given up."""

    entry_id: UUID
    log_index: int
    problem: str
    given_up_at: datetime
    again_at: datetime | None


async def project_outbox_subscribed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `outbox.subscribed`."""
    body = OutboxSubscribed.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO outbox_subscription (subscription, name, url, types, detail, begun_at, begun_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(body.subscription, body.name, body.url, body.types, body.detail, event.at, event.actor, event.entry_id),
    )


async def project_outbox_ended(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `outbox.ended`."""
    body = OutboxEnded.model_validate(event.payload)
    await conn.execute(
        "INSERT INTO outbox_end (subscription, reason, ended_at, ended_by, entry_id) VALUES ($1, $2, $3, $4, $5)",
        *(body.subscription, body.reason, event.at, event.actor, event.entry_id),
    )


async def insert_cursor(conn: Connection, subscription: UUID, *, next_index: int, at: datetime) -> None:
    """Begin to follow the log for a subscription at a place."""
    await conn.execute(
        "INSERT INTO outbox_cursor (subscription, next_index, retry_at) VALUES ($1, $2, $3)",
        *(subscription, next_index, at),
    )


async def find_subscription(conn: Connection, subscription: UUID) -> Subscription | None:
    """Return a subscription by its id."""
    row = await conn.fetchrow(f"{_SUBSCRIPTIONS} WHERE s.subscription = $1", subscription)
    return None if row is None else Subscription(**dict(row))


async def list_subscriptions(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[Subscription]:
    """Return subscriptions in the order they were made in, behind `after`; ended ones included."""
    rows = await conn.fetch(
        f"{_SUBSCRIPTIONS} WHERE s.subscription > $1 ORDER BY s.subscription LIMIT $2", after or FIRST_ID, limit
    )
    return [Subscription(**dict(row)) for row in rows]


async def put_secret(conn: Connection, subscription: UUID, secret: bytes, *, before_until: datetime) -> None:
    """Sign with another secret from now on; the one before signs as well until then."""
    await conn.execute(
        """UPDATE outbox_cursor SET secret_before = secret, before_until = $3, secret = $2
           WHERE subscription = $1""",
        *(subscription, secret, before_until),
    )


async def take_turn(conn: Connection, *, lease: UUID, until: datetime, published: int, now: datetime) -> Turn | None:
    """Take a subscription that has something to be looked at, for a while; None when there is none."""
    row = await conn.fetchrow(
        """UPDATE outbox_cursor c SET lease = $1, lease_until = $2
           FROM outbox_subscription s
           WHERE s.subscription = c.subscription AND c.subscription = (
               SELECT n.subscription FROM outbox_cursor n
               WHERE n.secret IS NOT NULL AND n.paused_at IS NULL AND n.next_index < $3 AND n.retry_at <= $4
                 AND (n.lease IS NULL OR n.lease_until <= $4)
                 AND NOT EXISTS (SELECT FROM outbox_end e WHERE e.subscription = n.subscription)
               ORDER BY n.retry_at LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING c.subscription, s.url, s.types, s.detail, c.next_index, c.attempts, c.first_failed_at, c.lease,
                     CASE WHEN c.before_until > $4 AND c.secret_before IS NOT NULL
                          THEN ARRAY[c.secret, c.secret_before] ELSE ARRAY[c.secret] END AS secrets""",
        *(lease, until, published, now),
    )
    return None if row is None else Turn(**dict(row))


async def next_message(
    conn: Connection, *, types: Sequence[str], start: int, published: int
) -> tuple[Message | None, int]:
    """Return the first message at or behind a place, and the place behind what was looked at."""
    end = min(start + _WINDOW, published)
    row = await conn.fetchrow(
        """SELECT l.index, p.entry_id, p.type, p.actor, p.subject, p.at, p.payload, p.salt
           FROM ledger_leaf l JOIN custody_payload p USING (entry_id)
           WHERE l.index >= $1 AND l.index < $2 AND p.type = ANY($3) ORDER BY l.index LIMIT 1""",
        *(start, end, list(types)),
    )
    if row is None:
        return None, end
    return Message(**dict(row)), row["index"] + 1


async def find_message(conn: Connection, index: int) -> Message | None:
    """Return the message about a place of the log."""
    row = await conn.fetchrow(
        """SELECT l.index, p.entry_id, p.type, p.actor, p.subject, p.at, p.payload, p.salt
           FROM ledger_leaf l JOIN custody_payload p USING (entry_id) WHERE l.index = $1""",
        index,
    )
    return None if row is None else Message(**dict(row))


async def move_on(conn: Connection, turn: Turn, *, at: int, to: int, until: datetime) -> bool:
    """Move a subscription from one place to another, by compare-and-set; False when the turn is another's by now."""
    status = await conn.execute(
        """UPDATE outbox_cursor
           SET next_index = $3, attempts = 0, first_failed_at = NULL, problem = NULL, lease_until = $5
           WHERE subscription = $1 AND lease = $4 AND next_index = $2""",
        *(turn.subscription, at, to, turn.lease, until),
    )
    return not status.endswith(" 0")


async def note_failure(
    conn: Connection, turn: Turn, *, problem: str, attempts: int, failed_at: datetime, retry_at: datetime
) -> None:
    """Put the next attempt off, and give the turn back."""
    await conn.execute(
        """UPDATE outbox_cursor
           SET attempts = $3, problem = $4, first_failed_at = coalesce(first_failed_at, $5), retry_at = $6, lease = NULL
           WHERE subscription = $1 AND lease = $2""",
        *(turn.subscription, turn.lease, attempts, problem, failed_at, retry_at),
    )


async def give_back(conn: Connection, turn: Turn) -> None:
    """Give the turn back: there is nothing to be told for now."""
    await conn.execute(
        "UPDATE outbox_cursor SET lease = NULL WHERE subscription = $1 AND lease = $2", turn.subscription, turn.lease
    )


async def bury(conn: Connection, turn: Turn, message: Message, *, problem: str, at: datetime) -> None:
    """Keep what was given up, with the reason."""
    await conn.execute(
        """INSERT INTO outbox_dead (subscription, entry_id, log_index, problem, given_up_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING""",
        *(turn.subscription, message.entry_id, message.index, problem, at),
    )


async def dead_letters(conn: Connection, subscription: UUID, *, after: int, limit: int) -> Sequence[DeadLetter]:
    """Return what was given up of a subscription, in the log's order, behind a place."""
    rows = await conn.fetch(
        """SELECT entry_id, log_index, problem, given_up_at, again_at FROM outbox_dead
           WHERE subscription = $1 AND log_index > $2 ORDER BY log_index LIMIT $3""",
        *(subscription, after, limit),
    )
    return [DeadLetter(**dict(row)) for row in rows]
