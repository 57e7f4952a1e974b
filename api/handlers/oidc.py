"""Signing in with the agency's provider: a browser is sent there, comes back with a code, and has a session.

What comes back is answered with a page instead of a redirect: the session's cookie is `SameSite=Strict`, and a redirect
out of another site's would not show it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.cookies import address_of, cookie_header, flow_cookie_header, flow_of
from api.errors import RouteUnknown
from api.models.common import PageQuery, Recorded
from api.models.oidc import (
    LinkAccount,
    LinkedSubject,
    LinkedSubjects,
    OidcBegin,
    OidcReturn,
    SignInWays,
    StrangerItem,
    StrangerPage,
)
from api.oidc import Provider
from api.route import NoQuery
from evidence.accounts.accounts import account_of
from evidence.federated.errors import ProviderRefused
from evidence.federated.flow import begin_flow, resume_flow
from evidence.federated.links import link_account
from evidence.federated.sign_in import Named, let_in
from evidence.federated.store import links_of, strangers
from evidence.verify.report import printable
from ledger.errors import CodedError

HTML = "text/html"
_CONSOLE = "/console/"

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>实录 / Shilu</title>
<meta name="robots" content="noindex"><meta http-equiv="refresh" content="0;url={landing}"></head><body>
<p>已登录，正在进入。<a href="{landing}">继续</a><br>You are signed in. <a href="{landing}">Go on</a></p>
</body></html>
"""


async def ways(call: Call[None, NoQuery]) -> web.Response:
    """Say by what people sign in."""
    return json_answer(SignInWays(password=True, provider=call.services.oidc is not None))


async def begin(call: Call[None, OidcBegin]) -> web.Response:
    """Send a browser to the provider."""
    return await _told_to_browsers(call.request, _begin(call))


async def finish(call: Call[None, OidcReturn]) -> web.Response:
    """Take the provider's answer, and begin a session."""
    return await _told_to_browsers(call.request, _finish(call))


async def _told_to_browsers(request: web.Request, work: Awaitable[web.Response]) -> web.Response:
    """Lead a browser whose sign-in did not work to the console, which says so in words; programs get the problem."""
    try:
        return await work
    except CodedError as error:
        if HTML not in request.headers.get("Accept", "") or isinstance(error, RouteUnknown):
            raise
        return web.Response(status=303, headers={"Location": f"{_CONSOLE}?{urlencode({'refused': error.code})}"})


async def _begin(call: Call[None, OidcBegin]) -> web.Response:
    services = call.services
    flow = begin_flow(role=call.query.role, now=services.clock(), entropy=services.entropy)
    address = await _provider(call).address_for(flow)
    response = web.Response(status=303, headers={"Location": address})
    response.headers["Set-Cookie"] = flow_cookie_header(flow.cookie)
    return response


async def _finish(call: Call[None, OidcReturn]) -> web.Response:
    services, config, query = call.services, call.services.config, call.query
    provider = _provider(call)
    flow = resume_flow(flow_of(call.request), query.state, now=services.clock())
    if query.code is None or query.error is not None:
        raise ProviderRefused(f"the provider let nobody in: {printable(query.error or 'no code')}")
    claims = await provider.claims_of(query.code, flow, issuer=query.iss)
    trusted = config.oidc_second_factor == "provider" or claims.states_second_factor(config.oidc_acr_values.split(","))
    named = Named(
        issuer=provider.settings.issuer,
        claims=claims,
        flow=flow,
        has_second_factor=trusted,
        address=address_of(call.request, config.trusted_proxies),
    )
    begun = await let_in(
        services.pool,
        named,
        lifetime=services.sign_in.lifetime,
        second_factor_required=config.second_factor_required,
        clock=services.clock,
        entropy=services.entropy,
    )
    page = _PAGE.format(landing=escape(config.oidc_landing))
    response = web.Response(text=page, content_type=HTML, charset="utf-8")
    response.headers.add("Set-Cookie", cookie_header(begun.text, seconds=config.session_seconds))
    response.headers.add("Set-Cookie", flow_cookie_header(""))
    return response


async def link(call: Call[LinkAccount, NoQuery]) -> web.Response:
    """Link an account with a person of the provider."""
    services, body = call.services, call.body
    async with services.pool.acquire() as conn, conn.transaction():
        entry = await link_account(
            conn,
            call.id("staff"),
            issuer=body.issuer,
            subject=body.subject,
            asked=services.config.oidc_issuer,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=entry), status=201)


async def list_links(call: Call[None, NoQuery]) -> web.Response:
    """List the provider's people whom an account belongs to."""
    async with call.services.pool.acquire() as conn:
        await account_of(conn, call.id("staff"))
        found = await links_of(conn, call.id("staff"))
    items = [
        LinkedSubject(issuer=one.issuer, subject=one.subject, linked_at=one.linked_at, entry=one.entry_id)
        for one in found
    ]
    return json_answer(LinkedSubjects(items=items))


async def list_strangers(call: Call[None, PageQuery]) -> web.Response:
    """List people of the provider who were turned away."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        found = await strangers(conn, after=call.query.after_id(), limit=limit + 1)
    items = [
        StrangerItem(
            issuer=one.issuer,
            subject=one.subject,
            hint=one.hint,
            first_at=one.first_at,
            last_at=one.last_at,
            times=one.times,
        )
        for one in found[:limit]
    ]
    following = str(found[limit - 1].stranger) if len(found) > limit else None
    return json_answer(StrangerPage(items=items, next=following))


def _provider(call: Call[None, OidcBegin] | Call[None, OidcReturn]) -> Provider:
    if call.services.oidc is None:
        raise RouteUnknown("there is nothing at this address")
    return call.services.oidc
