"""Routes about cases and their exhibits."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import case_files, cases
from api.models.case_files import UnlinkClip
from api.models.cases import CaseItems, CaseMade, CasePage, ExhibitItems, ExhibitMade, LinkClip, OpenCase
from api.models.common import PageQuery, Recorded
from api.route import Route, json_of
from api.routes.access import VIEWERS, WRITERS
from api.routes.clips import IDEMPOTENCY

CASE_ROUTES: tuple[Route, ...] = (
    Route(
        name="open_case",
        method="POST",
        path="/v1/cases",
        summary="Open a case under a number",
        roles=WRITERS,
        handle=cases.create,
        body=JsonBody(OpenCase),
        answers=(json_of(201, CaseMade, "On record"),),
        errors=(
            *("case.invalid", "case.number_taken", "case.kind_unknown", "items.unknown", "items.ambiguous"),
            *("unit.unknown", "access.denied", "idempotency.conflict", "request.header"),
        ),
        headers=(IDEMPOTENCY,),
        tag="cases",
    ),
    Route(
        name="list_cases",
        method="GET",
        path="/v1/cases",
        summary="Cases, the one opened last first",
        roles=VIEWERS,
        handle=cases.list_all,
        query=PageQuery,
        answers=(json_of(200, CaseItems, "A page"),),
        errors=("request.cursor",),
        tag="cases",
    ),
    Route(
        name="get_case",
        method="GET",
        path="/v1/cases/{case}",
        summary="One case",
        roles=VIEWERS,
        handle=cases.get,
        answers=(json_of(200, CasePage, "The case"),),
        errors=("case.unknown",),
        tag="cases",
    ),
    Route(
        name="link_clip",
        method="POST",
        path="/v1/cases/{case}/clips",
        summary="Make a clip the next exhibit; one that is an exhibit keeps its number",
        roles=WRITERS,
        handle=cases.link,
        body=JsonBody(LinkClip),
        answers=(
            json_of(201, ExhibitMade, "It has a number now"),
            json_of(200, ExhibitMade, "It had one before"),
        ),
        errors=("case.unknown", "clip.unknown", "clip.disposed", "clip.blocked", "case.archived"),
        tag="cases",
    ),
    Route(
        name="unlink_clip",
        method="POST",
        path="/v1/cases/{case}/unlinked",
        summary="Take an exhibit out of a case; its number stays used",
        roles=WRITERS,
        handle=case_files.unlink,
        body=JsonBody(UnlinkClip),
        answers=(json_of(201, Recorded, "On record"),),
        errors=(
            *("case.unknown", "case.exhibit_unknown", "case.archived", "case.invalid"),
            *("idempotency.conflict", "request.header"),
        ),
        headers=(IDEMPOTENCY,),
        tag="cases",
    ),
    Route(
        name="list_exhibits",
        method="GET",
        path="/v1/cases/{case}/clips",
        summary="Exhibits of a case in order of their numbers",
        roles=VIEWERS,
        handle=cases.exhibits,
        query=PageQuery,
        answers=(json_of(200, ExhibitItems, "A page"),),
        errors=("case.unknown", "request.cursor"),
        tag="cases",
    ),
)
