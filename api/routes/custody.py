"""Routes about custody: who looked at what."""

from __future__ import annotations

from api.handlers import custody
from api.handlers.custody import HTML, PDF, REPORT_POLICY
from api.models.custody import CustodyReport, PersonReportQuery, ReportQuery
from api.route import NO_STORE, Answer, Route, json_of
from api.routes.access import CUSTODIANS

_ALWAYS = {**NO_STORE, "Content-Security-Policy": REPORT_POLICY}
_ANSWERS = (
    json_of(200, CustodyReport, "A page of the report"),
    Answer(status=200, means="The whole report as one file (`form=html`)", media_type=HTML),
    Answer(status=200, means="A part of the report for the printer (`form=pdf`)", media_type=PDF),
)

CUSTODY_ROUTES: tuple[Route, ...] = (
    Route(
        name="clip_custody",
        method="GET",
        path="/v1/clips/{clip}/custody-report",
        summary="Who looked at a clip, when, what for, from which session and what they were given; and all else on it",
        roles=CUSTODIANS,
        handle=custody.of_clip,
        query=ReportQuery,
        answers=_ANSWERS,
        always=_ALWAYS,
        errors=("clip.unknown", "request.cursor", "certificate.impossible"),
        tag="custody",
    ),
    Route(
        name="person_custody",
        method="GET",
        path="/v1/people/{staff}/custody-report",
        summary="What a person looked at, searched among restricted clips, or handed out, from a time to a time",
        roles=CUSTODIANS,
        handle=custody.of_person,
        query=PersonReportQuery,
        answers=_ANSWERS,
        always=_ALWAYS,
        errors=("request.cursor", "certificate.impossible"),
        tag="custody",
    ),
)
