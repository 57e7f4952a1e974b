"""Staff tokens: issue, list, rotate, revoke."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.errors import RoleRefused
from api.models.common import PageQuery, Recorded
from api.models.parties import IssuedToken, IssueToken, Revoke, RotateToken, TokenItem, TokenPage
from api.route import NoQuery
from api.scopes import check_scopes
from evidence.parties import staff
from evidence.parties.roles import Role
from evidence.parties.staff import issue_token, revoke_token, rotate_token
from evidence.parties.store import list_staff_tokens


async def issue(call: Call[IssueToken, NoQuery]) -> web.Response:
    """Issue a token to a person."""
    services, body = call.services, call.body
    check_scopes(body.scopes)
    async with services.pool.acquire() as conn, conn.transaction():
        issued = await issue_token(
            conn,
            name=body.name,
            role=body.role,
            lifetime=timedelta(days=body.valid_days),
            staff=body.staff,
            scopes=body.scopes,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(_issued(issued), status=201)


async def rotate(call: Call[RotateToken, NoQuery]) -> web.Response:
    """Replace a token by a new one: its holder the own, an administrator any."""
    services, body, token = call.services, call.body, call.id("token")
    by_holder = call.staff.role is not Role.ADMINISTRATOR
    if by_holder and call.staff.token != token:
        raise RoleRefused("a person rotates the token of this very request; an administrator any")
    async with services.pool.acquire() as conn, conn.transaction():
        issued = await rotate_token(
            conn,
            token=token,
            lifetime=None if body.valid_days is None else timedelta(days=body.valid_days),
            by_holder=by_holder,
            reason=body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(_issued(issued), status=201)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List staff tokens; what they are spelled like is known to their bearers only."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        tokens = await list_staff_tokens(conn, after=call.query.after_id(), limit=limit + 1)
    items = [
        TokenItem(
            token=token.token,
            staff=token.staff,
            name=token.name,
            role=token.role,
            scopes=None if token.scopes is None else sorted(token.scopes),
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            revoked_reason=token.revoked_reason,
        )
        for token in tokens[:limit]
    ]
    return json_answer(TokenPage(items=items, next=str(items[-1].token) if len(tokens) > limit else None))


async def revoke(call: Call[Revoke, NoQuery]) -> web.Response:
    """Revoke a token for good."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await revoke_token(
            conn,
            token=call.id("token"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=entry), status=201)


def _issued(issued: staff.IssuedToken) -> IssuedToken:
    return IssuedToken(
        text=issued.text,
        token=issued.token,
        staff=issued.staff,
        expires_at=issued.expires_at,
        entry=issued.entry_id,
    )
