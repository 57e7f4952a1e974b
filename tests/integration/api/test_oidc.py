"""Signing in with a provider on a real socket: who gets in, who does not, and what the hostile get."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp import ClientTimeout, web

from api import oidc
from api.cookies import COOKIE, FLOW_COOKIE
from api.errors import ConfigInvalid
from evidence.accounts.accounts import account_of
from evidence.core.clock import utc_now
from evidence.federated.sign_in import ANSWERS_KEPT, STRANGERS_KEPT
from evidence.federated.store import sweep_federated
from evidence.parties.roles import Role
from tests.support.database import fresh_database
from tests.support.identity_provider import (
    CLIENT,
    SECRET,
    SUBJECT,
    IdentityProvider,
    huge,
    open_identity_provider,
    public,
    settings_of,
    sign,
    slow,
)
from tests.support.people import enrol_totp, entries, make_account, person
from tests.support.service import Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Visit:
    """A service, its provider, and a browser that goes between them."""

    def __init__(self, service: RunningService, provider: IdentityProvider) -> None:
        self.service, self.provider = service, provider
        self.numbers = iter(range(1, 1000))

    async def leave(self, query: str = "") -> tuple[str, str]:
        """Begin; return the cookie and the address of the provider."""
        reply = await self.service.ask("GET", f"/v1/session/oidc{query}")
        assert reply.status == 303, reply.body
        return cookie_of(reply, FLOW_COOKIE), reply.headers["Location"]

    async def authorize(self, address: str) -> str:
        """Sign in at the provider; return what the browser is sent back to."""
        async with self.service.session.get(address, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            parts = urlsplit(answer.headers["Location"])
        assert f"{parts.scheme}://{parts.netloc}" == self.service.url
        return f"{parts.path}?{parts.query}"

    async def come_back(self, path: str, cookie: str | None) -> Reply:
        headers = {} if cookie is None else {"Cookie": f"{FLOW_COOKIE}={cookie}"}
        return await self.service.ask("GET", path, headers=headers)

    async def sign_in(self, query: str = "") -> Reply:
        cookie, address = await self.leave(query)
        return await self.come_back(await self.authorize(address), cookie)

    async def link(self, staff: UUID, subject: str = SUBJECT, **more: Any) -> Reply:
        body = {"issuer": self.provider.issuer, "subject": subject, **more}
        return await self.service.ask("POST", f"/v1/accounts/{staff}/links", role=Role.ADMINISTRATOR, json=body)

    async def somebody(self, *roles: Role) -> UUID:
        """Return the account of a person whom the provider knows."""
        number = next(self.numbers)
        staff = await make_account(self.service, f"linked.{number}", *(roles or (Role.INVESTIGATOR,)))
        self.provider.subject = f"{SUBJECT}-{number}"
        assert (await self.link(staff, self.provider.subject)).status == 201
        return staff


def cookie_of(reply: Reply, name: str) -> str:
    for line in reply.headers.getall("Set-Cookie", []):
        found = SimpleCookie(line)
        if name in found:
            assert found[name]["secure"]
            assert found[name]["httponly"]
            assert found[name]["path"] == "/"
            assert found[name]["samesite"] == ("Lax" if name == FLOW_COOKIE else "Strict")
            return found[name].value
    raise AssertionError(f"no cookie {name}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visit]:
    folder = tmp_path_factory.mktemp("oidc")
    (folder / "secret").write_text(SECRET + "\n")
    async with open_identity_provider() as provider, fresh_database(postgres) as database:
        config = config_for(database, folder / "data", **settings_of(provider, folder))
        async with running_service(config) as service:
            yield Visit(service, provider)


@pytest_asyncio.fixture(loop_scope="module")
async def visit(house: Visit) -> AsyncIterator[Visit]:
    """The house with a provider that behaves."""
    issuer = house.provider.issuer
    yield house
    house.provider.__init__(issuer=issuer)  # type: ignore[misc]  # as new, on the same socket
    forget(house)


def forget(visit: Visit) -> None:
    """Have the provider asked anew for what it publishes."""
    assert visit.service.services.oidc is not None
    visit.service.services.oidc._kept = None


async def test_a_person_of_the_provider_signs_in_and_has_a_session_like_any_other(visit: Visit) -> None:
    staff = await visit.somebody(Role.INVESTIGATOR, Role.ARCHIVIST)
    reply = await visit.sign_in("?role=archivist")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), reply.body
    assert b'content="0;url=/console/"' in reply.body
    session = {"Cookie": f"{COOKIE}={cookie_of(reply, COOKIE)}"}
    assert cookie_of(reply, FLOW_COOKIE) == ""
    me = (await visit.service.ask("GET", "/v1/session", headers=session)).json()
    assert (me["staff"], me["role"], me["scopes"], me["by_session"]) == (str(staff), "archivist", None, True)
    body = {"number": "联合登录1号", "title": "甲"}
    foreign = await visit.service.ask("POST", "/v1/cases", headers=session, json=body)
    assert foreign.code == "auth.cross_site"
    ours = {**session, "Origin": visit.service.url}
    assert (await visit.service.ask("POST", "/v1/cases", headers=ours, json=body)).status == 201
    assert (await visit.service.ask("DELETE", "/v1/session", headers=ours)).status == 204
    assert (await visit.service.ask("GET", "/v1/session", headers=session)).code == "auth.revoked"
    (begun,) = await entries(visit.service, "session.begun", f"session:{me['credential']}")
    assert (begun["method"], begun["recovery_sha256"]) == ("oidc", None)
    assert not visit.provider.problems


async def test_a_browser_that_was_turned_away_is_led_to_the_console(
    visit: Visit,
) -> None:
    assert (await visit.service.ask("GET", "/v1/session/ways")).json() == {"password": True, "provider": True}
    path = "/v1/session/oidc/return?state=none&code=none"
    assert (await visit.service.ask("GET", path)).code == "auth.flow_refused"
    led = await visit.service.ask("GET", path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (led.status, led.headers["Location"]) == (303, "/console/?refused=auth.flow_refused")
    assert "Set-Cookie" not in led.headers


async def test_what_goes_to_the_provider_is_different_each_time_and_holds_no_secret(visit: Visit) -> None:
    seen: set[str] = set()
    for _ in range(3):
        cookie, address = await visit.leave()
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["redirect_uri"] == f"{visit.service.url}/v1/session/oidc/return"
        secret = cookie.rpartition(".")[2]
        assert secret not in address
        seen |= {asked["state"], asked["nonce"], asked["code_challenge"], secret}
    assert len(seen) == 12


async def test_keys_change_and_the_new_one_is_believed_once_the_provider_shows_it(visit: Visit) -> None:
    await visit.somebody()
    assert (await visit.sign_in()).status == 200
    visit.provider.current = ("second", "ES256")
    # Asked anew for a key that is not there, and not more often than now and then.
    assert (await visit.sign_in()).json()["details"] == {"check": "key"}
    pause, oidc.KEYS_PAUSE = oidc.KEYS_PAUSE, timedelta()
    try:
        assert (await visit.sign_in()).status == 200
        # The provider has withdrawn the first one.
        visit.provider.signed = lambda claims: sign(claims, kid="first", algorithm="RS256")
        assert (await visit.sign_in()).json()["details"] == {"check": "key"}
    finally:
        oidc.KEYS_PAUSE = pause


async def test_unknown_keys_do_not_make_us_knock(visit: Visit) -> None:
    await visit.somebody()
    visit.provider.signed = lambda claims: sign(claims, kid="unknown", algorithm="RS256")
    for _ in range(3):
        assert (await visit.sign_in()).json()["details"] == {"check": "key"}
    assert visit.provider.asked.count("/keys") == 1


async def test_whom_nobody_linked_is_refused_found_by_an_administrator_and_linked(visit: Visit) -> None:
    visit.provider.subject, service = "nobody-yet", visit.service
    for _ in range(2):
        reply = await visit.sign_in()
        assert (reply.status, reply.code) == (403, "auth.not_linked")
        assert reply.json()["details"] == {"issuer": visit.provider.issuer, "subject": "nobody-yet"}
    assert "Set-Cookie" not in reply.headers
    listed = (await service.ask("GET", "/v1/accounts/strangers", role=Role.AUDITOR)).json()["items"]
    (found,) = [one for one in listed if one["subject"] == "nobody-yet"]
    assert (found["times"], found["hint"], found["issuer"]) == (2, "王芳", visit.provider.issuer)
    staff = await make_account(service, "late.linked", Role.REVIEWER)
    linked = await visit.link(staff, "nobody-yet")
    assert linked.status == 201
    (entry,) = await entries(service, "account.linked", f"staff:{staff}")
    assert entry == {"staff": str(staff), "issuer": visit.provider.issuer, "subject": "nobody-yet"}
    links = (await service.ask("GET", f"/v1/accounts/{staff}/links", role=Role.AUDITOR)).json()["items"]
    assert [(one["subject"], one["entry"]) for one in links] == [("nobody-yet", linked.json()["entry"])]
    after = (await service.ask("GET", "/v1/accounts/strangers", role=Role.AUDITOR)).json()["items"]
    assert "nobody-yet" not in {one["subject"] for one in after}
    assert (await visit.sign_in()).status == 200


async def test_a_link_is_made_once_and_by_nobody_s_e_mail(visit: Visit) -> None:
    staff = await visit.somebody()
    subject = visit.provider.subject
    other = await make_account(visit.service, "second.linked", Role.REVIEWER)
    assert (await visit.link(other, subject)).code == "account.link_taken"
    assert (await visit.link(staff, "another-subject")).code == "account.link_taken"
    replies = await asyncio.gather(*(visit.link(other, f"raced-{n % 2}") for n in range(8)))
    assert sorted(reply.status for reply in replies) == [201, *[409] * 7]
    assert (await visit.link(UUID(int=9), "free")).code == "account.unknown"
    for wrong in ({"issuer": "https://evil.example"}, {"subject": "王芳"}, {"subject": "a b"}):
        assert (await visit.link(other, **{"subject": "free", **wrong})).code == "account.subject_invalid"
    # The provider says that the person has a name which an account has: that opens nothing.
    visit.provider.subject = "impostor"
    visit.provider.claims = {"preferred_username": "second.linked", "email": "second.linked", "email_verified": True}
    assert (await visit.sign_in()).code == "auth.not_linked"


async def test_a_disabled_account_and_a_role_not_held_let_nobody_in(visit: Visit) -> None:
    staff = await visit.somebody(Role.REVIEWER)
    assert (await visit.sign_in("?role=archivist")).code == "account.roles_invalid"
    body = {"roles": ["reviewer"], "enabled": False, "reason": "调离"}
    headers = {"If-Match": '"0"'}
    path = f"/v1/accounts/{staff}"
    changed = await visit.service.ask("PUT", path, role=Role.ADMINISTRATOR, headers=headers, json=body)
    assert changed.status == 200
    assert (await visit.sign_in()).code == "account.disabled"


@pytest.mark.parametrize(
    ("claims", "lets_in"),
    [
        ({}, False),
        ({"amr": ["pwd", "otp"]}, False),
        ({"amr": "mfa"}, False),
        ({"acr": "bronze"}, False),
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "gold"}, True),
    ],
)
async def test_an_account_with_codes_needs_a_stated_second_factor(
    visit: Visit, claims: dict[str, Any], lets_in: bool
) -> None:
    someone = await person(visit.service, f"codes.{next(visit.numbers)}")
    await enrol_totp(someone, await someone.session())
    visit.provider.subject = someone.login
    assert (await visit.link(someone.staff, someone.login)).status == 201
    visit.provider.claims = claims
    reply = await visit.sign_in()
    assert (reply.status, reply.code) == ((200, None) if lets_in else (403, "auth.second_factor_unstated"))


def wrong_state(path: str) -> str:
    return path.replace("state=", "state=A")


@pytest.mark.parametrize("cookie", [None, "", "1.0..00", "x" * 300, "1.99999999999999..aa"])
async def test_an_answer_counts_in_no_other_browser(visit: Visit, cookie: str | None) -> None:
    await visit.somebody()
    _, address = await visit.leave()
    reply = await visit.come_back(await visit.authorize(address), cookie)
    assert reply.code == "auth.flow_refused"


async def test_a_code_slipped_to_another_person_opens_nothing(visit: Visit) -> None:
    await visit.somebody()
    mine, my_address = await visit.leave()
    theirs, _ = await visit.leave()
    path = await visit.authorize(my_address)
    assert (await visit.come_back(path, theirs)).code == "auth.flow_refused"
    assert (await visit.come_back(wrong_state(path), mine)).code == "auth.flow_refused"
    assert (await visit.come_back(path, mine)).status == 200


async def test_an_answer_counts_once_even_at_a_provider_that_forgets(visit: Visit) -> None:
    await visit.somebody()
    cookie, address = await visit.leave()
    path = await visit.authorize(address)
    assert (await visit.come_back(path, cookie)).status == 200
    assert (await visit.come_back(path, cookie)).code == "auth.provider_refused"
    visit.provider.forgets_codes = True
    cookie, address = await visit.leave()
    path = await visit.authorize(address)
    replies = await asyncio.gather(*(visit.come_back(path, cookie) for _ in range(4)))
    assert sorted(str(reply.code) for reply in replies) == ["None", *["auth.flow_refused"] * 3]


async def test_another_sign_in_s_code_is_not_taken(visit: Visit) -> None:
    """A code that was injected: PKCE fails at a strict provider, the nonce at a careless one."""
    await visit.somebody()
    _, stolen = await visit.leave()
    mine, address = await visit.leave()
    code = parse_qs(urlsplit(await visit.authorize(stolen)).query)["code"][0]
    path = await visit.authorize(address)
    own = parse_qs(urlsplit(path).query)["code"][0]
    assert (await visit.come_back(path.replace(own, code), mine)).code == "auth.provider_refused"
    visit.provider.codes[own] = visit.provider.codes.pop(code) | {
        "code_challenge": parse_qs(urlsplit(address).query)["code_challenge"][0]
    }
    assert (await visit.come_back(path, mine)).json()["details"] == {"check": "nonce"}


async def test_a_flow_that_took_too_long_is_begun_anew(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    await visit.somebody()
    cookie, address = await visit.leave()
    path = await visit.authorize(address)
    monkeypatch.setattr("evidence.federated.flow.FLOW_SECONDS", 0)
    assert (await visit.come_back(path, cookie)).code == "auth.flow_refused"


async def test_a_provider_that_lets_nobody_in_or_is_another_is_told_apart(visit: Visit) -> None:
    cookie, address = await visit.leave()
    path = await visit.authorize(address)
    state = parse_qs(urlsplit(path).query)["state"][0]
    back = "/v1/session/oidc/return"
    refused = await visit.come_back(f"{back}?state={state}&error=access_denied", cookie)
    assert (refused.code, "access_denied" in refused.json()["detail"]) == ("auth.provider_refused", True)
    # Mixed up: the answer is by another provider, or hides by whom.
    other = await visit.come_back(path.partition("&iss")[0] + "&iss=https://evil.example", cookie)
    assert other.code == "auth.provider_refused"
    assert (await visit.come_back(path.partition("&iss")[0], cookie)).code == "auth.provider_refused"
    assert (await visit.come_back(back, cookie)).code == "request.query"
    assert (await visit.come_back(f"{back}?state={state}&state={state}", cookie)).code == "request.query"
    assert "/token" not in visit.provider.asked


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": [CLIENT, "another"]}, "audience"),
        ({"azp": "another"}, "party"),
        ({"exp": int(time.time()) - 3600}, "time"),
        ({"iat": int(time.time()) + 3600}, "time"),
        ({"nonce": "another"}, "nonce"),
        ({"sub": None}, "subject"),
    ],
)
async def test_hostile_claims_let_nobody_in(visit: Visit, claims: dict[str, Any], check: str) -> None:
    await visit.somebody()
    visit.provider.claims = claims
    reply = await visit.sign_in()
    assert (reply.status, reply.code, reply.json()["details"]) == (403, "auth.id_token_refused", {"check": check})


async def test_unsigned_claims_let_nobody_in(visit: Visit) -> None:
    await visit.somebody()
    visit.provider.signed = lambda _claims: "eyJhbGciOiJub25lIn0.e30."
    assert (await visit.sign_in()).json()["details"] == {"check": "algorithm"}
    visit.provider.signed = lambda claims: sign(claims, kid="first", algorithm="RS256", key_name="stolen")
    assert (await visit.sign_in()).json()["details"] == {"check": "signature"}


async def elsewhere(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/" + request.path})


async def broken(_request: web.Request) -> web.Response:
    return web.Response(text="<html>maintenance</html>")


async def failing(_request: web.Request) -> web.Response:
    return web.Response(status=500)


@pytest.mark.parametrize("answer", [elsewhere, broken, failing, huge, slow])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
async def test_a_provider_that_does_not_answer_as_it_has_to_is_unavailable(
    visit: Visit, path: str, answer: Callable[[web.Request], Any]
) -> None:
    await visit.somebody()
    forget(visit)
    assert visit.service.services.oidc is not None
    session = visit.service.services.oidc._session
    patience, session._timeout = session._timeout, ClientTimeout(total=0.2 if answer is slow else 5)
    try:
        if path == "/token":
            cookie, address = await visit.leave()
            back = await visit.authorize(address)
            visit.provider.instead[path] = answer
            reply = await visit.come_back(back, cookie)
        else:
            visit.provider.instead[path] = answer
            reply = await visit.service.ask("GET", "/v1/session/oidc")
            # Strangers who begin again and again do not make us knock.
            asked = len(visit.provider.asked)
            assert (await visit.service.ask("GET", "/v1/session/oidc")).code == "auth.provider_unavailable"
            assert len(visit.provider.asked) == asked
    finally:
        session._timeout = patience
    assert (reply.status, reply.code) == (503, "auth.provider_unavailable")


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://id.example.cn/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user@id.example.cn/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ["https://id.example.cn/authorize"]},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
async def test_metadata_that_lead_astray_are_refused(visit: Visit, metadata: dict[str, Any]) -> None:
    visit.provider.metadata = metadata
    forget(visit)
    assert (await visit.service.ask("GET", "/v1/session/oidc")).code == "auth.provider_unavailable"


async def test_a_provider_may_take_the_secret_in_the_body_only(visit: Visit) -> None:
    await visit.somebody()
    visit.provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    forget(visit)
    assert (await visit.sign_in()).status == 200


async def test_an_algorithm_of_another_key_is_not_enough(visit: Visit) -> None:
    await visit.somebody()
    visit.provider.published = [public("first", "RS256") | {"use": "enc"}]
    forget(visit)
    assert (await visit.sign_in()).json()["details"] == {"check": "key"}


async def test_what_was_kept_of_strangers_is_swept(visit: Visit) -> None:
    visit.provider.subject = "passing by"
    visit.provider.subject = "passing-by"
    assert (await visit.sign_in()).code == "auth.not_linked"
    async with visit.service.services.pool.acquire() as conn:
        before = utc_now() + timedelta(seconds=1)
        kept = {"answers_before": before - ANSWERS_KEPT, "strangers_before": before - STRANGERS_KEPT}
        await sweep_federated(conn, **kept, rows_max=1)
        counts = "SELECT (SELECT count(*) FROM federated_stranger), (SELECT count(*) > 0 FROM federated_answer)"
        assert tuple(await conn.fetchrow(counts) or ()) == (1, True)
        await sweep_federated(conn, answers_before=before, strangers_before=before, rows_max=1)
        assert tuple(await conn.fetchrow(counts) or ()) == (0, False)


async def test_strangers_who_begin_fill_no_table(visit: Visit) -> None:
    tables = "SELECT (SELECT count(*) FROM federated_stranger) + (SELECT count(*) FROM federated_answer)"
    async with visit.service.services.pool.acquire() as conn:
        before = await conn.fetchval(tables)
        for _ in range(5):
            cookie, _ = await visit.leave()
            await visit.come_back("/v1/session/oidc/return?state=x&code=y", cookie)
        assert await conn.fetchval(tables) == before


async def test_where_the_house_demands_a_second_factor_an_unstated_one_may_only_enrol(
    visit: Visit, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    staff = await visit.somebody()
    services = visit.service.services
    for policy, scopes in (("stated", []), ("provider", None)):
        settings = settings_of(visit.provider, tmp_path) | {"oidc_second_factor": policy}
        config = config_for(services.dsn, services.folders.root, second_factor_required=True, **settings)
        async with running_service(config) as again:
            other = Visit(again, visit.provider)
            reply = await other.sign_in()
            assert reply.status == 200, reply.body
            session = {"Cookie": f"{COOKIE}={cookie_of(reply, COOKIE)}"}
            me = (await again.ask("GET", "/v1/session", headers=session)).json()
            assert (me["staff"], me["scopes"]) == (str(staff), scopes)
            async with services.pool.acquire() as conn:
                assert (await account_of(conn, staff)).enabled


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"oidc_issuer": "http://id.example.cn"}, "oidc_issuer"),
        ({"oidc_issuer": "https://id.example.cn?tenant=1"}, "oidc_issuer"),
        ({"oidc_issuer": "id.example.cn"}, "oidc_issuer"),
        ({"oidc_client_id": None}, "oidc_client_id"),
        ({"public_url": None}, "public_url"),
        ({"oidc_client_secret_file": Path("/nowhere")}, "oidc_client_secret_file"),
        ({"oidc_landing": "//evil.example"}, "oidc_landing"),
        ({"oidc_landing": "https://evil.example"}, "oidc_landing"),
    ],
)
async def test_settings_that_cannot_be_meant_are_refused(
    visit: Visit, tmp_path: Path, changes: dict[str, Any], setting: str
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(ConfigInvalid) as caught:
        oidc.oidc_settings(config_for("postgresql://", tmp_path, **settings_of(visit.provider, tmp_path) | changes))
    assert caught.value.details["setting"] == setting


async def test_without_a_provider_there_is_nothing_there(visit: Visit, tmp_path: Path) -> None:
    assert oidc.oidc_settings(config_for("postgresql://", tmp_path)) is None
    visit.provider.public_client = True
    staff = await visit.somebody()
    services = visit.service.services
    config = config_for(services.dsn, services.folders.root)
    async with running_service(config) as bare:
        for path in ("/v1/session/oidc", "/v1/session/oidc/return?state=x&code=y"):
            assert (await bare.ask("GET", path)).code == "route.unknown"
        assert (await Visit(bare, visit.provider).link(staff, "x")).code == "account.subject_invalid"
