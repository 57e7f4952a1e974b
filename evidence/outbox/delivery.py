"""Delivery: each subscription follows the published log with a cursor, in order, one message at a time.

    turn taken (lease) -> next message read -> sent -> cursor moved by compare-and-set -> ...

Broken off before the sending, nothing happened. Broken off between the sending and the move, the message is sent again
when the lease has ended, with the same `webhook-id` and the same bytes: at least once from here, exactly one effect at
a receiver that keeps the ids it has seen. Whoever lost the lease moves nothing.

A failure puts the same message off, longer each time (`PAUSES`); what comes behind it waits, so order holds. After
`GIVEN_UP_AFTER` the message is kept as a dead letter with the reason, and the next one has its turn. 410 Gone gives a
message up at once, as the specification says; the subscription stays until somebody ends it.

A dead letter that somebody wants sent again (`by_hand`) is taken when nothing else is to be told, under a lease of its
own (`again_at` in the future). Broken off before the sending or behind it: sent when that has ended, under the same id.
Taken: forgotten. Refused: it stays, with the new reason, until somebody asks anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.db.pool import Pool
from evidence.outbox import again_store, store
from evidence.outbox.again_store import Again
from evidence.outbox.errors import SubscriptionInvalid, TargetRefused
from evidence.outbox.message import Message, body_of, headers_of
from evidence.outbox.store import Turn
from evidence.outbox.subscriptions import check_target
from ledger.pausing import happens
from ledger.store import published_size

PAUSES = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0)
"""Seconds until the next attempt; the last one again and again."""

GIVEN_UP_AFTER = timedelta(days=3)
LEASE = timedelta(seconds=60)
LOOK_SECONDS = 1.0
"""Pause in seconds between two looks while there is nothing to tell."""

GONE = 410


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an attempt: the receiver's status, or what went wrong on the way."""

    status: int | None
    problem: str | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """Say why it was not taken."""
        return self.problem or f"answered {self.status}"


class Sender(Protocol):
    """Sends one message; never follows a redirect, never raises for what goes wrong on the way."""

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Told:
        """Send and tell what came of it, within less than the lease."""
        ...


class Outbox:
    """Tells all subscriptions what they are to be told; any number of processes may do it at once."""

    def __init__(self, pool: Pool, sender: Sender, *, targets: Sequence[str], clock: Clock, entropy: Entropy) -> None:
        self._pool = pool
        self._sender = sender
        self._targets = targets
        self._clock = clock
        self._entropy = entropy

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`."""
        while not stop.is_set():
            if not await self.step(stop):
                await happens(stop, LOOK_SECONDS)

    async def step(self, stop: asyncio.Event | None = None) -> bool:
        """Take one turn of one subscription as far as it goes, or send one message again; False if there is neither."""
        now = self._clock()
        async with self._pool.acquire() as conn:
            published = await published_size(conn)
            lease = uuid7(clock=self._clock, entropy=self._entropy)
            turn = await store.take_turn(conn, lease=lease, until=now + LEASE, published=published, now=now)
        if turn is None:
            return await self._send_again()
        place = turn.next_index
        while place < published and not (stop is not None and stop.is_set()):
            following = await self._tell_next(turn, place=place, published=published)
            if following is None:
                return True
            place = following
        async with self._pool.acquire() as conn:
            await store.give_back(conn, turn)
        return True

    async def _tell_next(self, turn: Turn, *, place: int, published: int) -> int | None:
        """Tell the next message; return the place behind it, None when the turn has ended."""
        async with self._pool.acquire() as conn:
            message, behind = await store.next_message(conn, types=turn.types, start=place, published=published)
        told = Told(204) if message is None else await self._tell(turn, message)
        now = self._clock()
        async with self._pool.acquire() as conn, conn.transaction():
            if message is not None and not told.is_taken:
                first = turn.first_failed_at if place == turn.next_index else None
                attempts = turn.attempts if place == turn.next_index else 0
                expired = first is not None and now - first >= GIVEN_UP_AFTER
                if told.status != GONE and not expired:
                    # The cursor stands before this very message, so that the count is of it.
                    pause = timedelta(seconds=PAUSES[min(attempts, len(PAUSES) - 1)])
                    await store.note_failure(
                        conn, turn, problem=told.reason, attempts=attempts + 1, failed_at=now, retry_at=now + pause
                    )
                    return None
                await store.bury(conn, turn, message, problem=told.reason, at=now)
            moved = await store.move_on(conn, turn, at=place, to=behind, until=now + LEASE)
        return behind if moved else None

    async def _send_again(self) -> bool:
        """Send a message again that was given up and that somebody has asked for; False when there is none."""
        now = self._clock()
        async with self._pool.acquire() as conn:
            again = await again_store.take_again(conn, until=now + LEASE, now=now)
            message = None if again is None else await store.find_message(conn, again.log_index)
        if again is None or message is None:
            return False
        told = await self._tell(again, message)
        async with self._pool.acquire() as conn:
            if told.is_taken:
                await again_store.was_taken(conn, again)
            else:
                await again_store.was_refused(conn, again, problem=told.reason, at=self._clock())
        return True

    async def _tell(self, turn: Turn | Again, message: Message) -> Told:
        try:
            check_target(turn.url, self._targets)
        except (TargetRefused, SubscriptionInvalid) as error:
            return Told(None, error.message)
        body = body_of(message, with_payload=turn.detail == "payload")
        headers = headers_of(message, body, secrets=turn.secrets, now=self._clock())
        return await self._sender.send(turn.url, body, headers)
