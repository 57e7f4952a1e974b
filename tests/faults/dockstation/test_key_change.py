"""A change of the station's key dies at every arrow, and no station is ever locked out nor loses a file.

The arrows are those of `dockstation.rotation`: power cut before and after each write, answers lost before and after the
service's commit, and `kill -9` of the real program at points drawn from a seed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dockstation import rotation
from dockstation.agent import Options
from dockstation.config import StateFolder
from dockstation.errors import DockNotAccepted, LinkLost, StateTaken
from dockstation.rotation import KeyChanger
from dockstation.service import KeyState, Service
from evidence.core.clock import utc_now
from ledger.note import Signer
from tests.support.clock import SeededEntropy
from tests.support.crash import Crash, When, crash_at
from tests.support.dock_process import run_dock, start_dock
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder
from tests.support.rounds import rounds


def changer(station: TestStation, *, patience_seconds: float = 5.0) -> KeyChanger:
    enrolment = station.state.load_enrolment()
    return KeyChanger(
        folder=station.state,
        enrolment=enrolment,
        url=enrolment.url,
        trust=None,
        patience_seconds=patience_seconds,
        clock=utc_now,
    )


async def change(station: TestStation, *, seed: int = 3, patience_seconds: float = 5.0) -> KeyState:
    return await changer(station, patience_seconds=patience_seconds).begin(entropy=SeededEntropy(seed))


def check_alive(service: FakeService, station: TestStation, *, changes: int) -> None:
    """The one key that the station holds is the one that counts at the service."""
    dock = station.state.load_enrolment().dock
    assert station.state.load_signer(dock).verifier == service.docks[dock]
    assert service.key_changes[dock] == changes
    assert not station.state.next_key.exists()


async def test_the_new_key_counts_and_the_old_one_is_gone(service: FakeService, station: TestStation) -> None:
    dock = station.state.load_enrolment().dock
    old = station.state.key.read_text()
    counts = await change(station)
    assert (counts.sequence, counts.vkey) == (1, service.docks[dock].vkey)
    check_alive(service, station, changes=1)
    held = [path.read_bytes() for path in station.state.path.rglob("*") if path.is_file()]
    assert not any(old.strip().encode() in content for content in held)
    assert station.state.key.stat().st_mode & 0o777 == 0o600
    assert (await change(station, seed=4)).sequence == 2


STEPS: dict[str, Callable[[pytest.MonkeyPatch, When], Callable[[], None]]] = {
    "new key on disk": lambda patch, when: crash_at(patch, rotation, "write_file", when),
    "asked which key counts": lambda patch, when: crash_at(patch, Service, "key_state", when),
    "change sent": lambda patch, when: crash_at(patch, Service, "change_key", when),
    "key promoted": lambda patch, when: crash_at(patch, KeyChanger, "_promote", when),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", When)
async def test_a_power_cut_at_any_arrow_is_gone_on_from_by_the_next_run(
    service: FakeService, station: TestStation, tmp_path: Path, step: str, when: When
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    with pytest.MonkeyPatch.context() as patch:
        assert_reached = STEPS[step](patch, when)
        with pytest.raises(Crash):
            await change(station)
        assert_reached()
    unmade = step == "new key on disk" and when is When.BEFORE
    assert (await station.once(card, clear=True)).complete
    check_alive(service, station, changes=0 if unmade else 1)
    assert service.sealed_entries() == {("D200001", clip_name(index)): 1 for index in range(2)}
    await change(station, seed=8)
    check_alive(service, station, changes=1 if unmade else 2)


@pytest.mark.parametrize("lost", ["key_state", "change_key"])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_lost_answer_is_asked_for_again_and_the_change_made_once(
    service: FakeService, station: TestStation, lost: str, times: int
) -> None:
    service.faults.lose_answer[lost] = times
    await change(station)
    check_alive(service, station, changes=1)


async def test_the_service_commits_and_is_gone_and_the_next_run_begins_with_the_new_key(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.faults.lose_answer["change_key"] = 1
    service.faults.lose_answer["key_state"] = 0

    async def unreachable(self: Service, dock: object) -> KeyState:
        if service.key_changes:
            raise LinkLost("the cable is pulled")
        return await real(self, dock)  # type: ignore[arg-type]

    real = Service.key_state
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "key_state", unreachable)
        with pytest.raises(LinkLost):
            await change(station, patience_seconds=0.3)
    assert station.state.next_key.exists()
    assert (await station.once(make_recorder(tmp_path / "card"))).complete
    check_alive(service, station, changes=1)


async def test_what_waits_under_the_old_key_is_signed_anew_and_stated_once(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    service.faults.lose_answer["inventory"] = 1_000
    await station.once(card, patience_seconds=0.2)
    assert len(service.inventories) == 1
    service.faults.lose_answer.clear()
    await change(station)
    assert (await station.once(card, clear=True)).complete
    assert len(service.inventories) == 1
    service.faults.lose_answer["cleared"] = 1_000
    make_recorder(card, count=3)
    await station.once(card, clear=True, patience_seconds=0.2)
    service.faults.lose_answer.clear()
    await change(station, seed=5)
    await station.once(card, clear=True)
    stated = [file.path for cleared in service.cleared.values() for file in cleared.files]
    assert len(stated) == len(set(stated)) + 2, "two clips came to the card a second time"


async def test_a_manifest_whose_answer_was_lost_is_handed_in_again_under_the_new_key(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    service.faults.lose_answer["manifest"] = 1_000
    await station.once(card, patience_seconds=0.2)
    service.faults.lose_answer.clear()
    await change(station)
    assert (await station.once(card, clear=True)).complete
    assert set(service.sealed_entries().values()) == {1}


async def test_a_revoked_station_changes_nothing_and_keeps_both_keys(
    service: FakeService, station: TestStation
) -> None:
    key = station.state.key.read_bytes()
    service.revoked.add(station.state.load_enrolment().dock)
    for _ in range(2):
        with pytest.raises(DockNotAccepted):
            await change(station)
    assert station.state.key.read_bytes() == key
    assert station.state.next_key.exists()
    service.revoked.clear()
    await change(station)
    check_alive(service, station, changes=1)


async def test_a_key_that_a_former_identity_left_is_not_taken_on(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    stranger = Signer.generate("dock.01930000-0000-7000-8000-00000000d0c9", SeededEntropy(1))
    station.state.next_key.write_text(stranger.encoded())
    assert (await station.once(make_recorder(tmp_path / "card"))).complete
    await change(station)
    check_alive(service, station, changes=1)


async def test_a_running_agent_is_not_changed_under(station: TestStation, tmp_path: Path) -> None:
    make_recorder(tmp_path / "card", count=1)
    async with station.watching(tmp_path / "card"):
        ended = await run_dock("rotate-key", "--state", station.state.path, "--json")
    assert (ended.code, ended.json["error"]["code"]) == (4, StateTaken.code)
    assert not station.state.next_key.exists()


async def test_the_command_says_which_key_counts(service: FakeService, station: TestStation) -> None:
    ended = await run_dock("rotate-key", "--state", station.state.path, "--json")
    dock = station.state.load_enrolment().dock
    assert ended.code == 0, ended.err
    assert ended.json == {"dock": str(dock), "sequence": 1, "vkey": service.docks[dock].vkey}
    check_alive(service, station, changes=1)


async def test_a_station_that_runs_for_ever_waits_for_the_service(service: FakeService, station: TestStation) -> None:
    with pytest.MonkeyPatch.context() as patch:
        crash_at(patch, Service, "change_key", When.AFTER)
        with pytest.raises(Crash):
            await change(station)
    service.faults.busy["/key"] = 8

    async def open_patiently() -> None:
        async with station.watching(options=Options(patient=True), patience_seconds=0.2):
            pass

    await asyncio.wait_for(open_patiently(), 30)
    check_alive(service, station, changes=1)


@pytest.mark.parametrize("seed", range(rounds(everyday=6, soak=60)))
async def test_kill_nine_while_keys_change(
    service: FakeService, station: TestStation, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    card = make_recorder(tmp_path / "card", count=2)
    words = ("--state", station.state.path, "--json")
    for _ in range(2):
        service.faults.lose_answer["change_key"] = chance.randrange(2)
        process = await start_dock("rotate-key", *words)
        requests = len(service.requests) + chance.randrange(4)
        while process.returncode is None and len(service.requests) < requests:
            await asyncio.sleep(0.001)
        await asyncio.sleep(chance.random() * 0.03)
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
    service.faults.lose_answer.clear()
    ran = await run_dock("run", "--once", "--clear", "--recorder", card, *words)
    assert (ran.code, ran.json["ok"]) == (0, True), ran.err
    state = StateFolder(station.state.path)
    dock = state.load_enrolment().dock
    assert state.load_signer(dock).verifier == service.docks[dock]
    assert not state.next_key.exists()
    assert set(service.sealed_entries().values()) == {1}
