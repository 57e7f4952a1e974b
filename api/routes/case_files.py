"""Routes about what is said about cases: statements, amendments, the order of the file, coverage."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import case_files
from api.models.case_files import (
    AmendCase,
    ArchiveGoing,
    ArchiveMade,
    ArrangeCase,
    CaseArchive,
    CaseCoverage,
    CaseReadiness,
    CaseStructure,
    CaseVersion,
    StateAboutCase,
    StatementItems,
)
from api.models.common import PageQuery, Recorded
from api.route import Header, Route, json_of
from api.routes.access import VIEWERS, WRITERS
from api.routes.clips import IDEMPOTENCY

IF_MATCH = Header(name="If-Match", means='The version that was seen, for example `"1"`', required=True)
_CHANGE = ("case.unknown", "case.archived", "case.stale", "request.precondition_required", "request.header")

CASE_FILE_ROUTES: tuple[Route, ...] = (
    Route(
        name="amend_case",
        method="PATCH",
        path="/v1/cases/{case}",
        summary="Other words for a case, with the reason; needs If-Match",
        roles=WRITERS,
        handle=case_files.change,
        body=JsonBody(AmendCase),
        answers=(json_of(200, CaseVersion, "On record"),),
        errors=("case.invalid", *_CHANGE),
        headers=(IF_MATCH,),
        tag="cases",
    ),
    Route(
        name="state_about_case",
        method="POST",
        path="/v1/cases/{case}/statements",
        summary="Say something about a case: a document, an activity, an exemption, its conclusion",
        roles=WRITERS,
        handle=case_files.say,
        body=JsonBody(StateAboutCase),
        answers=(json_of(201, Recorded, "On record"),),
        errors=(
            *("case.unknown", "case.archived", "case.not_archived", "case.statement_refused"),
            *("case.exemption_refused", "clip.disposed", "clip.blocked", "idempotency.conflict", "request.header"),
        ),
        headers=(IDEMPOTENCY,),
        tag="cases",
    ),
    Route(
        name="list_statements",
        method="GET",
        path="/v1/cases/{case}/statements",
        summary="Everything that was said about a case, in the order it was said",
        roles=VIEWERS,
        handle=case_files.statements,
        query=PageQuery,
        answers=(json_of(200, StatementItems, "A page"),),
        errors=("case.unknown", "request.cursor"),
        tag="cases",
    ),
    Route(
        name="arrange_case",
        method="PUT",
        path="/v1/cases/{case}/structure",
        summary="Put exhibits and documents in their order; needs If-Match",
        roles=WRITERS,
        handle=case_files.order,
        body=JsonBody(ArrangeCase),
        answers=(json_of(200, CaseVersion, "On record"),),
        errors=("case.statement_refused", *_CHANGE),
        headers=(IF_MATCH,),
        tag="cases",
    ),
    Route(
        name="case_structure",
        method="GET",
        path="/v1/cases/{case}/structure",
        summary="The 案卷 in its order",
        roles=VIEWERS,
        handle=case_files.read_order,
        answers=(json_of(200, CaseStructure, "Its sections"),),
        errors=("case.unknown",),
        tag="cases",
    ),
    Route(
        name="case_coverage",
        method="GET",
        path="/v1/cases/{case}/coverage",
        summary="What of the recording-item list is recorded, exempted, missing; gaps; times of documents",
        roles=VIEWERS,
        handle=case_files.read_coverage,
        answers=(json_of(200, CaseCoverage, "The coverage"),),
        errors=("case.unknown",),
        tag="cases",
    ),
    Route(
        name="case_readiness",
        method="GET",
        path="/v1/cases/{case}/readiness",
        summary="Everything that stands against archiving a case",
        roles=VIEWERS,
        handle=case_files.read_readiness,
        answers=(json_of(200, CaseReadiness, "The reasons"),),
        errors=("case.unknown",),
        tag="cases",
    ),
    Route(
        name="archive_case",
        method="POST",
        path="/v1/cases/{case}/archive",
        summary="Archive a case; its files are verified first, for 20 seconds a request: ask again until it is done",
        roles=WRITERS,
        handle=case_files.close,
        answers=(
            json_of(201, ArchiveMade, "Frozen and on record"),
            json_of(202, ArchiveGoing, "Files are still to be verified; nothing is on record yet"),
        ),
        errors=(
            *("case.unknown", "case.archived", "case.archive_refused", "clip.unknown"),
            *("ledger.storage_unreadable", "evidence.damaged", "object.store_unreachable"),
        ),
        tag="cases",
    ),
    Route(
        name="get_archive",
        method="GET",
        path="/v1/cases/{case}/archive",
        summary="What was frozen when the case was archived, with the receipt of its entry",
        roles=VIEWERS,
        handle=case_files.read_archive,
        answers=(json_of(200, CaseArchive, "The manifest and its receipt"),),
        errors=("case.unknown", "case.not_archived", "ledger.storage_unreadable", "evidence.damaged"),
        tag="cases",
    ),
)
