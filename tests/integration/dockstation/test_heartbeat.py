"""Heartbeats of a station: what it says, what it measures, and the change of key that it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.models.docks import Heartbeat
from dockstation.agent import Options, open_watch
from dockstation.config import trust
from dockstation.events import Bus
from dockstation.heartbeat import BEAT_SECONDS, UNKNOWN_SECONDS, Heart
from dockstation.identity import TokenMaker
from dockstation.journal_store import Journal
from dockstation.layout import load_profiles
from dockstation.link import Link
from dockstation.threads import Books, Lane
from dockstation.watch import Job
from evidence.core.clock import utc_now
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip


class Clocks:
    """The station's clock, which somebody may set, and the one that nobody sets."""

    def __init__(self) -> None:
        self.set_by = timedelta()

    def __call__(self) -> object:
        return utc_now() + self.set_by


@asynccontextmanager
async def heart(station: TestStation, url: str, *, clocks: Clocks, has_new_key: bool = False) -> AsyncIterator[Heart]:
    enrolment = station.state.load_enrolment()
    tokens = TokenMaker(enrolment, station.state.load_signer(enrolment.dock), clock=utc_now)
    async with Lane("journal") as lane, Link(url, tokens=tokens, trust=trust(station.settings)) as link:
        with Journal(station.state.journal, clock=utc_now) as journal:
            yield Heart(
                link=link,
                books=Books(journal, lane),
                dock=enrolment.dock,
                folder=station.state.path,
                profiles=load_profiles(),
                clock=clocks,  # type: ignore[arg-type]  # a clock
                has_new_key=has_new_key,
            )


def has_reading(one: Heart) -> bool:
    return one.reading is not None


async def test_what_a_station_says_is_what_the_service_takes(
    service: FakeService, station: TestStation, url: str, tmp_path: Path
) -> None:
    await station.once(make_recorder(tmp_path / "card", count=2))
    async with heart(station, url, clocks=Clocks()) as one:
        assert await one.beat()
        assert await one.beat()
    said = Heartbeat.model_validate(service.heartbeats[-1])
    assert [(slot.name, slot.recorder, slot.safe) for slot in said.slots] == [("card", "D200001", True)]
    assert said.journal == {"receipt_verified": 2}
    assert {"dcam", "dcim"} <= said.profiles.keys()
    assert said.clock is not None
    assert abs(said.clock.offset_ms) <= said.clock.uncertainty_ms


@pytest.mark.parametrize("ahead_seconds", [-7200, 0, 90])
async def test_the_clock_is_measured_within_what_it_may_be_off_by(
    service: FakeService, station: TestStation, url: str, ahead_seconds: int
) -> None:
    clocks = Clocks()
    clocks.set_by = timedelta(seconds=ahead_seconds)
    async with heart(station, url, clocks=clocks) as one:
        assert not has_reading(one)
        assert await one.beat()
        reading = one.reading
        assert reading is not None
        assert abs(reading.offset_ms - ahead_seconds * 1000) <= reading.uncertainty_ms
        clocks.set_by += timedelta(seconds=30)
        assert not has_reading(one), "measured before the clock was set"
        assert await one.beat()
        assert has_reading(one)


async def test_a_service_that_knows_no_heartbeats_is_left_alone(
    service: FakeService, station: TestStation, url: str, tmp_path: Path
) -> None:
    service.knows_heartbeats = False
    async with heart(station, url, clocks=Clocks()) as one:
        assert not await one.beat()
        assert one._next_seconds == UNKNOWN_SECONDS
        assert one.reading is None
    report = await station.once(make_recorder(tmp_path / "card", count=1))
    assert report.complete
    ((_, inventory),) = service.inventories.values()
    assert inventory.docking is not None
    assert inventory.docking.clock is None


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"server_time": 7}', b"[]"])
async def test_an_answer_that_is_none_is_no_heartbeat(
    service: FakeService, station: TestStation, url: str, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with heart(station, url, clocks=Clocks()) as one:
        exchange = Link._exchange

        async def spoiled(self: Link, *words: object, **more: object) -> object:
            return replace(await exchange(self, *words, **more), body=answer)  # type: ignore[arg-type]

        monkeypatch.setattr(Link, "_exchange", spoiled)
        assert not await one.beat()
        assert one._next_seconds == BEAT_SECONDS
        assert one.reading is None


async def test_inventories_count_themselves_and_name_the_one_before(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    other = make_recorder(tmp_path / "other", count=1, recorder="D200002")
    for index in (5, 6, 7):
        await station.once(card, other)
        write_clip(card, clip_name(index))
    made = [inventory for _, inventory in service.inventories.values() if inventory.recorder == "D200001"]
    told = [(one.docking.number, one.docking.previous) for one in made if one.docking]
    assert told == [(1, None), (2, made[0].id), (3, made[1].id)]
    (single,) = [inventory for _, inventory in service.inventories.values() if inventory.recorder == "D200002"]
    assert single.docking is not None
    assert single.docking.number == 1
    for one in made:
        assert one.docking is not None
        assert one.docking.docked_at <= one.dock_clock
        assert one.docking.clock is not None


async def test_a_key_that_is_asked_for_ends_the_rounds_and_the_next_ones_begin_with_it(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    service.demands_key = True
    dock = station.state.load_enrolment().dock
    before = station.state.load_signer(dock).verifier.vkey
    card = make_recorder(tmp_path / "media" / "card", count=2)
    job = Job(watch=(tmp_path / "media",), recorders=(), send=True, clear=False)
    options = Options(patient=True)
    async with (
        asyncio.timeout(20),
        open_watch(station.state, station.settings, job, options=options, bus=Bus()) as watch,
    ):
        await watch.forever()
    assert service.key_changes[dock] == 0
    begun = replace(options, change_key=True)
    async with asyncio.timeout(20), open_watch(station.state, station.settings, job, options=begun, bus=Bus()) as watch:
        assert service.key_changes[dock] == 1
        assert station.state.load_signer(dock).verifier.vkey != before
        assert (await watch.once()).complete
    assert sum(service.sealed_entries().values()) == 2
    assert card.is_dir()


async def test_a_service_that_never_has_enough_is_not_obeyed_twice_in_an_hour(
    service: FakeService, station: TestStation, url: str
) -> None:
    service.demands_key = True
    async with heart(station, url, clocks=Clocks(), has_new_key=True) as one:
        assert await one.beat()
        assert one.key_demanded_since is None
    async with heart(station, url, clocks=Clocks()) as one:
        assert await one.beat()
        assert one.key_demanded_since is not None
        service.demands_key = False
        assert await one.beat()
        assert one.key_demanded_since is None
