"""Who sees what over HTTP, where grants decide: the authorisation matrix over reach, and no oracle beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from api.bodies import JsonBody
from api.route import Route
from api.routes.permits import names_footage, permit_of
from api.routes.reviews import REVIEW_ROUTES
from api.routes.table import ROUTES
from evidence.access.policy import Action, Person, Subject, decide
from evidence.parties.roles import STAFF_ROLES, Role
from tests.support.reach import Office, open_office
from tests.support.samples import smallest
from tests.support.service import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLE = {"redaction": str(UUID(int=6)), "version": "1", "exhibit": "1", "place": "1"}
PEOPLE = sorted(STAFF_ROLES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(postgres, tmp_path_factory.mktemp("permits")) as opened:
        yield opened


BODIES: dict[str, Any] = {
    **{
        route.name: route.body.model.model_config["json_schema_extra"]["examples"][0]
        for route in REVIEW_ROUTES
        if isinstance(route.body, JsonBody) and "json_schema_extra" in route.body.model.model_config
    },
    "view_clip": {"purpose": "litigation", "rendition": "proxy"},
    # Refused behind the gate and before any work.
    "order_excerpt": {"purpose": "curiosity", "from_ms": 0, "to_ms": 1},
    "order_still": {"purpose": "curiosity", "frame": 0},
    "share_clip": {"purpose": "curiosity", "recipient": "李律师", "expires_at": "2036-01-01T00:00:00.000Z"},
    "unlink_clip": {"exhibit": 999, "reason": "x"},
    "classify_clip": {"classes": ["unheard_of"], "reason": "x"},
    "redact_clip": {"reason": "隐私", "mute": [{"from_ms": 0, "to_ms": 9, "why": "隐私"}]},
}
"""Bodies of routes whose smallest body does not pass their model, or does too much."""


def footage_routes() -> list[Route]:
    return [
        route
        for route in ROUTES
        if route.roles and route.roles & STAFF_ROLES and names_footage(route) and "export" not in route.parameters
    ]


def path_of(route: Route, *, clip: UUID, case: str) -> str:
    path = route.path.replace("{clip}", str(clip)).replace("{case}", case)
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", EXAMPLE.get(name, str(UUID(int=77))))
    return path


def body_of(route: Route, clip: UUID) -> dict[str, Any]:
    if not isinstance(route.body, JsonBody):
        return {}
    given = {"clip": str(clip)} if "clip" in route.body.model.model_fields else {}
    return {"json": BODIES.get(route.name) or smallest(route.body.model, **given)}


async def ask_well(office: Office, route: Route, path: str, person: tuple[UUID, str], clip: UUID) -> Reply:
    """Ask so that nothing but access can stand in the way of the handler."""
    headers = {"If-Match": '"9"'}
    reply = await office.ask(route.methods[0], path, person, headers=headers, **body_of(route, clip))
    assert reply.code not in {"request.invalid", "request.query"}, f"give {route.name} a body in BODIES: {reply.body!r}"
    return reply


@pytest.mark.parametrize("route", footage_routes(), ids=lambda route: route.name)
async def test_the_matrix_role_by_reach(office: Office, route: Route) -> None:
    """Every route that names a clip or a case, for every role, as the pure rules say."""
    case_id = office.cases["granted"]
    for role in PEOPLE:
        if route.roles is None or role not in route.roles:
            continue
        nobody = await office.person(role, "无授权")
        member = await office.person(role, "专案组", cases=[case_id])
        cleared = await office.person(role, "专案组二", cases=[case_id], classes=["minors"])
        for person, cases, classes in (
            (nobody, set[UUID](), set[str]()),
            (member, {UUID(case_id)}, set[str]()),
            (cleared, {UUID(case_id)}, {"minors"}),
        ):
            for name, bears in (("granted", set[str]()), ("other", set[str]()), ("secret", {"minors"})):
                in_cases = {UUID(office.cases[one]) for one in _cases_of(name)}
                subject = Subject(cases=frozenset(in_cases), classes=frozenset(bears))
                if "case" in route.parameters:
                    if name == "secret":
                        continue
                    subject = Subject(cases=frozenset({UUID(office.cases[name])}))
                clip = office.clips[name]
                path = path_of(route, clip=clip, case=office.cases.get(name, ""))
                reply = await ask_well(office, route, path, person, clip)
                who = Person(
                    staff=person[0], roles=frozenset({role}), cases=frozenset(cases), classes=frozenset(classes)
                )
                _expect(route, who, subject, reply)


def _cases_of(name: str) -> tuple[str, ...]:
    return {"granted": ("granted", "other"), "other": ("other",), "secret": ("granted",)}[name]


def _expect(route: Route, who: Person, subject: Subject, reply: Reply) -> None:
    body = route.body.model.model_construct(**BODIES.get(route.name, {})) if isinstance(route.body, JsonBody) else None
    action = permit_of(route).action_of(body)
    assert action is not None
    told = (route.name, sorted(who.roles), subject, reply.status, reply.code)
    if not (decide(who, subject, Action.METADATA).allowed or decide(who, subject, action).allowed):
        assert reply.code in {"clip.unknown", "case.unknown"}, told
    elif not decide(who, subject, action).allowed or _wants_more(route, who):
        assert reply.code == "access.denied", told
    else:
        assert reply.code not in {"clip.unknown", "case.unknown", "access.denied"}, told


def _wants_more(route: Route, who: Person) -> bool:
    """Whether a route wants every file of the case, and one of them bears a class that is not granted."""
    offices = {Role.AUDITOR} & who.roles
    return permit_of(route).whole and not offices and "minors" not in who.classes


async def test_what_is_hidden_answers_byte_for_byte_like_what_is_not_there(office: Office) -> None:
    stranger = await office.person(Role.INVESTIGATOR, "外单位")
    for route in footage_routes():
        if Role.INVESTIGATOR not in (route.roles or ()):
            continue
        answers = []
        for clip, case in ((office.clips["other"], office.cases["other"]), (uuid4(), str(uuid4()))):
            path = path_of(route, clip=clip, case=case)
            reply = await ask_well(office, route, path, stranger, clip)
            told = reply.json()
            told.pop("instance")
            named = {str(clip): "X", case: "X"}
            text = str(told)
            for one, other in named.items():
                text = text.replace(one, other)
            answers.append((reply.status, text, sorted(set(reply.headers) - {"Date"})))
        assert answers[0] == answers[1], route.name
        assert answers[0][0] == 404, route.name


async def test_searches_lists_and_exhibits_show_what_one_may_know_of(office: Office) -> None:
    member = await office.person(Role.REVIEWER, "专案组", cases=[office.cases["granted"]])
    found = (await office.ask("GET", "/v1/clips", member)).json()
    assert [item["clip"] for item in found["items"]] == [str(office.clips["granted"])]
    assert found["items"][0]["cases"] == ["晋环罚〔2026〕granted号"], "not the other case it is in"
    assert found["next"] is None
    cases = (await office.ask("GET", "/v1/cases", member)).json()["items"]
    assert [item["case"] for item in cases] == [office.cases["granted"]]
    path = f"/v1/cases/{office.cases['granted']}/clips"
    exhibits = (await office.ask("GET", path, member)).json()["items"]
    assert [item["clip"] for item in exhibits] == [str(office.clips["granted"])]
    detail = (await office.ask("GET", f"/v1/clips/{office.clips['granted']}", member)).json()
    assert [link["case"] for link in detail["cases"]] == [office.cases["granted"]]
    history = (await office.ask("GET", f"/v1/clips/{office.clips['granted']}/history", member)).json()["items"]
    assert [line["payload"]["case"] for line in history if line["type"] == "case.clip_linked"] == [
        office.cases["granted"]
    ]
    nobody = await office.person(Role.REVIEWER, "无授权")
    for path in ("/v1/clips", "/v1/cases"):
        assert (await office.ask("GET", path, nobody)).json() == {"items": [], "next": None}
    auditor = await office.person(Role.AUDITOR, "审计")
    assert len((await office.ask("GET", "/v1/clips", auditor)).json()["items"]) == 2, "and nothing restricted unasked"


async def test_who_opened_a_case_has_it_and_only_they(office: Office) -> None:
    opener, other = await office.person(Role.INVESTIGATOR, "立案人"), await office.person(Role.INVESTIGATOR, "外单位")
    case = (await office.ask("POST", "/v1/cases", opener, json={"number": "立案一号", "title": "x"})).json()["case"]
    assert [item["case"] for item in (await office.ask("GET", "/v1/cases", opener)).json()["items"]] == [case]
    assert (await office.ask("GET", f"/v1/cases/{case}", opener)).status == 200
    assert (await office.ask("GET", f"/v1/cases/{case}", other)).code == "case.unknown"
    body = {"clip": str(office.clips["other"])}
    linked = await office.ask("POST", f"/v1/cases/{case}/clips", opener, json=body)
    assert linked.code == "clip.unknown", "what one may not know of is not linked either"


async def test_a_case_is_opened_for_a_unit_within_reach(office: Office) -> None:
    units = []
    for name in ("所属大队", "外单位大队"):
        made = await office.service.ask("POST", "/v1/units", role=Role.ADMINISTRATOR, json={"name": name})
        units.append(made.json()["unit"])
    member = await office.person(Role.INVESTIGATOR, "大队办案人", units=units[:1])
    said = {"number": "所属一号", "title": "x"}
    refused = await office.ask("POST", "/v1/cases", member, json={**said, "unit": units[1]})
    assert (refused.status, refused.code) == (403, "access.denied")
    assert (await office.ask("POST", "/v1/cases", member, json={**said, "unit": units[0]})).status == 201


async def test_a_withdrawn_grant_opens_nothing_from_then_on(office: Office) -> None:
    member = await office.person(Role.INVESTIGATOR, "调离者", cases=[office.cases["granted"]])
    path = f"/v1/clips/{office.clips['granted']}"
    assert (await office.ask("GET", path, member)).status == 200
    admin: dict[str, Any] = {"role": Role.ADMINISTRATOR}
    query = {"staff": str(member[0])}
    (item,) = (await office.service.ask("GET", "/v1/access/grants", params=query, **admin)).json()["items"]
    assert (item["counts"], item["cases"]) == (True, [office.cases["granted"]])
    away = f"/v1/access/grants/{item['grant']}/withdraw"
    assert (await office.service.ask("POST", away, json={"reason": "调离"}, **admin)).status == 201
    assert (await office.ask("GET", path, member)).code == "clip.unknown"
    assert (await office.service.ask("POST", away, json={"reason": "调离"}, **admin)).code == "access.already_withdrawn"
    unknown = f"/v1/access/grants/{uuid4()}/withdraw"
    assert (await office.service.ask("POST", unknown, json={"reason": "x"}, **admin)).code == "access.grant_unknown"
    nothing = {"staff": str(member[0]), "reason": "x"}
    assert (await office.service.ask("POST", "/v1/access/grants", json=nothing, **admin)).code == "access.invalid"
    (item,) = (await office.service.ask("GET", "/v1/access/grants", params=query, **admin)).json()["items"]
    assert (item["counts"], item["withdrawn_reason"]) == (False, "调离")


async def test_a_class_hides_at_once_and_is_taken_off_only_by_who_holds_it(office: Office) -> None:
    clip = await office.service.clip(b"to be classified")
    plain = await office.person(Role.INVESTIGATOR, "全单位", all_units=True)
    holder = await office.person(Role.INVESTIGATOR, "涉密人员", all_units=True, classes=["secrets"])
    path = f"/v1/clips/{clip}"
    put = {"classes": ["secrets"], "reason": "国家秘密"}
    strange = {**put, "classes": ["x"]}
    assert (await office.ask("POST", f"{path}/classes", plain, json=put)).status == 201
    assert (await office.ask("GET", path, plain)).code == "clip.unknown"
    assert (await office.ask("POST", f"{path}/classes", plain, json={**put, "classes": []})).code == "clip.unknown"
    assert (await office.ask("POST", f"{path}/classes", holder, json=strange)).code == "access.invalid"
    assert (await office.ask("GET", path, holder)).status == 200
    assert (await office.ask("POST", f"{path}/classes", holder, json={**put, "classes": []})).status == 201
    assert (await office.ask("GET", path, plain)).status == 200


async def test_restricted_clips_are_found_for_a_purpose_and_the_search_is_on_record_first(office: Office) -> None:
    holder = await office.person(Role.INVESTIGATOR, "未检人员", cases=[office.cases["granted"]], classes=["minors"])

    async def found(**params: str) -> list[str]:
        reply = await office.ask("GET", "/v1/clips", holder, params={"q": "secret", **params})
        assert reply.status == 200, reply
        return [item["clip"] for item in reply.json()["items"]]

    secret = str(office.clips["secret"])
    assert await found() == []
    assert await found(purpose="legal_review") == [secret]
    refused = await office.ask("GET", "/v1/clips", holder, params={"purpose": "curiosity"})
    assert refused.code == "view.purpose_unknown"
    async with office.service.services.pool.acquire() as conn:
        rows = await conn.fetch(
            """SELECT convert_from(payload, 'UTF8') AS payload FROM custody_payload
               WHERE type = 'clips.searched' AND actor = $1""",
            f"staff:{holder[0]}",
        )
        assert len(rows) == 1
        assert f'"clips":["{secret}"]' in rows[0]["payload"]
        assert '"purpose":"legal_review","question":"secret"' in rows[0]["payload"]
        assert await conn.fetchval("SELECT count(*) FROM clip_shown WHERE clip = $1", UUID(secret)) == 1


async def test_r14_who_speaks_is_masked_without_the_permission(office: Office) -> None:
    keeper = await office.person(Role.ARCHIVIST, "全部")
    auditor = await office.person(Role.AUDITOR, "审计")
    path = f"/v1/clips/{office.clips['other']}"
    body = {
        "speakers": [{"key": "p", "role": "party", "name": "李建国", "identity": "140602190001010011"}],
        "dialogue": [{"from_ms": 4000, "to_ms": 5000, "speaker": "p", "text": "设备已经停用"}],
    }
    headers = {"If-Match": '"0"'}
    assert (await office.ask("POST", f"{path}/annotations", keeper, json=body, headers=headers)).status == 201
    params = {"q": "speaker:当事人 设备"}
    (found,) = (await office.ask("GET", "/v1/clips", auditor, params=params)).json()["items"]
    assert (found["clip"], found["hits"][0]["at_ms"]) == (str(office.clips["other"]), 4000)
    compared = f"{path}/annotations/1/difference"
    for address in (path, f"{path}/annotations", f"{path}/annotations/1", f"{path}/history", compared):
        shown, hidden = await office.ask("GET", address, keeper), await office.ask("GET", address, auditor)
        assert "李建国" in shown.body.decode()
        assert "140602190001010011" in shown.body.decode()
        assert hidden.status == 200
        assert "李建国" not in hidden.body.decode(), address
        assert "140602190001010011" not in hidden.body.decode(), address


async def test_a_package_is_held_to_every_clip_in_it(office: Office) -> None:
    keeper = await office.person(Role.ARCHIVIST, "全部")
    stranger = await office.person(Role.INVESTIGATOR, "外单位")
    wish = {"purpose": "litigation", "clips": [str(office.clips["other"])]}
    asked = await office.ask("POST", "/v1/exports", keeper, json=wish)
    assert asked.status == 202, asked
    path = f"/v1/exports/{asked.json()['export']}"
    assert (await office.ask("GET", path, keeper)).status == 200
    assert (await office.ask("GET", "/v1/exports", stranger)).json() == {"items": [], "next": None}
    assert (await office.ask("GET", path, stranger)).code == "export.unknown"
    fetched = await office.ask("POST", f"{path}/downloads", stranger, json={"purpose": "litigation"})
    assert fetched.code == "export.unknown"
    again = {"purpose": "litigation", "repeat": asked.json()["export"]}
    assert (await office.ask("POST", "/v1/exports", stranger, json=again)).code == "export.unknown"
    assert (await office.ask("POST", "/v1/exports", stranger, json=wish)).code == "clip.unknown"
