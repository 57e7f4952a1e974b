"""One scenario per source document (S0-S4), by a client that knows the addresses of the API and nothing else.

clip -> annotation -> coverage -> refused decision -> submission -> problems -> submission again -> approval -> change
-> refused decision -> submission again -> approval -> decision -> publication -> correction -> archive -> revocation ->
withdrawal; every round is verified from what was answered alone, what was not recorded is exempted, the trail of the
case leads from the publication back to the recorder, a package of the case is judged by `shilu-verify`, and the record
of the whole service is replayed.
"""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from api.exports import maker_of
from evidence.audit.reviews import judge_reviews
from evidence.cases.item_list import Item
from evidence.cases.presets import PRESETS, preset
from evidence.core.wire.case_manifest import manifest_root
from evidence.custody.replay import replay
from evidence.deadlines.follow import catch_up
from evidence.parties.roles import Role
from evidence.registers.validity import CHINA
from evidence.review.presets import rules_preset
from evidence.verify.archived import CASE_NAME
from evidence.verify.cli import main
from tests.support.database import fresh_database
from tests.support.service import Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECORDED = datetime(2026, 3, 2, 1, tzinfo=UTC)
BEGUN, ENDED = "2026-03-02T01:00:00.000Z", "2026-03-02T01:10:00.000Z"
HANDLER, REVIEWER, CHIEF = Role.INVESTIGATOR, Role.REVIEWER, Role.ARCHIVIST
KEYS = {
    role: Ed25519PrivateKey.from_private_bytes(bytes([place]) * 32) for place, role in enumerate((HANDLER, REVIEWER), 1)
}


def canonical(statement: dict[str, Any]) -> bytes:
    return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed(statement: dict[str, Any], role: Role) -> dict[str, Any]:
    return {"statement": statement, "signature": b64encode(KEYS[role].sign(canonical(statement))).decode()}


class Client:
    """Somebody who asks over HTTP and expects an answer."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.staff: dict[Role, str] = {}

    async def ask(self, role: Role, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.service.ask(method, path, role=role, json=body, headers=named)

    async def get(self, role: Role, path: str) -> Any:
        reply = await self.ask(role, "GET", path)
        assert reply.status == 200, reply.body
        return reply.json()

    async def post(self, role: Role, path: str, body: Any, **headers: str) -> Any:
        reply = await self.ask(role, "POST", path, body, **headers)
        assert reply.status == 201, reply.body
        return reply.json()

    async def settle_in(self) -> None:
        """State keys, and have the reviewer qualified."""
        for role in (HANDLER, REVIEWER, CHIEF):
            self.staff[role] = (await self.get(role, "/v1/session"))["staff"]
        for role, key in KEYS.items():
            public = b64encode(key.public_key().public_bytes_raw()).decode()
            text = {"format": "shilu-person-key/1", "key": public, "staff": self.staff[role]}
            proof = b64encode(key.sign(canonical(text))).decode()
            await self.post(role, "/v1/review/keys", {"key": public, "proof": proof})
        qualified = {"staff": self.staff[REVIEWER], "certificate": "A20201301010001", "source": "聘任文件"}
        term = {"valid_from": "2020-01-01", "valid_until": "2099-12-31"}
        await self.post(Role.ADMINISTRATOR, "/v1/review/qualifications", qualified | term)

    async def submit(self, case: str, answers: list[dict[str, Any]]) -> Reply:
        now = await self.get(HANDLER, f"/v1/cases/{case}/review")
        statement = {
            "format": "shilu-review-declaration/1",
            "case": case,
            "round": now["next_round"],
            "root": now["root"],
            "rules": now["rules"],
            "by": self.staff[HANDLER],
            "materials": [{"key": one["key"], "note": "见案卷"} for one in now["materials"] if one["required"]],
            "answers": answers,
            "declares": "对送审材料的真实性、准确性、完整性负责",
        }
        return await self.ask(HANDLER, "POST", f"/v1/cases/{case}/review/submissions", signed(statement, HANDLER))

    async def opine(self, case: str, *, bad: str | None = None) -> Any:
        now = await self.get(REVIEWER, f"/v1/cases/{case}/review")
        current = now["rounds"][-1]
        statement = {
            "format": "shilu-review-opinion/1",
            "case": case,
            "round": current["round"],
            "root": current["root"],
            "submission": current["submission"],
            "by": self.staff[REVIEWER],
            "conclusion": "approve" if bad is None else "problems",
            "rows": [
                {"row": row["key"], "verdict": "problem" if row["key"] == bad else "ok", "note": "已核", "evidence": []}
                for row in now["checklist"]
            ],
            "problems": [] if bad is None else [{"problem": 1, "row": bad, "text": "应当补充说明"}],
        }
        return await self.post(REVIEWER, f"/v1/cases/{case}/review/opinions", signed(statement, REVIEWER))

    async def decide(self, case: str, number: str) -> Reply:
        return await self.ask(CHIEF, "POST", f"/v1/cases/{case}/decision", {"number": number, "summary": "罚款十万元"})

    async def annotate(self, clip: object, version: int, **content: Any) -> None:
        await self.post(HANDLER, f"/v1/clips/{clip}/annotations", content, If_Match=f'"{version}"')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """One service for all scenarios, with people who have keys."""
    folder = tmp_path_factory.mktemp("review")
    async with (
        fresh_database(postgres) as database,
        running_service(config_for(database, folder / "data")) as running,
    ):
        asking = Client(running)
        await asking.settle_in()
        yield asking


# One with rows of its own that opens a transfer goes with every run, all five with the slow ones.
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name.startswith("lingchuan") else pytest.mark.slow) for name in PRESETS],
)
async def test_r25_from_a_clip_to_a_decision_that_was_reviewed(client: Client, name: str, tmp_path: Path) -> None:
    case, clip = await opened_case(client, name)
    refused = await client.decide(case, f"{name}〔2026〕1号")
    assert (refused.code, refused.json()["details"]["reasons"][0]["code"]) == ("decision.refused", "never_submitted")
    assert refused.json()["details"]["scope"]["rule"] == "hearing_held"

    assert (await client.submit(case, [])).status == 201
    row = (await client.get(REVIEWER, f"/v1/cases/{case}/review"))["checklist"][2]["key"]
    assert (await client.opine(case, bad=row))["number"].startswith("法审〔")
    assert (await client.submit(case, [])).code == "review.submission_refused"
    await client.annotate(clip, 1, remark="补充说明", item=preset(name).content.items[0].key)
    assert (await client.submit(case, [{"problem": 1, "answer": "已补充"}])).status == 201
    await client.opine(case)
    shown = await client.get(Role.AUDITOR, f"/v1/cases/{case}/review")
    assert (shown["state"], shown["may_be_decided"]) == ("approved", True)
    assert [(one["what"], one["key"], one["change"]) for one in shown["rounds"][1]["changes"]] == [
        ("exhibits", "1", "changed")
    ]

    await client.annotate(clip, 2, remark="批准之后改过", item=preset(name).content.items[0].key)
    refused = await client.decide(case, f"{name}〔2026〕1号")
    assert refused.json()["details"]["reasons"][0]["code"] == "evidence_changed"
    assert refused.json()["details"]["changes"][0]["fields"] == ["annotation", "remark", "version"]
    assert (await client.submit(case, [])).status == 201
    await client.opine(case)
    made = await client.decide(case, f"{name}〔2026〕1号")
    assert made.status == 201, made.body
    assert (await client.decide(case, "又一号")).code == "decision.made"
    assert await client.get(Role.AUDITOR, f"/v1/cases/{case}/decision") == made.json()
    await verify_rounds(client, case, made.json())
    publication = await told_to_the_public(client, case, f"{name}的厂")
    await archived(client, case, clip, name)
    await revoked(client, case, publication)
    await withdrawn(client, publication)
    await led_back(client, case, clip)
    await handed_over(client, case, tmp_path)


async def told_to_the_public(client: Client, case: str, subject: str) -> str:
    """Publish the decision and correct it, as two people; the public sees what it should each time."""
    fields = {"authority": "某局", "subject": subject, "category": "行政处罚", "conclusion": "罚款人民币十万元"}
    draft = {"form": "brief", "kind": "penalty", "fields": fields, "case": case}
    made = (await client.post(HANDLER, "/v1/publications", draft))["publication"]
    steps, public = f"/v1/publications/{made}", f"/public/v1/records/{made}"
    assert (await client.service.ask("GET", public)).code == "publication.unknown"
    assert (await client.ask(HANDLER, "POST", f"{steps}/approval", {"version": 1})).status == 403
    corrected = fields | {"conclusion": "罚款人民币九万元"}
    for version, shown in ((1, fields), (2, corrected)):
        if version == 2:
            wish = {"version": 1, "fields": corrected, "reason": "金额有误"}
            await client.post(HANDLER, f"{steps}/versions", wish)
            assert (await client.service.ask("GET", public)).json()["fields"] == fields, "not before it is approved"
        await client.post(REVIEWER, f"{steps}/approval", {"version": version})
        await client.post(HANDLER, f"{steps}/issue", {"version": version})
        assert (await client.service.ask("GET", public)).json()["fields"] == shown
    return str(made)


async def withdrawn(client: Client, publication: str) -> None:
    """R36: what has to go goes, with its reason; the public gets the tombstone."""
    why = {"cause": "revoked", "reason": "行政复议撤销"}
    await client.post(REVIEWER, f"/v1/publications/{publication}/withdrawal", why)
    assert await must_go(client, publication) is None
    gone = (await client.service.ask("GET", f"/public/v1/records/{publication}")).json()
    assert (gone["status"], gone["fields"], gone["reason"]) == ("withdrawn", None, "行政复议撤销")


async def approved_text(client: Client, case: str) -> str:
    """Draft a text about the case's decision, and approve it."""
    fields = {"authority": "某局", "subject": "某厂", "category": "行政处罚", "conclusion": "罚款人民币十万元"}
    draft = {"form": "brief", "kind": "penalty", "fields": fields, "case": case}
    late = (await client.post(HANDLER, "/v1/publications", draft))["publication"]
    await client.post(REVIEWER, f"/v1/publications/{late}/approval", {"version": 1})
    return str(late)


async def kept_back(client: Client, publication: str, *, since: str) -> None:
    """What tells of a decision as it does not stand any more is not published, approved or not (R36)."""
    refused = await client.ask(HANDLER, "POST", f"/v1/publications/{publication}/issue", {"version": 1})
    assert refused.code == "publication.not_ready"
    assert refused.json()["details"]["revocation"] == since


async def footage_of(client: Client, clip: object, item: Item, version: int) -> None:
    """Annotate a clip with everything that an item of the list demands."""
    markers = [{"kind": one.removeprefix("marker:"), "at_ms": 0} for one in item.elements if one.startswith("marker:")]
    await client.annotate(clip, version, remark=item.title, item=item.key, place="厂区", markers=markers)


async def put_right(client: Client, case: str, items: Mapping[str, Item], reason: dict[str, Any]) -> None:
    """Do what one reason against archiving asks for; what is recorded in full is never waived, so it is recorded."""
    path, item = f"/v1/cases/{case}", items[reason["item"]]
    said: dict[str, Any] = {"item": item.key}
    if reason["code"] == "item_missing":
        said |= {"kind": "exemption", "ground": "not_held", "reason": "未发生", "approver": "某局长"}
        said["reference"] = "案卷第3页"
    elif reason["code"] == "activity_unstated":
        more = await client.service.clip(
            f"{item.key} of {case}".encode(), path=f"DCIM/{case}.mp4", recorded_at=RECORDED, officer="000042"
        )
        await footage_of(client, more, item, 0)
        await client.post(HANDLER, f"{path}/clips", {"clip": str(more)})
        said |= {"kind": "activity", "starts_at": BEGUN, "ends_at": ENDED, "basis": "现场笔录"}
    else:
        said |= {"kind": "gap", "starts_at": reason["starts_at"], "ends_at": reason["ends_at"], "reason": "电池更换"}
    await client.post(HANDLER, f"{path}/statements", {"statement": said})


async def archived(client: Client, case: str, clip: object, name: str) -> None:
    """Do what readiness asks for until nothing is left, and archive."""
    path, items = f"/v1/cases/{case}", {item.key: item for item in preset(name).content.items}
    await footage_of(client, clip, next(iter(items.values())), 3)
    for _ in range(2):
        for reason in (await client.get(HANDLER, f"{path}/readiness"))["reasons"]:
            if reason["code"] != "not_concluded":
                await put_right(client, case, items, reason)
    concluded = {"kind": "conclusion", "on": datetime.now(CHINA).date().isoformat()}
    await client.post(HANDLER, f"{path}/statements", {"statement": concluded})
    left = (await client.get(HANDLER, f"{path}/readiness"))["reasons"]
    assert left == [], json.dumps(left, ensure_ascii=False)
    done = await client.post(CHIEF, f"{path}/archive", None)
    kept = await client.get(Role.AUDITOR, f"{path}/archive")
    assert manifest_root(kept["manifest"]).hex() == kept["root"] == done["root"]
    refused = await client.ask(HANDLER, "POST", f"{path}/statements", {"statement": concluded})
    assert refused.code == "case.archived"


async def handed_over(client: Client, case: str, folder: Path) -> None:
    """Take a package of the archived case away, once it has its place in the log, and judge it without the house."""
    for _ in range(200):
        acts = (await client.get(Role.AUDITOR, f"/v1/cases/{case}/trail"))["acts"]
        if all(act["index"] is not None for act in acts if act["type"] == "case.archived"):
            break
        await asyncio.sleep(0.02)
    asked = await client.ask(CHIEF, "POST", "/v1/exports", {"purpose": "litigation", "case": case})
    assert asked.status == 202, asked.body
    export = f"/v1/exports/{asked.json()['export']}"
    maker = maker_of(client.service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    opened = await client.post(CHIEF, f"{export}/downloads", {"purpose": "litigation"})
    whole = await client.service.ask("GET", opened["url"])
    with zipfile.ZipFile(io.BytesIO(whole.body)) as packed:
        packed.extractall(folder)
    (package,) = folder.iterdir()
    assert (package / "data" / CASE_NAME).is_file()
    assert main(["--log-key", client.service.services.log_verifier.vkey, str(package)]) == 0


async def revoked(client: Client, case: str, publication: str) -> None:
    """R36: the decision of an archived case falls and stays on record; what is public of it has to go, a clock runs."""
    path, today = f"/v1/cases/{case}/decision/revocations", datetime.now(CHINA).date()
    said = {
        "effect": "revoked",
        "basis": "reconsideration",
        "document": "某府复决〔2026〕3号",
        "authority": "某市人民政府",
    }
    said |= {"on": today.isoformat(), "reason": "主要事实不清、证据不足"}
    assert (await client.ask(Role.AUDITOR, "POST", path, said)).status == 403
    for on, problem in ((today + timedelta(days=2), "in_future"), (date(2020, 1, 1), "before_decision")):
        refused = await client.ask(HANDLER, "POST", path, said | {"on": on.isoformat()})
        assert (refused.code, refused.json()["details"]["problem"]) == ("decision.revocation_refused", problem)
    for broken in ({"effect": "forgotten"}, {"basis": ""}, {"document": ""}, {"more": 1}):
        assert (await client.ask(HANDLER, "POST", path, said | broken)).code == "request.invalid"
    assert await must_go(client, publication) is None
    waiting = await approved_text(client, case)
    changed = said | {"effect": "changed", "basis": "own_correction"}
    first = (await client.post(HANDLER, path, changed, Idempotency_Key=f"changed-{case}"))["entry"]
    assert (await client.post(HANDLER, path, changed, Idempotency_Key=f"changed-{case}"))["entry"] == first
    await kept_back(client, waiting, since=first)
    entry = (await client.post(HANDLER, path, said))["entry"]
    assert (await client.ask(HANDLER, "POST", path, said)).json()["details"]["problem"] == "gone"
    kept = await client.get(Role.AUDITOR, f"/v1/cases/{case}/decision")
    told = [(one["number"], one["effect"], one["basis"], one["document"]) for one in kept["revocations"]]
    document = said["document"]
    assert told == [(1, "changed", "own_correction", document), (2, "revoked", "reconsideration", document)]
    assert (await client.get(Role.AUDITOR, f"/v1/cases/{case}/review"))["decision"] == kept
    assert await must_go(client, publication) == first
    await kept_back(client, await approved_text(client, case), since=entry)
    services = client.service.services
    clocks: list[Any] = []
    while len(clocks) < 2:  # entries get their place in the log a moment later
        await catch_up(services.pool, clock=services.clock, entropy=client.service.entropy)
        clocks = (await client.get(Role.AUDITOR, f"/v1/deadlines?case={case}&kind=withdrawal"))["items"]
    assert {(one["clock"], one["days"], one["days_are"]) for one in clocks} == {
        (f"withdrawal/{one}", 3, "working_days") for one in (first, entry)
    }


async def must_go(client: Client, publication: str) -> str | None:
    """Return the entry for which a publication is on the list of those that have to go."""
    items = (await client.get(Role.AUDITOR, "/v1/publications?must_go=true"))["items"]
    return next((one["must_go"] for one in items if one["publication"] == publication), None)


async def led_back(client: Client, case: str, clip: object) -> None:
    """R19: from what was published and decided back to the recorder's serial and the first digest."""
    for address in (f"/v1/cases/{case}/trail", f"/v1/clips/{clip}/trail"):
        trail = await client.get(Role.AUDITOR, address)
        acts = {act["type"] for act in trail["acts"]}
        assert {"case.decided", "decision.revoked", "publication.published", "publication.withdrawn"} <= acts, address
    exhibit, *_ = (await client.get(Role.AUDITOR, f"/v1/cases/{case}/trail"))["exhibits"]
    assert (exhibit["exhibit"], exhibit["trail"]["clip"]) == (1, str(clip))
    first = await client.get(Role.AUDITOR, f"/v1/clips/{clip}")
    (source,) = exhibit["trail"]["sources"]
    assert source["recorder"] == first["sources"][0]["recorder"]
    assert exhibit["trail"]["original"]["sha256"] == first["sha256"]


async def put_in_force(client: Client, name: str) -> None:
    """Publish the list and the rules of a preset, or the next version of the same."""
    items, adopted = preset(name), rules_preset(name)
    published = {"effective_from": items.effective_from.isoformat(), "list": items.content.as_json()}
    await client.post(Role.ADMINISTRATOR, "/v1/items", published)
    rules = {"effective_from": adopted.effective_from.isoformat(), "rules": adopted.rules.as_json()}
    await client.post(Role.ADMINISTRATOR, "/v1/review/rules", rules)


async def opened_case(client: Client, name: str) -> tuple[str, object]:
    """Publish list and rules, open a case whose hearing was held, and link a clip that is on the list."""
    items = preset(name)
    await put_in_force(client, name)
    kind = next(one.key for one in items.content.action_types if one.key == "penalty")
    opening = {"number": f"{name}-1", "title": "某厂案", "kind": kind, "agency": items.content.agency}
    case = (await client.post(HANDLER, "/v1/cases", opening | {"facts": {"hearing_held": True}}))["case"]
    clip = await client.service.clip(
        f"footage of {name}".encode(), path=f"DCIM/{name}.mp4", recorded_at=RECORDED, officer="000042"
    )
    await client.annotate(clip, 0, remark="现场检查", item=items.content.items[0].key)
    await client.post(HANDLER, f"/v1/cases/{case}/clips", {"clip": str(clip)})
    coverage = await client.get(HANDLER, f"/v1/cases/{case}/coverage")
    assert items.content.items[0].key in coverage["recorded"] + [one["item"] for one in coverage["standings"]]
    return case, clip


async def verify_rounds(client: Client, case: str, made: dict[str, Any]) -> None:
    """Verify every round from what was answered alone: roots of manifests, signatures, what the decision rests on."""
    page = await client.get(Role.AUDITOR, f"/v1/cases/{case}/review")
    for one in page["rounds"]:
        whole = await client.get(Role.AUDITOR, f"/v1/cases/{case}/review/rounds/{one['round']}")
        assert manifest_root(whole["manifest"]).hex() == whole["root"]
        for part in (whole["declaration"], whole["opinion"]):
            assert part["statement"]["root"] == whole["root"]
            key = Ed25519PublicKey.from_public_bytes(b64decode(part["key"]))
            key.verify(b64decode(part["signature"]), canonical(part["statement"]))
    last = page["rounds"][-1]
    assert (made["root"], made["approval"]) == (last["root"], last["opinion"]["entry"])


async def test_the_record_of_all_scenarios_holds(client: Client) -> None:
    async with client.service.services.pool.acquire() as conn:
        assert [one async for one in replay(conn)] == []
        assert [one async for one in judge_reviews(conn)] == []


async def test_hostile_requests_of_a_review_are_refused_with_their_codes(client: Client) -> None:
    await put_in_force(client, "panjin-forestry-2019")
    agency = preset("panjin-forestry-2019").content.agency
    case, other = [
        (await client.post(HANDLER, "/v1/cases", {"number": number, "title": "小案", "agency": agency}))["case"]
        for number in ("小1号", "小2号")
    ]
    review = f"/v1/cases/{case}/review"
    assert (await client.ask(HANDLER, "GET", f"{review}/rounds/7")).code == "review.round_unknown"
    assert (await client.ask(HANDLER, "GET", f"/v1/cases/{case}/decision")).code == "decision.unknown"
    assert (await client.submit(case, [])).code == "review.submission_refused"
    asked = await client.ask(REVIEWER, "POST", f"{review}/supplements", {"request": "请补充"})
    assert asked.code == "review.not_now"
    statement = {
        "format": "shilu-review-declaration/1",
        "case": other,
        "round": 1,
        "root": "ab" * 32,
        "rules": other,
        "by": client.staff[HANDLER],
        "materials": [],
        "answers": [],
        "declares": "真实",
    }
    replayed = await client.ask(HANDLER, "POST", f"{review}/submissions", signed(statement, HANDLER))
    assert replayed.code == "review.signature_invalid"
    stale = await client.ask(HANDLER, "POST", f"{review}/submissions", signed(statement | {"case": case}, HANDLER))
    assert stale.code == "review.evidence_changed"
    for broken in ({"signature": "AA=="}, {"statement": statement | {"root": "AB" * 32}}, {"more": 1}):
        reply = await client.ask(HANDLER, "POST", f"{review}/submissions", signed(statement, HANDLER) | broken)
        assert reply.code == "request.invalid", broken
    corrected = {"fact": "hearing_held", "value": False, "reason": "误录"}
    assert (await client.ask(REVIEWER, "POST", f"{review}/corrections", corrected)).code == "review.correction_refused"
    done = {"opinion": other, "to": "某公安局"}
    assert (await client.ask(HANDLER, "POST", f"{review}/transfers", done)).code == "review.transfer_unknown"
    free = await client.decide(case, "小决1号")
    assert (free.status, free.json()["approval"], free.json()["scope"]["in_scope"]) == (201, None, False)
