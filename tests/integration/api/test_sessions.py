"""Signing in over HTTP: what lets somebody in, what does not, and what a session is worth until when."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from api.cookies import COOKIE
from api.routes.table import ROUTES
from evidence.core.clock import utc_now
from evidence.parties.roles import Role
from tests.support.clock import SteppingClock
from tests.support.parties import secret_of
from tests.support.people import PASSWORD, PaperPerson, enrol_totp, entries, make_account, make_code, person
from tests.support.service import RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def begin_counting_anew(service: RunningService) -> None:
    async with service.services.pool.acquire() as conn:
        await conn.execute("DELETE FROM sign_in_pause")


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _nothing_counted(shared: RunningService) -> None:
    """All tests of this module come from one address; none of them pays for another's guesses."""
    await begin_counting_anew(shared)


async def test_a_person_signs_in_works_and_signs_out(shared: RunningService) -> None:
    wang = await person(shared, "wang.fang", Role.INVESTIGATOR, Role.ARCHIVIST)
    session = await wang.session()
    me = (await shared.ask("GET", "/v1/session", headers=session)).json()
    assert (me["staff"], me["login"], me["role"], me["name"]) == (str(wang.staff), "wang.fang", "investigator", "王芳")
    assert me["roles"] == ["investigator", "archivist"]
    open_to = {one.name for one in ROUTES if one.roles is None or Role.INVESTIGATOR in one.roles}
    assert set(me["rights"]) == open_to
    case = await shared.ask("POST", "/v1/cases", headers=session, json={"number": "会话1号", "title": "甲"})
    assert case.status == 201
    assert (await shared.ask("DELETE", "/v1/session", headers=session)).status == 204
    assert (await shared.ask("GET", "/v1/session", headers=session)).code == "auth.revoked"
    opened = await entries(shared, "case.opened", f"case:{case.json()['case']}")
    assert opened


async def test_a_session_acts_in_the_role_that_was_chosen(shared: RunningService) -> None:
    someone = await person(shared, "two.roles", Role.REVIEWER, Role.ARCHIVIST)
    archivist = await someone.session(role="archivist")
    assert (await shared.ask("GET", "/v1/session", headers=archivist)).json()["role"] == "archivist"
    assert (await someone.sign_in(role="auditor")).code == "account.roles_invalid"
    reviewer = await someone.session()
    refused = await shared.ask("POST", "/v1/cases", headers=reviewer, json={"number": "会话2号", "title": "甲"})
    assert refused.code == "auth.role"


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"},
        {"password": PASSWORD + " "},
        {"login": "nobody.at.all"},
        {"login": "wang'; DROP TABLE account;--"},
        {"login": "ｗａｎｇ"},
        {"login": "refused\u200b"},
    ],
)
async def test_whatever_is_wrong_gets_the_same_answer(shared: RunningService, changes: dict[str, str]) -> None:
    body = {"login": "refused", "password": PASSWORD, **changes}
    if not (await shared.ask("GET", "/v1/accounts?limit=200", role=Role.AUDITOR)).body.count(b'"refused"'):
        await person(shared, "refused")
    reply = await shared.ask("POST", "/v1/session", json=body)
    assert (reply.status, reply.code, reply.json()["detail"]) == (
        401,
        "auth.sign_in_refused",
        "name or password are not right",
    )


async def test_no_secret_is_on_record_or_stored_in_clear(shared: RunningService) -> None:
    someone = await person(shared, "secretive")
    session = await someone.session()
    codes = await enrol_totp(someone, session)
    text = session["Authorization"].removeprefix("Bearer ")
    async with shared.services.pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT payload FROM custody_payload WHERE type LIKE 'account.%' OR type LIKE 'session.%'"
        )
        stored = await conn.fetchval("SELECT password FROM account_secret WHERE staff = $1", someone.staff)
    everything = b"\n".join(row["payload"] for row in rows)
    for secret in (PASSWORD, text, secret_of(text), *codes, codes[0].replace("-", ""), stored):
        assert secret.encode() not in everything
        assert json.dumps(secret).strip('"').encode() not in everything
    assert stored.startswith("$argon2id$")


async def test_a_second_factor_is_asked_for_and_a_code_counts_once(shared: RunningService) -> None:
    someone = await person(shared, "two.factors")
    session = await someone.session()
    other = await someone.session()
    recovery = await enrol_totp(someone, session)
    assert (await shared.ask("GET", "/v1/session", headers=other)).code == "auth.revoked"
    assert (await shared.ask("GET", "/v1/session", headers=session)).json()["has_totp"]
    assert (await someone.sign_in()).code == "auth.second_factor"
    for wrong in ("000000", "12345", "", "０００００１", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"):
        assert (await someone.sign_in(code=wrong)).code == "auth.sign_in_refused"
        await begin_counting_anew(shared)
    code = someone.code()
    replies = await asyncio.gather(*(someone.sign_in(code=code) for _ in range(4)))
    assert len([reply for reply in replies if reply.status == 201]) == 1
    assert {reply.code for reply in replies} <= {None, "auth.sign_in_refused", "auth.paused"}
    await begin_counting_anew(shared)
    assert (await someone.sign_in(code=recovery[3].lower())).status == 201
    assert (await someone.sign_in(code=recovery[3])).code == "auth.sign_in_refused"
    methods = [one["method"] for one in (await shared.ask("GET", "/v1/session/all", headers=session)).json()["items"]]
    assert methods == ["password", "password", "totp", "recovery"]


async def test_a_lost_phone_is_an_administrators_business(shared: RunningService) -> None:
    someone = await person(shared, "lost.phone")
    await enrol_totp(someone, await someone.session())
    path = f"/v1/accounts/{someone.staff}/totp/remove"
    assert (await shared.ask("POST", path, role=Role.ADMINISTRATOR, json={"reason": "手机遗失"})).status == 201
    assert (await shared.ask("POST", path, role=Role.ADMINISTRATOR, json={"reason": "又一次"})).code == (
        "account.totp_not_enrolled"
    )
    assert (await someone.sign_in()).status == 201


async def test_confirming_needs_a_beginning_and_the_right_code(shared: RunningService) -> None:
    someone = await person(shared, "pending")
    session = await someone.session()
    confirm: dict[str, Any] = {"headers": session, "json": {"code": "123456"}}
    assert (await shared.ask("POST", "/v1/session/totp/confirm", **confirm)).code == "account.totp_not_pending"
    wrong = await shared.ask("POST", "/v1/session/totp", headers=session, json={"password": "not mine"})
    assert wrong.code == "auth.sign_in_refused"
    assert (await shared.ask("POST", "/v1/session/totp", headers=session, json={"password": PASSWORD})).status == 201
    assert (await shared.ask("POST", "/v1/session/totp/confirm", **confirm)).code == "auth.sign_in_refused"


async def test_a_password_is_changed_by_whoever_knows_it(shared: RunningService) -> None:
    someone = await person(shared, "changing")
    session, other = await someone.session(), await someone.session()
    put = "/v1/session/password"
    wrong = await shared.ask("PUT", put, headers=session, json={"password": "no", "new": "海棠花-k7#Vq2-开了二十"})
    assert wrong.code == "auth.sign_in_refused"
    weak = await shared.ask("PUT", put, headers=session, json={"password": PASSWORD, "new": "password2026!"})
    assert weak.code == "account.password_refused"
    new = "海棠花-k7#Vq2-开了二十"
    assert (await shared.ask("PUT", put, headers=session, json={"password": PASSWORD, "new": new})).status == 204
    assert (await shared.ask("GET", "/v1/session", headers=other)).code == "auth.revoked"
    assert (await shared.ask("GET", "/v1/session", headers=session)).status == 200
    assert (await someone.sign_in()).code == "auth.sign_in_refused"
    someone.password = new
    assert (await someone.sign_in()).status == 201


async def test_a_code_sets_a_password_once(shared: RunningService) -> None:
    staff = await make_account(shared, "once.only", Role.REVIEWER)
    first, second = await make_code(shared, staff), await make_code(shared, staff)
    body = {"login": "once.only", "password": PASSWORD}
    ask = shared.ask
    assert (await ask("POST", "/v1/session/activate", json={**body, "code": first})).code == "auth.sign_in_refused"
    weak = {"login": "once.only", "password": "password2026!", "code": second}
    assert (await ask("POST", "/v1/session/activate", json=weak)).code == "account.password_refused"
    replies = await asyncio.gather(
        *(ask("POST", "/v1/session/activate", json={**body, "code": second}) for _ in range(3))
    )
    assert sorted(reply.status for reply in replies)[0] == 204
    assert {reply.code for reply in replies} <= {None, "auth.sign_in_refused", "auth.paused"}
    assert len([reply for reply in replies if reply.status == 204]) == 1
    await begin_counting_anew(shared)
    assert (await ask("POST", "/v1/session/activate", json={**body, "code": second})).code == "auth.sign_in_refused"


async def test_guessing_pauses_and_leaves_the_ledger_alone(shared: RunningService) -> None:
    someone = await person(shared, "guessed")
    async with shared.services.pool.acquire() as conn:
        before = await conn.fetchval("SELECT count(*) FROM ledger_entry")
    replies = await asyncio.gather(
        *(shared.ask("POST", "/v1/session", json={"login": "guessed", "password": f"{n}"}) for n in range(12))
    )
    codes = [reply.code for reply in replies]
    assert 5 <= codes.count("auth.sign_in_refused") <= 6
    assert set(codes) == {"auth.sign_in_refused", "auth.paused"}
    paused = next(reply for reply in replies if reply.code == "auth.paused")
    assert paused.status == 429
    assert 1 <= int(paused.headers["Retry-After"]) <= 3
    async with shared.services.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM ledger_entry") == before
        await conn.execute("UPDATE sign_in_pause SET paused_until = now() - interval '1 second'")
    reply = await someone.sign_in()
    assert reply.status == 201
    begun = await entries(shared, "session.begun", f"session:{reply.json()['session']}")
    assert begun[0]["failed_before"] in {5, 6}
    assert (await someone.sign_in()).status == 201


async def test_a_stranger_elsewhere_does_not_lock_anybody_out(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", trusted_proxies="127.0.0.0/8")
    async with running_service(config) as service:
        wang = await person(service, "wang")

        async def attempt(address: str, password: str) -> str | None:
            headers = {"X-Forwarded-For": f"203.0.113.9, {address}"}
            body = {"login": "wang", "password": password}
            return (await service.ask("POST", "/v1/session", headers=headers, json=body)).code

        assert await attempt("192.0.2.1", wang.password) is None
        for number in range(30):
            await attempt(f"198.51.100.{number}", "guess")
        assert await attempt("198.51.100.77", wang.password) == "auth.paused"
        assert await attempt("192.0.2.1", wang.password) is None


async def test_a_session_in_a_cookie_changes_nothing_for_another_site(shared: RunningService) -> None:
    someone = await person(shared, "browser")
    reply = await someone.sign_in(cookie=True)
    assert reply.json()["text"] is None
    cookie = reply.headers["Set-Cookie"]
    for part in ("; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/", f"{COOKIE}=session_"):
        assert part in cookie
    assert "Domain" not in cookie
    shown = {"Cookie": cookie.partition(";")[0]}
    assert (await shared.ask("GET", "/v1/session", headers=shown)).status == 200
    body: dict[str, Any] = {"json": {"number": "饼干1号", "title": "甲"}}
    for foreign in (
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": shared.url + ".evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ):
        refused = await shared.ask("POST", "/v1/cases", headers={**shown, **foreign}, **body)
        assert refused.code == "auth.cross_site", foreign
    assert (await shared.ask("POST", "/v1/cases", headers={**shown, "Origin": shared.url}, **body)).status == 201
    own = {**shown, "Sec-Fetch-Site": "same-origin"}
    gone = await shared.ask("DELETE", "/v1/session", headers=own)
    assert gone.status == 204
    assert "Max-Age=0" in gone.headers["Set-Cookie"]
    assert (await shared.ask("GET", "/v1/session", headers=shown)).code == "auth.revoked"


async def test_sessions_are_listed_and_ended_by_their_owner_alone(shared: RunningService) -> None:
    mine, theirs = await person(shared, "mine"), await person(shared, "theirs")
    here, there = await mine.session(), await mine.session()
    foreign = await theirs.session()
    page = (await shared.ask("GET", "/v1/session/all?limit=1", headers=here)).json()
    assert len(page["items"]) == 1
    rest = (await shared.ask("GET", f"/v1/session/all?cursor={page['next']}", headers=here)).json()
    target = rest["items"][0]["session"]
    assert rest["next"] is None
    assert rest["items"][0]["address"] == "127.0.0.1"
    path = f"/v1/session/all/{target}"
    assert (await shared.ask("DELETE", path, headers=foreign)).code == "session.unknown"
    assert (await shared.ask("DELETE", path, headers=here)).status == 204
    assert (await shared.ask("DELETE", path, headers=here)).code == "session.unknown"
    assert (await shared.ask("GET", "/v1/session", headers=there)).code == "auth.revoked"
    token = await shared.ask("DELETE", "/v1/session", role=Role.AUDITOR)
    assert token.code == "session.unknown"


async def test_the_oldest_of_too_many_sessions_ends(shared: RunningService) -> None:
    someone = await person(shared, "many")
    first = await someone.session()
    for _ in range(10):
        last = await someone.session()
    assert (await shared.ask("GET", "/v1/session", headers=first)).code == "auth.revoked"
    items = (await shared.ask("GET", "/v1/session/all", headers=last)).json()["items"]
    assert [item["cause"] for item in items] == ["replaced"] + [None] * 10


async def test_a_session_ends_by_idleness_and_by_age(database: str, tmp_path: Path) -> None:
    clock = SteppingClock(utc_now())
    config = config_for(database, tmp_path / "data", session_seconds=3600, session_idle_seconds=600)
    async with running_service(config, clock=clock) as service:
        someone = await person(service, "wang")
        idle, busy = await someone.session(), await someone.session()
        for _ in range(7):
            clock.advance(timedelta(seconds=500))
            assert (await service.ask("GET", "/v1/session", headers=busy)).status == 200
        assert (await service.ask("GET", "/v1/session", headers=idle)).code == "auth.expired"
        clock.advance(timedelta(seconds=200))
        assert (await service.ask("GET", "/v1/session", headers=busy)).code == "auth.expired"


async def test_where_a_second_factor_is_required_a_password_alone_enrols_and_nothing_else(
    database: str, tmp_path: Path
) -> None:
    async with running_service(config_for(database, tmp_path / "data", second_factor_required=True)) as service:
        someone = await person(service, "wang")
        session = await someone.session()
        assert (await service.ask("GET", "/v1/vocabulary", headers=session)).code == "auth.scope"
        await enrol_totp(someone, session)
        full = await someone.session(code=someone.code())
        assert (await service.ask("GET", "/v1/vocabulary", headers=full)).status == 200


async def test_a_hash_is_made_anew_when_hashing_costs_more(database: str, tmp_path: Path) -> None:
    async with running_service(config_for(database, tmp_path / "data")) as service:
        staff = (await person(service, "wang")).staff
    async with running_service(config_for(database, tmp_path / "data", password_passes=2)) as service:
        wang = PaperPerson(service, "wang", staff)
        for _ in range(2):
            assert (await wang.sign_in()).status == 201
        causes = [one["cause"] for one in await entries(service, "account.password_set", f"staff:{staff}")]
        async with service.services.pool.acquire() as conn:
            stored = await conn.fetchval("SELECT password FROM account_secret WHERE staff = $1", staff)
    assert causes == ["code", "rehash"]
    assert ",t=2," in stored


async def test_own_tokens_are_listed_with_their_last_use_and_revoked(shared: RunningService) -> None:
    someone = await person(shared, "tokens")
    session = await someone.session()
    issued = []
    for scopes in (None, ["clips.read"]):
        body = {"name": "王芳", "role": "investigator", "staff": str(someone.staff), "scopes": scopes}
        issued.append((await shared.ask("POST", "/v1/staff/tokens", role=Role.ADMINISTRATOR, json=body)).json())
    used = {"Authorization": f"Bearer {issued[0]['text']}"}
    assert (await shared.ask("GET", "/v1/session", headers=used)).json()["login"] == "tokens"
    items = (await shared.ask("GET", "/v1/session/tokens", headers=session)).json()["items"]
    assert [item["token"] for item in items] == [one["token"] for one in issued]
    assert [item["seen_at"] is not None for item in items] == [True, False]
    path = f"/v1/session/tokens/{issued[0]['token']}"
    assert (await shared.ask("DELETE", path, role=Role.AUDITOR)).code == "token.unknown"
    assert (await shared.ask("DELETE", path, headers=session)).status == 204
    assert (await shared.ask("DELETE", path, headers=session)).code == "token.already_revoked"
    assert (await shared.ask("GET", "/v1/session", headers=used)).code == "auth.revoked"


async def test_a_hash_put_behind_the_records_back_opens_nothing(shared: RunningService) -> None:
    someone = await person(shared, "robbed")
    mallory = await shared.services.sign_in.passwords.hash("mallory knows this one")
    async with shared.services.pool.acquire() as conn:
        await conn.execute(
            "UPDATE account_secret SET password = $2 WHERE staff = $1", UUID(str(someone.staff)), mallory
        )
    someone.password = "mallory knows this one"
    assert (await someone.sign_in()).code == "account.secret_differs"
