"""Officers: what their certificates say, version by version."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from api.answers import etag, json_answer
from api.call import Call
from api.models.common import PageQuery
from api.models.registers import (
    DescribeOfficer,
    OfficerDetail,
    OfficerItem,
    OfficerPage,
    RegisteredOfficer,
    RegisterOfficer,
)
from api.preconditions import expected_version, once
from api.route import NoQuery
from evidence.db.pool import Connection
from evidence.registers import officer_store
from evidence.registers.officer_store import Officer
from evidence.registers.officers import CertificateField, OfficerWords, get_officer, register_officer
from evidence.registers.validity import Validity, parse_day


async def register(call: Call[RegisterOfficer, NoQuery]) -> web.Response:
    """Register an officer, or another version of one."""
    words = _words(call.body, number=call.body.number)

    async def work(conn: Connection) -> RegisteredOfficer:
        return await _register(call, conn, words, version=None)

    return await once(call, route="register_officer", work=work)


async def change(call: Call[DescribeOfficer, NoQuery]) -> web.Response:
    """State another version of an officer."""
    version = expected_version(call.request)
    async with call.services.pool.acquire() as conn, conn.transaction():
        known = await get_officer(conn, call.id("officer"))
        done = await _register(call, conn, _words(call.body, number=known.number), version=version)
    return json_answer(done, headers={"ETag": etag(str(done.version))})


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List officers."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await officer_store.list_officers(conn, after=call.query.after_id(), limit=limit + 1)
    items = [officer_item(row) for row in rows[:limit]]
    return json_answer(OfficerPage(items=items, next=str(items[-1].officer) if len(rows) > limit else None))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return an officer with every version."""
    async with call.services.pool.acquire() as conn:
        known = await get_officer(conn, call.id("officer"))
        versions = await officer_store.officer_versions(conn, known.officer)
    detail = OfficerDetail(**asdict(known), versions=[officer_item(one) for one in versions])
    return json_answer(detail, headers={"ETag": etag(str(known.version))})


def officer_item(row: Officer) -> OfficerItem:
    """Show a version of an officer."""
    return OfficerItem(**asdict(row))


async def _register(
    call: Call[RegisterOfficer, NoQuery] | Call[DescribeOfficer, NoQuery],
    conn: Connection,
    words: OfficerWords,
    *,
    version: int | None,
) -> RegisteredOfficer:
    services = call.services
    done = await register_officer(
        conn,
        words,
        actor=call.actor,
        clock=services.clock,
        entropy=services.entropy,
        expected_version=version,
    )
    return RegisteredOfficer(officer=done.officer, entry=done.entry_id, version=done.version)


def _words(body: DescribeOfficer, *, number: str) -> OfficerWords:
    stated: dict[CertificateField, str | None] = {
        "duty": body.duty,
        "certificate": body.certificate,
        "category": body.category,
        "area": body.area,
    }
    return OfficerWords(
        number=number,
        name=body.name,
        unit=body.unit,
        certificate={name: text for name, text in stated.items() if text is not None},
        validity=Validity(first=parse_day(body.valid_from), last=parse_day(body.valid_until)),
    )
