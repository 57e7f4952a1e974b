"""Publicity over HTTP: drafted and published by people, read by anybody, checked offline."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from evidence.parties.roles import Role
from evidence.verify.cli import main as verify
from tests.support.publicity import BRIEF, REGISTER
from tests.support.service import Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITER, APPROVER, READER = Role.INVESTIGATOR, Role.REVIEWER, Role.AUDITOR
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}"


async def draft(shared: RunningService, fields: dict[str, str], **more: Any) -> Any:
    wish = {"form": "brief", "kind": "penalty", "fields": fields, **more}
    reply = await shared.ask("POST", "/v1/publications", role=WRITER, json=wish)
    assert reply.status == 201, reply.body
    return reply.json()


async def step(shared: RunningService, made: str, name: str, role: Role = WRITER, **body: Any) -> Reply:
    return await shared.ask("POST", f"/v1/publications/{made}/{name}", role=role, json=body)


async def issue(shared: RunningService, made: str, version: int = 1) -> None:
    assert (await step(shared, made, "approval", APPROVER, version=version)).status == 201
    assert (await step(shared, made, "issue", version=version)).status == 201


async def published(shared: RunningService, fields: dict[str, str] | None = None, **more: Any) -> str:
    made: str = (await draft(shared, fields or dict(BRIEF), **more))["publication"]
    await issue(shared, made)
    return made


async def page(shared: RunningService, path: str, **headers: str) -> Reply:
    return await shared.ask("GET", path, headers=headers)


async def proof_of(shared: RunningService, made: str) -> bytes:
    async with asyncio.timeout(20):
        while True:
            reply = await page(shared, f"/public/records/{made}/proof")
            if reply.status == 200:
                return reply.body
            assert reply.code == "ledger.not_published", reply
            await asyncio.sleep(0.05)


def judged(path: Path, key: str | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    capsys.readouterr()
    code = verify([str(path), "--json", *([] if key is None else ["--log-key", key])])
    report = json.loads(capsys.readouterr().out)
    return code, [one["code"] for one in report["remarks"]]


async def test_from_draft_to_the_public_and_gone_with_a_proof_each_time(
    shared: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await draft(shared, {**BRIEF, "facts": "电话13800138000"})
    address = made["publication"]
    assert [(one["kind"], one["decided"]) for one in made["spans"]] == [("mobile", False)]
    assert (await page(shared, f"/public/records/{address}")).code == "publication.unknown"
    refused = await step(shared, address, "approval", APPROVER, version=1)
    assert refused.code == "publication.undecided"
    span = {key: made["spans"][0][key] for key in ("field", "start", "end")}
    nowhere = await step(shared, address, "decisions", version=1, decisions=[{**span, "end": 99, "verdict": "mask"}])
    assert nowhere.code == "publication.span_invalid"
    assert (await step(shared, address, "issue", version=1)).code == "publication.not_ready"
    assert (await step(shared, address, "decisions", version=2, decisions=[{**span, "verdict": "mask"}])).status == 412
    masked = await step(shared, address, "decisions", version=1, decisions=[{**span, "verdict": "mask"}])
    assert masked.status == 201
    judged_spans = (await shared.ask("GET", f"/v1/publications/{address}", role=READER)).json()["spans"]
    assert [(one["decided"], one["verdict"], one["reason"]) for one in judged_spans] == [(True, "mask", "")]
    await issue(shared, address)
    shown = (await page(shared, f"/public/v1/records/{address}")).json()
    assert (shown["schema"], shown["fields"]["facts"]) == ("shilu-publication-1", "电话［手机号已隐去］")
    assert "13800138000" not in (await page(shared, f"/public/records/{address}")).body.decode()
    proof, key = tmp_path / f"{address}.published", shared.services.log_verifier.vkey
    proof.write_bytes(await proof_of(shared, address))
    assert judged(proof, key, capsys) == (0, ["published.shown"])
    assert "13800138000" not in proof.read_text("utf-8")
    gone = await step(shared, address, "withdrawal", APPROVER, cause="revoked", reason="张三 13800138000")
    assert gone.code == "publication.revealing"
    gone = await step(shared, address, "withdrawal", APPROVER, cause="revoked", reason="行政复议撤销")
    assert gone.status == 201
    tombstone = (await page(shared, f"/public/v1/records/{address}")).json()
    assert (tombstone["status"], tombstone["fields"], tombstone["reason"]) == ("withdrawn", None, "行政复议撤销")
    text = (await page(shared, f"/public/records/{address}")).body.decode()
    assert "该信息已撤下" in text
    assert "罚款人民币十万元" not in text
    proof.write_bytes(await proof_of(shared, address))
    assert judged(proof, key, capsys) == (0, ["published.withheld", "published.gone"])
    assert "罚款人民币十万元" not in proof.read_text("utf-8")
    report = (await shared.ask("GET", f"/v1/publications/{address}", role=READER)).json()
    assert (report["state"], report["published_version"]) == ("withdrawn", 1)


async def test_forms_say_what_a_draft_is_refused_for_leaving_out(shared: RunningService) -> None:
    known = (await shared.ask("GET", "/v1/publicity/forms", role=READER)).json()
    titles = {kind["kind"]: kind["zh"] for kind in known["kinds"]}
    assert {form["form"] for form in known["items"]} == {"brief", "summary", "document", "register"}
    for form in known["items"]:
        assert set(form["kinds"]) <= set(titles)
        wish = {"form": form["form"], "kind": form["kinds"][0], "fields": {}}
        refused = await shared.ask("POST", "/v1/publications", role=WRITER, json=wish)
        assert refused.code == "publication.incomplete"
        named = [one["field"] for one in refused.json()["details"]["problems"]]
        assert named == [field["field"] for field in form["required"]]


async def test_a_citizen_notices_whatever_is_altered_in_a_proof(
    shared: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, other = await published(shared), await published(shared, {**BRIEF, "subject": "另一厂"})
    raw, strange = await proof_of(shared, made), await proof_of(shared, other)
    key, path = shared.services.log_verifier.vkey, tmp_path / "a.published"
    head, _, text = raw.decode().partition("\n")
    parts, others = json.loads(text)["entries"], json.loads(strange.decode().partition("\n")[2])["entries"]

    def write(entries: Any) -> Path:
        body = json.dumps({"entries": entries}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        path.write_text(f"{head}\n{body}\n", encoding="utf-8")
        return path

    assert judged(write(parts), key, capsys) == (0, ["published.shown"])
    altered = {**parts[0], "payload": parts[0]["payload"].replace("十万", "一万")}
    assert judged(write([altered]), key, capsys) == (1, ["published.not_committed"])
    assert judged(write([{**parts[0], "payload": others[0]["payload"]}]), key, capsys)[1] == ["published.not_committed"]
    assert judged(write([*parts, *others]), key, capsys) == (1, ["published.shown", "published.other"])
    assert judged(write([{**parts[0], "proof": others[0]["proof"]}]), key, capsys) == (1, ["log.not_included"])
    assert judged(write([{**parts[0], "salt": None}]), key, capsys) == (1, ["published.malformed"])
    assert judged(write([]), key, capsys) == (1, ["published.malformed"])
    path.write_bytes(b"\xff\n{}")
    assert judged(path, key, capsys) == (1, ["published.malformed"])
    assert verify([str(write(parts))]) == 2, "no key was given"
    capsys.readouterr()


async def test_the_pages_hold_against_hostile_text_and_load_nothing(shared: RunningService) -> None:
    made = await published(shared, {**BRIEF, "subject": HOSTILE, "conclusion": "长" * 4000})
    for path in (f"/public/records/{made}", "/public", "/public/registers", "/public/reports"):
        reply = await page(shared, path)
        text = reply.body.decode()
        assert "<script" not in text
        assert "<img" not in text
        policy = reply.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert reply.headers["Cache-Control"].startswith("public, max-age=60")
        assert "Set-Cookie" not in reply.headers
        assert (await page(shared, path, **{"If-None-Match": reply.headers["ETag"]})).status == 304
    for field, text in (("subject", "某\u202e厂"), ("conclusion", "x" * 10_000), ("subject", "\u0000"), ("poem", "x")):
        wish = {"form": "brief", "kind": "penalty", "fields": {**BRIEF, field: text}}
        refused = await shared.ask("POST", "/v1/publications", role=WRITER, json=wish)
        assert refused.code in {"publication.incomplete", "request.invalid"}, field
        if refused.code == "publication.incomplete":
            assert refused.json()["details"]["problems"][0]["field"] == field
    feed = (await page(shared, "/public/feed.json")).json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert made in {one["id"] for one in feed["items"]}


async def test_lists_are_paged_filtered_and_hold_no_draft(shared: RunningService) -> None:
    kept = [await published(shared, {**BRIEF, "subject": f"第{n}厂"}, kind="permit") for n in range(3)]
    hidden = (await draft(shared, dict(BRIEF), kind="permit"))["publication"]
    first = (await page(shared, "/public/v1/records?kind=permit&limit=2")).json()
    rest = (await page(shared, f"/public/v1/records?kind=permit&limit=2&cursor={first['next']}")).json()
    assert [one["publication"] for one in (*first["items"], *rest["items"])] == kept[::-1]
    assert rest["next"] is None
    assert hidden not in (await page(shared, "/public?kind=permit")).body.decode()
    assert (await page(shared, "/public?cursor=x")).code == "request.cursor"
    listed = (await shared.ask("GET", "/v1/publications?limit=1", role=READER)).json()
    assert listed["items"][0]["publication"] == hidden
    assert listed["next"] is not None


async def test_registers_and_corrections_over_http(shared: RunningService) -> None:
    made = await published(shared, dict(REGISTER), form="register", kind="spot_checks")
    second = {**REGISTER, "body": "一、抽查主体\n二、抽查对象", "effective_from": "2026-04-01"}
    wish: dict[str, Any] = {"version": 1, "fields": second, "reason": "新增事项"}
    assert (await step(shared, made, "versions", **wish)).status == 201
    assert (await step(shared, made, "versions", **wish)).code == "publication.stale"
    early: dict[str, Any] = {**wish, "version": 2, "fields": {**second, "effective_from": "2026-01-01"}}
    assert (await step(shared, made, "versions", **early)).code == "publication.incomplete"
    await issue(shared, made, 2)
    for day, version in (("2026-03-31", 1), ("2026-04-01", 2)):
        registers = (await page(shared, f"/public/v1/registers?on={day}")).json()
        assert [one["version"] for one in registers["items"]] == [version]
        text = (await page(shared, f"/public/records/{made}?on={day}")).body.decode()
        assert ("二、抽查对象" in text) is (version == 2)
    assert (await page(shared, f"/public/v1/records/{made}?on=2026-03-01")).code == "publication.unknown"
    assert "随机抽查事项清单" in (await page(shared, "/public/registers")).body.decode()


async def test_nobody_approves_what_they_wrote(shared: RunningService) -> None:
    made = await shared.ask(
        "POST",
        "/v1/publications",
        role=Role.ARCHIVIST,
        json={"form": "brief", "kind": "penalty", "fields": dict(BRIEF)},
    )
    address = made.json()["publication"]
    assert (await step(shared, address, "approval", Role.ARCHIVIST, version=1)).code == "publication.same_person"
    assert (await step(shared, str(uuid4()), "approval", APPROVER, version=1)).code == "publication.unknown"


async def test_terms_and_reports_over_http(shared: RunningService) -> None:
    term = {"kind": "penalty", "months": 36, "citation": "规定"}
    assert (await shared.ask("POST", "/v1/publicity/terms", role=Role.ADMINISTRATOR, json=term)).status == 201
    wrong = await shared.ask("POST", "/v1/publicity/terms", role=Role.ADMINISTRATOR, json={**term, "kind": "poem"})
    assert wrong.code == "publication.incomplete"
    listed = (await shared.ask("GET", "/v1/publicity/terms", role=READER)).json()
    assert [(one["kind"], one["months"]) for one in listed["items"]] == [("penalty", 36)]
    until = await published(shared)
    assert (await page(shared, f"/public/v1/records/{until}")).json()["until"] is not None
    await proof_of(shared, until)
    wish = {"period": "2026", "stated": {"inspections": 12}}
    made = await shared.ask("POST", "/v1/publicity/reports", role=WRITER, json=wish)
    assert made.status == 201, made.body
    again = await shared.ask("GET", f"/v1/publicity/reports/{made.json()['report']}/recount", role=READER)
    assert again.json()["identical"] is True
    assert (await page(shared, "/public/v1/reports")).json()["items"] == [made.json()]
    assert "持证执法人员" in (await page(shared, "/public/reports")).body.decode() or made.json()["figures"]
    assert (await shared.ask("GET", "/v1/publicity/reports", role=READER)).json()["items"] == [made.json()]
    bad = await shared.ask("POST", "/v1/publicity/reports", role=WRITER, json={"period": "26"})
    assert bad.code == "report.invalid"
    missing = await shared.ask("GET", f"/v1/publicity/reports/{uuid4()}/recount", role=READER)
    assert missing.code == "report.unknown"


async def test_who_asks_too_often_waits(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", public_requests_per_minute=2)
    async with running_service(config) as service:
        codes = [(await page(service, "/public")).status for _ in range(4)]
        assert codes == [200, 200, 429, 429]
        assert (await page(service, "/healthz")).status == 200
