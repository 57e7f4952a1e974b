"""Routes about the registers, and about whose a clip is."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import attributions, officers, people
from api.models.common import PageQuery
from api.models.people import PeopleNamed, PeopleQuery
from api.models.registers import (
    AttributionItem,
    AttributionPage,
    DescribeOfficer,
    OfficerDetail,
    OfficerPage,
    RegisteredOfficer,
    RegisterOfficer,
    Resolve,
)
from api.route import Route, json_of
from api.routes.access import ADMINISTRATORS, RESOLVERS, STAFF
from api.routes.clips import IDEMPOTENCY
from api.routes.units import IF_MATCH, UNIT_ROUTES

OFFICER_ROUTES: tuple[Route, ...] = (
    Route(
        name="register_officer",
        method="POST",
        path="/v1/officers",
        summary="Register an officer, or another version of the one who bears the number",
        roles=ADMINISTRATORS,
        handle=officers.register,
        body=JsonBody(RegisterOfficer),
        answers=(json_of(201, RegisteredOfficer, "On record"),),
        errors=(
            *("party.name_invalid", "party.name_lookalike", "register.validity_invalid", "unit.unknown"),
            *("idempotency.conflict", "request.header"),
        ),
        headers=(IDEMPOTENCY,),
        tag="registers",
    ),
    Route(
        name="list_officers",
        method="GET",
        path="/v1/officers",
        summary="Officers as registered last, in order of their ids",
        roles=STAFF,
        handle=officers.list_all,
        query=PageQuery,
        answers=(json_of(200, OfficerPage, "A page"),),
        errors=("request.cursor",),
        tag="registers",
    ),
    Route(
        name="name_people",
        method="GET",
        path="/v1/people",
        summary="What people and officers are called whose ids stand in other answers",
        roles=STAFF,
        handle=people.names,
        query=PeopleQuery,
        answers=(json_of(200, PeopleNamed, "Whoever bears one of the ids; the others are left out"),),
        tag="registers",
    ),
    Route(
        name="get_officer",
        method="GET",
        path="/v1/officers/{officer}",
        summary="An officer as registered last, with every version; the ETag is the version",
        roles=STAFF,
        handle=officers.get,
        answers=(json_of(200, OfficerDetail, "The officer"),),
        errors=("officer.unknown",),
        tag="registers",
    ),
    Route(
        name="change_officer",
        method="PUT",
        path="/v1/officers/{officer}",
        summary="State another version of an officer: a renewed or withdrawn certificate, another unit",
        roles=ADMINISTRATORS,
        handle=officers.change,
        body=JsonBody(DescribeOfficer),
        answers=(json_of(200, RegisteredOfficer, "On record"),),
        errors=(
            *("officer.unknown", "party.name_invalid", "register.validity_invalid", "unit.unknown", "register.stale"),
            *("request.header", "request.precondition_required"),
            "party.name_lookalike",
        ),
        headers=(IF_MATCH,),
        tag="registers",
    ),
)

ATTRIBUTION_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_blocked",
        method="GET",
        path="/v1/attributions/blocked",
        summary="Clips that must not be used before somebody says whose they are, the newest first",
        roles=STAFF,
        handle=attributions.list_blocked,
        query=PageQuery,
        answers=(json_of(200, AttributionPage, "A page"),),
        errors=("request.cursor",),
        tag="registers",
    ),
    Route(
        name="clip_attribution",
        method="GET",
        path="/v1/clips/{clip}/attribution",
        summary="Whose a clip is, by the registers at the time it was recorded; the ETag is the version",
        roles=STAFF,
        handle=attributions.get,
        answers=(json_of(200, AttributionItem, "Officer, unit, flags"),),
        errors=("clip.unknown",),
        tag="registers",
    ),
    Route(
        name="resolve_attribution",
        method="POST",
        path="/v1/clips/{clip}/attribution/resolution",
        summary="Say whose a blocked clip is, and why; from then on it can be used",
        roles=RESOLVERS,
        handle=attributions.resolve_one,
        body=JsonBody(Resolve),
        answers=(json_of(201, AttributionItem, "Resolved, on record"),),
        errors=(
            *("clip.unknown", "officer.unknown", "party.name_invalid", "attribution.not_open", "register.stale"),
            *("request.header", "request.precondition_required"),
        ),
        headers=(IF_MATCH,),
        tag="registers",
    ),
)

REGISTER_ROUTES: tuple[Route, ...] = (*UNIT_ROUTES, *OFFICER_ROUTES, *ATTRIBUTION_ROUTES)
