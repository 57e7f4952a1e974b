"""Units, what recorders are, and where docks stand."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web
from pydantic import BaseModel

from api.answers import etag, json_answer
from api.call import Call
from api.models.common import PageQuery, Recorded
from api.models.recorders import RecordersQuery
from api.models.registers import (
    DescribeRecorder,
    DescribeUnit,
    PlaceDock,
    PlacementItem,
    PlacementPage,
    RegisteredRecorder,
    RegisteredUnit,
    RegistrationItem,
    RegistrationPage,
    UnitDetail,
    UnitItem,
    UnitPage,
)
from api.preconditions import expected_version, once
from api.route import NoQuery
from evidence.db.pool import Connection
from evidence.parties.errors import DockUnknown
from evidence.parties.store import find_dock
from evidence.registers import recorder_store, unit_store
from evidence.registers.recorders import RecorderFacts, RecorderKind, RecorderState, place_dock, register_recorder
from evidence.registers.units import UnitOnRecord, UnitWords, ancestors, get_unit, register_unit, subtree
from evidence.registers.validity import Validity, parse_day


async def register(call: Call[DescribeUnit, NoQuery]) -> web.Response:
    """Register a unit."""
    services = call.services

    async def work(conn: Connection) -> RegisteredUnit:
        done = await register_unit(
            conn, _words(call.body), actor=call.actor, clock=services.clock, entropy=services.entropy
        )
        return _registered(done)

    return await once(call, route="register_unit", work=work)


async def change(call: Call[DescribeUnit, NoQuery]) -> web.Response:
    """State another version of a unit."""
    services = call.services
    version = expected_version(call.request)
    async with services.pool.acquire() as conn, conn.transaction():
        done = await register_unit(
            conn,
            _words(call.body),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
            unit=call.id("unit"),
            expected_version=version,
        )
    return json_answer(_registered(done), headers={"ETag": etag(str(done.version))})


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List units."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await unit_store.units_after(conn, after=call.query.after_id(), limit=limit + 1)
    items = [UnitItem(**asdict(row)) for row in rows[:limit]]
    return json_answer(UnitPage(items=items, next=str(items[-1].unit) if len(rows) > limit else None))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return a unit with every version and its place in the tree."""
    unit = call.id("unit")
    async with call.services.pool.acquire() as conn:
        known = await get_unit(conn, unit)
        versions = await unit_store.unit_versions(conn, unit)
        above, below = await ancestors(conn, unit), await subtree(conn, unit)
    detail = UnitDetail(
        **asdict(known),
        versions=[UnitItem(**asdict(one)) for one in versions],
        above=list(above),
        below=sorted(below - {unit}),
    )
    return json_answer(detail, headers={"ETag": etag(str(known.version))})


async def register_device(call: Call[DescribeRecorder, NoQuery]) -> web.Response:
    """Say what a recorder is."""
    services, body = call.services, call.body
    version = expected_version(call.request)
    facts = RecorderFacts(
        recorder=body.recorder,
        kind=RecorderKind(body.kind),
        state=RecorderState(body.state),
        serial=body.serial,
        model=body.model,
        unit=body.unit,
    )
    async with services.pool.acquire() as conn, conn.transaction():
        done = await register_recorder(
            conn,
            facts,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
            expected_version=version,
        )
    answer = RegisteredRecorder(recorder=body.recorder, version=done.version, entry=done.entry_id)
    return json_answer(answer, status=201, headers={"ETag": etag(str(done.version))})


async def list_devices(call: Call[None, RecordersQuery]) -> web.Response:
    """List what recorders are."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await recorder_store.registrations_after(conn, after=call.query.cursor or "", limit=limit + 1)
    items = [RegistrationItem(**asdict(row)) for row in rows[:limit]]
    return json_answer(RegistrationPage(items=items, next=items[-1].recorder if len(rows) > limit else None))


async def place(call: Call[PlaceDock, NoQuery]) -> web.Response:
    """Say in which unit a dock stands."""
    services = call.services

    async def work(conn: Connection) -> BaseModel:
        entry = await place_dock(
            conn,
            dock=call.id("dock"),
            unit=call.body.unit,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=entry)

    return await once(call, route="place_dock", work=work)


async def placements(call: Call[None, PageQuery]) -> web.Response:
    """List where a dock stood."""
    limit, dock = call.query.limit, call.id("dock")
    async with call.services.pool.acquire() as conn:
        if await find_dock(conn, dock) is None:
            raise DockUnknown("there is no such dock")
        rows = await recorder_store.placements_of(conn, dock, after=call.query.after_id(), limit=limit + 1)
    items = [
        PlacementItem(unit=row.unit, placed_at=row.placed_at, placed_by=row.placed_by, entry=row.entry_id)
        for row in rows[:limit]
    ]
    return json_answer(PlacementPage(items=items, next=str(items[-1].entry) if len(rows) > limit else None))


def _words(body: DescribeUnit) -> UnitWords:
    return UnitWords(
        name=body.name,
        code=body.code,
        parent=body.parent,
        validity=Validity(first=parse_day(body.valid_from), last=parse_day(body.valid_until)),
    )


def _registered(done: UnitOnRecord) -> RegisteredUnit:
    return RegisteredUnit(unit=done.unit, version=done.version, entry=done.entry_id)
