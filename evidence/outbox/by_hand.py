"""What an administrator does about a subscription: pause it, go on, send again what was given up, try the way.

Sending again is asked for here and done by whoever delivers (`delivery`), with the same `webhook-id` and the same
bytes as ever: a receiver that keeps the ids it has seen takes it once, even where it had it and its answer was lost.
It comes behind younger messages; order is kept for what was never given up. Asked for twice it is sent once.

Pausing takes the turn from whoever is sending: the message that is under way then counts as not told, and is the first
one when it goes on. None of this is on record, as cursors and dead letters are not; that a platform is paused, and
since when, stands in the list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection, Pool
from evidence.outbox.again_store import ask_again, set_pause, signing_secrets
from evidence.outbox.delivery import Sender, Told
from evidence.outbox.errors import SubscriptionUnknown
from evidence.outbox.message import sign
from evidence.outbox.store import Subscription
from evidence.outbox.subscriptions import check_target, subscription_of

TEST_TYPE = "outbox.test"
"""Type of a message that is about no entry; its `data` names the subscription alone."""


async def pause(conn: Connection, subscription: UUID, *, clock: Clock) -> Subscription:
    """Tell a platform nothing for now, in the caller's transaction.

    Raises:
        SubscriptionUnknown: There is none in force.
    """
    await _in_force(conn, subscription)
    await set_pause(conn, subscription, at=clock())
    return await subscription_of(conn, subscription)


async def go_on(conn: Connection, subscription: UUID) -> Subscription:
    """Tell a paused platform again, from where it stood, in the caller's transaction.

    Raises:
        SubscriptionUnknown: There is none in force.
    """
    await _in_force(conn, subscription)
    await set_pause(conn, subscription, at=None)
    return await subscription_of(conn, subscription)


async def send_again(conn: Connection, subscription: UUID, entries: Sequence[UUID] | None, *, clock: Clock) -> int:
    """Have messages that were given up sent again, in the caller's transaction; return how many are waiting for it.

    Args:
        entries: Entries that they are about, others are passed over; None for all that were given up.

    Raises:
        SubscriptionUnknown: There is none in force.
    """
    await _in_force(conn, subscription)
    return await ask_again(conn, subscription, entries, at=clock())


async def try_out(
    pool: Pool, sender: Sender, subscription: UUID, *, targets: Sequence[str], clock: Clock, entropy: Entropy
) -> Told:
    """Send a message that is about nothing, at once, and tell what came of it; cursor and dead letters stay.

    Raises:
        SubscriptionUnknown: There is none in force, or it has no secret to sign with yet.
        SubscriptionInvalid, TargetRefused: Its address may not be told anything, or not any more.
    """
    async with pool.acquire() as conn:
        one = await subscription_of(conn, subscription)
        secrets = await signing_secrets(conn, subscription, now=clock())
    if one.ended_at is not None or not secrets:
        raise SubscriptionUnknown("the subscription has ended, or has no secret yet")
    check_target(one.url, targets)
    said = {"type": TEST_TYPE, "timestamp": format_time(clock()), "data": {"subscription": str(subscription)}}
    body = json.dumps(said, separators=(",", ":")).encode()
    headers = sign(str(uuid7(clock=clock, entropy=entropy)), body, secrets=secrets, now=clock())
    return await sender.send(one.url, body, headers)


async def _in_force(conn: Connection, subscription: UUID) -> None:
    await lock_subject(conn, f"subscription:{subscription}")
    if (await subscription_of(conn, subscription)).ended_at is not None:
        raise SubscriptionUnknown("the subscription has ended")
