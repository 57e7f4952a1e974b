"""Nothing hidden is named: every address that people read, asked by who may know of a case and not of all in it.

The routes come from the table: a new one is asked too. What is hidden is a clip with an access class that is an exhibit
of the very case, a document of it that lies beyond reach, another case, and its clip.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from api.exports import maker_of
from api.route import Route
from api.routes.table import ROUTES
from evidence.core.clock import format_time, utc_now
from evidence.parties.roles import Role
from tests.support.reach import Office, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = bytes(range(32))
READERS = (Role.INVESTIGATOR, Role.REVIEWER, Role.ARCHIVIST)


@dataclass
class Told:
    """An office in which much was said about what is hidden, and what the places are called."""

    office: Office
    keeper: tuple[UUID, str]
    export: str
    sample: str

    async def member(self, role: Role) -> tuple[UUID, str]:
        """Return a person who may know of the case, and holds no class."""
        return await self.office.person(role, f"{role.value}专案组员", cases=[self.office.cases["granted"]])

    @property
    def hidden(self) -> list[str]:
        """What may stand in no answer to them."""
        clips, cases = self.office.clips, self.office.cases
        return [
            *map(str, (clips["secret"], clips["other"], cases["other"])),
            "other号",
            "secret.mp4",
            "other.mp4",
            "雪松",
        ]

    def path_of(self, route: Route) -> str:
        """Return an address of a route that names what they may know of."""
        known = {
            "clip": str(self.office.clips["granted"]),
            "case": self.office.cases["granted"],
            "export": self.export,
            "sample": self.sample,
            "version": "1",
            "register": "units",
            "exhibit": "1",
            "staff": str(self.keeper[0]),
        }
        path = route.path
        for name in route.parameters:
            path = path.replace(f"{{{name}}}", known.get(name, str(UUID(int=77))))
        return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    async with open_office(postgres, tmp_path_factory.mktemp("hidden")) as office:
        keeper = await office.person(Role.ARCHIVIST, "全部")
        case, clips = office.cases["granted"], office.clips

        async def ask(method: str, path: str, body: Any, **headers: str) -> Any:
            reply = await office.ask(method, path, keeper, json=body, headers=headers)
            assert reply.status < 300, (path, reply)
            return reply.json() if reply.body else None

        for statement in (
            {"kind": "document", "document": str(clips["other"]), "name": "雪松函", "title": "雪松件"},
            {
                "kind": "argument",
                "clip": str(clips["secret"]),
                "reference": "雪松1号",
                "reason": "雪松合法",
                "approver": "李某",
            },
        ):
            await ask("POST", f"/v1/cases/{case}/statements", {"statement": statement})
        places = [{"exhibit": 1}, {"exhibit": 2}, {"document": str(clips["other"])}]
        sections = {"sections": [{"title": "证据", "places": places}]}
        version = (await office.ask("GET", f"/v1/cases/{case}", keeper)).json()["version"]
        await ask("PUT", f"/v1/cases/{case}/structure", sections, **{"If-Match": f'"{version}"'})
        wish = {"commitment": hashlib.sha256(SEED).hexdigest(), "draw": 2, "purpose": "评查"}
        entry = await ask("POST", f"/v1/clips/{clips['granted']}/views", {"purpose": "litigation"})
        await _published(office, entry["entry"])
        sample = await ask("POST", "/v1/samples", wish)
        await _published(office, sample["entry"])
        await ask("POST", f"/v1/samples/{sample['sample']}/draw", {"seed": SEED.hex()})
        asked = await ask("POST", "/v1/exports", {"purpose": "litigation", "case": case})
        maker = maker_of(office.service.services)
        maker.folder.mkdir(exist_ok=True)
        while await maker.attempt():
            pass
        yield Told(office, keeper, asked["export"], sample["sample"])


async def _published(office: Office, entry: str) -> None:
    assert await office.service.services.waiter.wait(UUID(entry), timeout_seconds=20) is not None


def reading() -> list[Route]:
    return [route for route in ROUTES if route.method == "GET" and route.roles and route.roles & set(READERS)]


@pytest.mark.parametrize("route", reading(), ids=lambda route: route.name)
async def test_no_answer_names_what_is_hidden(told: Told, route: Route) -> None:
    for role in READERS:
        if route.roles is None or role not in route.roles:
            continue
        if role is Role.ARCHIVIST and route.tag == "statistics":
            continue  # An archivist is told of the whole there, see test_figures_are_those_of_ones_own_units.
        reply = await told.office.ask("GET", told.path_of(route), await told.member(role))
        text = reply.body.decode(errors="replace")
        assert [word for word in told.hidden if word in text] == [], (role, reply.status)


async def test_the_keeper_is_told_all_of_it(told: Told) -> None:
    """Else the test above would hold of a service that says nothing."""
    case, clip = told.office.cases["granted"], told.office.clips["granted"]
    texts = {
        address: (await told.office.ask("GET", address, told.keeper)).body.decode()
        for address in (
            *(f"/v1/cases/{case}/{rest}" for rest in ("structure", "statements", "readiness")),
            *(f"/v1/clips/{clip}/{rest}" for rest in ("history", "trail", "retention")),
            *(f"/v1/samples/{told.sample}", "/v1/search/facets"),
        )
    }
    words = {address: [word for word in told.hidden if word in text] for address, text in texts.items()}
    assert all(words.values()), words


async def test_an_archive_is_shown_and_made_whole_or_not_at_all(told: Told) -> None:
    path = f"/v1/cases/{told.office.cases['granted']}/archive"
    member = await told.member(Role.ARCHIVIST)
    assert (await told.office.ask("GET", path, member)).code == "access.denied"
    assert (await told.office.ask("POST", path, member)).code == "access.denied"
    assert (await told.office.ask("GET", path, told.keeper)).code == "case.not_archived"


async def test_figures_are_those_of_ones_own_units(told: Told) -> None:
    office = told.office
    whole = (await office.ask("GET", "/v1/statistics", told.keeper)).json()
    assert (whole["units"], whole["total"]["clips"] >= 3) == (None, True)
    auditor = await office.person(Role.AUDITOR, "审计二")
    assert (await office.ask("GET", "/v1/statistics", auditor)).json()["total"] == whole["total"]
    for role in (Role.INVESTIGATOR, Role.REVIEWER, Role.ADMINISTRATOR):
        unit = uuid4()
        nobody = await office.person(role, "无单位")
        own = await office.person(role, "有单位", units=[str(unit)])
        assert (await office.ask("GET", "/v1/statistics", nobody)).json()["total"]["clips"] == 0
        shown = (await office.ask("GET", "/v1/statistics", own)).json()
        assert (shown["units"], shown["total"]["clips"]) == ([str(unit)], 0)
        table = (await office.ask("GET", "/v1/statistics", own, params={"form": "csv"})).body.decode()
        assert str(unit) in table.splitlines()[-1]
    reviewer = await told.member(Role.REVIEWER)
    drawn = (await office.ask("GET", f"/v1/samples/{told.sample}", reviewer)).json()
    assert [one["case"] for one in drawn["cases"]] == [office.cases["granted"]]
    score = {"case": office.cases["other"], "points": 1, "note": "x"}
    assert (await office.ask("POST", f"/v1/samples/{told.sample}/scores", reviewer, json=score)).code == "case.unknown"


async def test_a_link_opens_nothing_once_its_maker_could_not_make_it(told: Told) -> None:
    office = told.office
    maker = await office.person(Role.INVESTIGATOR, "送件人", cases=[office.cases["granted"]], classes=["minors"])
    wish = {
        "recipient": "李律师",
        "purpose": "litigation",
        "expires_at": format_time(utc_now() + timedelta(days=1)),
        "uses": 5,
    }
    made = await office.ask("POST", f"/v1/exports/{told.export}/links", maker, json=wish)
    assert made.status == 201, made
    url = made.json()["url"]
    used = await office.service.ask("POST", url)
    package = used.headers["Location"]
    assert (await office.service.ask("GET", package, headers={"Range": "bytes=0-9"})).status == 206
    assert (await office.service.ask("GET", url)).status == 200
    admin: dict[str, Any] = {"role": Role.ADMINISTRATOR}
    grants = await office.service.ask("GET", "/v1/access/grants", params={"staff": str(maker[0])}, **admin)
    away = f"/v1/access/grants/{grants.json()['items'][0]['grant']}/withdraw"
    assert (await office.service.ask("POST", away, json={"reason": "调离"}, **admin)).status == 201
    for method, address in (("GET", url), ("POST", url), ("GET", f"{url}/verify.html")):
        assert (await office.service.ask(method, address)).code == "share.unknown", (method, address)
    assert (await office.service.ask("GET", package)).code == "ticket.unknown"
    again = {"staff": str(maker[0]), "reason": "回任", "cases": [office.cases["granted"]], "classes": ["minors"]}
    assert (await office.service.ask("POST", "/v1/access/grants", json=again, **admin)).status == 201
    assert (await office.service.ask("GET", url)).status == 200
    link = made.json()["link"]
    end = f"/v1/exports/{told.export}/links/{link}/revocation"
    assert (await office.ask("POST", end, told.keeper, json={"reason": "撤回"})).status == 200
    assert (await office.service.ask("GET", package)).code == "ticket.unknown", "what a revoked link opened ends too"
