"""Accounts, as an administrator manages them."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web
from pydantic import BaseModel

from api.answers import json_answer
from api.call import Call
from api.models.accounts import (
    AccountCode,
    AccountItem,
    AccountPage,
    ChangeAccount,
    CreateAccount,
    MakeAccountCode,
)
from api.models.common import PageQuery, Recorded
from api.models.parties import Revoke
from api.preconditions import expected_version, once
from api.route import NoQuery
from evidence.accounts.accounts import account_of, change_account, create_account, issue_code
from evidence.accounts.secrets import remove_totp
from evidence.accounts.store import Account, list_accounts
from evidence.db.pool import Connection


async def create(call: Call[CreateAccount, NoQuery]) -> web.Response:
    """Create an account without a password."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> BaseModel:
        account = await create_account(
            conn,
            login=body.login,
            name=body.name,
            roles=body.roles,
            staff=body.staff,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return _item(account)

    return await once(call, route="create_account", work=work)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List accounts."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        found = await list_accounts(conn, after=call.query.after_id(), limit=limit + 1)
    items = [_item(account) for account in found[:limit]]
    return json_answer(AccountPage(items=items, next=str(items[-1].staff) if len(found) > limit else None))


async def read(call: Call[None, NoQuery]) -> web.Response:
    """Show one account, with its version as ETag."""
    async with call.services.pool.acquire() as conn:
        account = await account_of(conn, call.id("staff"))
    return _tagged(account)


async def change(call: Call[ChangeAccount, NoQuery]) -> web.Response:
    """Change roles or state of an account."""
    services, version = call.services, expected_version(call.request)
    async with services.pool.acquire() as conn, conn.transaction():
        account = await change_account(
            conn,
            call.id("staff"),
            version=version,
            roles=call.body.roles,
            enabled=call.body.enabled,
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return _tagged(account)


async def make_code(call: Call[MakeAccountCode, NoQuery]) -> web.Response:
    """Make a one-time code with which the person sets a password."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        issued = await issue_code(
            conn,
            call.id("staff"),
            lifetime=timedelta(hours=call.body.valid_hours),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(AccountCode(staff=issued.staff, code=issued.text, expires_at=issued.expires_at), status=201)


async def drop_totp(call: Call[Revoke, NoQuery]) -> web.Response:
    """Let an account ask for no one-time codes any more, because the phone is lost."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await remove_totp(
            conn,
            call.id("staff"),
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=entry), status=201)


def _tagged(account: Account) -> web.Response:
    response = json_answer(_item(account))
    response.headers["ETag"] = f'"{account.version}"'
    return response


def _item(account: Account) -> AccountItem:
    return AccountItem(
        staff=account.staff,
        login=account.login,
        name=account.name,
        roles=list(account.roles),
        enabled=account.enabled,
        version=account.version,
        reason=account.reason,
        has_password=account.has_password,
        has_totp=account.has_totp,
        created_at=account.created_at,
        changed_at=account.changed_at,
    )
