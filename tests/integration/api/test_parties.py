"""Managing docks and staff over HTTP."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from evidence.core.wire.cleared import ClearedFile
from evidence.parties.roles import STAFF_ROLES, Role
from tests.support.parties import PaperDock, paper_dock, secret_of
from tests.support.service import NOTE, Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = Role.ADMINISTRATOR


async def make_code(service: RunningService) -> str:
    reply = await service.ask("POST", "/v1/docks/codes", role=ADMIN, json={})
    assert reply.status == 201
    code: str = reply.json()["code"]
    return code


async def enrol(service: RunningService, code: str, vkey: str, *, name: str = "二号采集站") -> Reply:
    return await service.ask("POST", "/v1/docks/enrol", json={"code": code, "name": name, "vkey": vkey})


async def test_a_dock_comes_in_works_and_is_let_go(shared: RunningService) -> None:
    dock = paper_dock(100)
    code = await make_code(shared)
    reply = await enrol(shared, code, dock.vkey)
    assert reply.status == 201
    log = shared.services.log_verifier
    assert reply.json() == {
        "dock": str(dock.dock),
        "origin": log.name,
        "log_vkey": log.vkey,
        "policy": f"log {log.vkey}\nquorum none\n",
    }
    assert (await enrol(shared, code, dock.vkey)).json() == reply.json()
    inventory = dock.inventory_note(dock.inventory())
    assert (await shared.ask("POST", "/v1/inventories", dock=dock, data=inventory, headers=NOTE)).status == 201
    revoked = await shared.ask("POST", f"/v1/docks/{dock.dock}/revoke", role=ADMIN, json={"reason": "报废"})
    assert revoked.status == 201
    refused = await shared.ask("POST", "/v1/inventories", dock=dock, data=inventory, headers=NOTE)
    assert refused.code == "auth.revoked"
    again = await shared.ask("POST", f"/v1/docks/{dock.dock}/revoke", role=ADMIN, json={"reason": "报废"})
    assert again.code == "dock.already_revoked"


async def test_enrolments_that_are_refused(shared: RunningService) -> None:
    code, dock = await make_code(shared), paper_dock(101)
    assert (await enrol(shared, "0" * 25, dock.vkey)).code == "dock.code_refused"
    assert (await enrol(shared, code, "no key")).code == "dock.key_invalid"
    assert (await enrol(shared, code, dock.vkey, name="a\nb")).code == "party.name_invalid"
    assert (await enrol(shared, code, dock.vkey)).status == 201
    assert (await enrol(shared, code, paper_dock(102).vkey)).code == "dock.code_refused"
    assert (await enrol(shared, await make_code(shared), dock.vkey)).code == "dock.already_enrolled"


@pytest.mark.parametrize("hours", [0, -1, 24 * 14 + 1, 1.5, "1", True])
async def test_codes_live_within_bounds(shared: RunningService, hours: object) -> None:
    reply = await shared.ask("POST", "/v1/docks/codes", role=ADMIN, json={"valid_hours": hours})
    assert reply.code == "request.invalid"


async def test_docks_are_listed_in_pages(shared: RunningService) -> None:
    enrolled = set()
    for seed in range(200, 205):
        enrolled.add((await enrol(shared, await make_code(shared), paper_dock(seed).vkey)).json()["dock"])
    seen, cursor = [], None
    while True:
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await shared.ask("GET", "/v1/docks", role=Role.AUDITOR, params=params)).json()
        seen += [item["dock"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)
    assert enrolled <= set(seen)


async def test_a_cleared_list_is_on_record_once(shared: RunningService) -> None:
    dock = await shared.dock()
    note = dock.cleared_note(ClearedFile(path="a.mp4", clip=UUID(int=1), sha256=b"\1" * 32))
    replies = [await shared.ask("POST", "/v1/cleared", dock=dock, data=note, headers=NOTE) for _ in range(2)]
    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].body == replies[1].body


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
async def test_a_token_is_issued_works_and_is_revoked(shared: RunningService, role: Role) -> None:
    body = {"name": "李明", "role": role.value, "valid_days": 1}
    issued = (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=body)).json()
    credential = {"Authorization": f"Bearer {issued['text']}"}
    assert (await shared.ask("GET", "/v1/vocabulary", headers=credential)).status == 200
    again = (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json={**body, "staff": issued["staff"]})).json()
    assert again["staff"] == issued["staff"]
    listed = await shared.ask("GET", "/v1/staff/tokens", role=Role.AUDITOR, params={"limit": "200"})
    assert secret_of(issued["text"]) not in listed.body.decode()
    assert issued["token"] in [item["token"] for item in listed.json()["items"]]
    path = f"/v1/staff/tokens/{issued['token']}/revoke"
    assert (await shared.ask("POST", path, role=ADMIN, json={"reason": "调离"})).status == 201
    assert (await shared.ask("GET", "/v1/vocabulary", headers=credential)).code == "auth.revoked"
    assert (await shared.ask("POST", path, role=ADMIN, json={"reason": "调离"})).code == "token.already_revoked"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": "dock"}, "party.role_invalid"),
        ({"role": "king"}, "request.invalid"),
        ({"role": None}, "request.invalid"),
        ({"name": " x"}, "party.name_invalid"),
        ({"name": "王\u202e芳"}, "party.name_invalid"),
        ({"name": ""}, "request.invalid"),
        ({"valid_days": 0}, "request.invalid"),
        ({"valid_days": 367}, "request.invalid"),
        ({"staff": "me"}, "request.invalid"),
        ({"token": "mine"}, "request.invalid"),
    ],
)
async def test_tokens_that_are_not_issued(shared: RunningService, changes: dict[str, object], code: str) -> None:
    body = {"name": "李明", "role": "auditor", "valid_days": 1, **changes}
    assert (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=body)).code == code


async def test_who_is_not_there_cannot_be_revoked(shared: RunningService) -> None:
    for path, code in (
        (f"/v1/docks/{uuid4()}/revoke", "dock.unknown"),
        (f"/v1/staff/tokens/{uuid4()}/revoke", "token.unknown"),
    ):
        assert (await shared.ask("POST", path, role=ADMIN, json={"reason": "gone"})).code == code
        assert (await shared.ask("POST", path, role=ADMIN, json={"reason": " "})).code == "party.name_invalid"


async def test_a_dock_goes_over_to_another_key(shared: RunningService) -> None:
    dock = paper_dock(110)
    await enrol(shared, await make_code(shared), dock.vkey)
    new, path = dock.successor(), f"/v1/docks/{dock.dock}/key"
    change = dock.change_to(new)
    before = (await shared.ask("GET", path, dock=dock)).json()
    assert (before["sequence"], before["vkey"]) == (0, dock.vkey)
    reply = await shared.ask("POST", path, dock=dock, data=change, headers=NOTE)
    assert (reply.status, reply.json()["vkey"], reply.json()["sequence"]) == (201, new.vkey, 1)
    assert (await shared.ask("GET", path, dock=dock)).code == "auth.signature"
    after = (await shared.ask("GET", path, dock=new)).json()
    assert (after["sequence"], after["vkey"]) == (1, new.vkey)
    # Its answer was lost: the new key asks again.
    assert (await shared.ask("POST", path, dock=new, data=change, headers=NOTE)).body == reply.body
    inventory = new.inventory_note(new.inventory())
    assert (await shared.ask("POST", "/v1/inventories", dock=new, data=inventory, headers=NOTE)).status == 201
    listed = (await shared.ask("GET", "/v1/docks", role=Role.AUDITOR, params={"limit": "200"})).json()["items"]
    item = next(item for item in listed if item["dock"] == str(dock.dock))
    assert (item["vkey"], item["key_sequence"]) == (new.vkey, 1)
    assert item["key_since"] > item["enrolled_at"]


async def test_changes_of_key_that_are_refused(shared: RunningService) -> None:
    dock, other = paper_dock(111), paper_dock(112)
    for one in (dock, other):
        await enrol(shared, await make_code(shared), one.vkey)

    async def hand_in(note: bytes, *, by: PaperDock = dock, about: PaperDock = dock) -> str | None:
        return (await shared.ask("POST", f"/v1/docks/{about.dock}/key", dock=by, data=note, headers=NOTE)).code

    assert await hand_in(dock.change_to(dock.successor()), by=other) == "dock.unknown"
    assert await hand_in(dock.change_to(dock.successor()), by=other, about=other) == "wire.signature"
    assert await hand_in(dock.change_to(dock.successor(), sequence=2)) == "dock.key_superseded"
    assert await hand_in(dock.inventory_note(dock.inventory())) == "wire.version"
    assert await hand_in(b"no note") == "wire.signature"
    assert (await shared.ask("GET", f"/v1/docks/{dock.dock}/key", dock=other)).code == "dock.unknown"
    assert (await shared.ask("GET", f"/v1/docks/{dock.dock}/key", role=ADMIN)).code == "auth.role"


async def test_a_token_is_rotated_by_its_holder(shared: RunningService) -> None:
    body = {"name": "李明", "role": "investigator", "valid_days": 1}
    old = (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=body)).json()
    by_old = {"Authorization": f"Bearer {old['text']}"}
    path = f"/v1/staff/tokens/{old['token']}/rotate"
    longer = await shared.ask("POST", path, headers=by_old, json={"reason": "例行更换", "valid_days": 2})
    assert longer.code == "party.expiry_invalid"
    new = await shared.ask("POST", path, headers=by_old, json={"reason": "例行更换"})
    assert new.status == 201
    assert new.json()["staff"] == old["staff"]
    by_new = {"Authorization": f"Bearer {new.json()['text']}"}
    assert (await shared.ask("GET", "/v1/vocabulary", headers=by_new)).status == 200
    assert (await shared.ask("GET", "/v1/vocabulary", headers=by_old)).code == "auth.revoked"
    assert (await shared.ask("POST", path, role=ADMIN, json={"reason": "x"})).code == "token.already_revoked"


async def test_a_token_is_rotated_by_an_administrator_and_by_nobody_else(shared: RunningService) -> None:
    body = {"name": "李明", "role": "investigator", "valid_days": 1}
    old = (await shared.ask("POST", "/v1/staff/tokens", role=ADMIN, json=body)).json()
    path = f"/v1/staff/tokens/{old['token']}/rotate"
    assert (await shared.ask("POST", path, role=Role.AUDITOR, json={"reason": "x"})).code == "auth.role"
    assert (await shared.ask("POST", path, role=ADMIN, json={"reason": " "})).code == "party.name_invalid"
    assert (await shared.ask("GET", "/v1/vocabulary", headers={"Authorization": f"Bearer {old['text']}"})).status == 200
    new = await shared.ask("POST", path, role=ADMIN, json={"reason": "遗失"})
    assert new.status == 201
    unknown = f"/v1/staff/tokens/{uuid4()}/rotate"
    assert (await shared.ask("POST", unknown, role=ADMIN, json={"reason": "x"})).code == "token.unknown"
