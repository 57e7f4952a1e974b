"""Retention over HTTP: schedules, holds, a disposal of two people, and the tombstone that answers ever after."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from api.client import RequestRefused
from api.services import disposer_of
from evidence.calendar.workdays import OFFICIAL, day_of
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy
from tests.support.commands import shilu, shilu_json
from tests.support.database import fresh_database
from tests.support.payloads import Scribe
from tests.support.service import Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARCHIVIST, REVIEWER, INVESTIGATOR = Role.ARCHIVIST, Role.REVIEWER, Role.INVESTIGATOR


class Time:
    """A clock that goes on, and can be set forward."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clocked(
    postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[RunningService, Time]]:
    """A service whose clock the test sets forward."""
    folder, clock = tmp_path_factory.mktemp("service"), Time()
    async with (
        fresh_database(postgres) as database,
        running_service(config_for(database, Path(folder) / "data"), clock=clock) as running,
    ):
        yield running, clock


def a_schedule(**changes: Any) -> dict[str, Any]:
    today = day_of(datetime.now(UTC), OFFICIAL).isoformat()
    return {"effective_from": today, "rules": [], "months": 6, "citation": "规定第十二条", **changes}


async def post(service: RunningService, path: str, body: dict[str, Any], role: Role = ARCHIVIST) -> Reply:
    return await service.ask("POST", path, role=role, json=body)


async def test_a_clip_goes_by_two_people_and_answers_with_its_tombstone(clocked: tuple[RunningService, Time]) -> None:
    service, clock = clocked
    clip = await service.clip(b"an old clip")
    retention = f"/v1/clips/{clip}/retention"
    assert (await service.ask("GET", retention, role=REVIEWER)).json()["state"] == "permanent"
    assert (await post(service, "/v1/retention/schedules", a_schedule())).status == 201
    assert (await service.ask("GET", retention, role=REVIEWER)).json()["state"] == "kept"
    wanted = {"clips": [str(clip)], "reason": "保存期满"}
    early = await post(service, "/v1/disposals", wanted)
    assert early.code == "disposal.not_due"
    assert str(clip) in early.json()["details"]["clips"]
    listed = (await service.ask("GET", "/v1/retention/schedules", role=REVIEWER)).json()["items"]
    assert [one["in_force"] for one in listed] == [True]

    clock.ahead = timedelta(days=200)
    service.tokens.clear()
    due = (await service.ask("GET", "/v1/retention/due", role=ARCHIVIST)).json()
    assert [UUID(one["clip"]) for one in due["items"]] == [clip]
    hold = (await post(service, "/v1/holds", {"clip": str(clip), "basis": "复议"}, INVESTIGATOR)).json()["hold"]
    assert (await service.ask("GET", retention, role=REVIEWER)).json()["state"] == "held"
    assert [one["hold"] for one in (await service.ask("GET", "/v1/holds", role=REVIEWER)).json()["items"]] == [hold]
    assert (await post(service, f"/v1/holds/{hold}/release", {"reason": "x"}, INVESTIGATOR)).code == (
        "retention.same_person"
    )
    assert (await post(service, f"/v1/holds/{hold}/release", {"reason": "复议终结"}, REVIEWER)).status == 201
    assert (await post(service, f"/v1/holds/{hold}/release", {"reason": "x"}, REVIEWER)).code == "hold.already_released"

    appraisal = (await post(service, "/v1/disposals", wanted)).json()["appraisal"]
    decision, approval = f"/v1/disposals/{appraisal}/decision", {"approve": True, "reason": "同意"}
    assert (await post(service, decision, approval, ARCHIVIST)).code == "retention.same_person"
    assert (await post(service, decision, approval, REVIEWER)).status == 201
    assert (await post(service, decision, approval, REVIEWER)).code == "disposal.already_decided"
    view = {"rendition": "original", "purpose": "litigation"}
    ticket = (await post(service, f"/v1/clips/{clip}/views", view, REVIEWER)).json()["url"]
    worker = disposer_of(service.services)
    assert (await worker.round()).buried == 1
    gone = await service.ask("GET", f"/v1/clips/{clip}", role=REVIEWER)
    assert (gone.status, gone.code) == (410, "clip.disposed")
    assert gone.json()["details"]["appraisal"] == appraisal
    assert (await service.ask("GET", ticket, role=None)).code == "ticket.unknown"
    for refused in (
        await post(service, f"/v1/clips/{clip}/views", view, REVIEWER),
        await post(service, "/v1/holds", {"clip": str(clip), "basis": "复议"}, INVESTIGATOR),
        await service.ask("GET", retention, role=REVIEWER),
    ):
        assert refused.code == "clip.disposed"
    # What proves it is still to be had.
    history = (await service.ask("GET", f"/v1/clips/{clip}/history", role=REVIEWER)).json()["items"]
    assert [one["type"] for one in history][-1] == "clip.disposed"
    report = (await service.ask("GET", f"/v1/disposals/{appraisal}", role=REVIEWER)).json()
    assert report["disposed"] == 1
    assert report["items"][0]["disposed_at"] is not None
    assert [one["appraisal"] for one in (await service.ask("GET", "/v1/disposals", role=REVIEWER)).json()["items"]] == [
        appraisal
    ]


async def test_what_is_not_there_or_not_right_is_refused(clocked: tuple[RunningService, Time]) -> None:
    service, _ = clocked
    nobody = str(uuid4())
    assert (await post(service, f"/v1/holds/{nobody}/release", {"reason": "x"})).code == "hold.unknown"
    assert (await service.ask("GET", f"/v1/disposals/{nobody}", role=ARCHIVIST)).code == "disposal.unknown"
    assert (await service.ask("GET", f"/v1/clips/{nobody}/retention", role=ARCHIVIST)).code == "clip.unknown"
    for body in ({"basis": "x"}, {"basis": "x", "clip": nobody, "recorder": "A"}):
        assert (await post(service, "/v1/holds", body)).code == "retention.invalid"
    assert (await post(service, "/v1/holds", {"basis": "x", "case": nobody})).code == "case.unknown"
    times = {"basis": "x", "recorder": "A", "since": "yesterday"}
    assert (await post(service, "/v1/holds", times)).code == "time.invalid"
    assert (await post(service, "/v1/holds", {"basis": "a\u0007b", "recorder": "A"})).code == "party.name_invalid"
    old = a_schedule(effective_from="2020-01-01")
    assert (await post(service, "/v1/retention/schedules", old)).code == "retention.invalid"
    wrongs: tuple[dict[str, Any], ...] = (
        {"months": 5},
        {"rules": [{}]},
        {"effective_from": "2026-13-45x"},
        {"months": "6"},
    )
    for wrong in wrongs:
        assert (await post(service, "/v1/retention/schedules", a_schedule(**wrong))).code == "request.invalid"
    many = {"clips": [str(uuid4()) for _ in range(1001)], "reason": "x"}
    assert (await post(service, "/v1/disposals", many)).code == "request.invalid"
    assert (await post(service, "/v1/disposals", {"clips": [nobody, nobody], "reason": "x"})).code == "disposal.not_due"


async def test_the_commands_show_what_would_go_and_take_two_people(
    clocked: tuple[RunningService, Time], tmp_path: Path
) -> None:
    service, clock = clocked
    async with service.services.pool.acquire() as conn:
        # No dock would speak with a service whose clock is half a year ahead.
        scribe = Scribe(conn=conn, clock=clock, entropy=SeededEntropy(201))
        clip, kept = str(await scribe.seal()), str(await scribe.seal())
    stated = tmp_path / "schedule.json"
    stated.write_text(json.dumps(a_schedule(effective_from=_today(clock).isoformat())), "utf-8")
    assert "entry" in await shilu_json(service, ARCHIVIST, "retention", "state", str(stated))
    assert (await shilu_json(service, REVIEWER, "retention", "clip", clip))["state"] == "kept"
    clock.ahead += timedelta(days=200)
    service.tokens.clear()
    held = await shilu_json(service, INVESTIGATOR, "hold", "place", "--clip", kept, "--basis", "行政复议")
    assert (await shilu(service, INVESTIGATOR, "hold", "place", "--basis", "x"))[0] == 2

    dry = await shilu_json(service, ARCHIVIST, "dispose", "propose", clip)
    assert (dry["proposed"], [one["clip"] for one in dry["clips"]], dry["may_not_go"]) == (None, [clip], [])
    both = await shilu_json(service, ARCHIVIST, "dispose", "propose", clip, kept, "--apply", code=1)
    assert (both["proposed"], both["may_not_go"]) == (None, [kept]), "one may not go, and nothing is proposed"
    assert "held" in (await shilu(service, REVIEWER, "retention", "clip", kept))[1]
    listed = (await shilu_json(service, REVIEWER, "dispose", "list"))["items"]
    assert not [one for one in listed if one["reason"] == "保存期届满"]

    done = await shilu_json(service, ARCHIVIST, "dispose", "propose", clip, "--reason", "保存期届满", "--apply")
    words = ("dispose", "decide", done["proposed"]["appraisal"], "--approve", "--reason", "同意")
    with pytest.raises(RequestRefused, match=r"retention\.same_person"):
        await shilu(service, ARCHIVIST, *words)
    assert "approved" in (await shilu(service, REVIEWER, *words))[1]
    assert (await disposer_of(service.services).round()).buried == 1
    report = await shilu_json(service, REVIEWER, "dispose", "show", done["proposed"]["appraisal"])
    assert (report["disposed"], report["approved"]) == (1, True)

    release = ("hold", "release", held["hold"], "--reason", "复议终结")
    with pytest.raises(RequestRefused, match=r"retention\.same_person"):
        await shilu(service, INVESTIGATOR, *release)
    assert (await shilu(service, REVIEWER, *release))[0] == 0
    listed = (await shilu_json(service, REVIEWER, "hold", "list", "--all"))["items"]
    assert listed[-1]["released_at"] is not None
    for shown in (("retention", "schedules"), ("retention", "due"), ("hold", "list"), ("dispose", "list")):
        assert (await shilu(service, ARCHIVIST, *shown))[0] == 0
    assert "nothing was proposed" in (await shilu(service, ARCHIVIST, "dispose", "propose"))[1]


def _today(clock: Time) -> date:
    return day_of(clock(), OFFICIAL)
