"""Names for ids: people as their accounts and tokens call them, officers as registered last, nobody else."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from api.models.people import PEOPLE_MAX
from evidence.parties.roles import Role
from tests.support.people import person
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def named(service: RunningService, *ids: object, role: Role = Role.INVESTIGATOR) -> dict[str, str]:
    reply = await service.ask("GET", f"/v1/people?ids={','.join(map(str, ids))}", role=role)
    assert reply.status == 200, reply.body
    return {one["actor"]: one["name"] for one in reply.json()["items"]}


async def test_people_and_officers_are_named_and_strangers_are_not(shared: RunningService) -> None:
    known = await person(shared, f"wang.{uuid4().hex[:6]}", Role.REVIEWER)
    body = {"name": "赵强", "role": "auditor", "valid_days": 2}
    by_token = (await shared.ask("POST", "/v1/staff/tokens", role=Role.ADMINISTRATOR, json=body)).json()["staff"]
    number = f"{uuid4().int % 10**6:06}"
    said = {"number": number, "name": "<b>李明</b>", "unit": "监察一中队"}
    officer = (await shared.ask("POST", "/v1/officers", role=Role.ADMINISTRATOR, json=said)).json()["officer"]
    expected = {
        f"staff:{known.staff}": "王芳",
        f"staff:{by_token}": "赵强",
        f"officer:{officer}": "<b>李明</b>",
    }
    for role in (Role.INVESTIGATOR, Role.ADMINISTRATOR):
        assert await named(shared, known.staff, by_token, officer, uuid4(), officer, role=role) == expected


async def test_an_officer_is_called_as_registered_last(shared: RunningService) -> None:
    number = f"{uuid4().int % 10**6:06}"
    for name in ("李明", "李铭"):
        said = {"number": number, "name": name, "unit": "监察一中队"}
        reply = await shared.ask("POST", "/v1/officers", role=Role.ADMINISTRATOR, json=said)
        assert reply.status in (200, 201), reply.body
    assert await named(shared, reply.json()["officer"]) == {f"officer:{reply.json()['officer']}": "李铭"}


@pytest.mark.parametrize("ids", ["", "x", ",".join([str(UUID(int=1))] * (PEOPLE_MAX + 1)), f"{UUID(int=1)},"])
async def test_what_is_no_list_of_ids_is_refused(shared: RunningService, ids: str) -> None:
    assert (await shared.ask("GET", f"/v1/people?ids={ids}", role=Role.REVIEWER)).code == "request.query"


async def test_nobody_without_a_role_of_people_is_told(shared: RunningService) -> None:
    assert (await shared.ask("GET", f"/v1/people?ids={uuid4()}")).status == 401
    assert (await shared.ask("GET", f"/v1/people?ids={uuid4()}", dock=await shared.dock())).code == "auth.role"
