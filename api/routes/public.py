"""Routes that anybody may ask for: what is public, its feed, and its proofs. Nothing here asks who calls."""

from __future__ import annotations

from api.handlers import public
from api.models.common import PageQuery
from api.models.publicity import OnDayQuery, PublicQuery, PublicRecord, PublicRecords, PublicRegisters, ReportItems
from api.public_pages import POLICY
from api.route import NO_STORE, Answer, Route, json_of
from api.routes.access import ANYBODY
from api.routes.codes import PROOF_ERRORS

_UNCHANGED = Answer(status=304, means="The caller has it already (`If-None-Match`)")
_STYLED = {**NO_STORE, "Content-Security-Policy": POLICY}
_PAGE = (Answer(status=200, means="A page", media_type="text/html"), _UNCHANGED)

PUBLIC_ROUTES: tuple[Route, ...] = (
    Route(
        name="public_index",
        method="GET",
        path="/public",
        summary="Decisions that are public, as a page; what was published last first",
        roles=ANYBODY,
        handle=public.index,
        query=PublicQuery,
        answers=_PAGE,
        always=_STYLED,
        errors=("request.cursor", "public.paused"),
        tag="public",
    ),
    Route(
        name="public_record",
        method="GET",
        path="/public/records/{publication}",
        summary="One record as a page; of one that is gone, that it was and why it went",
        roles=ANYBODY,
        handle=public.record,
        query=OnDayQuery,
        answers=_PAGE,
        always=_STYLED,
        errors=("publication.unknown", "public.paused"),
        tag="public",
    ),
    Route(
        name="public_proof",
        method="GET",
        path="/public/records/{publication}/proof",
        summary="The proof that a record was in the log at its time; `shilu-verify` judges it offline",
        roles=ANYBODY,
        handle=public.proof,
        query=OnDayQuery,
        answers=(Answer(status=200, means="The proof", media_type=public.PROOF), _UNCHANGED),
        errors=("publication.unknown", "public.paused", *PROOF_ERRORS),
        tag="public",
    ),
    Route(
        name="public_registers",
        method="GET",
        path="/public/registers",
        summary="Registers published beforehand (事前公开) as they are in force on a day, as a page",
        roles=ANYBODY,
        handle=public.registers,
        query=OnDayQuery,
        answers=_PAGE,
        always=_STYLED,
        errors=("public.paused",),
        tag="public",
    ),
    Route(
        name="public_reports",
        method="GET",
        path="/public/reports",
        summary="Periodic reports, as a page",
        roles=ANYBODY,
        handle=public.reports,
        query=PageQuery,
        answers=_PAGE,
        always=_STYLED,
        errors=("request.cursor", "public.paused"),
        tag="public",
    ),
    Route(
        name="public_feed",
        method="GET",
        path="/public/feed.json",
        summary="What was published last, as a feed (JSON Feed 1.1)",
        roles=ANYBODY,
        handle=public.feed,
        answers=(Answer(status=200, means="The feed", media_type=public.FEED), _UNCHANGED),
        errors=("public.paused",),
        tag="public",
    ),
    Route(
        name="public_records_json",
        method="GET",
        path="/public/v1/records",
        summary="Decisions that are public, as JSON",
        roles=ANYBODY,
        handle=public.records,
        query=PublicQuery,
        answers=(json_of(200, PublicRecords, "A page"), _UNCHANGED),
        errors=("request.cursor", "public.paused"),
        tag="public",
    ),
    Route(
        name="public_record_json",
        method="GET",
        path="/public/v1/records/{publication}",
        summary="One record as JSON",
        roles=ANYBODY,
        handle=public.record_json,
        query=OnDayQuery,
        answers=(json_of(200, PublicRecord, "The record, or that it is gone"), _UNCHANGED),
        errors=("publication.unknown", "public.paused"),
        tag="public",
    ),
    Route(
        name="public_registers_json",
        method="GET",
        path="/public/v1/registers",
        summary="Registers as they are in force on a day, as JSON",
        roles=ANYBODY,
        handle=public.registers_json,
        query=OnDayQuery,
        answers=(json_of(200, PublicRegisters, "The registers"), _UNCHANGED),
        errors=("public.paused",),
        tag="public",
    ),
    Route(
        name="public_reports_json",
        method="GET",
        path="/public/v1/reports",
        summary="Periodic reports, as JSON",
        roles=ANYBODY,
        handle=public.reports_json,
        query=PageQuery,
        answers=(json_of(200, ReportItems, "A page"), _UNCHANGED),
        errors=("request.cursor", "public.paused"),
        tag="public",
    ),
)
