"""Names of people whose ids stand in answers."""

from __future__ import annotations

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.people import PeopleNamed, PeopleQuery, PersonNamed
from evidence.parties.people_store import names_of


async def names(call: Call[None, PeopleQuery]) -> web.Response:
    """Say what people and officers are called."""
    async with call.services.pool.acquire() as conn:
        found = await names_of(conn, call.query.each())
    return json_answer(PeopleNamed(items=[PersonNamed(actor=one.actor, name=one.name) for one in found]))
