"""Packages over HTTP: asked for, made, fetched on record; links for counsel; the trail of a clip."""

from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from api.exports import maker_of, write_package
from evidence.core.clock import format_time, utc_now
from evidence.parties.roles import Role
from evidence.verify.cli import main
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTENT = b"footage of a discharge"


async def ask(
    service: RunningService, method: str, path: str, body: Any = None, role: Role = Role.INVESTIGATOR
) -> Reply:
    return (
        await service.ask(method, path, role=role, json=body)
        if body is not None
        else await service.ask(method, path, role=role)
    )


async def opened_case(service: RunningService) -> tuple[str, str]:
    """Seal a clip, put it into a case, and wait until all of that is published."""
    clip = await service.clip(CONTENT + uuid4().bytes, path=f"{uuid4()}.mp4")
    made = await ask(service, "POST", "/v1/cases", {"number": f"晋环罚〔2026〕{uuid4()}号", "title": "偷排"})
    case = made.json()["case"]
    linked = await ask(service, "POST", f"/v1/cases/{case}/clips", {"clip": str(clip)})
    assert linked.status == 201
    assert await service.services.waiter.wait(UUID(linked.json()["entry"]), timeout_seconds=20) is not None
    return case, str(clip)


async def done(service: RunningService, body: Any) -> Any:
    """Ask for a package and work as the duty does, until it is over."""
    reply = await ask(service, "POST", "/v1/exports", {"purpose": "litigation", **body})
    assert (reply.status, reply.json()["state"]) == (202, "waiting"), reply
    maker = maker_of(service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    return (await ask(service, "GET", f"/v1/exports/{reply.json()['export']}")).json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(shared: RunningService) -> Any:
    case, clip = await opened_case(shared)
    return {**await done(shared, {"case": case}), "clip": clip}


async def test_a_package_is_fetched_on_record_and_verifies(shared: RunningService, made: Any, tmp_path: Path) -> None:
    assert (made["state"], made["bytes_done"]) == ("done", made["size"])
    opened = await ask(shared, "POST", f"/v1/exports/{made['export']}/downloads", {"purpose": "legal_review"})
    assert opened.status == 201
    history = (await shared.ask("GET", f"/v1/clips/{made['clip']}/history", role=Role.AUDITOR)).json()["items"]
    assert [line["type"] for line in history][-2:] == ["case.exported", "export.fetched"]
    whole = await shared.ask("GET", opened.json()["url"])
    assert (whole.status, len(whole.body)) == (200, made["size"])
    part = await shared.ask("GET", opened.json()["url"], headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole.body[10:20])
    with zipfile.ZipFile(io.BytesIO(whole.body)) as packed:
        packed.extractall(tmp_path)
    assert main(["--log-key", shared.services.log_verifier.vkey, str(next(tmp_path.iterdir()))]) == 0


async def test_a_link_is_used_once_by_a_named_recipient_and_logged(shared: RunningService, made: Any) -> None:
    wish = {
        "recipient": "李律师<script>",
        "purpose": "litigation",
        "expires_at": format_time(utc_now() + timedelta(days=3)),
    }
    where = f"/v1/exports/{made['export']}/links"
    link = (await ask(shared, "POST", where, wish)).json()
    page = await shared.ask("GET", link["url"])
    assert page.status == 200
    assert "李律师&lt;script&gt;" in page.body.decode()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert (await shared.ask("GET", f"{link['url']}/verify.html")).body.startswith(b"<!")
    both = await asyncio.gather(*(shared.ask("POST", link["url"]) for _ in range(2)))
    assert sorted(reply.status for reply in both) == [303, 404]
    (used,) = [reply for reply in both if reply.status == 303]
    assert len((await shared.ask("GET", used.headers["Location"])).body) == made["size"]
    assert (await shared.ask("GET", link["url"])).code == "share.unknown"
    (row,) = (await ask(shared, "GET", where, role=Role.AUDITOR)).json()["items"]
    assert (row["recipient"], row["uses"], row["uses_max"]) == ("李律师<script>", 1, 1)
    history = (await shared.ask("GET", f"/v1/clips/{made['clip']}/history", role=Role.AUDITOR)).json()["items"]
    fetched = [line for line in history if line["type"] == "export.fetched"][-1]
    assert fetched["payload"]["link"] == link["link"]


async def test_a_link_that_is_revoked_or_wrong_opens_nothing(shared: RunningService, made: Any) -> None:
    where = f"/v1/exports/{made['export']}/links"
    good = {"recipient": "张律师", "purpose": "litigation", "expires_at": format_time(utc_now() + timedelta(days=1))}
    link = (await ask(shared, "POST", where, {**good, "uses": 5})).json()
    ended = await ask(shared, "POST", f"{where}/{link['link']}/revocation", {"reason": "撤回"})
    again = await ask(shared, "POST", f"{where}/{link['link']}/revocation", {"reason": "撤回"})
    assert (ended.json()["entry"] is None, again.json()["entry"]) == (False, None)
    text = link["url"].rpartition("/")[2]
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/verify.html")):
        for secret in (text, wrong, "0" * 32 + "_" + "A" * 43):
            reply = await shared.ask(method, f"/share/{secret}{path}")
            assert (reply.status, reply.code) == (404, "share.unknown")
    for change in (
        {"expires_at": format_time(utc_now() - timedelta(seconds=1))},
        {"expires_at": format_time(utc_now() + timedelta(days=400))},
        {"recipient": "two\nlines"},
    ):
        assert (await ask(shared, "POST", where, {**good, **change})).code == "share.invalid"
    other = f"/v1/exports/{uuid4()}/links/{link['link']}/revocation"
    assert (await ask(shared, "POST", other, {"reason": "x"})).code == "share.unknown"


async def test_the_command_writes_the_same_as_a_folder(shared: RunningService, made: Any, tmp_path: Path) -> None:
    written = await write_package(
        shared.services,
        case=UUID(made["case"]),
        clips=[],
        to=tmp_path / "new",
        purpose="litigation",
        actor="service",
        advance=lambda _name, _done, _total: None,
    )
    assert (written.exhibits, written.traced) == (1, True)
    assert main(["--log-key", shared.services.log_verifier.vkey, str(written.folder)]) == 0


async def test_the_same_package_again_on_request(shared: RunningService, made: Any) -> None:
    again = await done(shared, {"repeat": made["export"]})
    assert (again["state"], again["case"]) == ("done", made["case"])


async def test_what_cannot_be_handed_over_is_refused_at_once(shared: RunningService, made: Any) -> None:
    empty = (await ask(shared, "POST", "/v1/cases", {"number": f"空{uuid4()}", "title": "空"})).json()["case"]
    for body, status, code in (
        ({"case": empty}, 409, "export.empty"),
        ({"case": made["case"], "clips": [str(uuid4())]}, 409, "export.empty"),
        ({"case": str(uuid4())}, 404, "case.unknown"),
        ({"clips": [str(uuid4())]}, 404, "clip.unknown"),
        ({"repeat": str(uuid4())}, 404, "export.unknown"),
        ({"clips": [str(uuid4())] * 10_001}, 400, "request.invalid"),
        ({}, 400, "request.invalid"),
        ({"case": empty, "repeat": str(uuid4())}, 400, "request.invalid"),
        ({"case": empty, "purpose": "curiosity"}, 400, "view.purpose_unknown"),
    ):
        reply = await ask(shared, "POST", "/v1/exports", {"purpose": "litigation", **body})
        assert (reply.status, reply.code) == (status, code), body
    reader = await ask(shared, "POST", "/v1/exports", {"purpose": "litigation", "case": empty}, role=Role.REVIEWER)
    assert reader.code == "auth.role"


async def test_a_package_is_given_up_before_and_after(shared: RunningService, made: Any) -> None:
    asked = (await ask(shared, "POST", "/v1/exports", {"purpose": "litigation", "clips": [made["clip"]]})).json()
    early = await ask(shared, "POST", f"/v1/exports/{asked['export']}/downloads", {"purpose": "litigation"})
    assert (early.status, early.code) == (409, "export.not_ready")
    assert (await ask(shared, "DELETE", f"/v1/exports/{asked['export']}")).status == 204
    maker = maker_of(shared.services)
    assert not await maker.attempt()
    package = await done(shared, {"clips": [made["clip"]]})
    opened = await ask(shared, "POST", f"/v1/exports/{package['export']}/downloads", {"purpose": "litigation"})
    assert (await ask(shared, "DELETE", f"/v1/exports/{package['export']}")).status == 204
    assert not maker.archive_of(UUID(package["export"])).exists()
    gone = await shared.ask("GET", opened.json()["url"])
    assert (gone.status, gone.code) == (409, "export.not_ready")
    states = {
        one["export"]: one["state"] for one in (await ask(shared, "GET", "/v1/exports?limit=200")).json()["items"]
    }
    assert (states[asked["export"]], states[package["export"]]) == ("cancelled", "removed")
    assert (await ask(shared, "DELETE", f"/v1/exports/{uuid4()}")).code == "export.unknown"


async def test_a_package_of_another_host_is_said_to_be_there(shared: RunningService, made: Any) -> None:
    package = await done(shared, {"clips": [made["clip"]]})
    maker_of(shared.services).archive_of(UUID(package["export"])).unlink()
    opened = await ask(shared, "POST", f"/v1/exports/{package['export']}/downloads", {"purpose": "litigation"})
    assert (opened.status, opened.code) == (421, "export.elsewhere")


async def test_r19_the_trail_leads_back_to_serial_and_first_digest(shared: RunningService, made: Any) -> None:
    trail = (await shared.ask("GET", f"/v1/clips/{made['clip']}/trail", role=Role.REVIEWER)).json()
    source = trail["sources"][0]
    assert source["recorder"]
    assert source["inventory"]["recorder"] == source["recorder"]
    assert source["first_digest"]["by"] == "dock"
    assert source["first_digest"]["sha256"] == trail["original"]["sha256"]
    assert trail["handed_over"][0]["type"] == "case.exported"
    assert (await shared.ask("GET", f"/v1/clips/{uuid4()}/trail", role=Role.REVIEWER)).code == "clip.unknown"


async def test_the_trail_of_a_case_leads_from_what_became_of_it_to_every_serial(
    shared: RunningService, made: Any
) -> None:
    path = f"/v1/cases/{made['case']}/trail"
    trail = (await shared.ask("GET", path, role=Role.REVIEWER)).json()
    assert trail["acts"][0]["type"] == "case.opened"
    assert {one["trail"]["clip"] for one in trail["exhibits"]} >= {made["clip"]}
    assert (trail["withheld"], trail["next"]) == (0, None)
    assert (await shared.ask("GET", f"/v1/cases/{uuid4()}/trail", role=Role.REVIEWER)).code == "case.unknown"
    for drawn in (f"{path}?form=svg", f"/v1/clips/{made['clip']}/trail?form=svg"):
        reply = await shared.ask("GET", drawn, role=Role.REVIEWER)
        assert reply.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert "去向" in reply.body.decode()
    for wrong in ("form=pdf", "limit=0", "limit=201", "after=-1", "after=x", "more=1"):
        assert (await shared.ask("GET", f"{path}?{wrong}", role=Role.REVIEWER)).status == 400, wrong
