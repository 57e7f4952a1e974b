"""Managing accounts over HTTP: created, changed, disabled; what that ends at once."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from evidence.parties.roles import Role
from tests.support.people import PASSWORD, make_account, make_code, person
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = Role.ADMINISTRATOR


async def test_creating_is_idempotent_by_its_key(shared: RunningService) -> None:
    body = {"login": "Li.Na", "name": "李娜", "roles": ["reviewer"]}
    headers = {"Idempotency-Key": "create-li-na", "Authorization": f"Bearer {await shared.token(ADMIN)}"}
    replies = await asyncio.gather(*(shared.ask("POST", "/v1/accounts", headers=headers, json=body) for _ in range(3)))
    assert {(reply.status, reply.body) for reply in replies} == {(201, replies[0].body)}
    assert replies[0].json()["login"] == "li.na"
    other = await shared.ask("POST", "/v1/accounts", headers=headers, json={**body, "login": "li.na2"})
    assert other.code == "idempotency.conflict"
    assert (await shared.ask("POST", "/v1/accounts", role=ADMIN, json=body)).code == "account.taken"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"login": "a"}, "request.invalid"),
        ({"login": "-a"}, "account.login_invalid"),
        ({"login": "wang fang"}, "account.login_invalid"),
        ({"login": "王芳王芳"}, "account.login_invalid"),
        ({"login": "wаng"}, "account.login_invalid"),
        ({"login": "a;--"}, "account.login_invalid"),
        ({"login": "../../etc"}, "account.login_invalid"),
        ({"login": "x" * 65}, "request.invalid"),
        ({"name": ""}, "request.invalid"),
        ({"name": " blank"}, "party.name_invalid"),
        ({"name": "a\u202eb"}, "party.name_invalid"),
        ({"name": "a\x00b"}, "request.invalid"),
        ({"roles": []}, "request.invalid"),
        ({"roles": ["dock"]}, "account.roles_invalid"),
        ({"roles": ["auditor", "auditor"]}, "account.roles_invalid"),
        ({"roles": ["administrator", "investigator"]}, "account.roles_invalid"),
        ({"roles": ["root"]}, "request.invalid"),
        ({"roles": ["auditor"] * 10_000}, "request.invalid"),
        ({"password": "given"}, "request.invalid"),
    ],
)
async def test_accounts_that_are_refused(shared: RunningService, changes: dict[str, object], code: str) -> None:
    body = {"login": "fine.login", "name": "张伟", "roles": ["reviewer"], **changes}
    assert (await shared.ask("POST", "/v1/accounts", role=ADMIN, json=body)).code == code


async def test_an_account_that_only_looks_like_anothers_name_is_refused(shared: RunningService) -> None:
    body = {"name": "欧阳玉兰", "roles": ["reviewer"]}
    for login in ("ouyang.one", "ouyang.two"):
        made = await shared.ask("POST", "/v1/accounts", role=ADMIN, json={**body, "login": login})
        assert made.status == 201, "two people may bear one name"
    for number, name in enumerate(("欧阳⽟兰", "欧阳 玉兰", "欧阳玉兰\ufe00", "欧阳玉兰\u3164", "аdmin")):
        refused = await shared.ask(
            "POST", "/v1/accounts", role=ADMIN, json={**body, "login": f"o.{number}", "name": name}
        )
        assert (refused.status, refused.code) == (409, "party.name_lookalike"), name
    assert refused.json()["details"] == {"column": "name"}


async def test_a_token_is_issued_in_no_name_that_only_looks_like_somebody_elses(shared: RunningService) -> None:
    async def issue(name: str, **more: object) -> Reply:
        body = {"name": name, "role": "reviewer", **more}
        return await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=body)

    first = await issue("司马玉云")
    assert first.status == 201
    assert (await issue("司马玉云")).status == 201, "two people may bear one name"
    for name in ("司马⽟云", "司马 玉云", "司马玉云\ufe00", "аdmin"):
        refused = await issue(name)
        assert (refused.status, refused.code) == (409, "party.name_lookalike"), name
    account = {"login": "sima.two", "name": "司马 玉云", "roles": ["reviewer"]}
    assert (await shared.ask("POST", "/v1/accounts", role=ADMIN, json=account)).code == "party.name_lookalike"
    assert (await shared.ask("POST", "/v1/accounts", role=ADMIN, json={**account, "name": "诸葛明月"})).status == 201
    assert (await issue("诸葛 明月")).code == "party.name_lookalike"
    both = await asyncio.gather(*(issue(name) for name in ("上官婉儿", "上官 婉儿")))
    assert sorted(reply.status for reply in both) == [201, 409], "of two at once the second sees the first"
    known = first.json()
    assert (await issue("司马 玉云", staff=known["staff"])).code == "party.name_lookalike", "the other one's name"
    away = f"/v1/staff/tokens/{known['token']}/rotate"
    assert (await shared.ask("POST", away, role=ADMIN, json={"reason": "定期更换"})).status == 201


async def test_a_change_names_its_version_and_ends_what_was_begun(shared: RunningService) -> None:
    someone = await person(shared, "changing.roles", Role.INVESTIGATOR, Role.ARCHIVIST)
    session = await someone.session()
    body = {"name": "王芳", "role": "investigator", "staff": str(someone.staff)}
    token = (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=body)).json()["text"]
    kept = {**body, "role": "archivist"}
    archivist = (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=kept)).json()["text"]
    path = f"/v1/accounts/{someone.staff}"
    read = await shared.ask("GET", path, role=Role.AUDITOR)
    assert read.headers["ETag"] == '"0"'
    change = {"roles": ["archivist"], "enabled": True, "reason": "调岗"}
    assert (await shared.ask("PUT", path, role=ADMIN, json=change)).code == "request.precondition_required"
    replies = await asyncio.gather(
        *(shared.ask("PUT", path, role=ADMIN, headers={"If-Match": '"0"'}, json=change) for _ in range(4))
    )
    assert sorted(reply.status for reply in replies) == [200, 412, 412, 412]
    assert (await shared.ask("GET", path, role=ADMIN)).headers["ETag"] == '"1"'
    for ended in (session, {"Authorization": f"Bearer {token}"}):
        assert (await shared.ask("GET", "/v1/session", headers=ended)).code == "auth.revoked"
    headers = {"Authorization": f"Bearer {archivist}"}
    assert (await shared.ask("GET", "/v1/session", headers=headers)).status == 200
    assert (await someone.sign_in(role="investigator")).code == "account.roles_invalid"


async def test_a_disabled_account_opens_nothing(shared: RunningService) -> None:
    someone = await person(shared, "leaving")
    session = await someone.session()
    path = f"/v1/accounts/{someone.staff}"
    off = {"roles": ["investigator"], "enabled": False, "reason": "离职"}
    assert (await shared.ask("PUT", path, role=ADMIN, headers={"If-Match": '"0"'}, json=off)).status == 200
    assert (await shared.ask("GET", "/v1/session", headers=session)).code == "auth.revoked"
    assert (await someone.sign_in()).code == "auth.sign_in_refused"
    assert (await shared.ask("POST", f"{path}/code", role=ADMIN, json={})).code == "account.disabled"
    on = {**off, "enabled": True}
    assert (await shared.ask("PUT", path, role=ADMIN, headers={"If-Match": '"1"'}, json=on)).json()["version"] == 2
    assert (await someone.sign_in()).status == 201


async def test_a_code_of_a_disabled_account_sets_nothing(shared: RunningService) -> None:
    staff = await make_account(shared, "too.late", Role.REVIEWER)
    code = await make_code(shared, staff)
    off = {"roles": ["reviewer"], "enabled": False, "reason": "误建"}
    headers = {"If-Match": '"0"'}
    assert (await shared.ask("PUT", f"/v1/accounts/{staff}", role=ADMIN, headers=headers, json=off)).status == 200
    body = {"login": "too.late", "password": PASSWORD, "code": code}
    assert (await shared.ask("POST", "/v1/session/activate", json=body)).code == "auth.sign_in_refused"


async def test_accounts_nobody_has(shared: RunningService) -> None:
    path = f"/v1/accounts/{uuid4()}"
    assert (await shared.ask("GET", path, role=ADMIN)).code == "account.unknown"
    assert (await shared.ask("POST", f"{path}/code", role=ADMIN, json={})).code == "account.unknown"
    gone = await shared.ask("POST", f"{path}/totp/remove", role=ADMIN, json={"reason": "x"})
    assert gone.code == "account.unknown"


async def test_somebody_with_a_token_gets_an_account_of_the_same_person(shared: RunningService) -> None:
    body = {"name": "赵敏", "role": "auditor"}
    staff = (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=body)).json()["staff"]
    assert await make_account(shared, "zhao.min", Role.AUDITOR, name="赵敏", staff=staff) == UUID(staff)
    again = {"login": "zhao.min2", "name": "赵敏", "roles": ["auditor"], "staff": staff}
    assert (await shared.ask("POST", "/v1/accounts", role=ADMIN, json=again)).code == "account.taken"


async def test_pages_of_accounts(shared: RunningService) -> None:
    for number in range(3):
        await make_account(shared, f"page.{number}", Role.AUDITOR)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await shared.ask("GET", f"/v1/accounts?limit=2{cursor}", role=Role.AUDITOR)).json()
        seen += [item["staff"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(set(seen))
    assert len(seen) >= 3
