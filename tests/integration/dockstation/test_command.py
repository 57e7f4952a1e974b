"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from dockstation.cli import INCOMPLETE, INTERRUPTED, SERVICE_AWAY, STATE_BUSY
from tests.support.dock_process import ended, run_dock, start_dock
from tests.support.dock_server import CODE, FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip


async def test_from_enrolment_to_a_cleared_card_by_commands(service: FakeService, url: str, tmp_path: Path) -> None:
    state, card = tmp_path / "the state", make_recorder(tmp_path / "watched" / "card 1", count=2)
    enrolled = await run_dock("enrol", url, CODE, "--state", state, "--name", "走廊 1", "--json")
    assert (enrolled.code, enrolled.json["origin"], enrolled.json["name"]) == (0, "log.test/shilu", "走廊 1")
    ran = await run_dock("run", "--state", state, "--watch", tmp_path / "watched", "--once", "--json")
    assert ran.code == 0
    assert ran.json["ok"] is True
    assert [file["state"] for file in ran.json["recorders"][0]["files"]] == ["receipt_verified"] * 2
    assert "回执 receipted" in ran.err
    dry = await run_dock("clear", "--state", state, "--recorder", card, "--dry-run", "--json")
    assert dry.json["recorders"][0]["would_clear"] == [clip_name(0), clip_name(1)]
    shown = await run_dock("clear", "--state", state, "--recorder", card, "--dry-run")
    assert "将清除 would clear" in shown.out
    assert len(list(card.rglob("*.mp4"))) == 2
    cleared = await run_dock("clear", "--state", state, "--recorder", card)
    assert cleared.code == 0
    assert list(card.rglob("*.mp4")) == []
    status = await run_dock("status", "--state", state, "--json")
    assert status.json["recorders"] == {"D200001": {"cleared": {"files": 2, "bytes": 10_000}}}
    assert (status.json["running"], status.json["slots"][0]["safe"]) == (False, True)
    assert "可以 YES" in (await run_dock("status", "--state", state)).out


async def test_people_get_a_table_and_names_from_a_card_cannot_act_on_their_terminal(
    station: TestStation, tmp_path: Path
) -> None:
    write_clip(tmp_path / "card", "evil\x1b[2Jname\u202egpj.mp4")
    ran = await run_dock("run", "--state", station.state.path, "--recorder", tmp_path / "card", "--once", "--clear")
    assert ran.code == 0
    assert "可取下" in ran.out
    assert "1/1" in ran.out
    assert list((tmp_path / "card").iterdir()) == []
    assert "\x1b" not in ran.out + ran.err
    assert "\u202e" not in ran.out + ran.err
    assert "evil\\x1b[2Jname\\u202egpj.mp4" in ran.err


async def test_what_is_not_receipted_ends_with_its_own_code(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.faults.refuse_code = "upload.too_large"
    card = make_recorder(tmp_path / "card", count=1)
    ran = await run_dock("run", "--state", station.state.path, "--recorder", card, "--once", "--json")
    assert (ran.code, ran.json["ok"]) == (INCOMPLETE, False)
    assert "upload.too_large" in ran.json["recorders"][0]["files"][0]["trouble"]


async def test_a_station_that_is_not_accepted(
    service: FakeService, url: str, tmp_path: Path, station: TestStation
) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    service.revoked = set(service.docks)
    base = ["run", "--state", str(station.state.path), "--once", "--recorder", str(card), "--json"]
    ran = await run_dock(*base)
    assert (ran.code, ran.json["error"]["code"]) == (SERVICE_AWAY, "dock.not_accepted")
    wrong = await run_dock("enrol", url, "wrong", "--state", tmp_path / "new", "--json")
    assert (wrong.code, wrong.json["error"]["details"]["service_code"]) == (SERVICE_AWAY, "dock.code_refused")


async def test_a_running_station_is_shown_guarded_and_stopped_cleanly(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.faults.piece_seconds = 0.5
    make_recorder(tmp_path / "watched" / "card", count=3, sizes=(3_000_000,))
    words = ["run", "--state", str(station.state.path), "--watch", str(tmp_path / "watched")]
    process = await start_dock(*words, "--interval", "0.1", "--json")
    while not any(upload.data for upload in service.uploads.values()):
        await asyncio.sleep(0.02)
    status = (await run_dock("status", "--state", station.state.path, "--json")).json
    assert status["running"]
    assert (status["slots"][0]["phase"], status["slots"][0]["safe"]) == ("reading", False)
    assert (await run_dock(*words, "--once")).code == STATE_BUSY
    process.send_signal(signal.SIGTERM)
    stopped = await ended(process)
    assert (stopped.code, stopped.err) == (0, "")
    events = [json.loads(line)["event"] for line in stopped.out.splitlines()]
    assert events[:2] == ["docked", "inventoried"]
    service.faults.piece_seconds = 0
    ran = await run_dock(*words, "--once", "--json")
    assert ran.code == 0
    assert service.sealed_entries() == {("D200001", clip_name(index)): 1 for index in range(3)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_single_run_that_is_stopped_says_so(
    service: FakeService, station: TestStation, tmp_path: Path, number: signal.Signals
) -> None:
    service.faults.piece_seconds = 0.05
    card = make_recorder(tmp_path / "card", count=2, sizes=(3_000_000,))
    process = await start_dock("run", "--state", station.state.path, "--recorder", card, "--once", "--json")
    while not any(upload.data for upload in service.uploads.values()):
        await asyncio.sleep(0.02)
    process.send_signal(number)
    stopped = await ended(process)
    assert (stopped.code, stopped.out) == (INTERRUPTED, "")
    assert "Traceback" not in stopped.err
