"""Signing in and out, and what a person does about the own account."""

from __future__ import annotations

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.cookies import address_of, cookie_header
from api.dispatch import EVERY_ROUTE
from api.models.accounts import (
    Activate,
    BeginTotp,
    BegunSession,
    ChangePassword,
    ConfirmTotp,
    OwnToken,
    OwnTokens,
    PendingTotp,
    Recovery,
    SessionItem,
    SessionPage,
    SignIn,
    WhoAmI,
)
from api.models.common import PageQuery
from api.route import NoQuery
from api.scopes import opens
from evidence.accounts import totp
from evidence.accounts.accounts import account_of
from evidence.accounts.errors import SessionUnknown, SignInRefused
from evidence.accounts.secrets import begin_totp, confirm_totp, put_password
from evidence.accounts.session_store import sessions_of
from evidence.accounts.sessions import end_session, end_sessions, lock_person
from evidence.accounts.sign_in import Attempt
from evidence.accounts.store import find_account
from evidence.parties.errors import TokenUnknown
from evidence.parties.staff import revoke_token
from evidence.parties.store import find_staff_token, tokens_of


async def sign_in(call: Call[SignIn, NoQuery]) -> web.Response:
    """Begin a session."""
    body = call.body
    begun = await call.services.sign_in.sign_in(
        Attempt(login=body.login, password=body.password, code=body.code, role=body.role, address=_address(call))
    )
    answer = BegunSession(
        session=begun.session,
        staff=begun.staff,
        role=begun.role,
        scopes=None if begun.scopes is None else sorted(begun.scopes),
        expires_at=begun.expires_at,
        text=None if body.cookie else begun.text,
    )
    response = json_answer(answer, status=201)
    if body.cookie:
        response.headers["Set-Cookie"] = cookie_header(begun.text, seconds=call.services.config.session_seconds)
    return response


async def activate(call: Call[Activate, NoQuery]) -> web.Response:
    """Set a password with a one-time code."""
    body = call.body
    await call.services.sign_in.set_password(
        Attempt(login=body.login, password=body.password, code=body.code, address=_address(call))
    )
    return web.Response(status=204)


async def who_am_i(call: Call[None, NoQuery]) -> web.Response:
    """Say who calls, and what they may do."""
    caller = call.staff
    async with call.services.pool.acquire() as conn:
        account = await find_account(conn, caller.staff)
    routes = call.request.app[EVERY_ROUTE]
    rights = [one for one in routes if one.roles is None or (caller.role in one.roles and opens(caller.scopes, one))]
    answer = WhoAmI(
        staff=caller.staff,
        name=caller.name,
        role=caller.role,
        roles=[caller.role] if account is None or not caller.by_session else list(account.roles),
        scopes=None if caller.scopes is None else sorted(caller.scopes),
        login=None if account is None else account.login,
        has_totp=account is not None and account.has_totp,
        credential=caller.token,
        by_session=caller.by_session,
        rights=[route.name for route in rights],
    )
    return json_answer(answer)


async def sign_out(call: Call[None, NoQuery]) -> web.Response:
    """End the session that this very request came with."""
    if not call.staff.by_session:
        raise SessionUnknown("this request came with a token, which is revoked and not signed out")
    await _end(call, cause_is_own=True)
    response = web.Response(status=204)
    response.headers["Set-Cookie"] = cookie_header("", seconds=0)
    return response


async def list_sessions(call: Call[None, PageQuery]) -> web.Response:
    """List the caller's sessions."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        found = await sessions_of(conn, call.staff.staff, after=call.query.after_id(), limit=limit + 1)
    items = [
        SessionItem(
            session=one.session,
            role=one.role,
            method=one.method,
            signed_in_at=one.signed_in_at,
            expires_at=one.expires_at,
            seen_at=one.seen_at,
            address=one.address,
            ended_at=one.ended_at,
            cause=one.cause,
        )
        for one in found[:limit]
    ]
    return json_answer(SessionPage(items=items, next=str(items[-1].session) if len(found) > limit else None))


async def end_one(call: Call[None, NoQuery]) -> web.Response:
    """End one of the caller's sessions."""
    await _end(call, cause_is_own=False)
    return web.Response(status=204)


async def change_password(call: Call[ChangePassword, NoQuery]) -> web.Response:
    """Set another password; all other sessions end."""
    services, staff = call.services, call.staff.staff
    async with services.pool.acquire() as conn:
        account = await account_of(conn, staff)
    services.sign_in.passwords.check(call.body.new, login=account.login, name=account.name)
    await _prove(call, call.body.password)
    hashed = await services.sign_in.passwords.hash(call.body.new)
    async with services.pool.acquire() as conn, conn.transaction():
        await lock_person(conn, staff)
        await put_password(conn, staff, hashed, cause="own", clock=services.clock, entropy=services.entropy)
        await end_sessions(
            conn,
            staff,
            cause="password",
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
            keep=call.staff.token,
        )
    return web.Response(status=204)


async def start_totp(call: Call[BeginTotp, NoQuery]) -> web.Response:
    """Make a secret of one-time codes, which counts once it is confirmed."""
    services, staff = call.services, call.staff.staff
    await _prove(call, call.body.password)
    async with services.pool.acquire() as conn, conn.transaction():
        account = await account_of(conn, staff)
        secret = await begin_totp(conn, staff, now=services.clock(), entropy=services.entropy)
    uri = totp.enrolment_uri(secret, login=account.login, issuer=services.origin)
    return json_answer(PendingTotp(secret=totp.secret_text(secret), uri=uri), status=201)


async def finish_totp(call: Call[ConfirmTotp, NoQuery]) -> web.Response:
    """Enrol one-time codes; all other sessions end."""
    services, staff = call.services, call.staff.staff
    async with services.pool.acquire() as conn, conn.transaction():
        await account_of(conn, staff)
        codes = await confirm_totp(
            conn, staff, call.body.code, keep=call.staff.token, clock=services.clock, entropy=services.entropy
        )
    return json_answer(Recovery(recovery=list(codes.texts)), status=201)


async def own_tokens(call: Call[None, NoQuery]) -> web.Response:
    """List the caller's own tokens that count."""
    async with call.services.pool.acquire() as conn:
        tokens = await tokens_of(conn, call.staff.staff, now=call.services.clock())
    items = [
        OwnToken(
            token=one.token,
            role=one.role,
            scopes=None if one.scopes is None else sorted(one.scopes),
            issued_at=one.issued_at,
            expires_at=one.expires_at,
            seen_at=one.seen_at,
        )
        for one in tokens
    ]
    return json_answer(OwnTokens(items=items))


async def revoke_own_token(call: Call[None, NoQuery]) -> web.Response:
    """Revoke one of the caller's own tokens for good."""
    services, token = call.services, call.id("token")
    async with services.pool.acquire() as conn, conn.transaction():
        found = await find_staff_token(conn, token)
        if found is None or found.staff != call.staff.staff:
            raise TokenUnknown("this is none of your tokens")
        reason = "revoked by its holder"
        await revoke_token(
            conn, token=token, reason=reason, actor=call.actor, clock=services.clock, entropy=services.entropy
        )
    return web.Response(status=204)


async def _end(call: Call[None, NoQuery], *, cause_is_own: bool) -> None:
    services, caller = call.services, call.staff
    session = caller.token if cause_is_own else call.id("session")
    async with services.pool.acquire() as conn, conn.transaction():
        await end_session(
            conn,
            session,
            staff=caller.staff,
            cause="own" if session == caller.token else "other",
            clock=services.clock,
            entropy=services.entropy,
        )


async def _prove(call: Call[ChangePassword, NoQuery] | Call[BeginTotp, NoQuery], password: str) -> None:
    if not await call.services.sign_in.proves(call.staff.staff, password, address=_address(call)):
        raise SignInRefused("the password is not right")


def _address(
    call: Call[SignIn, NoQuery] | Call[Activate, NoQuery] | Call[ChangePassword, NoQuery] | Call[BeginTotp, NoQuery],
) -> str:
    return address_of(call.request, call.services.config.trusted_proxies)
