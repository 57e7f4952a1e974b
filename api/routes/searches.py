"""Routes of the search besides the list of clips: counts, and questions that people keep."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import searches
from api.models.common import PageQuery
from api.models.searches import FacetItems, FacetsQuery, RunItem, RunSearch, SavedItem, SavedItems, SaveSearch
from api.route import Answer, Route, json_of
from api.routes.access import VIEWERS
from api.routes.clips import IDEMPOTENCY

SEARCH_ROUTES: tuple[Route, ...] = (
    Route(
        name="count_facets",
        method="GET",
        path="/v1/search/facets",
        summary="How the newest clips that answer a question divide among the values of its fields",
        roles=VIEWERS,
        handle=searches.facets,
        query=FacetsQuery,
        answers=(json_of(200, FacetItems, "Counts, ten thousand clips at most"),),
        errors=("search.invalid",),
        tag="clips",
    ),
    Route(
        name="save_search",
        method="POST",
        path="/v1/searches",
        summary="Keep a question under a name, for oneself or for a unit",
        roles=VIEWERS,
        handle=searches.save,
        body=JsonBody(SaveSearch),
        answers=(json_of(201, SavedItem, "Kept"),),
        errors=("search.invalid", "search.name_taken", "search.too_many", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="clips",
    ),
    Route(
        name="list_searches",
        method="GET",
        path="/v1/searches",
        summary="Questions that you keep, and those shared with your units",
        roles=VIEWERS,
        handle=searches.list_all,
        query=PageQuery,
        answers=(json_of(200, SavedItems, "A page"),),
        errors=("request.cursor",),
        tag="clips",
    ),
    Route(
        name="forget_search",
        method="DELETE",
        path="/v1/searches/{search}",
        summary="Forget a question of your own",
        roles=VIEWERS,
        handle=searches.forget,
        answers=(Answer(status=204, means="Forgotten"),),
        errors=("search.unknown",),
        tag="clips",
    ),
    Route(
        name="run_search",
        method="POST",
        path="/v1/searches/{search}/runs",
        summary="Ask a kept question again: how many clips are new since you asked it last",
        roles=VIEWERS,
        handle=searches.run,
        body=JsonBody(RunSearch),
        answers=(json_of(200, RunItem, "Asked; the clips are listed by GET /v1/clips"),),
        errors=("search.unknown", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="clips",
    ),
)
