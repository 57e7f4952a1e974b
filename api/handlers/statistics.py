"""Figures at a checkpoint, and random samples of cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from api.answers import json_answer
from api.call import Call
from api.models.common import PageQuery, Recorded
from api.models.statistics import (
    CommitSample,
    DrawSample,
    FiguresItem,
    PriceMade,
    SampleItem,
    SampleItems,
    SampleMade,
    ScoreCase,
    ScoreItem,
    StatePrice,
    StatisticsItem,
    StatisticsQuery,
)
from api.preconditions import once
from api.route import NoQuery
from evidence.access.policy import Person
from evidence.access.scope import units_counted
from evidence.access.sight import known_cases
from evidence.db.pool import Connection
from evidence.statistics.figures import Figures, Statement, as_csv, state_price, statement_at
from evidence.statistics.sample_store import Assessment, Sample, samples_before, scores_of
from evidence.statistics.samples import commit_sample, draw_sample, get_sample, score

CSV = "text/csv"


async def figures(call: Call[None, StatisticsQuery]) -> web.Response:
    """Compute figures at a checkpoint."""
    query = call.query
    async with call.services.pool.acquire() as conn:
        statement = await statement_at(conn, by=query.by, size=query.size, units=units_counted(call.person))
    if query.form == "csv":
        return web.Response(body=as_csv(statement).encode(), headers={"Content-Type": f"{CSV}; charset=utf-8"})
    return json_answer(statement_item(statement))


async def price(call: Call[StatePrice, NoQuery]) -> web.Response:
    """State what storage costs."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> PriceMade:
        made, recorded = await state_price(
            conn,
            hundredths=body.hundredths,
            currency=body.currency,
            citation=body.citation,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return PriceMade(price=made, entry=recorded.entry_id)

    return await once(call, route="state_price", work=work)


async def commit(call: Call[CommitSample, NoQuery]) -> web.Response:
    """Bind the caller to a seed."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> SampleMade:
        made, recorded = await commit_sample(
            conn,
            commitment=bytes.fromhex(body.commitment),
            draw=body.draw,
            purpose=body.purpose,
            size=body.size,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return SampleMade(sample=made, entry=recorded.entry_id)

    return await once(call, route="commit_sample", work=work)


async def draw(call: Call[DrawSample, NoQuery]) -> web.Response:
    """Reveal the seed and draw."""
    services, sample = call.services, call.id("sample")
    async with services.pool.acquire() as conn, conn.transaction():
        await draw_sample(
            conn,
            sample=sample,
            seed=bytes.fromhex(call.body.seed),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        known = await get_sample(conn, sample)
        cases = await _known(conn, call.person, [known])
    return json_answer(_sample(known, {}, cases))


async def assess(call: Call[ScoreCase, NoQuery]) -> web.Response:
    """Say what was found in a case of a sample."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> BaseModel:
        recorded = await score(
            conn,
            sample=call.id("sample"),
            case=body.case,
            points=body.points,
            note=body.note,
            sheet=None if body.sheet is None else [row.model_dump(exclude_none=True) for row in body.sheet],
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=recorded.entry_id)

    return await once(call, route="score_case", work=work)


async def list_samples(call: Call[None, PageQuery]) -> web.Response:
    """List samples."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await samples_before(conn, before=call.query.after_id(), limit=limit + 1)
        known = await _known(conn, call.person, rows)
    items = [_sample(row, {}, known) for row in rows[:limit]]
    return json_answer(SampleItems(items=items, next=str(items[-1].sample) if len(rows) > limit else None))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return a sample with its assessments."""
    async with call.services.pool.acquire() as conn:
        known = await get_sample(conn, call.id("sample"))
        scores = await scores_of(conn, known.sample)
        cases = await _known(conn, call.person, [known])
    return json_answer(_sample(known, scores, cases))


def statement_item(statement: Statement) -> StatisticsItem:
    """Show figures."""
    money = statement.price
    return StatisticsItem(
        by=statement.by,
        size=statement.size,
        root=statement.root,
        rules=statement.rules,
        calendar=statement.calendar,
        zone=statement.zone,
        price=None if money is None else money.price,
        currency=None if money is None else money.currency,
        units=None if statement.units is None else list(statement.units),
        groups=[_figures(key, group, statement) for key, group in statement.groups.items()],
        total=_figures("", statement.total, statement),
    )


def _figures(key: str, group: Figures, statement: Statement) -> FiguresItem:
    return FiguresItem(key=key, **asdict(group), cost=group.cost(statement.price))


async def _known(conn: Connection, person: Person, samples: Sequence[Sample]) -> set[UUID] | None:
    """Return which cases of samples may be named to a person; None for all."""
    if units_counted(person) is None:
        return None
    return await known_cases(conn, person, {UUID(case) for row in samples for case in row.cases or ()})


def _sample(row: Sample, scores: Mapping[UUID, Assessment], known: Collection[UUID] | None) -> SampleItem:
    shown = []
    for case in map(UUID, row.cases or ()):
        if known is not None and case not in known:
            continue
        said = asdict(scores[case]) if case in scores else dict.fromkeys(("points", "note", "scored_by", "sheet"))
        shown.append(ScoreItem(case=case, **said))
    return SampleItem(
        sample=row.sample,
        rule=row.rule,
        purpose=row.purpose,
        commitment=row.commitment,
        size=row.size,
        root=row.root,
        population=row.population,
        population_sha256=row.population_sha256,
        draw=row.draw,
        committed_at=row.committed_at,
        committed_by=row.committed_by,
        entry=row.entry_id,
        seed=row.seed,
        drawn_size=row.drawn_size,
        drawn_root=row.drawn_root,
        drawn_at=row.drawn_at,
        cases=shown,
    )
