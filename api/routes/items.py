"""Routes about recording-item lists."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import items
from api.models.common import PageQuery
from api.models.items import InForceQuery, ListItem, ListItems, ListPublished, ListsInForce, PublishList
from api.route import Route, json_of
from api.routes.access import ADMINISTRATORS, STAFF
from api.routes.clips import IDEMPOTENCY

ITEM_ROUTES: tuple[Route, ...] = (
    Route(
        name="publish_items",
        method="POST",
        path="/v1/items",
        summary="Publish the next version of an agency's recording-item list",
        roles=ADMINISTRATORS,
        handle=items.publish,
        body=JsonBody(PublishList),
        answers=(json_of(201, ListPublished, "On record"),),
        errors=("items.backdated", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="items",
    ),
    Route(
        name="list_items",
        method="GET",
        path="/v1/items",
        summary="Versions of all recording-item lists, the one published last first",
        roles=STAFF,
        handle=items.list_all,
        query=PageQuery,
        answers=(json_of(200, ListItems, "A page"),),
        errors=("request.cursor",),
        tag="items",
    ),
    Route(
        name="items_in_force",
        method="GET",
        path="/v1/items/in-force",
        summary="The recording-item lists in force on a day, one version an agency",
        roles=STAFF,
        handle=items.in_force,
        query=InForceQuery,
        answers=(json_of(200, ListsInForce, "What is in force"),),
        errors=("items.unknown",),
        tag="items",
    ),
    Route(
        name="get_items",
        method="GET",
        path="/v1/items/{items}",
        summary="One version of a recording-item list, whole",
        roles=STAFF,
        handle=items.get,
        answers=(json_of(200, ListItem, "The version"),),
        errors=("items.unknown",),
        tag="items",
    ),
)
