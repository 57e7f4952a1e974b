"""The outbox: subscriptions, their secrets, what was given up."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from api.answers import json_answer
from api.call import Call
from api.errors import CursorInvalid
from api.models.common import PageQuery, Recorded
from api.models.outbox import (
    DeadLetterItem,
    DeadLetterPage,
    OutboxSecret,
    SendAgain,
    SentAgain,
    Subscribe,
    SubscriptionItem,
    SubscriptionPage,
)
from api.models.parties import Revoke
from api.outbox import targets_of
from api.preconditions import once
from api.route import NoQuery
from evidence.db.pool import Connection
from evidence.outbox.by_hand import go_on, pause, send_again
from evidence.outbox.store import Subscription, dead_letters, list_subscriptions
from evidence.outbox.subscriptions import end_subscription, new_secret, subscribe, subscription_of

_INDEX_DIGITS_MAX = 15


async def create(call: Call[Subscribe, NoQuery]) -> web.Response:
    """Make a subscription."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> BaseModel:
        made = await subscribe(
            conn,
            name=body.name,
            url=body.url,
            types=body.types,
            detail=body.detail,
            targets=targets_of(services.config.outbox_targets),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return _item(made)

    return await once(call, route="subscribe", work=work)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List subscriptions."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        found = await list_subscriptions(conn, after=call.query.after_id(), limit=limit + 1)
    items = [_item(one) for one in found[:limit]]
    following = str(items[-1].subscription) if len(found) > limit else None
    return json_answer(SubscriptionPage(items=items, next=following))


async def make_secret(call: Call[None, NoQuery]) -> web.Response:
    """Sign with another secret from now on."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        secret = await new_secret(conn, call.id("subscription"), clock=services.clock, entropy=services.entropy)
    return json_answer(OutboxSecret(secret=secret), status=201)


async def list_dead(call: Call[None, PageQuery]) -> web.Response:
    """List what was given up."""
    limit, cursor = call.query.limit, call.query.cursor
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _INDEX_DIGITS_MAX):
        raise CursorInvalid("the cursor is not from this list")
    async with call.services.pool.acquire() as conn:
        await subscription_of(conn, call.id("subscription"))
        found = await dead_letters(
            conn, call.id("subscription"), after=-1 if cursor is None else int(cursor), limit=limit + 1
        )
    items = [
        DeadLetterItem(
            entry=one.entry_id,
            index=one.log_index,
            problem=one.problem,
            given_up_at=one.given_up_at,
            again_at=one.again_at,
        )
        for one in found[:limit]
    ]
    return json_answer(DeadLetterPage(items=items, next=str(items[-1].index) if len(found) > limit else None))


async def pause_one(call: Call[None, NoQuery]) -> web.Response:
    """Tell a platform nothing for now."""
    async with call.services.pool.acquire() as conn, conn.transaction():
        return json_answer(_item(await pause(conn, call.id("subscription"), clock=call.services.clock)))


async def resume_one(call: Call[None, NoQuery]) -> web.Response:
    """Tell a paused platform again."""
    async with call.services.pool.acquire() as conn, conn.transaction():
        return json_answer(_item(await go_on(conn, call.id("subscription"))))


async def resend(call: Call[SendAgain, NoQuery]) -> web.Response:
    """Have messages that were given up sent again."""
    async with call.services.pool.acquire() as conn, conn.transaction():
        count = await send_again(conn, call.id("subscription"), call.body.entries, clock=call.services.clock)
    return json_answer(SentAgain(waiting=count), status=202)


async def end(call: Call[Revoke, NoQuery]) -> web.Response:
    """Tell a platform nothing any more."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await end_subscription(
            conn,
            call.id("subscription"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=entry), status=201)


def _item(one: Subscription) -> SubscriptionItem:
    return SubscriptionItem(
        subscription=one.subscription,
        name=one.name,
        url=one.url,
        types=one.types,
        detail=one.detail,
        begun_at=one.begun_at,
        ended_at=one.ended_at,
        reason=one.reason,
        next_index=one.next_index,
        attempts=one.attempts,
        retry_at=one.retry_at,
        problem=one.problem,
        paused_at=one.paused_at,
        has_secret=one.has_secret,
        dead=one.dead,
    )
