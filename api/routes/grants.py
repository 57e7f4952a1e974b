"""Routes about who may see what."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import grants
from api.models.common import Recorded
from api.models.grants import Classified, ClassifyClip, GrantAccess, GrantPage, GrantsQuery, MadeGrant
from api.models.parties import Revoke
from api.route import Route, json_of
from api.routes.access import ADMINISTRATORS, OVERSEERS, WRITERS
from api.routes.clips import IDEMPOTENCY

GRANT_ROUTES: tuple[Route, ...] = (
    Route(
        name="grant_access",
        method="POST",
        path="/v1/access/grants",
        summary="Let a person reach units, cases or access classes",
        roles=ADMINISTRATORS,
        handle=grants.grant,
        body=JsonBody(GrantAccess),
        answers=(json_of(201, MadeGrant, "On record"),),
        errors=("access.invalid", "party.name_invalid", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="access",
    ),
    Route(
        name="list_grants",
        method="GET",
        path="/v1/access/grants",
        summary="Grants in the order they were made in, also those that have ended",
        roles=OVERSEERS,
        handle=grants.list_all,
        query=GrantsQuery,
        answers=(json_of(200, GrantPage, "A page"),),
        errors=("request.cursor",),
        tag="access",
    ),
    Route(
        name="withdraw_grant",
        method="POST",
        path="/v1/access/grants/{grant}/withdraw",
        summary="Withdraw a grant, for good",
        roles=ADMINISTRATORS,
        handle=grants.withdraw,
        body=JsonBody(Revoke),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("access.grant_unknown", "access.already_withdrawn", "party.name_invalid"),
        tag="access",
    ),
    Route(
        name="classify_clip",
        method="POST",
        path="/v1/clips/{clip}/classes",
        summary="State which access classes a clip bears from now on; who does not hold one of them finds it no more",
        roles=WRITERS,
        handle=grants.classify,
        body=JsonBody(ClassifyClip),
        answers=(json_of(201, Classified, "On record"),),
        errors=("clip.unknown", "access.invalid", "party.name_invalid", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="access",
    ),
)
