"""Power cuts: the dock dies at any point, and the next run brings every file to its end, once, and clears none early.

Two ways of dying: at every single write to the journal, before it and after it (enumerated, in this process); and by
`kill -9` of the real program at points drawn from a seed, with a link that fails as well.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dockstation.threads import Books
from evidence.core.digest import CHUNK_BYTES
from tests.support.dock_process import run_dock, start_dock
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, enrolled, make_recorder, write_clip
from tests.support.rounds import rounds


class PowerCut(BaseException):
    """The end of the process, as far as the code under test can tell."""


class CuttingBooks:
    """Lets the power fail around the journal's write number `at`; every later write fails, too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, at: int, after: bool) -> None:
        self.calls = 0
        real = Books.do

        async def do(books: Books, call: Any, /, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls > at or (self.calls == at and not after):
                raise PowerCut
            result = await real(books, call, *args, **kwargs)
            if self.calls >= at and after:
                raise PowerCut
            return result

        monkeypatch.setattr(Books, "do", do)


def check_card(service: FakeService, card: Path, names: list[str]) -> None:
    """What is no longer on the card was sealed, and its receipt was served."""
    sealed = {
        str(item.payload["path"]): str(item.payload["clip"]) for item in service.log.logged if "path" in item.payload
    }
    for name in names:
        if not (card / name).exists():
            assert sealed[name] in service.served, name


def check_end(service: FakeService, card: Path, names: list[str], marked: str) -> None:
    """Everything is sealed once; all is cleared but what is marked; what was cleared is stated once."""
    assert service.sealed_entries() == {("D200001", name): 1 for name in [*names, marked]}
    assert [path for path in card.rglob("*") if path.is_file()] == [card / marked]
    stated = [file.path for cleared in service.cleared.values() for file in cleared.files]
    assert sorted(stated) == sorted(names)
    assert service.violations == []


def make_card(card: Path, sizes: tuple[int, ...]) -> tuple[list[str], str]:
    make_recorder(card, count=len(sizes), sizes=sizes)
    marked = clip_name(50, mark="_IMP")
    write_clip(card, marked, size=300)
    return [clip_name(index) for index in range(len(sizes))], marked


async def count_writes(folder: Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        service = FakeService()
        async with service.serving() as url:
            station = await enrolled(folder / "state", url)
            make_card(folder / "card", (900, 700))
            books = CuttingBooks(patch, at=1_000_000, after=False)
            assert (await station.once(folder / "card", clear=True)).complete
    return books.calls


async def die_and_live_again(folder: Path, *, at: int, after: bool) -> None:
    service = FakeService()
    async with service.serving() as url:
        station = await enrolled(folder / "state", url)
        names, marked = make_card(folder / "card", (900, 700))
        with pytest.MonkeyPatch.context() as patch:
            CuttingBooks(patch, at=at, after=after)
            with suppress(PowerCut, BaseExceptionGroup):
                await station.once(folder / "card", clear=True)
        check_card(service, folder / "card", names)
        assert (await station.once(folder / "card", clear=True)).complete
        check_end(service, folder / "card", names, marked)


def points(writes: int, *, stride: int, start: int) -> Iterator[tuple[int, bool]]:
    for at in range(1 + start, writes + 1, stride):
        yield at, False
        yield at, True


@pytest.mark.parametrize("start", [0, 1])
async def test_power_cuts_around_writes_to_the_journal(tmp_path: Path, start: int) -> None:
    writes = await count_writes(tmp_path / "count")
    assert writes > 30
    for at, after in points(writes, stride=6, start=start):
        await die_and_live_again(tmp_path / f"{at}{after}", at=at, after=after)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_power_cuts_around_every_write_to_the_journal(tmp_path: Path) -> None:
    writes = await count_writes(tmp_path / "count")
    for at, after in points(writes, stride=1, start=0):
        await die_and_live_again(tmp_path / f"{at}{after}", at=at, after=after)


async def lives(seed: int, service: FakeService, station: TestStation, card: Path, *, kills: int, faults: bool) -> None:
    """Kill the real program at points drawn from the seed, then let it finish."""
    chance = random.Random(seed)
    names, marked = make_card(card, (2 * CHUNK_BYTES + 99, 5000, CHUNK_BYTES, 1))
    words = ["run", "--once", "--clear", "--json", "--state", str(station.state.path), "--recorder", str(card)]
    for _ in range(kills):
        service.faults.piece_seconds = chance.choice([0.0, 0.005, 0.02])
        service.faults.receipt_later = chance.choice([0, 0, 1])
        if faults:
            service.faults.cuts, service.faults.cut_after_bytes = chance.randrange(3), chance.randrange(CHUNK_BYTES)
            service.faults.lose_answer[chance.choice(["inventory", "create", "patch", "manifest", "cleared"])] = 1
            service.faults.busy[chance.choice(["/uploads", "/manifest", "/v1/"])] = chance.randrange(2)
        process = await start_dock(*words)
        await _until_a_point(chance, service, process)
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        check_card(service, card, names)
    service.faults = type(service.faults)()
    ran = await run_dock(*words)
    assert (ran.code, ran.json["ok"]) == (0, True), ran.err
    check_end(service, card, names, marked)


async def _until_a_point(chance: random.Random, service: FakeService, process: asyncio.subprocess.Process) -> None:
    """Wait for a number of requests or of received bytes, and a breath more; or for the end of the process."""
    requests = len(service.requests) + chance.randrange(24)
    received = chance.randrange(4 * CHUNK_BYTES)
    by_bytes = chance.random() < 0.5
    breath = chance.random() * 0.05
    while process.returncode is None:
        got = sum(upload.received_bytes for upload in service.uploads.values())
        if (by_bytes and got > received) or (not by_bytes and len(service.requests) >= requests):
            break
        await asyncio.sleep(0.001)
    await asyncio.sleep(breath)


@pytest.mark.parametrize("seed", range(10))
async def test_kill_nine_at_points_drawn_from_a_seed(
    service: FakeService, station: TestStation, tmp_path: Path, seed: int
) -> None:
    await lives(seed, service, station, tmp_path / "card", kills=2, faults=False)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + rounds(everyday=10, soak=40)))
async def test_kill_nine_and_a_failing_link(
    service: FakeService, station: TestStation, tmp_path: Path, seed: int
) -> None:
    await lives(seed, service, station, tmp_path / "card", kills=5, faults=True)


async def storm(seed: int, service: FakeService, station: TestStation, cards: Path) -> None:
    """Let the link and the service fail in every way, several times, while two recorders are read."""
    chance = random.Random(seed)
    sizes = tuple(chance.choice([1, 5000, CHUNK_BYTES, 2 * CHUNK_BYTES + 7]) for _ in range(4))
    roots = [make_recorder(cards / f"card{n}", count=4, recorder=f"D20000{n}", sizes=sizes) for n in range(2)]
    faults = service.faults
    faults.cuts, faults.cut_after_bytes = chance.randrange(6), chance.randrange(CHUNK_BYTES)
    faults.no_space, faults.corrupt = chance.randrange(3), chance.randrange(2)
    faults.forget_upload, faults.receipt_later = chance.randrange(2), chance.randrange(4)
    for operation in ("inventory", "create", "patch", "manifest", "cleared"):
        faults.lose_answer[operation] = chance.randrange(3)
    for part in ("/uploads", "/manifest", "/v1/inventories", "/v1/cleared"):
        faults.busy[part] = chance.randrange(3)
    report = await station.once(*roots, clear=True, receipt_seconds=0.3, patience_seconds=20.0)
    assert report.complete
    expected = {(f"D20000{n}", clip_name(i, recorder=f"D20000{n}")): 1 for n in range(2) for i in range(4)}
    assert service.sealed_entries() == expected
    assert not [path for root in roots for path in root.rglob("*.mp4")]
    stated = [(cleared.recorder, file.path) for cleared in service.cleared.values() for file in cleared.files]
    assert sorted(stated) == sorted(expected)


@pytest.mark.parametrize("seed", range(4))
async def test_a_storm_of_failures(service: FakeService, station: TestStation, tmp_path: Path, seed: int) -> None:
    await storm(seed, service, station, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 200 + rounds(everyday=20, soak=80)))
async def test_many_storms(service: FakeService, station: TestStation, tmp_path: Path, seed: int) -> None:
    await storm(seed, service, station, tmp_path)
