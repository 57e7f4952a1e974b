"""Subscriptions: made, given a secret, ended. A subscription begins at the end of the log as it is published then.

Making one is idempotent at the boundary, so its answer holds no secret: that is asked for apart, shown once, and until
there is one nothing is sent. A new secret signs from now on, the one before for another day, so that a receiver can go
over without losing a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.events import EVENTS
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.outbox.errors import SubscriptionInvalid, SubscriptionUnknown, TargetRefused
from evidence.outbox.message import SECRET_BYTES, secret_text
from evidence.outbox.store import Subscription, find_subscription, insert_cursor, put_secret
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from ledger.store import published_size

URL_CHARACTERS_MAX = 1000
OVERLAP = timedelta(days=1)
"""How long a secret signs beside its successor."""


def check_target(url: str, targets: Sequence[str]) -> None:
    """See that an address may be told anything: its origin is one that the operator listed.

    Args:
        targets: Origins, such as `https://platform.example.cn`.

    Raises:
        SubscriptionInvalid: It is no plain http(s) URL.
        TargetRefused: Its origin is not listed.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SubscriptionInvalid("the address is no URL") from error
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if (
        not plain
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc
        or parts.fragment
    ):
        raise SubscriptionInvalid("the address is no plain http or https URL")
    origin = f"{parts.scheme}://{parts.hostname}" + ("" if port is None else f":{port}")
    if origin not in {target.rstrip("/").lower() for target in targets}:
        raise TargetRefused("the address is not among those that may be told anything", origin=origin)


async def subscribe(
    conn: Connection,
    *,
    name: str,
    url: str,
    types: Sequence[str],
    detail: Literal["ids", "payload"],
    targets: Sequence[str],
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Subscription:
    """Make a subscription, in the caller's transaction.

    Raises:
        SubscriptionInvalid, TargetRefused, NameInvalid: What is given is not usable.
    """
    check_name(name)
    if len(url) > URL_CHARACTERS_MAX:
        raise SubscriptionInvalid(f"an address has at most {URL_CHARACTERS_MAX} characters")
    check_target(url, targets)
    if unknown := sorted(set(types) - EVENTS.keys()):
        raise SubscriptionInvalid(f"there are no entries of type {unknown[0][:80]!r}")
    if not types:
        raise SubscriptionInvalid("a subscription names the types of entries it is about")
    subscription = uuid7(clock=clock, entropy=entropy)
    await record(
        conn,
        type="outbox.subscribed",
        actor=actor,
        subject=f"subscription:{subscription}",
        payload={
            "subscription": str(subscription),
            "name": name,
            "url": url,
            "types": [*sorted(set(types))],
            "detail": detail,
        },
        clock=clock,
        entropy=entropy,
    )
    await insert_cursor(conn, subscription, next_index=await published_size(conn), at=clock())
    return await subscription_of(conn, subscription)


async def new_secret(conn: Connection, subscription: UUID, *, clock: Clock, entropy: Entropy) -> str:
    """Give a subscription another secret, in the caller's transaction; return its only copy.

    Raises:
        SubscriptionUnknown: There is none in force.
    """
    await lock_subject(conn, f"subscription:{subscription}")
    await _in_force(conn, subscription)
    secret = entropy(SECRET_BYTES)
    await put_secret(conn, subscription, secret, before_until=clock() + OVERLAP)
    return secret_text(secret)


async def end_subscription(
    conn: Connection, subscription: UUID, *, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Tell a platform nothing any more, in the caller's transaction; return the ledger entry's id.

    Raises:
        SubscriptionUnknown: There is none in force.
        NameInvalid: The reason is empty, too long or has control characters.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_subject(conn, f"subscription:{subscription}")
    await _in_force(conn, subscription)
    recorded = await record(
        conn,
        type="outbox.ended",
        actor=actor,
        subject=f"subscription:{subscription}",
        payload={"subscription": str(subscription), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def subscription_of(conn: Connection, subscription: UUID) -> Subscription:
    """Return a subscription.

    Raises:
        SubscriptionUnknown: There is none.
    """
    found = await find_subscription(conn, subscription)
    if found is None:
        raise SubscriptionUnknown("there is no such subscription")
    return found


async def _in_force(conn: Connection, subscription: UUID) -> None:
    if (await subscription_of(conn, subscription)).ended_at is not None:
        raise SubscriptionUnknown("the subscription has ended")
