"""Store-and-forward: a recorder is free when its files lie in the spool; each file still ends sealed exactly once."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from dockstation.agent import Options
from dockstation.errors import CardLost, ConfigInvalid, FileUnreadable
from dockstation.events import Kind
from dockstation.intake import FileReader
from dockstation.journal import State
from dockstation.spool import Copy, Spool
from evidence.core.digest import CHUNK_BYTES
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip

SIZE = 5 * CHUNK_BYTES + 9


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return make_recorder(tmp_path / "card", count=2, sizes=(SIZE, 700))


@pytest.fixture
def spool(station: TestStation, tmp_path: Path) -> Path:
    """Give the station a spool and return its folder."""
    folder = tmp_path / "spool"
    station.settings = type(station.settings)(
        **{name: getattr(station.settings, name) for name in station.settings.__slots__} | {"spool_folder": str(folder)}
    )
    return folder


def sealed_once(service: FakeService, count: int = 2) -> bool:
    return service.sealed_entries() == {("D200001", clip_name(index)): 1 for index in range(count)}


async def copy_only(service: FakeService, station: TestStation, card: Path) -> None:
    """Let a station copy everything while the service takes no bytes."""
    service.faults.busy["/uploads"] = 10_000
    report = await station.once(card, patience_seconds=0.3)
    service.faults.busy.clear()
    assert not report.complete
    assert [outcome.safe for outcome in report.outcomes] == [True]
    assert set(station.states().values()) == {"copied"}


async def test_the_recorder_is_free_when_all_is_copied_and_the_rest_happens_without_it(
    service: FakeService, station: TestStation, card: Path, spool: Path, tmp_path: Path
) -> None:
    await copy_only(service, station, card)
    assert sum(path.stat().st_size for path in spool.iterdir()) == SIZE + 700
    assert {path.stat().st_mode & 0o777 for path in [spool, *spool.iterdir()]} == {0o700, 0o600}
    assert Kind.DONE in {event.kind for event in station.events}
    card.rename(tmp_path / "with-the-officer")
    other = make_recorder(tmp_path / "other", count=1, recorder="D200002")
    assert (await station.once(other)).complete
    assert sealed_once_of_both(service)
    assert list(spool.iterdir()) == []
    (tmp_path / "with-the-officer").rename(card)
    assert (await station.once(card, clear=True)).complete
    assert list(card.rglob("*.mp4")) == []


def sealed_once_of_both(service: FakeService) -> bool:
    own = {("D200001", clip_name(index)): 1 for index in range(2)}
    return service.sealed_entries() == own | {("D200002", clip_name(0, recorder="D200002")): 1}


async def test_the_card_is_read_once(
    service: FakeService, station: TestStation, card: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = FileReader._read

    def counting(reader: FileReader, offset: int, wanted: int) -> bytes:
        data = real(reader, offset, wanted)
        if not isinstance(reader._medium, Spool):
            read.append(len(data))
        return data

    monkeypatch.setattr(FileReader, "_read", counting)
    assert (await station.once(card)).complete
    assert sum(read) == SIZE + 700


async def test_nothing_is_cleared_on_a_copy(
    service: FakeService, station: TestStation, card: Path, spool: Path
) -> None:
    service.faults.receipt_later = 10_000
    await station.once(card, clear=True, patience_seconds=0.4, receipt_seconds=0.1)
    assert set(station.states().values()) == {"sealed"}
    assert len(list(card.rglob("*.mp4"))) == 2
    assert len(list(spool.iterdir())) == 2


async def test_a_full_spool_sends_straight_from_the_card(
    service: FakeService, station: TestStation, card: Path, spool: Path
) -> None:
    assert (await station.once(card, spool_gb_max=1e-6)).complete
    assert sealed_once(service)
    direct = [event.path for event in station.events if event.kind is Kind.DIRECT]
    assert direct == [clip_name(0)]
    assert list(spool.iterdir()) == []


async def test_a_disk_that_takes_no_more_in_the_middle_sends_straight_from_the_card(
    service: FakeService, station: TestStation, card: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def full(handle: int, data: bytes, offset: int) -> int:
        if offset >= 2 * CHUNK_BYTES:
            raise OSError(28, "No space left on device")
        return real(handle, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    assert (await station.once(card)).complete
    assert sealed_once(service)
    assert list(spool.iterdir()) == []


def pull_after(monkeypatch: pytest.MonkeyPatch, steps: int, card: Path) -> None:
    """Pull the card in the middle of a copy."""
    real, left = Copy.step, [steps]

    def step(copy: Copy, chunks_max: int) -> int:
        done = real(copy, 1)
        left[0] -= 1
        if left[0] == 0:
            card.rename(card.with_name("pulled"))
            raise CardLost("pulled")
        return done

    monkeypatch.setattr(Copy, "step", step)


@pytest.mark.parametrize("change", ["same", "card", "part", "short"])
async def test_a_part_is_kept_never_sent_and_gone_on_with_only_where_it_fits(
    service: FakeService, station: TestStation, card: Path, spool: Path, change: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        pull_after(patch, 3, card)
        assert not (await station.once(card, patience_seconds=0.3)).complete
    (row,) = [row for row in station.rows() if row.path == clip_name(0)]
    part = spool / (row.spool or "")
    assert (row.state, part.stat().st_size) == (State.INVENTORIED, 3 * CHUNK_BYTES)
    assert row.prefix is not None
    assert row.prefix.chunks == 3
    assert service.uploads == {}
    card.with_name("pulled").rename(card)
    if change == "card":
        _flip(card / clip_name(0))
    elif change == "part":
        _flip(part)
    elif change == "short":
        os.truncate(part, CHUNK_BYTES + 5)
    written: list[int] = []
    real = os.pwrite

    def counting(handle: int, data: bytes, offset: int) -> int:
        written.append(len(data))
        return real(handle, data, offset)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", counting)
        assert (await station.once(card)).complete
    assert sealed_once(service)
    whole = SIZE + 700
    kept = {"same": 3, "card": 0, "part": 0, "short": 1}[change]
    assert sum(written) == whole - kept * CHUNK_BYTES
    assert list(spool.iterdir()) == []


def _flip(path: Path) -> None:
    about = path.stat()
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
async def test_a_damaged_copy_is_never_sealed_and_the_recorder_is_needed_again(
    service: FakeService, station: TestStation, card: Path, spool: Path, tmp_path: Path, harm: str
) -> None:
    await copy_only(service, station, card)
    (row,) = [row for row in station.rows(State.COPIED) if row.path == clip_name(0)]
    copy = spool / (row.spool or "")
    if harm == "flip":
        _flip(copy)
    elif harm == "cut":
        os.truncate(copy, SIZE - 1)
    else:
        copy.unlink()
    away = card.rename(tmp_path / "away")
    other = make_recorder(tmp_path / "other", count=1, recorder="D200002")
    await station.once(other, patience_seconds=0.5)
    assert ("D200001", clip_name(0)) not in service.sealed_entries()
    assert station.states()[clip_name(0)] == "inventoried"
    assert [path.name.endswith(".damaged") for path in spool.iterdir()] == ([] if harm == "gone" else [True])
    away.rename(card)
    assert (await station.once(card, other)).complete
    assert sealed_once_of_both(service)


async def test_bytes_damaged_on_the_way_are_sent_again_without_the_card(
    service: FakeService, station: TestStation, card: Path, spool: Path, tmp_path: Path
) -> None:
    await copy_only(service, station, card)
    card.rename(tmp_path / "away")
    service.faults.corrupt = 1
    other = make_recorder(tmp_path / "other", count=1, recorder="D200002")
    assert (await station.once(other)).complete
    assert sealed_once_of_both(service)


async def test_what_the_service_refuses_stays_in_the_spool_and_is_tried_again_from_there(
    service: FakeService, station: TestStation, card: Path, spool: Path, tmp_path: Path
) -> None:
    await copy_only(service, station, card)
    service.faults.refuse_code = "upload.too_large"
    report = await station.once(card)
    assert not report.outcomes[0].safe
    assert set(station.states().values()) == {"refused"}
    assert len(list(spool.iterdir())) == 2
    service.faults.refuse_code = ""
    card.rename(tmp_path / "away")
    other = make_recorder(tmp_path / "other", count=1, recorder="D200002")
    assert (await station.once(other, options=Options(retry_refused=True))).complete
    assert sealed_once_of_both(service)
    assert list(spool.iterdir()) == []


async def test_a_spool_that_is_no_longer_named_while_footage_lies_in_it_refuses_the_start(
    service: FakeService, station: TestStation, card: Path, spool: Path
) -> None:
    await copy_only(service, station, card)
    with pytest.raises(ConfigInvalid, match="2 files wait"):
        await station.once(card, spool_folder="")
    assert (await station.once(card)).complete
    assert (await station.once(card, spool_folder="")).complete


async def test_another_log_leaves_the_copies_of_the_former_one_alone(
    service: FakeService, station: TestStation, card: Path, spool: Path, tmp_path: Path
) -> None:
    spool.mkdir()
    (spool / "0123.clip").write_bytes(b"of another journal")
    shutil.copy(card / clip_name(1), spool / "note.txt")
    assert (await station.once(card)).complete
    assert {path.name for path in spool.iterdir()} == {"0123.clip", "note.txt"}


async def test_parts_of_recorders_that_do_not_come_back_make_room(
    service: FakeService, station: TestStation, card: Path, spool: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        pull_after(patch, 2, card)
        await station.once(card, patience_seconds=0.3)
    assert len(list(spool.iterdir())) == 1
    other = make_recorder(tmp_path / "other", count=1, recorder="D200002", sizes=(SIZE,))
    assert (await station.once(other, spool_gb_max=(SIZE + 100) / 1e9)).complete
    assert Kind.DIRECT not in {event.kind for event in station.events}
    assert list(spool.iterdir()) == []


async def test_marked_footage_goes_first_and_recorders_take_turns(
    service: FakeService, station: TestStation, spool: Path, tmp_path: Path
) -> None:
    cards = [make_recorder(tmp_path / f"c{n}", count=3, recorder=f"D20000{n}") for n in (1, 2)]
    marked = clip_name(9, recorder="D200002", mark="_IMP")
    write_clip(cards[1], marked)
    service.faults.busy["/uploads"] = 10_000
    await station.once(*cards, patience_seconds=0.3)
    service.faults.busy.clear()
    uploads_before = len(service.uploads)
    assert (await station.once(*cards, parallel=1)).complete
    order = [upload.recorder for upload in service.uploads.values()][uploads_before:]
    first = next(iter(service.uploads.values()))
    assert first.listed.path == marked
    assert order[1:] == ["D200001", "D200002", "D200001", "D200002", "D200001", "D200002"]


async def test_a_card_with_a_bad_sector_gives_the_rest(
    service: FakeService, station: TestStation, card: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileReader._read

    def failing(reader: FileReader, offset: int, wanted: int) -> bytes:
        if reader.file.size == SIZE and offset == CHUNK_BYTES:
            raise FileUnreadable("bad sector")
        return real(reader, offset, wanted)

    monkeypatch.setattr(FileReader, "_read", failing)
    report = await station.once(card, patience_seconds=0.5)
    assert not report.outcomes[0].safe
    assert station.states() == {clip_name(0): "inventoried", clip_name(1): "receipt_verified"}


async def test_a_running_station_sends_beside_copying(
    service: FakeService, station: TestStation, card: Path, spool: Path
) -> None:
    async with station.watching(card) as watch:
        running = asyncio.create_task(watch.forever())
        async with asyncio.timeout(20):
            while set(station.states().values()) != {"receipt_verified"}:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert list(spool.iterdir()) == []
