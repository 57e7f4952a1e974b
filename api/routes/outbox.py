"""Routes about the outbox of events to other platforms."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import outbox
from api.models.common import PageQuery, Recorded
from api.models.outbox import (
    DeadLetterPage,
    OutboxSecret,
    SendAgain,
    SentAgain,
    Subscribe,
    SubscriptionItem,
    SubscriptionPage,
)
from api.models.parties import Revoke
from api.route import Header, Route, json_of
from api.routes.access import ADMINISTRATORS, OVERSEERS

OUTBOX_ROUTES: tuple[Route, ...] = (
    Route(
        name="subscribe",
        method="POST",
        path="/v1/outbox",
        summary="Have another platform told of entries of some types; nothing is sent before it has a secret",
        roles=ADMINISTRATORS,
        handle=outbox.create,
        body=JsonBody(Subscribe),
        answers=(json_of(201, SubscriptionItem, "On record; with an Idempotency-Key, a repeat gets this again"),),
        errors=(
            *("outbox.invalid", "outbox.target_refused", "party.name_invalid"),
            *("idempotency.conflict", "request.header"),
        ),
        headers=(Header(name="Idempotency-Key", means="1 to 200 visible ASCII characters; makes a repeat harmless"),),
        tag="outbox",
    ),
    Route(
        name="list_subscriptions",
        method="GET",
        path="/v1/outbox",
        summary="Subscriptions in the order they were made in, and how far each platform has been told",
        roles=OVERSEERS,
        handle=outbox.list_all,
        query=PageQuery,
        answers=(json_of(200, SubscriptionPage, "A page"),),
        errors=("request.cursor",),
        tag="outbox",
    ),
    Route(
        name="make_outbox_secret",
        method="POST",
        path="/v1/outbox/{subscription}/secret",
        summary="Sign with another secret from now on; the one before signs as well for a day",
        roles=ADMINISTRATORS,
        handle=outbox.make_secret,
        answers=(json_of(201, OutboxSecret, "The only copy of the secret"),),
        errors=("outbox.unknown",),
        tag="outbox",
    ),
    Route(
        name="list_dead_letters",
        method="GET",
        path="/v1/outbox/{subscription}/dead",
        summary="Messages that were given up, with the reason, in the order of the log",
        roles=OVERSEERS,
        handle=outbox.list_dead,
        query=PageQuery,
        answers=(json_of(200, DeadLetterPage, "A page"),),
        errors=("request.cursor", "outbox.unknown"),
        tag="outbox",
    ),
    Route(
        name="resend_dead_letters",
        method="POST",
        path="/v1/outbox/{subscription}/dead/resend",
        summary="Send messages again that were given up, under the ids they always had; a repeat changes nothing",
        roles=ADMINISTRATORS,
        handle=outbox.resend,
        body=JsonBody(SendAgain),
        answers=(json_of(202, SentAgain, "They are sent as soon as nothing else is to be told"),),
        errors=("outbox.unknown",),
        tag="outbox",
    ),
    Route(
        name="pause_subscription",
        method="POST",
        path="/v1/outbox/{subscription}/pause",
        summary="Tell a platform nothing for now; a repeat changes nothing",
        roles=ADMINISTRATORS,
        handle=outbox.pause_one,
        answers=(json_of(200, SubscriptionItem, "As it stands now"),),
        errors=("outbox.unknown",),
        tag="outbox",
    ),
    Route(
        name="resume_subscription",
        method="POST",
        path="/v1/outbox/{subscription}/resume",
        summary="Tell a paused platform again, from where it stood; a repeat changes nothing",
        roles=ADMINISTRATORS,
        handle=outbox.resume_one,
        answers=(json_of(200, SubscriptionItem, "As it stands now"),),
        errors=("outbox.unknown",),
        tag="outbox",
    ),
    Route(
        name="end_subscription",
        method="POST",
        path="/v1/outbox/{subscription}/end",
        summary="Tell a platform nothing any more, for good",
        roles=ADMINISTRATORS,
        handle=outbox.end,
        body=JsonBody(Revoke),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("outbox.unknown", "party.name_invalid"),
        tag="outbox",
    ),
)
