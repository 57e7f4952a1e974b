"""Enrolment: pins one log, spends a code only on it, and puts the old aside when told to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstation.config import StateFolder
from dockstation.errors import ConfigInvalid, DockNotAccepted, LinkLost, OtherLog
from dockstation.journal import State
from tests.support.dock_server import CODE, FakeService
from tests.support.dock_station import TestStation, clip_name, enrolled, make_recorder


async def test_enrolment_registers_the_key_and_pins_the_log(
    service: FakeService, station: TestStation, url: str
) -> None:
    enrolment = station.state.load_enrolment()
    signer = station.state.load_signer(enrolment.dock)
    assert service.docks == {enrolment.dock: signer.verifier}
    assert enrolment.log == service.log.signer.verifier
    assert (enrolment.origin, enrolment.url, enrolment.name) == ("log.test/shilu", url, "走廊 1")
    assert enrolment.policy == f"log {enrolment.log.vkey}\nquorum none\n"
    assert enrolment.dock.version == 7


async def test_a_spent_or_wrong_code_changes_nothing(service: FakeService, station: TestStation, url: str) -> None:
    before = station.state.enrolment.read_bytes(), station.state.key.read_bytes()
    with pytest.raises(DockNotAccepted, match="code_refused"):
        await enrolled(station.state.path, url)
    assert (station.state.enrolment.read_bytes(), station.state.key.read_bytes()) == before
    assert len(service.docks) == 1


async def test_the_same_log_may_enrol_a_station_again_and_unfinished_files_are_sent_anew(
    service: FakeService, station: TestStation, url: str, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=3)
    service.faults.receipt_later = 10_000
    await station.once(card, receipt_seconds=0.1, patience_seconds=0.3)
    assert set(station.states().values()) == {"sealed"}
    service.faults.receipt_later = 0
    service.codes.add(CODE)
    again = await enrolled(station.state.path, url)
    assert len(service.docks) == 2
    assert (await again.once(card, clear=True)).complete
    assert set(again.states().values()) == {"cleared"}
    # The new identity is another source: its own events, with its own receipts.
    assert service.sealed_entries() == {("D200001", clip_name(index)): 2 for index in range(3)}


async def test_another_log_is_refused_before_the_code_is_spent(station: TestStation) -> None:
    before = station.state.enrolment.read_bytes()
    other = FakeService(origin="log.test/shilu")
    async with other.serving() as url:
        with pytest.raises(OtherLog):
            await enrolled(station.state.path, url)
    assert other.codes == {CODE}
    assert station.state.enrolment.read_bytes() == before


async def test_force_goes_over_to_another_log_and_the_old_receipts_clear_nothing(
    station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    await station.once(card)
    assert len(station.rows(State.RECEIPT_VERIFIED)) == 2
    other = FakeService(origin="log.test/other")
    async with other.serving() as url:
        moved = await enrolled(station.state.path, url, force=True)
        (aside,) = station.state.path.glob("former-*")
        assert {path.name for path in aside.iterdir()} >= {"dock.key", "enrolment.toml", "journal.sqlite3", "receipts"}
        assert len(list((aside / "receipts").iterdir())) == 2
        await moved.once(card, clear=True, send=False)
        assert len(list(card.rglob("*.mp4"))) == 2
        assert (await moved.once(card, clear=True)).complete
    assert other.violations == []
    assert other.sealed_entries() == {("D200001", clip_name(index)): 1 for index in range(2)}


@pytest.mark.parametrize(
    "url", ["", "shilu.test", "ftp://shilu.test", "http://", "http://x/?a=1", "http://x/#y", "file:///etc/passwd"]
)
async def test_what_is_no_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigInvalid):
        await enrolled(tmp_path / "state", url)
    assert not StateFolder(tmp_path / "state").is_enrolled()


async def test_a_service_out_of_reach_leaves_no_enrolment(tmp_path: Path) -> None:
    with pytest.raises(LinkLost):
        await enrolled(tmp_path / "state", "http://127.0.0.1:9")
    assert not StateFolder(tmp_path / "state").is_enrolled()
