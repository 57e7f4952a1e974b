"""The log's key changes while stations work: they learn it by statements, go on alone, and believe nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dockstation import log_trust
from dockstation.config import StateFolder
from dockstation.errors import ConfigInvalid, OtherLog
from dockstation.link import Link
from dockstation.log_trust import ASK_SECONDS, LogTrust
from dockstation.service import Service
from evidence.core import durable
from ledger.key_history import KeyHistory
from ledger.key_statement import Succession, sign_succession
from ledger.note import Note, Signer, format_note, parse_note
from tests.support.clock import SeededEntropy
from tests.support.crash import Crash, When, crash_at
from tests.support.dock_process import run_dock
from tests.support.dock_server import CODE, FakeService
from tests.support.dock_station import TestStation, enrolled, make_recorder

EVIL = SeededEntropy(66)


def stored(station: TestStation) -> KeyHistory:
    return KeyHistory.parse(station.state.log_keys.read_bytes())


async def cleared(station: TestStation, tmp_path: Path, name: str) -> bool:
    """Dock a recorder of one clip and tell whether its file was cleared on the word of a receipt."""
    seed = sum(name.encode())
    card = make_recorder(tmp_path / name, count=1, recorder=f"D{seed:06d}")
    await station.once(card, clear=True, patience_seconds=0.5, receipt_seconds=1.0)
    return not list(card.rglob("*.mp4"))


async def test_a_station_goes_on_through_changes_of_the_key_and_keeps_its_first_pin(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    pinned = station.state.enrolment.read_bytes()
    assert await cleared(station, tmp_path, "before")
    assert not station.state.log_keys.exists()
    service.log.follow()
    assert await cleared(station, tmp_path, "both")
    service.log.retire()
    assert await cleared(station, tmp_path, "after")
    service.log.follow()
    service.log.retire()
    assert await cleared(station, tmp_path, "two steps at once")
    assert stored(station) == service.log.keys
    assert station.state.enrolment.read_bytes() == pinned
    assert station.state.load_enrolment().log == service.log.first


async def test_a_station_that_pinned_a_later_key_goes_on_too(service: FakeService, url: str, tmp_path: Path) -> None:
    service.log.follow()
    service.log.retire()
    station = await enrolled(tmp_path / "state", url)
    assert station.state.load_enrolment().log == service.log.keys.newest
    assert await cleared(station, tmp_path, "now")
    service.log.follow()
    service.log.retire()
    assert await cleared(station, tmp_path, "later")
    assert stored(station) == service.log.keys


async def test_a_running_station_learns_the_key_without_a_restart(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    first, second = (make_recorder(tmp_path / name, count=1, recorder=f"D00000{name}") for name in "12")
    async with station.watching(first, clear=True) as watch:
        await watch.once()
        service.log.follow()
        service.log.retire()
    async with station.watching(second, clear=True) as watch:
        await watch.once()
    assert not list(second.rglob("*.mp4"))


def _key() -> Signer:
    return Signer.generate("log.test/shilu", EVIL)


def _unsupported(service: FakeService) -> bytes | None:
    """The new key without a word of the old one."""
    return b""


def _garbage(service: FakeService) -> bytes | None:
    return b"shilu/log-keys/v1\n{}\n"


def _own_chain(service: FakeService) -> bytes | None:
    """A chain that leads to the new key from one that nobody pinned."""
    stranger, new = _key(), service.log.signer
    note = sign_succession(Succession(1, stranger.verifier, new.verifier, 0), old=stranger, new=new)
    return KeyHistory.made(stranger.verifier, [note]).format()


def _by_the_new_key_only(service: FakeService) -> bytes | None:
    note = parse_note(service.log.statements[0])
    text = format_note(Note(note.text, note.signatures[1:])).decode()
    return service.log.keys.format().replace(
        service.log.statements[0].decode().replace("\n", "\\n").replace('"', '\\"').encode(),
        text.replace("\n", "\\n").replace('"', '\\"').encode(),
    )


def _cut(service: FakeService) -> bytes | None:
    return service.log.keys.format()[:-40]


LIES: list[Callable[[FakeService], bytes | None]] = [_unsupported, _garbage, _own_chain, _by_the_new_key_only, _cut]


@pytest.mark.parametrize("lie", LIES)
async def test_a_key_without_a_chain_from_the_pin_clears_nothing(
    service: FakeService, station: TestStation, tmp_path: Path, lie: Callable[[FakeService], bytes | None]
) -> None:
    service.log.follow()
    service.log.retire()
    service.told_keys = lie(service)
    assert not await cleared(station, tmp_path, "refused")
    assert not station.state.log_keys.exists()
    service.told_keys = None
    assert await cleared(station, tmp_path, "believed")


async def test_a_stolen_key_clears_nothing_once_its_end_is_known(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.log.follow()
    assert await cleared(station, tmp_path, "both")
    service.receipt_signer = service.log.retire()
    assert not await cleared(station, tmp_path, "stolen")
    assert stored(station).present == (service.log.signer.verifier,)


async def test_a_history_that_branches_off_from_the_known_one_is_refused(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.log.follow()
    assert await cleared(station, tmp_path, "both")
    known, elder, evil = stored(station), service.log.elder, _key()
    assert elder is not None
    note = sign_succession(Succession(1, elder.verifier, evil.verifier, 1), old=elder, new=evil)
    service.told_keys = KeyHistory.made(elder.verifier, [note]).format()
    service.receipt_signer = evil
    assert not await cleared(station, tmp_path, "branch")
    assert stored(station) == known


async def test_a_service_that_forgets_its_statements_makes_no_station_forget_them(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.log.follow()
    thief = service.log.retire()
    assert await cleared(station, tmp_path, "after")
    known = stored(station)
    service.told_keys, service.receipt_signer = b"", thief
    assert not await cleared(station, tmp_path, "forgotten")
    assert stored(station) == known


async def test_receipts_of_one_moment_all_see_the_news(
    service: FakeService, station: TestStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.log.follow()
    service.log.retire()
    slow = durable.write_file

    def slowly(path: Path, data: bytes, *, mode: int) -> None:
        # The other receipts come while the statements are on their way to the disk.
        time.sleep(0.5)
        slow(path, data, mode=mode)

    monkeypatch.setattr(log_trust, "write_file", slowly)
    card = make_recorder(tmp_path / "card", count=4)
    assert (await station.once(card, clear=True)).complete
    assert not list(card.rglob("*.mp4"))


@pytest.mark.parametrize("when", When)
async def test_a_crash_around_the_one_write_loses_nothing(
    service: FakeService, station: TestStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: When
) -> None:
    service.log.follow()
    service.log.retire()
    with monkeypatch.context() as patch:
        assert_reached = crash_at(patch, log_trust, "write_file", when)
        with suppress(Crash, BaseExceptionGroup):
            await cleared(station, tmp_path, "crash")
        assert_reached()
    assert station.state.log_keys.exists() is (when is When.AFTER)
    assert await cleared(station, tmp_path, "again")
    assert await cleared(station, tmp_path, "crash")
    assert stored(station) == service.log.keys


async def test_the_program_itself_learns_the_key(service: FakeService, station: TestStation, tmp_path: Path) -> None:
    service.log.follow()
    service.log.retire()
    card = make_recorder(tmp_path / "card", count=2)
    ran = await run_dock("run", "--once", "--state", station.state.path, "--recorder", card, "--clear")
    assert ran.code == 0, ran
    assert not list(card.rglob("*.mp4"))
    assert stored(station) == service.log.keys


async def test_statements_are_asked_for_now_and_then_and_not_for_each_receipt(
    service: FakeService, station: TestStation
) -> None:
    now = 0.0
    trust = LogTrust(station.state, station.state.load_enrolment(), monotonic=lambda: now)
    async with Link(station.state.load_enrolment().url, tokens=None) as link:
        asked = Service(link)
        for at, count in ((1.0, 1), (2.0, 1), (ASK_SECONDS, 1), (ASK_SECONDS + 2, 2)):
            now = at
            await trust.refresh(asked)
            assert [path for _, path, _ in service.requests].count("/log/keys") == count


async def test_damaged_or_foreign_statements_in_the_folder_are_named(station: TestStation) -> None:
    keys, enrolment = station.state.log_keys, station.state.load_enrolment()
    other = FakeService(origin="other.test/log")
    other.log.follow()
    for raw in (b"", b"x", other.log.keys.format(), other.log.keys.format()[:-1]):
        durable.write_file(keys, raw)
        with pytest.raises(ConfigInvalid):
            LogTrust(station.state, enrolment)


async def test_a_station_enrols_again_with_a_log_whose_key_has_changed(
    service: FakeService, station: TestStation, url: str, tmp_path: Path
) -> None:
    assert await cleared(station, tmp_path, "before")
    service.log.follow()
    service.log.retire()
    service.codes.add(CODE)
    again = await enrolled(station.state.path, url)
    assert again.state.load_enrolment().log == service.log.signer.verifier
    assert again.rows() == station.rows()
    assert await cleared(again, tmp_path, "after")


async def test_a_log_that_only_claims_to_follow_is_another_log(service: FakeService, station: TestStation) -> None:
    other = FakeService(origin="log.test/shilu")
    other.log.follow()
    async with other.serving() as url:
        with pytest.raises(OtherLog):
            await enrolled(station.state.path, url)
    assert other.codes == {CODE}
    assert isinstance(station.state, StateFolder)
