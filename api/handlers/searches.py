"""Searches: counts for a side bar, and questions that people keep."""

from __future__ import annotations

from itertools import groupby

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.common import PageQuery
from api.models.searches import (
    FacetItem,
    FacetItems,
    FacetsQuery,
    RunItem,
    RunSearch,
    SavedItem,
    SavedItems,
    SaveSearch,
    ValueItem,
)
from api.preconditions import once
from api.route import NoQuery
from evidence.access.sight import known_numbers
from evidence.clips.count_store import count_facets
from evidence.clips.query import ClipQuery
from evidence.clips.query_fields import COUNTED_FIELDS, counted_facets
from evidence.clips.saved import forget_search, run_search, save_search, units_of
from evidence.clips.saved_store import SavedSearch, saved_after
from evidence.db.pool import Connection

CASE_NUMBER = "case_number"
"""Facet by which clips are counted by their cases; a number tells of the case."""


async def facets(call: Call[None, FacetsQuery]) -> web.Response:
    """Count the values of facets among the newest clips that answer a question."""
    names = counted_facets(call.query.fields)
    condition = ClipQuery(text=call.query.q).condition(None, call.scope())
    async with call.services.pool.acquire() as conn:
        counted = await count_facets(conn, condition, names=list(names))
        numbers = {one.value for one in counted.values if one.name == CASE_NUMBER}
        told = await known_numbers(conn, call.person, numbers)
    values = [one for one in counted.values if one.name != CASE_NUMBER or one.value in told]
    items = [
        FacetItem(field=names[name], values=[ValueItem(value=one.value, clips=one.clips) for one in values])
        for name, values in groupby(values, key=lambda one: one.name)
    ]
    items.sort(key=lambda item: COUNTED_FIELDS.index(item.field))
    return json_answer(FacetItems(clips=counted.clips, more=counted.more, facets=items))


async def save(call: Call[SaveSearch, NoQuery]) -> web.Response:
    """Keep a question under a name."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> SavedItem:
        saved = await save_search(
            conn,
            staff=call.staff.staff,
            name=body.name,
            question=body.q,
            unit=body.unit,
            clock=services.clock,
            entropy=services.entropy,
        )
        return _item(saved, call)

    return await once(call, route="save_search", work=work)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List the questions that somebody keeps, and those shared with their units."""
    limit, staff = call.query.limit, call.staff.staff
    async with call.services.pool.acquire() as conn:
        units = await units_of(conn, staff, now=call.services.clock())
        kept = await saved_after(conn, staff=staff, units=units, after=call.query.after_id(), limit=limit + 1)
    items = [_item(saved, call) for saved in kept[:limit]]
    return json_answer(SavedItems(items=items, next=str(items[-1].search) if len(kept) > limit else None))


async def forget(call: Call[None, NoQuery]) -> web.Response:
    """Forget a question of one's own."""
    async with call.services.pool.acquire() as conn:
        await forget_search(conn, call.id("search"), staff=call.staff.staff)
    return web.Response(status=204)


async def run(call: Call[RunSearch, NoQuery]) -> web.Response:
    """Ask a saved question again: what is new since the last time."""
    staff, clock = call.staff.staff, call.services.clock

    async def work(conn: Connection) -> RunItem:
        units = await units_of(conn, staff, now=clock())
        asked = await run_search(conn, call.id("search"), staff=staff, units=units, clock=clock, scope=call.scope())
        new = asked.new
        return RunItem(q=asked.saved.question, since=asked.since, at=asked.at, new=new.clips, more=new.more)

    return await once(call, route=f"run_search {call.id('search')}", work=work, status=200)


def _item(saved: SavedSearch, call: Call[SaveSearch, NoQuery] | Call[None, PageQuery]) -> SavedItem:
    return SavedItem(
        search=saved.search,
        name=saved.name,
        q=saved.question,
        unit=saved.unit,
        own=saved.staff == call.staff.staff,
        saved_at=saved.saved_at,
        run_at=saved.run_at,
    )
