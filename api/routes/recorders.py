"""Routes about recorders and those who carry them."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import recorders
from api.models.common import Recorded
from api.models.recorders import (
    AssignRecorder,
    Equipment,
    ExplainFinding,
    HolderSpans,
    OneRecorderQuery,
    RecorderFindingPage,
    RecorderPage,
    RecorderQuery,
    RecordersQuery,
)
from api.route import Route, json_of
from api.routes.access import ADMINISTRATORS, EXPLAINERS, STAFF
from api.routes.clips import IDEMPOTENCY

RECORDER_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_recorders",
        method="GET",
        path="/v1/recorders",
        summary="Recorders in order of their numbers: last docking, what waits, what is open, whose it is",
        roles=STAFF,
        handle=recorders.list_all,
        query=RecordersQuery,
        answers=(json_of(200, RecorderPage, "A page"),),
        tag="recorders",
    ),
    Route(
        name="recorder_findings",
        method="GET",
        path="/v1/recorders/findings",
        summary="What the sequence of a recorder, or of all, tells, newest first: leads, never verdicts",
        roles=STAFF,
        handle=recorders.findings,
        query=RecorderQuery,
        answers=(json_of(200, RecorderFindingPage, "A page"),),
        errors=("request.cursor", "recorder.unknown"),
        tag="recorders",
    ),
    Route(
        name="explain_finding",
        method="POST",
        path="/v1/recorders/explanations",
        summary="Say how a finding came about; the finding stays on record",
        roles=EXPLAINERS,
        handle=recorders.explain,
        body=JsonBody(ExplainFinding),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("recorder.finding_unknown", "party.name_invalid", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="recorders",
    ),
    Route(
        name="recorder_holders",
        method="GET",
        path="/v1/recorders/holders",
        summary="Whose a recorder was when",
        roles=STAFF,
        handle=recorders.holders,
        query=OneRecorderQuery,
        answers=(json_of(200, HolderSpans, "Oldest first"),),
        errors=("recorder.unknown",),
        tag="recorders",
    ),
    Route(
        name="assign_recorder",
        method="POST",
        path="/v1/recorders/assignments",
        summary="Give a recorder to an officer from a moment on, or take it back",
        roles=ADMINISTRATORS,
        handle=recorders.assign,
        body=JsonBody(AssignRecorder),
        answers=(json_of(201, Recorded, "On record"),),
        errors=(
            *("officer.unknown", "recorder.assignment_invalid", "party.name_invalid", "time.invalid"),
            *("idempotency.conflict", "request.header"),
        ),
        headers=(IDEMPOTENCY,),
        tag="recorders",
    ),
    Route(
        name="equipment",
        method="GET",
        path="/v1/equipment",
        summary="Recorders per officer in every unit, against the target; units below it first",
        roles=STAFF,
        handle=recorders.equipment,
        answers=(json_of(200, Equipment, "Every unit that has officers"),),
        tag="recorders",
    ),
)
