"""Cards that fail, move or lie while they are being read: nothing false is sealed, nothing is cleared early."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockstation.errors import CardLost, FileUnreadable
from dockstation.journal import State
from dockstation.watch import Report
from evidence.core.digest import CHUNK_BYTES, digest_file
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip

SIZE = 4 * CHUNK_BYTES + 5


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return make_recorder(tmp_path / "card", count=2, sizes=(SIZE, 900))


async def meanwhile(
    service: FakeService, station: TestStation, card: Path, act: Callable[[], object], **changes: object
) -> Report:
    """Run a station and act as soon as the first bytes of the first file have arrived."""
    service.faults.piece_seconds = 0.02
    task = asyncio.create_task(station.once(card, clear=True, **changes))  # type: ignore[arg-type]  # by name
    async with asyncio.timeout(20):
        while not any(upload.data for upload in service.uploads.values()):
            await asyncio.sleep(0)
    act()
    service.faults.piece_seconds = 0
    return await task


def true_digests(service: FakeService, contents: dict[str, str]) -> bool:
    """Tell whether every sealed entry states the digest of what the file held."""
    sealed = [item.payload for item in service.log.logged if item.entry.type == "clip.sealed"]
    return all(contents[str(payload["path"])] == payload["sha256"] for payload in sealed)


async def test_a_file_deleted_while_it_is_copied_is_sealed_whole(
    service: FakeService, station: TestStation, card: Path
) -> None:
    contents = {clip_name(n): digest_file(card / clip_name(n)).sha256.hex() for n in range(2)}
    await meanwhile(service, station, card, (card / clip_name(0)).unlink)
    assert true_digests(service, contents)
    assert service.sealed_entries() == {("D200001", clip_name(0)): 1, ("D200001", clip_name(1)): 1}


async def test_a_file_deleted_before_it_is_copied_is_missing_and_the_rest_is_sealed(
    service: FakeService, station: TestStation, card: Path
) -> None:
    await meanwhile(service, station, card, (card / clip_name(1)).unlink)
    assert service.sealed_entries() == {("D200001", clip_name(0)): 1}
    assert [len(inventory.files) for _, inventory in service.inventories.values()][:1] == [2]


async def test_a_file_that_grows_while_it_is_copied_is_sealed_as_what_it_became(
    service: FakeService, station: TestStation, card: Path
) -> None:
    path = card / clip_name(0)

    def grow() -> None:
        with path.open("ab") as file:
            file.write(b"more")
        contents[clip_name(0)] = digest_file(path).sha256.hex()

    contents = {clip_name(1): digest_file(card / clip_name(1)).sha256.hex()}
    report = await meanwhile(service, station, card, grow)
    assert report.complete
    assert true_digests(service, contents)
    assert service.sealed_entries() == {("D200001", clip_name(0)): 1, ("D200001", clip_name(1)): 1}
    assert len(service.inventories) == 2


async def test_a_file_that_shrinks_while_it_is_copied_is_never_sealed_as_it_was_listed(
    service: FakeService, station: TestStation, card: Path
) -> None:
    contents = {clip_name(1): digest_file(card / clip_name(1)).sha256.hex()}

    def shrink() -> None:
        os.truncate(card / clip_name(0), 5000)
        contents[clip_name(0)] = digest_file(card / clip_name(0)).sha256.hex()

    report = await meanwhile(service, station, card, shrink)
    assert report.complete
    assert true_digests(service, contents)


async def test_a_file_that_never_stops_growing_is_left_alone_and_the_rest_is_sealed(
    service: FakeService, station: TestStation, card: Path
) -> None:
    path = card / clip_name(0)
    stop = asyncio.Event()

    async def record() -> None:
        while not stop.is_set():
            with path.open("ab") as file:
                file.write(b"x" * 100)
            await asyncio.sleep(0.01)

    recording = asyncio.create_task(record())
    report = await station.once(card, clear=True, settle_seconds=0.2, patience_seconds=1.0)
    stop.set()
    await recording
    assert not report.complete
    assert report.outcomes[0].growing == 1
    assert service.sealed_entries() == {("D200001", clip_name(1)): 1}
    assert path.exists()


async def test_a_file_that_was_just_written_is_read_when_it_is_still(
    service: FakeService, station: TestStation, card: Path
) -> None:
    os.utime(card / clip_name(0))
    report = await station.once(card, settle_seconds=0.3)
    assert report.complete
    assert len(service.inventories) == 1


async def test_a_card_pulled_in_the_middle_publishes_nothing_and_goes_on_when_it_comes_back(
    service: FakeService, station: TestStation, card: Path, tmp_path: Path
) -> None:
    report = await meanwhile(service, station, card, lambda: card.rename(tmp_path / "pulled"))
    assert isinstance(report.outcomes[0].error, CardLost)
    assert service.sealed_entries() == {}
    (tmp_path / "pulled").rename(card)
    assert (await station.once(card, clear=True)).complete
    assert service.sealed_entries() == {("D200001", clip_name(0)): 1, ("D200001", clip_name(1)): 1}
    assert sum(upload.received_bytes for upload in service.uploads.values()) == SIZE + 900


async def test_another_card_in_the_same_slot_is_not_taken_for_the_first(
    service: FakeService, station: TestStation, card: Path, tmp_path: Path
) -> None:
    other = make_recorder(tmp_path / "other", count=2, recorder="D200002")
    contents = {
        clip_name(n, recorder=recorder): digest_file(root / clip_name(n, recorder=recorder)).sha256.hex()
        for root, recorder in ((card, "D200001"), (other, "D200002"))
        for n in range(2)
    }

    def swap() -> None:
        card.rename(tmp_path / "pulled")
        other.rename(card)

    await meanwhile(service, station, card, swap)
    assert true_digests(service, contents)
    assert {recorder for recorder, _ in service.sealed_entries()} == {"D200002"}
    assert list((tmp_path / "pulled").rglob("*.mp4"))


async def test_a_vanished_mount_that_looks_like_an_empty_folder_is_no_inventory(
    service: FakeService, station: TestStation, card: Path, tmp_path: Path
) -> None:
    await station.once(card)
    card.rename(tmp_path / "pulled")
    card.mkdir()
    assert (await station.once(card, clear=True)).complete
    assert len(service.inventories) == 1
    assert service.cleared == {}


async def test_a_bad_sector_costs_one_file(
    service: FakeService, station: TestStation, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pread
    bad = (card / clip_name(0)).stat().st_ino

    def pread(handle: int, count: int, offset: int) -> bytes:
        if os.fstat(handle).st_ino == bad and offset >= CHUNK_BYTES:
            raise OSError(5, "Input/output error")
        return real(handle, count, offset)

    async with station.watching(card, clear=True) as watch:
        watch._station.courier._uploader._pread = pread
        report = await watch.once()
    assert not report.complete
    (error,) = report.outcomes[0].stuck.values()
    assert isinstance(error, FileUnreadable)
    assert service.sealed_entries() == {("D200001", clip_name(1)): 1}
    assert (card / clip_name(0)).exists()
    assert (await station.once(card, clear=True)).complete


async def test_links_swapped_in_after_the_inventory_are_never_followed(
    service: FakeService, station: TestStation, card: Path, tmp_path: Path
) -> None:
    secret = write_clip(tmp_path / "elsewhere", "secret", size=900)
    target = card / clip_name(1)
    about = target.stat()
    os.utime(secret, ns=(about.st_atime_ns, about.st_mtime_ns))

    def swap() -> None:
        target.unlink()
        target.symlink_to(secret)

    await meanwhile(service, station, card, swap)
    digest = digest_file(secret).sha256.hex()
    assert not [item for item in service.log.logged if item.payload.get("sha256") == digest]
    assert secret.exists()


@pytest.mark.slow
async def test_a_card_with_more_files_than_an_inventory_takes_is_worked_off_in_turns(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    (card / "DCIM").mkdir(parents=True)
    for index in range(10_005):
        path = card / "DCIM" / f"{index:05d}.jpg"
        path.touch()
        os.utime(path, (1, 1))
    write_clip(card, "zzz.jpg", size=77)
    report = await station.once(card, patience_seconds=20.0)
    first, second = (inventory for _, inventory in service.inventories.values())
    assert (len(first.files), len(second.files)) == (10_000, 10_000)
    everything = {path.relative_to(card).as_posix() for path in card.rglob("*.jpg")}
    assert {file.path for file in (*first.files, *second.files)} == everything
    assert len(station.rows(State.REFUSED)) == 10_005
    assert service.sealed_entries() == {("card", "zzz.jpg"): 1}
    assert not report.complete


async def test_looping_and_deep_folders_end(station: TestStation, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    (card / "loop").symlink_to(card)
    (card / "DCIM" / "up").symlink_to("..")
    deep = card
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    report = await station.once(card)
    assert report.complete
    assert len(report.outcomes[0].remarks) == 3


async def test_a_connection_lost_while_a_slow_card_is_being_read_is_taken_up_again(
    service: FakeService, station: TestStation, card: Path
) -> None:
    def slow(handle: int, count: int, offset: int) -> bytes:
        time.sleep(0.15)
        return os.pread(handle, count, offset)

    # The link breaks while the next chunk is still on its way from the medium.
    service.faults.cut_after_bytes, service.faults.cuts = CHUNK_BYTES - 1, 3
    async with station.watching(card, patch_bytes_max=64 * CHUNK_BYTES) as watch:
        watch._station.courier._uploader._pread = slow
        report = await watch.once()
    assert report.complete
    assert service.sealed_entries() == {("D200001", clip_name(0)): 1, ("D200001", clip_name(1)): 1}
