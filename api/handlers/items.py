"""Recording-item lists: publish, read, what is in force on a day."""

from __future__ import annotations

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.common import PageQuery
from api.models.items import InForceQuery, ListItem, ListItems, ListPublished, ListsInForce, PublishList
from api.preconditions import once
from api.route import NoQuery
from evidence.cases.items import day_of, get_list, publish_list, row_in_force, rows_in_force
from evidence.cases.items_store import ItemListRow, lists_before
from evidence.db.pool import Connection


async def publish(call: Call[PublishList, NoQuery]) -> web.Response:
    """Publish the next version of an agency's list."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> ListPublished:
        published = await publish_list(
            conn,
            content=body.list,
            effective_from=body.effective_from,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return ListPublished(items=published.items, version=published.version, entry=published.entry_id)

    return await once(call, route="publish_items", work=work)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List versions."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await lists_before(conn, before=call.query.after_id(), limit=limit + 1)
    items = [list_item(row) for row in rows[:limit]]
    return json_answer(ListItems(items=items, next=str(items[-1].items) if len(rows) > limit else None))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return one version."""
    async with call.services.pool.acquire() as conn:
        row = await get_list(conn, call.id("items"))
    return json_answer(list_item(row))


async def in_force(call: Call[None, InForceQuery]) -> web.Response:
    """Return what is in force on a day."""
    on = call.query.on or day_of(call.services.clock())
    async with call.services.pool.acquire() as conn:
        if call.query.agency is None:
            rows = list(await rows_in_force(conn, on))
        else:
            one = await row_in_force(conn, on, agency=call.query.agency)
            rows = [] if one is None else [one]
    return json_answer(ListsInForce(on=on, lists=[list_item(row) for row in rows]))


def list_item(row: ItemListRow) -> ListItem:
    """Return a version as it is shown."""
    return ListItem(
        items=row.items,
        agency=row.agency,
        version=row.version,
        effective_from=row.effective_from,
        published_by=row.published_by,
        published_at=row.published_at,
        entry=row.entry_id,
        list=row.content,
    )
