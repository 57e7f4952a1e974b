"""Power cuts with a spool: around every write to the journal, and between the spool's files and the journal."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from dockstation.copier import Copier
from dockstation.spool import Copy, Spool
from tests.faults.dockstation.test_crashes import CuttingBooks, PowerCut, check_card, check_end, make_card, points
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, enrolled, make_recorder

SIZES = (900, 700)


async def count_writes(folder: Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        service = FakeService()
        async with service.serving() as url:
            station = await enrolled(folder / "state", url)
            make_card(folder / "card", SIZES)
            books = CuttingBooks(patch, at=1_000_000, after=False)
            assert (await station.once(folder / "card", clear=True, spool_folder=str(folder / "spool"))).complete
    return books.calls


async def die_and_live_again(folder: Path, *, at: int, after: bool) -> None:
    service = FakeService()
    async with service.serving() as url:
        station = await enrolled(folder / "state", url)
        names, marked = make_card(folder / "card", SIZES)
        spool = str(folder / "spool")
        with pytest.MonkeyPatch.context() as patch:
            CuttingBooks(patch, at=at, after=after)
            with suppress(PowerCut, BaseExceptionGroup):
                await station.once(folder / "card", clear=True, spool_folder=spool)
        check_card(service, folder / "card", names)
        assert (await station.once(folder / "card", clear=True, spool_folder=spool)).complete
        check_end(service, folder / "card", names, marked)
        assert list((folder / "spool").iterdir()) == []


@pytest.mark.parametrize("start", [0, 1])
async def test_power_cuts_around_writes_to_the_journal(tmp_path: Path, start: int) -> None:
    writes = await count_writes(tmp_path / "count")
    assert writes > 40
    for at, after in points(writes, stride=20, start=start * 10):
        await die_and_live_again(tmp_path / f"{at}{after}", at=at, after=after)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_power_cuts_around_every_write_to_the_journal(tmp_path: Path) -> None:
    writes = await count_writes(tmp_path / "count")
    for at, after in points(writes, stride=1, start=0):
        await die_and_live_again(tmp_path / f"{at}{after}", at=at, after=after)


@pytest.mark.parametrize(
    ("victim", "step"),
    [(Spool, "set_aside"), (Copy, "step"), (Copy, "finish"), (Spool, "file_of"), (Spool, "remove"), (Copier, "drop")],
)
@pytest.mark.parametrize("after", [False, True])
async def test_a_power_cut_between_the_spool_s_files_and_the_journal(
    service: FakeService, station: TestStation, tmp_path: Path, victim: type, step: str, after: bool
) -> None:
    card = make_recorder(tmp_path / "card", count=2, sizes=SIZES)
    real, reached = getattr(victim, step), []

    def cut(*args: object, **kwargs: object) -> object:
        reached.append(step)
        if after:
            real(*args, **kwargs)
        raise PowerCut

    async def cut_async(*args: object, **kwargs: object) -> object:
        reached.append(step)
        if after:
            await real(*args, **kwargs)
        raise PowerCut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(victim, step, cut_async if step == "drop" else cut)
        with suppress(PowerCut, BaseExceptionGroup):
            await station.once(card, clear=True, spool_folder=str(tmp_path / "spool"))
    assert reached
    assert (await station.once(card, clear=True, spool_folder=str(tmp_path / "spool"))).complete
    assert set(service.sealed_entries().values()) == {1}
    assert not list(card.rglob("*.mp4"))
    assert list((tmp_path / "spool").iterdir()) == []
