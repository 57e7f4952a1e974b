"""Routes about deadlines."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import deadlines
from api.models.common import Recorded
from api.models.deadlines import (
    DeadlinePage,
    DeadlineQuery,
    DeadlineStarted,
    ExtendDeadline,
    PublishRules,
    RulesItems,
    RulesPublished,
    StartDeadline,
    StateDeadline,
)
from api.route import Route, json_of
from api.routes.access import ADMINISTRATORS, DECIDERS, HOLDERS, STAFF, VIEWERS
from api.routes.clips import IDEMPOTENCY

_STATED = ("deadline.unknown", "deadline.conflict", "case.unknown", "idempotency.conflict", "request.header")

DEADLINE_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_deadlines",
        method="GET",
        path="/v1/deadlines",
        summary="Clocks of the law as they stand today, those due first in front",
        roles=VIEWERS,
        handle=deadlines.list_all,
        query=DeadlineQuery,
        answers=(json_of(200, DeadlinePage, "A page"),),
        errors=("request.cursor",),
        tag="deadlines",
    ),
    Route(
        name="start_deadline",
        method="POST",
        path="/v1/deadlines",
        summary="Begin a clock that nothing else on record begins, such as that of a withdrawal",
        roles=HOLDERS,
        handle=deadlines.start,
        body=JsonBody(StartDeadline),
        answers=(json_of(201, DeadlineStarted, "On record"),),
        errors=("deadline.statement_invalid", "case.unknown", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="deadlines",
    ),
    Route(
        name="state_deadline",
        method="POST",
        path="/v1/deadlines/statements",
        summary="Stop a clock, let it go on, say that it is done or void, or why it is late",
        roles=HOLDERS,
        handle=deadlines.state,
        body=JsonBody(StateDeadline),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("deadline.statement_invalid", *_STATED),
        headers=(IDEMPOTENCY,),
        tag="deadlines",
    ),
    Route(
        name="extend_deadline",
        method="POST",
        path="/v1/deadlines/extensions",
        summary="Grant more days, as somebody who does not handle the case (R31)",
        roles=DECIDERS,
        handle=deadlines.extend,
        body=JsonBody(ExtendDeadline),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("deadline.extension_refused", *_STATED),
        headers=(IDEMPOTENCY,),
        tag="deadlines",
    ),
    Route(
        name="publish_deadline_rules",
        method="POST",
        path="/v1/deadlines/rules",
        summary="Publish the next version of the agency's deadlines",
        roles=ADMINISTRATORS,
        handle=deadlines.publish,
        body=JsonBody(PublishRules),
        answers=(json_of(201, RulesPublished, "On record"),),
        errors=("deadline.rules_backdated", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="deadlines",
    ),
    Route(
        name="list_deadline_rules",
        method="GET",
        path="/v1/deadlines/rules",
        summary="Every version of the agency's deadlines, and what counts where none says anything",
        roles=STAFF,
        handle=deadlines.rules,
        answers=(json_of(200, RulesItems, "The tables"),),
        tag="deadlines",
    ),
)
