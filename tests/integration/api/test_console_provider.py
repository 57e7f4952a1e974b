"""Signing in to the console with the agency's provider, in a browser that goes there and comes back.

The provider is called `localhost` and the service `127.0.0.1`: two sites to a browser, as at an agency.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import count
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp import web

from api.console.assets import assets
from api.routes.table import ROUTES
from evidence.parties.roles import Role
from tests.support.browser import Tab, open_tab
from tests.support.console import clicked, pressed, shot, typed
from tests.support.database import fresh_database
from tests.support.identity_provider import SECRET, IdentityProvider, open_identity_provider, settings_of
from tests.support.people import PASSWORD, make_account, person
from tests.support.service import RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINK = ".sign-in a.button"
NUMBERS = count(1)


class Visit:
    """A service, its provider, and a tab in which nobody is signed in."""

    def __init__(self, service: RunningService, provider: IdentityProvider, tab: Tab) -> None:
        self.service, self.provider, self.tab = service, provider, tab

    async def link(self, staff: UUID) -> None:
        """Have the provider know a person, and an account belong to that person."""
        self.provider.subject = f"subject-{next(NUMBERS)}"
        body = {"issuer": self.provider.issuer, "subject": self.provider.subject}
        reply = await self.service.ask("POST", f"/v1/accounts/{staff}/links", role=Role.ADMINISTRATOR, json=body)
        assert reply.status == 201, reply.body

    async def linked(self, role: Role) -> UUID:
        staff = await make_account(self.service, f"lian.he.{next(NUMBERS)}", role)
        await self.link(staff)
        return staff

    async def sign_in(self, place: str = "") -> None:
        """Open the console, maybe at a page of it, and press the provider's button."""
        await self.tab.go(f"{self.service.url}/console/{place}")
        await clicked(self.tab, LINK)

    async def refused(self, code: str, *words: str) -> None:
        """Wait for the console's own words about why nobody was let in; nobody is signed in, a password can be."""
        await self.tab.until(f"document.querySelector('.sign-in .failure code')?.textContent === '{code}'")
        said = await self.tab.evaluate("document.querySelector('.sign-in .failure').textContent")
        assert all(word in said for word in words), said
        assert await self.tab.evaluate("fetch('/v1/session').then(answer => answer.status)") == 401
        assert await self.tab.evaluate("!!document.querySelector('input[name=password]')")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def offices(
    postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[RunningService, IdentityProvider]]:
    folder = tmp_path_factory.mktemp("provider")
    (folder / "secret").write_text(SECRET + "\n")
    async with open_identity_provider() as provider, fresh_database(postgres) as database:
        provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
        config = config_for(database, folder / "data", **settings_of(provider, folder))
        async with running_service(config) as service:
            await service.clip(b"footage", path="DCIM/20261122_093000.mp4")
            yield service, provider


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: str, offices: tuple[RunningService, IdentityProvider]) -> AsyncIterator[Visit]:
    """A provider that behaves, and a tab without a past."""
    service, provider = offices
    provider.__init__(issuer=provider.issuer)  # type: ignore[misc]  # as new, on the same socket
    assert service.services.oidc is not None
    service.services.oidc._kept = None
    async with open_tab(browser) as tab:
        await tab.call("Network.clearBrowserCookies")
        yield Visit(service, provider, tab)
        await tab.evaluate("localStorage.clear()")


async def test_there_and_back_signed_in_with_the_rights_of_the_account(visit: Visit) -> None:
    staff, tab = await visit.linked(Role.REVIEWER), visit.tab
    await visit.sign_in()
    await tab.until("!!document.querySelector('.bar')")
    me = await tab.evaluate("fetch('/v1/session').then(answer => answer.json())")
    assert (me["staff"], me["role"], me["by_session"]) == (str(staff), "reviewer", True)
    assert "give_opinion" in me["rights"]
    assert "法制审核" in await tab.evaluate("document.querySelector('.bar').textContent")
    assert any(address.startswith(f"{visit.provider.issuer}/authorize?") for address in tab.requests)
    assert not visit.provider.problems
    assert await tab.evaluate("document.cookie") == "", "no script reads the session"
    await pressed(tab, ".bar button", "退出")
    await tab.until(f"!!document.querySelector({json.dumps(LINK)})")
    assert await tab.evaluate("fetch('/v1/session').then(answer => answer.status)") == 401


async def test_whoever_was_at_a_page_comes_back_to_it(visit: Visit) -> None:
    await visit.linked(Role.ARCHIVIST)
    await visit.sign_in("#/search?q=093000")
    await visit.tab.until("!!document.querySelector('.bar') && location.hash === '#/search?q=093000'")
    await visit.tab.until("document.querySelectorAll('table.dense tbody tr').length === 1")


async def test_a_session_that_ended_goes_on_by_the_provider_with_what_was_typed(visit: Visit) -> None:
    await visit.linked(Role.ARCHIVIST)
    (clip,) = (await visit.service.ask("GET", "/v1/clips", role=Role.ARCHIVIST)).json()["items"]
    place, tab = f"#/clips/{clip['clip']}", visit.tab
    await visit.sign_in(place)
    await typed(tab, ".annotation textarea", "写到一半的备注")
    await tab.until("Object.values(localStorage).some(value => value.includes('写到一半'))")
    await tab.evaluate("fetch('/v1/session', {method: 'DELETE'}).then(() => 0)")
    await clicked(tab, "#tab-history")
    await clicked(tab, f".over {LINK}")
    await tab.until(f"location.hash === '{place}' && !document.querySelector('.over')")
    await tab.until("document.querySelector('.annotation textarea')?.value === '写到一半的备注'")


async def test_another_person_in_the_same_tab_finds_neither_page_nor_purpose_of_the_first(visit: Visit) -> None:
    await visit.linked(Role.ARCHIVIST)
    await visit.sign_in("#/search?q=093000")
    await visit.tab.until("!!document.querySelector('.bar')")
    await visit.tab.evaluate("sessionStorage.setItem('shilu.purpose', 'litigation'); undefined")
    await visit.tab.call("Network.clearBrowserCookies")
    await visit.tab.call("Page.reload")
    await visit.tab.until(f"!!document.querySelector({json.dumps(LINK)})")
    await visit.linked(Role.INVESTIGATOR)
    await clicked(visit.tab, LINK)
    await visit.tab.until("document.querySelector('.bar .who')?.textContent.length > 0")
    assert await visit.tab.evaluate("[location.hash, sessionStorage.getItem('shilu.purpose')]") == ["", None]


async def test_whom_nobody_linked_reads_what_to_do_in_both_languages(visit: Visit) -> None:
    visit.provider.subject = "nobody-yet"
    await visit.sign_in("#/verify")
    await visit.refused("auth.not_linked", "尚未与本系统账号关联", "联系管理员")
    await shot(visit.tab, "provider-not-linked")
    await visit.tab.evaluate("localStorage.setItem('shilu.language', 'en'); undefined")
    await visit.tab.call("Page.reload")
    await visit.tab.until("document.documentElement?.lang === 'en'")
    await visit.refused("auth.not_linked", "not linked with an account", "ask an administrator")
    # The password leads on, to the page that one was at; the refusal does not come back with the next sign-in.
    someone = await person(visit.service, f"kou.ling.{next(NUMBERS)}", Role.ARCHIVIST)
    await typed(visit.tab, "input[name=login]", someone.login)
    await typed(visit.tab, "input[name=password]", PASSWORD)
    await clicked(visit.tab, ".sign-in button.primary")
    await visit.tab.until("location.hash === '#/verify' && location.search === ''")


async def test_a_disabled_account_stays_out_and_is_told(visit: Visit) -> None:
    staff = await visit.linked(Role.REVIEWER)
    body = {"roles": ["reviewer"], "enabled": False, "reason": "调离"}
    path = f"/v1/accounts/{staff}"
    changed = await visit.service.ask("PUT", path, role=Role.ADMINISTRATOR, headers={"If-Match": '"0"'}, json=body)
    assert changed.status == 200
    await visit.sign_in()
    await visit.refused("account.disabled", "已停用")


async def test_a_provider_that_is_down_leaves_the_password(visit: Visit) -> None:
    async def broken(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    visit.provider.instead["/.well-known/openid-configuration"] = broken
    await visit.sign_in()
    await visit.refused("auth.provider_unavailable", "暂时不可用", "本地账号")
    await shot(visit.tab, "provider-down")


async def test_a_person_who_says_no_at_the_provider_is_told(visit: Visit) -> None:
    async def denied(request: web.Request) -> web.Response:
        back = f"{request.query['redirect_uri']}?error=access_denied&state={request.query['state']}"
        return web.Response(status=302, headers={"Location": back})

    visit.provider.instead["/authorize"] = denied
    await visit.sign_in()
    await visit.refused("auth.provider_refused", "未允许登录")


async def test_another_state_than_the_browser_left_with_counts_for_nothing(visit: Visit) -> None:
    async def slipped(request: web.Request) -> web.Response:
        back = f"{request.query['redirect_uri']}?code=stolen&state=A{request.query['state']}"
        return web.Response(status=302, headers={"Location": back})

    await visit.linked(Role.REVIEWER)
    visit.provider.instead["/authorize"] = slipped
    await visit.sign_in()
    await visit.refused("auth.flow_refused", "重新开始")


async def test_every_way_of_not_being_let_in_has_words_in_both_languages() -> None:
    words = assets()["words.js"].body.decode()
    ways = [route for route in ROUTES if route.name in ("begin_oidc", "finish_oidc")]
    assert len(ways) == 2
    missing = {code for way in ways for code in way.errors if words.count(f'"refused.{code}": ') != 2}
    assert not missing
