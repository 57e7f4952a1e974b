"""Docks: codes, enrolment, revocation, and the statements they make."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.dock_register import HEARTBEAT_SECONDS, docks_as_they_stand
from api.models.common import PageQuery, Recorded
from api.models.docks import DemandKey, DockPage, Heartbeat, HeartbeatAnswer
from api.models.parties import (
    DockKeyState,
    EnrolDock,
    EnrolledDock,
    MadeCode,
    MakeCode,
    Revoke,
    RotatedKey,
    TakenInventory,
)
from api.route import NoQuery
from evidence.parties.dock_state_store import keep_state
from evidence.parties.docks import create_enrolment_code, demand_key, enrol_dock, revoke_dock, rotate_dock_key
from evidence.parties.errors import DockUnknown
from evidence.parties.statements import take_cleared, take_inventory
from evidence.parties.store import find_dock, list_docks
from evidence.recorders.comparison import compare_inventory


async def make_code(call: Call[MakeCode, NoQuery]) -> web.Response:
    """Make a one-time enrolment code."""
    services = call.services
    lifetime = timedelta(hours=call.body.valid_hours)
    expires_at = services.clock() + lifetime
    async with services.pool.acquire() as conn, conn.transaction():
        code = await create_enrolment_code(
            conn, lifetime=lifetime, actor=call.actor, clock=services.clock, entropy=services.entropy
        )
    return json_answer(MadeCode(code=code, expires_at=expires_at), status=201)


async def enrol(call: Call[EnrolDock, NoQuery]) -> web.Response:
    """Let a dock in; the code is its credential."""
    services, body = call.services, call.body
    async with services.pool.acquire() as conn, conn.transaction():
        dock = await enrol_dock(
            conn, code=body.code, name=body.name, vkey=body.vkey, clock=services.clock, entropy=services.entropy
        )
    log, policy = (await services.log_keys()).newest, (await services.policy()).format().decode()
    answer = EnrolledDock(dock=dock.dock, origin=log.name, log_vkey=log.vkey, policy=policy)
    return json_answer(answer, status=201)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List docks."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        docks = await list_docks(conn, after=call.query.after_id(), limit=limit + 1)
    items = await docks_as_they_stand(call.services, list(docks[:limit]))
    return json_answer(DockPage(items=items, next=str(items[-1].dock) if len(docks) > limit else None))


async def revoke(call: Call[Revoke, NoQuery]) -> web.Response:
    """Revoke a dock for good."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await revoke_dock(
            conn,
            dock=call.id("dock"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=entry), status=201)


async def demand_key_change(call: Call[DemandKey, NoQuery]) -> web.Response:
    """Ask a dock to go over to another key; it is told with its next heartbeat."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await demand_key(
            conn,
            dock=call.id("dock"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=entry), status=201)


async def heartbeat(call: Call[Heartbeat, NoQuery]) -> web.Response:
    """Take down what a dock says of itself, and tell it what it should know."""
    if call.id("dock") != call.dock.dock:
        raise DockUnknown("a dock speaks for itself only")
    async with call.services.pool.acquire() as conn:
        now = call.services.clock()
        await keep_state(conn, dock=call.dock.dock, at=now, said=call.body.model_dump(mode="json"))
        dock = await find_dock(conn, call.dock.dock)
    answer = HeartbeatAnswer(
        server_time=call.services.clock(),
        rotate_key=dock is not None and dock.key_demanded_at is not None,
        next_seconds=HEARTBEAT_SECONDS,
    )
    return json_answer(answer)


async def key_state(call: Call[None, NoQuery]) -> web.Response:
    """Tell a dock which of its keys counts: the one that asks, or nobody would be told."""
    if call.id("dock") != call.dock.dock:
        raise DockUnknown("a dock is told about itself only")
    async with call.services.pool.acquire() as conn:
        dock = await find_dock(conn, call.dock.dock)
    if dock is None:
        raise DockUnknown("there is no such dock")
    answer = DockKeyState(dock=dock.dock, sequence=dock.key_sequence, vkey=dock.vkey, since=dock.key_since)
    return json_answer(answer)


async def rotate_key(call: Call[bytes, NoQuery]) -> web.Response:
    """Go over to another key; the same change again gets the same answer."""
    services = call.services
    if call.id("dock") != call.dock.dock:
        raise DockUnknown("a dock changes its own key only")
    async with services.pool.acquire() as conn, conn.transaction():
        done = await rotate_dock_key(
            conn, dock=call.dock.dock, note=call.body, clock=services.clock, entropy=services.entropy
        )
    answer = RotatedKey(dock=done.dock, sequence=done.sequence, vkey=done.vkey, entry=done.entry_id)
    return json_answer(answer, status=201)


async def post_inventory(call: Call[bytes, NoQuery]) -> web.Response:
    """Put on record what a dock sees on a recorder; the same inventory again gets the same answer."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        taken = await take_inventory(
            conn, note=call.body, verifier=call.dock.verifier, clock=services.clock, entropy=services.entropy
        )
    # Behind the commit: whatever a card pretends, the inventory is on record.
    async with services.pool.acquire() as conn, conn.transaction():
        await compare_inventory(conn, taken.inventory, clock=services.clock, entropy=services.entropy)
    return json_answer(TakenInventory(inventory=taken.inventory, entry=taken.entry_id), status=201)


async def post_cleared(call: Call[bytes, NoQuery]) -> web.Response:
    """Put on record what a dock has removed from a recorder; the same list again gets the same answer."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await take_cleared(
            conn, note=call.body, verifier=call.dock.verifier, clock=services.clock, entropy=services.entropy
        )
    return json_answer(Recorded(entry=entry), status=201)
