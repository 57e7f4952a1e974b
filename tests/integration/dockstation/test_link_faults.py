"""Each way in which the link or the service fails, alone; every file ends sealed once, none is cleared early."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from dockstation.agent import Options
from dockstation.errors import DockNotAccepted, LinkLost, ServiceBusy, ServiceMalformed
from dockstation.events import Kind
from dockstation.journal import State
from evidence.core.digest import CHUNK_BYTES
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, enrolled, make_recorder

SIZE = 3 * CHUNK_BYTES + 9


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return make_recorder(tmp_path / "card", count=2, sizes=(SIZE, 700))


def sealed_once(service: FakeService, count: int = 2) -> bool:
    return service.sealed_entries() == {("D200001", clip_name(index)): 1 for index in range(count)}


@pytest.mark.parametrize("at", [0, 1, 65_536, CHUNK_BYTES - 1, CHUNK_BYTES])
async def test_a_connection_cut_in_a_body_is_taken_up_where_the_service_stands(
    service: FakeService, station: TestStation, card: Path, at: int
) -> None:
    service.faults.cut_after_bytes, service.faults.cuts = at, 3
    assert (await station.once(card, clear=True)).complete
    assert sealed_once(service)
    assert len(service.uploads) == 2
    assert sum(upload.received_bytes for upload in service.uploads.values()) == SIZE + 700
    assert list(card.rglob("*.mp4")) == []


@pytest.mark.parametrize("operation", ["inventory", "create", "patch", "manifest", "cleared"])
async def test_an_answer_lost_after_its_effect_is_asked_for_again(
    service: FakeService, station: TestStation, card: Path, operation: str
) -> None:
    service.faults.lose_answer[operation] = 2
    assert (await station.once(card, clear=True)).complete
    assert sealed_once(service)
    assert len(service.inventories) == 1
    assert len(service.cleared) == 1
    assert list(card.rglob("*.mp4")) == []


@pytest.mark.parametrize("path", ["/v1/inventories", "/uploads", "/manifest", "/v1/cleared"])
async def test_a_busy_service_is_waited_for(service: FakeService, station: TestStation, card: Path, path: str) -> None:
    service.faults.busy[path] = 3
    assert (await station.once(card, clear=True)).complete
    assert sealed_once(service)


async def test_no_space_is_waited_for(service: FakeService, station: TestStation, card: Path) -> None:
    service.faults.no_space = 3
    assert (await station.once(card)).complete
    assert sealed_once(service)


async def test_no_space_for_good_leaves_everything_where_it_is(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.faults.no_space = 10_000
    report = await station.once(card, clear=True, patience_seconds=0.5)
    assert isinstance(report.error, ServiceBusy)
    assert len(list(card.rglob("*.mp4"))) == 2
    service.faults.no_space = 0
    assert (await station.once(card, clear=True)).complete
    assert sealed_once(service)


async def test_a_promised_receipt_is_asked_for_until_it_comes(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.faults.receipt_later = 3
    assert (await station.once(card, receipt_seconds=0.1)).complete
    assert sealed_once(service)


async def test_without_a_receipt_nothing_is_cleared(service: FakeService, station: TestStation, card: Path) -> None:
    service.faults.receipt_later = 10_000
    report = await station.once(card, clear=True, receipt_seconds=0.1, patience_seconds=1.0)
    assert not report.complete
    assert set(station.states().values()) == {"sealed"}
    assert len(list(card.rglob("*.mp4"))) == 2
    assert service.cleared == {}


@pytest.mark.parametrize("lie", FakeService.receipt_lies)
async def test_a_receipt_that_proves_something_else_is_never_believed(
    service: FakeService, station: TestStation, card: Path, lie: str
) -> None:
    service.faults.receipt_fault = lie
    report = await station.once(card, clear=True)
    assert not report.complete
    assert not {"receipt_verified", "clearable", "cleared"} & set(station.states().values())
    assert len(list(card.rglob("*.mp4"))) == 2
    assert list(station.state.receipts.iterdir()) == []
    assert all("dock.receipt_refused" in (row.trouble or "") for row in station.rows(State.UPLOADED, State.SEALED))
    service.faults.receipt_fault = ""
    assert (await station.once(card, clear=True)).complete
    assert list(card.rglob("*.mp4")) == []


async def test_bytes_damaged_on_the_way_are_sent_anew(service: FakeService, station: TestStation, card: Path) -> None:
    service.faults.corrupt = 1
    assert (await station.once(card, clear=True)).complete
    assert sealed_once(service)
    assert [upload.state for upload in service.uploads.values()].count("quarantined") == 1


async def test_bytes_damaged_every_time_are_given_up_and_kept(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.faults.corrupt = 10_000
    report = await station.once(card, clear=True)
    assert not report.complete
    assert len(report.outcomes[0].stuck) == 2
    assert len(list(card.rglob("*.mp4"))) == 2


async def test_a_forgotten_upload_is_begun_anew(service: FakeService, station: TestStation, card: Path) -> None:
    service.faults.forget_upload = 2
    assert (await station.once(card)).complete
    assert sealed_once(service)


async def test_a_file_the_service_never_takes_stays_with_its_reason(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.faults.refuse_code = "upload.too_large"
    report = await station.once(card, clear=True)
    assert not report.complete
    assert report.error is None
    assert set(station.states().values()) == {"refused"}
    assert all("upload.too_large" in (row.trouble or "") for row in station.rows(State.REFUSED))
    assert len(list(card.rglob("*.mp4"))) == 2
    service.faults.refuse_code = ""
    assert not (await station.once(card)).complete
    assert (await station.once(card, options=Options(retry_refused=True))).complete
    assert sealed_once(service)


async def test_a_revoked_station_stops_at_once_and_says_so(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.revoked = set(service.docks)
    report = await station.once(card, clear=True)
    assert isinstance(report.error, DockNotAccepted)
    assert len(service.requests) < 6
    assert len(list(card.rglob("*.mp4"))) == 2


async def test_a_clock_that_is_off_by_a_year_is_put_right_by_the_first_answer(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.faults.clock_off_seconds = 365 * 86_400
    assert (await station.once(card)).complete
    assert [status for _, _, status in service.requests].count(401) == 1


async def test_a_token_does_not_follow_a_redirect(service: FakeService, station: TestStation, card: Path) -> None:
    other = FakeService()
    async with other.serving() as elsewhere:
        service.faults.redirect_to = elsewhere
        report = await station.once(card, patience_seconds=0.5)
    assert isinstance(report.error, ServiceMalformed)
    assert other.requests == []
    assert service.uploads == {}


async def test_a_service_out_of_reach_ends_a_single_run_and_the_next_goes_on(
    service: FakeService, tmp_path: Path, card: Path
) -> None:
    async with service.serving() as url:
        station = await enrolled(tmp_path / "state", url)
    port = int(url.rpartition(":")[2])
    report = await station.once(card, clear=True, patience_seconds=0.5)
    assert isinstance(report.error, LinkLost)
    assert len(list(card.rglob("*.mp4"))) == 2
    async with service.serving(port=port):
        assert (await station.once(card, clear=True)).complete
    assert sealed_once(service)
    assert len(service.inventories) == 1


async def test_a_restarted_service_is_found_again_without_reading_anything_twice(
    service: FakeService, tmp_path: Path, card: Path
) -> None:
    service.faults.piece_seconds = 0.02
    async with service.serving() as url:
        station = await enrolled(tmp_path / "state", url)
        port = int(url.rpartition(":")[2])
        task = asyncio.create_task(station.once(card))
        while not any(upload.data for upload in service.uploads.values()):
            await asyncio.sleep(0.01)
    assert not task.done()
    service.faults.piece_seconds = 0
    async with service.serving(port=port):
        assert (await task).complete
    assert sealed_once(service)
    assert sum(upload.received_bytes for upload in service.uploads.values()) == SIZE + 700


async def test_a_resumed_file_is_read_again_up_to_the_offset_and_compared(
    service: FakeService, station: TestStation, card: Path
) -> None:
    service.faults.cut_after_bytes, service.faults.cuts = 10, 10_000
    await station.once(card, patience_seconds=0.4)
    service.faults.cuts = 0
    first = next(iter(service.uploads.values()))
    assert 0 < len(first.data) < SIZE
    assert (await station.once(card)).complete
    assert len(service.uploads) == 2
    assert first.received_bytes == SIZE


async def test_a_file_that_changed_between_two_runs_is_sent_anew(
    service: FakeService, station: TestStation, card: Path
) -> None:
    path = card / clip_name(0)
    about = path.stat()
    # One chunk is acknowledged and in the journal, then the service is full.
    error = await _stop_after_first_chunk(service, station, card)
    assert isinstance(error, ServiceBusy)
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    service.faults.no_space = 0
    assert (await station.once(card)).complete
    assert sealed_once(service)
    assert any(row.trouble and "no longer begins" in row.trouble for row in station.rows(State.ABANDONED))
    assert [event.kind for event in station.events].count(Kind.TROUBLE) >= 1


async def _stop_after_first_chunk(service: FakeService, station: TestStation, card: Path) -> BaseException | None:
    task = asyncio.create_task(station.once(card, patience_seconds=0.6))
    while not any(len(upload.data) >= CHUNK_BYTES for upload in service.uploads.values()):
        await asyncio.sleep(0)
    service.faults.no_space = 10_000
    return (await task).error
