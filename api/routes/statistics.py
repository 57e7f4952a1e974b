"""Routes about figures at a checkpoint and random samples of cases."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import statistics
from api.handlers.statistics import CSV
from api.models.common import PageQuery, Recorded
from api.models.statistics import (
    CommitSample,
    DrawSample,
    PriceMade,
    SampleItem,
    SampleItems,
    SampleMade,
    ScoreCase,
    StatePrice,
    StatisticsItem,
    StatisticsQuery,
)
from api.route import Answer, Route, json_of
from api.routes.access import ADMINISTRATORS, SAMPLERS, STAFF, VIEWERS
from api.routes.clips import IDEMPOTENCY

STATISTICS_ROUTES: tuple[Route, ...] = (
    Route(
        name="statistics",
        method="GET",
        path="/v1/statistics",
        summary=f"Figures at a checkpoint of the log, which compute identically ever after; also as {CSV} (`form=csv`)",
        roles=STAFF,
        handle=statistics.figures,
        query=StatisticsQuery,
        answers=(
            json_of(200, StatisticsItem, "The figures"),
            Answer(status=200, means="The same as a table", media_type=CSV.partition(";")[0]),
        ),
        errors=("statistics.checkpoint_unknown",),
        tag="statistics",
    ),
    Route(
        name="state_price",
        method="POST",
        path="/v1/statistics/prices",
        summary="State what a terabyte costs in a month; the newest counts",
        roles=ADMINISTRATORS,
        handle=statistics.price,
        body=JsonBody(StatePrice),
        answers=(json_of(201, PriceMade, "On record"),),
        errors=("party.name_invalid", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="statistics",
    ),
    Route(
        name="commit_sample",
        method="POST",
        path="/v1/samples",
        summary="Bind yourself to a seed before a random sample of cases is drawn (案卷评查)",
        roles=SAMPLERS,
        handle=statistics.commit,
        body=JsonBody(CommitSample),
        answers=(json_of(201, SampleMade, "On record; reveal the seed when this entry is published"),),
        errors=(
            *("sample.invalid", "statistics.checkpoint_unknown", "party.name_invalid"),
            *("idempotency.conflict", "request.header"),
        ),
        headers=(IDEMPOTENCY,),
        tag="statistics",
    ),
    Route(
        name="list_samples",
        method="GET",
        path="/v1/samples",
        summary="Samples, the newest first",
        roles=VIEWERS,
        handle=statistics.list_samples,
        query=PageQuery,
        answers=(json_of(200, SampleItems, "A page"),),
        errors=("request.cursor",),
        tag="statistics",
    ),
    Route(
        name="get_sample",
        method="GET",
        path="/v1/samples/{sample}",
        summary="A sample with what is needed to draw it again, and its assessments",
        roles=VIEWERS,
        handle=statistics.get,
        answers=(json_of(200, SampleItem, "The sample"),),
        errors=("sample.unknown",),
        tag="statistics",
    ),
    Route(
        name="draw_sample",
        method="POST",
        path="/v1/samples/{sample}/draw",
        summary="Reveal the seed and draw; with the same seed again, the same sample",
        roles=SAMPLERS,
        handle=statistics.draw,
        body=JsonBody(DrawSample),
        answers=(json_of(200, SampleItem, "The sample"),),
        errors=("sample.unknown", "sample.seed_wrong", "sample.not_ready"),
        tag="statistics",
    ),
    Route(
        name="score_case",
        method="POST",
        path="/v1/samples/{sample}/scores",
        summary="Say what was found in one case of a sample; the newest counts",
        roles=SAMPLERS,
        handle=statistics.assess,
        body=JsonBody(ScoreCase),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("sample.unknown", "sample.invalid", "party.name_invalid", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="statistics",
    ),
)
