"""Routes of the service about itself, and of the published log."""

from __future__ import annotations

from api.bodies import JSON
from api.handlers import log, service
from api.handlers.log import PUBLIC
from api.models.clips import Vocabulary
from api.models.service import Liveness, Readiness
from api.route import Answer, Route, json_of
from api.routes.access import ANYBODY, OVERSEERS, STAFF
from api.routes.codes import LOG_ERRORS
from ledger.publish import CHECKPOINT_TYPE, TILE_TYPE

SERVICE_ROUTES: tuple[Route, ...] = (
    Route(
        name="healthz",
        method="GET",
        path="/healthz",
        summary="Whether the process answers",
        roles=ANYBODY,
        handle=service.healthz,
        answers=(json_of(200, Liveness, "It does"),),
    ),
    Route(
        name="readyz",
        method="GET",
        path="/readyz",
        summary="Whether the process can do its work: database, publication, disk, duties",
        roles=ANYBODY,
        handle=service.readyz,
        answers=(json_of(200, Readiness, "It can"), json_of(503, Readiness, "It cannot, and why")),
    ),
    Route(
        name="openapi",
        method="GET",
        path="/openapi.json",
        summary="This document",
        roles=ANYBODY,
        handle=service.document,
        answers=(Answer(status=200, means="OpenAPI 3.1", media_type=JSON),),
    ),
    Route(
        name="metrics",
        method="GET",
        path="/metrics",
        summary="Meters in Prometheus' text format; the setting METRICS_ON_LOOPBACK opens it to this very host",
        roles=OVERSEERS,
        open_on_loopback=True,
        handle=service.metrics,
        answers=(Answer(status=200, means="The meters", media_type="text/plain"),),
    ),
    Route(
        name="vocabulary",
        method="GET",
        path="/v1/vocabulary",
        summary="Words that requests may use: purposes, roles, markers, speakers, in Chinese and English",
        roles=STAFF,
        handle=service.vocabulary,
        answers=(json_of(200, Vocabulary, "The words"),),
    ),
)

LOG_ROUTES: tuple[Route, ...] = (
    Route(
        name="log_checkpoint",
        method="GET",
        path="/log/checkpoint",
        summary="The newest published checkpoint of the log (C2SP tlog-tiles)",
        roles=ANYBODY,
        handle=log.checkpoint,
        answers=(Answer(status=200, means="A signed note", media_type=CHECKPOINT_TYPE),),
        errors=("ledger.not_published", *LOG_ERRORS),
        always=PUBLIC,
        tag="log",
    ),
    Route(
        name="log_policy",
        method="GET",
        path="/log/policy",
        summary="Whom to believe about the log, as the house says it (C2SP tlog-policy)",
        roles=ANYBODY,
        handle=log.policy,
        answers=(
            Answer(status=200, means="Keys of the log and its witnesses, and the quorum", media_type=CHECKPOINT_TYPE),
        ),
        errors=LOG_ERRORS,
        always=PUBLIC,
        tag="log",
    ),
    Route(
        name="log_keys",
        method="GET",
        path="/log/keys",
        summary="The signed statements by which the log's keys followed each other; 404 while the first one signs",
        roles=ANYBODY,
        handle=log.keys,
        answers=(Answer(status=200, means="Signed notes in their order", media_type=CHECKPOINT_TYPE),),
        errors=("route.unknown",),
        always=PUBLIC,
        tag="log",
    ),
    Route(
        name="log_statement",
        method="GET",
        path="/log/keys/{place}",
        summary="One of these statements, by its place from 1; it never changes",
        roles=ANYBODY,
        handle=log.statement,
        answers=(Answer(status=200, means="A signed note", media_type=CHECKPOINT_TYPE),),
        errors=("route.unknown",),
        always=PUBLIC,
        tag="log",
    ),
    Route(
        name="log_tile",
        method="GET",
        path="/log/tile/{tile}",
        summary="A tile `<L>/<N>[.p/<W>]` or an entry bundle `entries/<N>[.p/<W>]`; neither ever changes",
        roles=ANYBODY,
        handle=log.tile,
        answers=(Answer(status=200, means="The bytes", media_type=TILE_TYPE),),
        errors=("route.unknown", *LOG_ERRORS),
        always=PUBLIC,
        tag="log",
    ),
)
