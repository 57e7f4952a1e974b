"""A station left alone: recorders come and go, files appear, the service goes away and comes back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from dockstation.agent import Options
from dockstation.errors import LinkLost
from dockstation.events import Kind
from dockstation.journal import SlotView, State
from dockstation.journal_store import Journal
from dockstation.watch import Watch
from evidence.core.clock import utc_now
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, enrolled, make_recorder, write_clip


@asynccontextmanager
async def running(station: TestStation, folder: Path, **changes: object) -> AsyncIterator[Watch]:
    """Let a station watch a folder for the length of the block."""
    async with station.watching(watch=(folder,), **changes) as watch:  # type: ignore[arg-type]  # settings by name
        task = asyncio.create_task(watch.forever())
        try:
            yield watch
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


def slot(station: TestStation, name: str) -> SlotView | None:
    with Journal(station.state.journal, clock=utc_now, read_only=True) as journal:
        return next((view for view in journal.slots() if view.name == name), None)


def phase(station: TestStation, name: str) -> tuple[str, bool] | None:
    view = slot(station, name)
    return None if view is None else (view.phase, view.safe)


async def test_recorders_that_appear_are_read_and_those_taken_out_are_shown_as_gone(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    watched = tmp_path / "media"
    watched.mkdir()
    async with running(station, watched):
        make_recorder(tmp_path / "stage1", count=2).rename(watched / "one")
        await until(lambda: phase(station, "one") == ("done", True))
        make_recorder(tmp_path / "stage2", count=1, recorder="D200002").rename(watched / "two")
        await until(lambda: phase(station, "two") == ("done", True))
        (watched / "one").rename(tmp_path / "taken")
        await until(lambda: phase(station, "one") == ("gone", False))
        # The same recorder in another slot is the same recorder.
        (tmp_path / "taken").rename(watched / "three")
        await until(lambda: phase(station, "three") == ("done", True))
    assert sum(service.sealed_entries().values()) == 3
    assert len(service.inventories) == 2
    kinds = [event.kind for event in station.events if event.slot == "one"]
    assert kinds[0] is Kind.DOCKED
    assert kinds[-1] is Kind.GONE
    assert Kind.DONE in kinds


async def test_a_new_file_makes_a_slot_unsafe_until_it_is_receipted(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "media" / "one", count=1)
    async with running(station, tmp_path / "media"):
        await until(lambda: phase(station, "one") == ("done", True))
        service.faults.receipt_later = 2
        write_clip(card, clip_name(5))
        await until(lambda: phase(station, "one") == ("reading", False))
        await until(lambda: phase(station, "one") == ("done", True))
    assert len(service.inventories) == 2


async def test_a_look_at_nothing_new_asks_nothing_and_writes_nothing(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    make_recorder(tmp_path / "media" / "one", count=3)
    async with running(station, tmp_path / "media", interval_seconds=0.02):
        await until(lambda: phase(station, "one") == ("done", True))
        requests = len(service.requests)
        wal = Path(f"{station.state.journal}-wal")
        await asyncio.sleep(0.2)
        size = wal.stat().st_size
        await asyncio.sleep(0.5)
        assert len(service.requests) == requests
        assert wal.stat().st_size == size


async def test_a_service_that_comes_back_is_found_without_help(service: FakeService, tmp_path: Path) -> None:
    async with service.serving() as url:
        station = await enrolled(tmp_path / "state", url)
    make_recorder(tmp_path / "media" / "one", count=2)
    async with running(station, tmp_path / "media", patience_seconds=0.3):
        await until(lambda: phase(station, "one") == ("trouble", False))
        assert LinkLost.code in (slot(station, "one") or station).message  # type: ignore[union-attr]
        async with service.serving(port=int(url.rpartition(":")[2])):
            await until(lambda: phase(station, "one") == ("done", True))
    assert sum(service.sealed_entries().values()) == 2


async def test_receipts_are_fetched_although_the_recorder_has_gone(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.faults.receipt_later = 10_000
    make_recorder(tmp_path / "media" / "one", count=2)
    async with running(station, tmp_path / "media", receipt_seconds=0.1):
        await until(lambda: len(station.rows(State.SEALED)) == 2)
        shutil.rmtree(tmp_path / "media" / "one")
        await until(lambda: phase(station, "one") == ("gone", False))
        service.faults.receipt_later = 0
        await until(lambda: len(station.rows(State.RECEIPT_VERIFIED)) == 2)


async def test_a_docking_that_outlives_its_recorder_does_not_bring_it_back(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "media" / "one", count=1)
    service.faults.piece_seconds = 1.5
    async with running(station, tmp_path / "media") as watch:
        await until(lambda: bool(service.uploads))
        card.rename(tmp_path / "taken")
        await until(lambda: phase(station, "one") == ("gone", False))
        assert "one" in watch._busy
        service.faults.piece_seconds = 0.0
        await until(lambda: not watch._busy)
        assert [(view.name, view.phase) for view in watch.showcase.views()] == [("one", "gone")]
        # What went wrong with the empty slot does not hold up the recorder that comes back.
        assert not watch._failures
        (tmp_path / "taken").rename(card)
        await until(lambda: phase(station, "one") == ("done", True))


async def test_one_recorder_in_trouble_does_not_hold_up_the_others(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    make_recorder(tmp_path / "media" / "one", count=2)
    make_recorder(tmp_path / "media" / "twin", count=2)
    make_recorder(tmp_path / "media" / "two", count=2, recorder="D200002")
    async with running(station, tmp_path / "media"):
        await until(lambda: phase(station, "two") == ("done", True))
        await until(lambda: {phase(station, "one"), phase(station, "twin")} == {("done", True), ("trouble", False)})
    assert sum(service.sealed_entries().values()) == 4


async def test_a_hidden_folder_or_a_link_is_no_slot(station: TestStation, tmp_path: Path) -> None:
    make_recorder(tmp_path / "media" / ".hidden", count=1)
    make_recorder(tmp_path / "elsewhere", count=1)
    (tmp_path / "media" / "link").symlink_to(tmp_path / "elsewhere")
    make_recorder(tmp_path / "media" / "one", count=1, recorder="D200003")
    async with running(station, tmp_path / "media"):
        await until(lambda: phase(station, "one") == ("done", True))
    assert phase(station, ".hidden") is None
    assert phase(station, "link") is None


async def test_a_change_begins_a_look_at_once_and_a_hint_that_is_lost_costs_an_interval(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    watched = tmp_path / "media"
    watched.mkdir()
    async with running(station, watched, options=Options(hints=True), interval_seconds=3600.0):
        await asyncio.sleep(0.2)
        make_recorder(tmp_path / "stage", count=1).rename(watched / "one")
        await until(lambda: phase(station, "one") == ("done", True))
    async with station.watching(watch=(watched,), options=Options(hints=True), interval_seconds=1.0) as watch:
        assert watch._folders is not None
        # The kernel's queue has overflowed, or the watch died with an unmounted card: nobody rings.
        watch._folders.follow(())
        watch._folders = None
        task = asyncio.create_task(watch.forever())
        make_recorder(tmp_path / "stage", count=1, recorder="D200002").rename(watched / "two")
        await until(lambda: phase(station, "two") == ("done", True))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert sum(service.sealed_entries().values()) == 2
