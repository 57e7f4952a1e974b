"""Routes about how the house does, for whoever looks after it."""

from __future__ import annotations

from api.dock_watch import MEDIA_TYPE
from api.handlers import operations
from api.models.operations import OperationsItem, WatchQuery
from api.route import Answer, Route, json_of
from api.routes.access import OVERSEERS

OPERATION_ROUTES: tuple[Route, ...] = (
    Route(
        name="operations",
        method="GET",
        path="/v1/operations",
        summary="How the house does: log, witnesses, time stamps, audit, jobs, outbox, storage",
        roles=OVERSEERS,
        handle=operations.operations,
        answers=(json_of(200, OperationsItem, "As the answering process knows it"),),
        tag="service",
    ),
    Route(
        name="watch_docks",
        method="GET",
        path="/v1/docks/events",
        summary="The list of docks as server-sent events: whole, and again whenever it changes",
        roles=OVERSEERS,
        handle=operations.watch,
        query=WatchQuery,
        answers=(Answer(status=200, means="Events `docks`, each a page of the list", media_type=MEDIA_TYPE),),
        errors=("docks.watchers",),
        tag="docks",
    ),
)
"""The service about how it does."""
