"""Looking at pictures of many clips: one entry that names each, and a ticket for those pictures and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from evidence.custody.replay import replay
from evidence.parties.errors import TicketExpired
from evidence.parties.look_store import PICTURES, Picture, digest_of
from evidence.parties.looks import redeem_look
from evidence.parties.roles import Role
from evidence.parties.ticket_store import remove_expired
from tests.support.parties import secret_of
from tests.support.reach import Office, open_office
from tests.support.service import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

MADE = {kind: (kind.encode(), "text/vtt" if kind == "storyboard" else "image/jpeg") for kind in PICTURES}
PURPOSE = "case_file_review"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(postgres, tmp_path_factory.mktemp("looks")) as opened:
        for name, clip in opened.clips.items():
            waveform = (b"waveform", "application/octet-stream")
            await opened.service.derive(clip, b"proxy " + name.encode(), beside={**MADE, "waveform": waveform})
        yield opened


async def keeper(office: Office) -> tuple[UUID, str]:
    return await office.person(Role.ARCHIVIST, "全部")


async def member(office: Office) -> tuple[UUID, str]:
    return await office.person(Role.INVESTIGATOR, "专案组", cases=[office.cases["granted"]])


async def look(office: Office, who: tuple[UUID, str], *clips: object, purpose: str = PURPOSE) -> Reply:
    return await office.ask("POST", "/v1/looks", who, json={"purpose": purpose, "clips": list(map(str, clips))})


async def entries(office: Office) -> int:
    async with office.service.services.pool.acquire() as conn:
        return int(await conn.fetchval("SELECT count(*) FROM custody_payload"))


async def test_one_entry_names_every_clip_and_each_history_tells_of_it(office: Office) -> None:
    who, clips = await keeper(office), [office.clips[name] for name in ("secret", "granted", "other")]
    before = await entries(office)
    made = await look(office, who, *clips)
    assert made.status == 201, made
    assert await entries(office) == before + 1
    told = made.json()
    assert [item["clip"] for item in told["clips"]] == sorted(map(str, clips))
    assert all(item["kinds"] == sorted(PICTURES) for item in told["clips"])
    async with office.service.services.pool.acquire() as conn:
        text = await conn.fetchval("SELECT payload FROM custody_payload WHERE entry_id = $1", UUID(told["entry"]))
        payload = json.loads(text)
        assert payload["clips"] == sorted(map(str, clips))
        rows = await conn.fetch(
            "SELECT clip, kind, sha256, media_type FROM clip_object WHERE kind = ANY($1) AND clip = ANY($2)",
            PICTURES,
            clips,
        )
        assert payload["pictures"] == digest_of([Picture(**dict(row)) for row in rows]).hex()
        assert (payload["purpose"], payload["staff"]) == (PURPOSE, str(who[0]))
        assert secret_of(told["url"]).encode() not in text
        async with aclosing(replay(conn)) as differences:
            assert [one async for one in differences] == []
    for clip in clips:
        history = (await office.ask("GET", f"/v1/clips/{clip}/history", who)).json()["items"]
        assert [line["type"] for line in history if line["entry"] == told["entry"]] == ["clips.viewed"]
        report = (await office.ask("GET", f"/v1/clips/{clip}/custody-report", who)).json()["items"]
        (line,) = [one for one in report if one["entry"] == told["entry"]]
        assert (line["purpose"], line["served"]["renditions"]) == (PURPOSE, sorted(PICTURES))
        trail = (await office.ask("GET", f"/v1/clips/{clip}/trail", who)).json()
        assert told["entry"] in [one["entry"] for one in trail["looks"]]
    report = (await office.ask("GET", f"/v1/people/{who[0]}/custody-report", who)).json()["items"]
    assert sorted(next(one for one in report if one["entry"] == told["entry"])["clips"]) == sorted(map(str, clips))


async def test_what_one_may_not_see_is_left_out_and_named_nowhere(office: Office) -> None:
    who, unknown = await member(office), uuid4()
    covert = await office.service.clip(b"covert footage", path="DCIM/covert.mp4")
    await office.service.derive(covert, b"proxy covert", beside=MADE)
    said = {"covert": {"basis": "暗访方案1号", "approver": "王某某"}}
    put = await office.ask(
        "POST", f"/v1/clips/{covert}/annotations", await keeper(office), json=said, headers={"If-Match": '"0"'}
    )
    assert put.status == 201, put
    link = {"clip": str(covert)}
    await office.ask("POST", f"/v1/cases/{office.cases['granted']}/clips", await keeper(office), json=link)
    hidden = [office.clips["other"], office.clips["secret"], covert, unknown]
    made = await look(office, who, office.clips["granted"], *hidden)
    told = made.json()
    assert [item["clip"] for item in told["clips"]] == [str(office.clips["granted"])]
    history = (await office.ask("GET", f"/v1/clips/{office.clips['granted']}/history", who)).json()["items"]
    (line,) = [one for one in history if one["entry"] == told["entry"]]
    assert line["payload"]["clips"] == [str(office.clips["granted"])]
    for clip in hidden:
        assert str(clip).encode() not in made.body
        assert (await office.ask("GET", f"{told['url']}/{clip}/poster", who)).code == "ticket.unknown"
    before = await entries(office)
    nothing = await look(office, who, *hidden)
    assert (nothing.status, nothing.json()) == (200, {"clips": []})
    assert await entries(office) == before, "where nothing is seen, nothing is on record"


async def test_the_histories_of_others_name_only_what_their_reader_may_know_of(office: Office) -> None:
    made = await look(office, await keeper(office), *office.clips.values())
    path = f"/v1/clips/{office.clips['granted']}/history"
    history = (await office.ask("GET", path, await member(office))).json()["items"]
    (line,) = [one for one in history if one["entry"] == made.json()["entry"]]
    assert line["payload"]["clips"] == [str(office.clips["granted"])]


async def test_what_others_searched_for_stands_in_custody_reports_alone(office: Office) -> None:
    who, clip = await keeper(office), office.clips["secret"]
    assert (await office.ask("GET", f"/v1/clips?purpose={PURPOSE}", who)).status == 200
    told = {
        name: [line["type"] for line in (await office.ask("GET", f"/v1/clips/{clip}/{name}", who)).json()["items"]]
        for name in ("history", "custody-report")
    }
    assert "clips.searched" in told["custody-report"]
    assert "clips.searched" not in told["history"]


async def test_roles_look_as_the_rules_of_access_say(office: Office) -> None:
    clips = list(office.clips.values())
    assert (await look(office, await office.person(Role.ADMINISTRATOR, "管理员"), *clips)).code == "auth.role"
    assert (await office.service.ask("POST", "/v1/looks", json={})).code == "auth.missing"
    auditor = await office.person(Role.AUDITOR, "审计")
    assert (await look(office, auditor, *clips)).json() == {"clips": []}, "knows of all, looks within reach"
    reviewer = await office.person(Role.REVIEWER, "审核", cases=[office.cases["granted"]], classes=["minors"])
    seen = {item["clip"] for item in (await look(office, reviewer, *clips)).json()["clips"]}
    assert seen == {str(office.clips[name]) for name in ("granted", "secret")}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"clips": []}, "request.invalid"),
        ({"clips": [str(uuid4()) for _ in range(201)]}, "request.invalid"),
        ({"clips": [str(uuid4()) for _ in range(10_001)]}, "request.invalid"),
        ({"clips": [str(UUID(int=1))] * 2}, "request.invalid"),
        ({"clips": ["1; DROP TABLE clip"]}, "request.invalid"),
        ({"clips": "all"}, "request.invalid"),
        ({"clips": [str(UUID(int=1))], "rendition": "original"}, "request.invalid"),
        ({"purpose": "curiosity"}, "view.purpose_unknown"),
        ({"purpose": None}, "request.invalid"),
    ],
)
async def test_what_is_no_wish_is_refused_and_leaves_no_trace(office: Office, wish: dict[str, Any], code: str) -> None:
    before = await entries(office)
    body = {"purpose": PURPOSE, "clips": [str(office.clips["granted"])], **wish}
    assert (await office.ask("POST", "/v1/looks", await keeper(office), json=body)).code == code
    assert await entries(office) == before


async def test_the_ticket_opens_pictures_of_its_clips_and_nothing_else(office: Office) -> None:
    who, clip, other = await keeper(office), office.clips["granted"], office.clips["other"]
    url = (await look(office, who, clip)).json()["url"]
    for kind, (data, media_type) in MADE.items():
        reply = await office.ask("GET", f"{url}/{clip}/{kind}", who)
        assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, data, media_type)
        assert reply.headers["Cache-Control"] == "private, no-store"
    for kind in (
        "original",
        "proxy",
        "waveform",
        "playlist",
        "redacted",
        "frames",
        "transcript",
        "poster%00",
        "../poster",
    ):
        reply = await office.ask("GET", f"{url}/{clip}/{kind}", who)
        assert reply.status == 404, kind
        assert reply.body != b"waveform"
    view = await office.ask("POST", f"/v1/clips/{clip}/views", who, json={"purpose": PURPOSE, "rendition": "original"})
    for path in (
        url,
        f"{url}/poster",
        f"{url}/{other}/poster",
        f"{url}/{uuid4()}/poster",
        f"{url}/{clip}/",
        f"{url}A/{clip}/poster",
    ):
        assert (await office.ask("GET", path, who)).status == 404, path
    assert (await office.ask("GET", f"{view.json()['url']}/{clip}/poster", who)).code == "ticket.unknown"


async def test_what_a_ticket_opens_does_not_change_with_a_later_derivation(office: Office) -> None:
    who = await keeper(office)
    clip = await office.service.clip(b"made twice", path="DCIM/twice.mp4")
    await office.service.derive(clip, b"proxy one", beside={"poster": (b"first", "image/jpeg")})
    url = (await look(office, who, clip)).json()["url"]
    await office.service.derive(clip, b"proxy two", beside=MADE)
    assert (await office.ask("GET", f"{url}/{clip}/poster", who)).body == b"first"
    assert (await office.ask("GET", f"{url}/{clip}/storyboard", who)).code == "ticket.unknown"


async def test_a_ticket_is_its_persons_and_for_a_short_while(office: Office) -> None:
    who, clip, services = await keeper(office), office.clips["granted"], office.service.services
    url = (await look(office, who, clip)).json()["url"]
    assert (await office.ask("GET", f"{url}/{clip}/poster", await member(office))).code == "ticket.foreign"
    text, later = url.rpartition("/")[2], services.clock() + timedelta(seconds=services.config.view_ticket_seconds)
    async with services.pool.acquire() as conn:
        with pytest.raises(TicketExpired):
            await redeem_look(conn, text, clip=clip, kind="poster", clock=lambda: later)
        await remove_expired(conn, tickets_before=later, answers_before=services.clock() - timedelta(days=9))
        assert await conn.fetchval("SELECT count(*) FROM look_picture") == 0
    assert (await office.ask("GET", f"{url}/{clip}/poster", who)).code == "ticket.unknown"
