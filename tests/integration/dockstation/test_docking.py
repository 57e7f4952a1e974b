"""From card to receipt and to a cleared card, against a service that refuses what the real one would."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from dockstation.agent import Options
from dockstation.detect.places import Slot
from dockstation.docking import dock
from dockstation.errors import CardLost, RecorderTwice
from dockstation.events import Kind
from dockstation.journal import State
from evidence.core.digest import CHUNK_BYTES, digest_file
from evidence.core.wire.receipt import check_receipt, parse_receipt
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip


async def test_every_file_of_a_recorder_ends_sealed_once_and_receipted(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=5, sizes=(1, CHUNK_BYTES, 2 * CHUNK_BYTES + 5))
    report = await station.once(card)
    assert report.complete
    assert set(station.states().values()) == {"receipt_verified"}
    assert service.sealed_entries() == {("D200001", clip_name(index)): 1 for index in range(5)}
    for row in station.rows():
        assert row.digest == digest_file(card / row.path)
        receipt = parse_receipt((station.state.receipts / f"{row.entry}.receipt").read_bytes())
        assert check_receipt(receipt, log=service.log.signer.verifier).payload["path"] == row.path


async def test_no_byte_leaves_before_the_inventory_is_on_record(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    await station.once(make_recorder(tmp_path / "card", count=2))
    kinds = [(method, path.split("/")[1]) for method, path, _ in service.requests]
    assert kinds.index(("POST", "v1"), 1) < kinds.index(("POST", "uploads"))
    ((_, inventory),) = service.inventories.values()
    assert [file.path for file in inventory.files] == [clip_name(0), clip_name(1)]
    assert (inventory.recorder, inventory.profile, inventory.files[0].officer) == ("D200001", "dcam", "100001")


async def test_the_medium_is_read_once_and_every_byte_is_sent_once(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2, sizes=(3 * CHUNK_BYTES + 11,))
    before = _read_bytes()
    await station.once(card)
    read = _read_bytes() - before
    total = sum(path.stat().st_size for path in card.rglob("*.mp4"))
    assert sum(upload.received_bytes for upload in service.uploads.values()) == total
    # The same process also serves; what it reads besides are the sockets, once, and small files.
    assert read <= 2.05 * total + 500_000


async def test_a_second_run_has_nothing_to_say(service: FakeService, station: TestStation, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=3)
    await station.once(card)
    before = len(service.requests)
    assert (await station.once(card)).complete
    assert len(service.requests) == before


async def test_marked_files_go_first_and_the_rest_as_recorded(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=3)
    write_clip(card, clip_name(9, mark="_IMP"))
    await station.once(card)
    order = [upload.listed.path for upload in service.uploads.values()]
    assert order == [clip_name(9, mark="_IMP"), clip_name(0), clip_name(1), clip_name(2)]


async def test_a_new_file_asks_for_a_new_inventory_and_only_it_is_sent(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    await station.once(card)
    write_clip(card, clip_name(7))
    await station.once(card)
    assert [len(inventory.files) for _, inventory in service.inventories.values()] == [2, 3]
    assert len(service.uploads) == 3


async def test_a_deleted_file_is_missing_in_a_new_inventory(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=3)
    await station.once(card)
    (card / clip_name(1)).unlink()
    await station.once(card)
    newest = list(service.inventories.values())[-1][1]
    assert [file.path for file in newest.files] == [clip_name(0), clip_name(2)]


async def test_recorders_on_one_card_have_inventories_of_their_own(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    make_recorder(card, count=1, recorder="D200002")
    report = await station.once(card)
    assert report.complete
    assert {inventory.recorder for _, inventory in service.inventories.values()} == {"D200001", "D200002"}


async def test_recorders_in_several_slots_are_read_side_by_side(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    cards = [make_recorder(tmp_path / f"card{n}", count=2, recorder=f"D20000{n}") for n in range(5)]
    report = await station.once(*cards, parallel=3)
    assert report.complete
    assert len(report.outcomes) == 5
    assert sum(service.sealed_entries().values()) == 10


async def test_the_same_recorder_in_two_slots_is_read_in_one(station: TestStation, tmp_path: Path) -> None:
    first = make_recorder(tmp_path / "first", count=2)
    second = make_recorder(tmp_path / "second", count=2)
    report = await station.once(first, second)
    errors = [type(outcome.error) for outcome in report.outcomes]
    assert sorted(errors, key=str) == sorted([type(None), RecorderTwice], key=str)
    assert not report.complete


async def test_the_same_content_from_two_places_is_two_events_with_two_receipts(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    for name in (clip_name(0), clip_name(1)):
        path = write_clip(card, name)
        path.write_bytes(b"the same bytes" * 100)
        os.utime(path, ns=(1, 1))
    await station.once(card)
    first, second = station.rows(State.RECEIPT_VERIFIED)
    assert first.clip == second.clip
    assert first.entry != second.entry
    assert sorted(item.entry.type for item in service.log.logged[-2:]) == ["clip.repeated", "clip.sealed"]


@pytest.mark.parametrize("name", [b"\xff\xfe%.mp4", "换\n行.mp4".encode(), b"-rf", b"..mp4", b"a b?*[x].mp4"])
async def test_files_with_strange_names_are_sealed_under_them(
    service: FakeService, station: TestStation, tmp_path: Path, name: bytes
) -> None:
    write_clip(tmp_path / "card", os.fsdecode(name))
    assert (await station.once(tmp_path / "card", clear=True)).complete
    assert sum(service.sealed_entries().values()) == 1
    assert list((tmp_path / "card").iterdir()) == []


async def test_an_empty_file_is_listed_refused_and_never_cleared(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    write_clip(card, clip_name(5), size=0)
    report = await station.once(card, clear=True)
    assert not report.complete
    assert station.states()[clip_name(5)] == "refused"
    ((_, inventory),) = service.inventories.values()
    assert {file.path: file.size for file in inventory.files}[clip_name(5)] == 0
    assert [path.name for path in card.rglob("*.mp4")] == [Path(clip_name(5)).name]


async def test_links_and_pipes_are_named_and_the_rest_is_sealed(station: TestStation, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    outside = write_clip(tmp_path / "elsewhere", "secret.mp4")
    (card / "link.mp4").symlink_to(outside)
    (card / "folder").symlink_to(outside.parent)
    os.mkfifo(card / "pipe.mp4")
    report = await station.once(card, clear=True)
    assert report.complete
    assert {remark.path for remark in report.outcomes[0].remarks} == {"link.mp4", "folder", "pipe.mp4"}
    assert {event.path for event in station.events if event.kind is Kind.LEFT_ALONE} == {
        "link.mp4",
        "folder",
        "pipe.mp4",
    }
    assert outside.exists()
    assert (card / "pipe.mp4").exists()


async def test_an_empty_folder_says_nothing(service: FakeService, station: TestStation, tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    assert (await station.once(tmp_path / "card")).complete
    assert service.inventories == {}


async def test_clearing_removes_what_is_receipted_and_states_it(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=3)
    marked = write_clip(card, clip_name(9, mark="_IMP"))
    report = await station.once(card, clear=True)
    assert report.complete
    assert [path for path in card.rglob("*") if path.is_file()] == [marked]
    (cleared,) = service.cleared.values()
    assert [file.path for file in cleared.files] == [clip_name(0), clip_name(1), clip_name(2)]
    assert cleared.recorder == "D200001"
    assert Counter(station.states().values()) == {"cleared": 3, "receipt_verified": 1}


async def test_without_the_wish_nothing_is_removed(station: TestStation, service: FakeService, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    await station.once(card)
    assert len(list(card.rglob("*.mp4"))) == 2
    assert service.cleared == {}


async def test_a_dry_run_shows_what_would_go_and_a_later_run_removes_it(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    write_clip(card, clip_name(9, mark="_IMP"))
    await station.once(card)
    dry = await station.once(card, clear=True, send=False, options=Options(dry_run=True))
    assert [row.path for row in dry.outcomes[0].would_clear] == [clip_name(0), clip_name(1)]
    assert len(list(card.rglob("*.mp4"))) == 3
    await station.once(card, clear=True, send=False)
    assert len(list(card.rglob("*.mp4"))) == 1
    assert len(service.cleared) == 1


async def test_files_stay_as_long_as_the_margin_says(station: TestStation, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    assert (await station.once(card, clear=True, keep_hours=1.0)).complete
    assert len(list(card.rglob("*.mp4"))) == 2


async def test_clearing_alone_sends_no_footage_and_removes_nothing_unknown(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    report = await station.once(card, clear=True, send=False)
    assert not report.outcomes[0].safe
    assert service.uploads == {}
    assert len(list(card.rglob("*.mp4"))) == 2


@pytest.mark.parametrize("rehash", ["changed", "always"])
async def test_a_file_replaced_under_its_name_size_and_time_is_kept(
    service: FakeService, station: TestStation, tmp_path: Path, rehash: str
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    await station.once(card)
    path = card / clip_name(0)
    about = path.stat()
    other = bytearray(path.read_bytes())
    other[17] ^= 1
    if rehash == "changed":
        # A new file: another inode, as after copying a card.
        path.rename(tmp_path / "aside")
    path.write_bytes(other)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    report = await station.once(card, clear=True, send=False, rehash=rehash)
    assert path.exists()
    assert not (card / clip_name(1)).exists()
    assert not report.undisturbed
    assert [event.path for event in station.events if event.kind is Kind.KEPT] == [clip_name(0)]
    assert [file.path for cleared in service.cleared.values() for file in cleared.files] == [clip_name(1)]


async def test_a_card_mounted_anew_is_cleared_after_its_bytes_were_read_again(
    station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    await station.once(card)
    for path in card.rglob("*.mp4"):
        about = path.stat()
        data = path.read_bytes()
        path.rename(tmp_path / "aside")
        path.write_bytes(data)
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert (await station.once(card, clear=True)).undisturbed
    assert list(card.rglob("*.mp4")) == []


async def test_a_lost_receipt_file_keeps_its_footage(station: TestStation, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    await station.once(card)
    (row, _) = station.rows(State.RECEIPT_VERIFIED)
    (station.state.receipts / f"{row.entry}.receipt").unlink()
    await station.once(card, clear=True, send=False)
    assert (card / row.path).exists()


async def test_a_cleared_file_that_comes_back_is_sent_and_cleared_again(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    data = (card / clip_name(0)).read_bytes()
    await station.once(card, clear=True)
    write_clip(card, clip_name(0)).write_bytes(data)
    os.utime(card / clip_name(0), ns=(5, 5))
    await station.once(card, clear=True)
    assert service.sealed_entries() == {("D200001", clip_name(0)): 1}
    assert len(service.cleared) == 2


async def test_a_missing_slot_is_a_lost_card(station: TestStation, tmp_path: Path) -> None:
    async with station.watching(tmp_path) as watch:
        outcome = await dock(watch._station, Slot("x", tmp_path / "missing"), send=True, clear=False)
    assert isinstance(outcome.error, CardLost)


def _read_bytes() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])
