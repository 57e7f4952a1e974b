"""A link that resets, cuts, holds and changes bytes at random: all is sealed once, nothing is cleared early."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockstation.link import Link
from tests.faults.dockstation.test_crashes import check_card
from tests.support.dock_server import FakeService
from tests.support.dock_station import QUICK, clip_name, enrolled, make_recorder, write_clip
from tests.support.slow_link import SlowLink
from tests.support.tls import Authority

RUNS_MAX = 6
SIZES = (1, 5000, 40_000, 150_000, 400_000)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, ssl.SSLContext]:
    """An authority, and what a service serves with."""
    authority = Authority(tmp_path_factory.mktemp("tls"), "authority")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.sign("localhost"))
    return authority, context


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections on which nothing moves be given up soon: a changed length in TLS makes both sides wait."""
    defaults = Link.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "quiet_seconds", 2.0)


async def life(seed: int, folder: Path, authority: tuple[Authority, ssl.SSLContext]) -> Counter[str]:
    """Let one station work over a link whose faults the seed draws, until all is sealed; return the faults."""
    chance = random.Random(seed)
    encrypted, spooled = seed % 2 == 0, seed % 4 >= 2
    settings = QUICK
    if encrypted:
        settings = replace(QUICK, ca_file=str(authority[0].file))
    changes: dict[str, Any] = {"spool_folder": str(folder / "spool")} if spooled else {}
    service = FakeService()
    link = SlowLink(encrypted=encrypted)
    card = folder / "card"
    sizes = tuple(chance.choice(SIZES) for _ in range(3))
    make_recorder(card, count=3, sizes=sizes)
    marked = clip_name(50, mark="_IMP")
    write_clip(card, marked, size=chance.choice(SIZES))
    names = [clip_name(index) for index in range(3)]
    async with service.serving(tls=authority[1] if encrypted else None) as url, link.to(url) as far:
        station = await enrolled(folder / "state", far, settings=settings)
        link.chance, link.faults_left = chance, chance.randrange(3, 12)
        for run in range(RUNS_MAX):
            if run >= RUNS_MAX // 2:
                link.faults_left = 0
            report = await station.once(card, clear=True, patience_seconds=3.0, **changes)
            check_card(service, card, names)
            if report.complete:
                break
        assert report.complete, (seed, station.states(), report.error, link.faults)
    assert service.sealed_entries() == {("D200001", name): 1 for name in [*names, marked]}
    assert [path for path in card.rglob("*") if path.is_file()] == [card / marked]
    stated = [file.path for cleared in service.cleared.values() for file in cleared.files]
    assert sorted(stated) == sorted(names)
    assert service.violations == []
    assert not spooled or list((folder / "spool").iterdir()) == []
    return Counter(link.faults)


async def lives(seeds: range, folder: Path, authority: tuple[Authority, ssl.SSLContext]) -> Counter[str]:
    """Play several lives beside each other: most of each is waiting."""
    played = await asyncio.gather(*(life(seed, folder / str(seed), authority) for seed in seeds))
    return sum(played, Counter())


async def test_a_few_bad_links(tmp_path: Path, authority: tuple[Authority, ssl.SSLContext]) -> None:
    assert sum((await lives(range(4), tmp_path, authority)).values()) > 3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("tens", range(20))
async def test_two_hundred_bad_links(tmp_path: Path, authority: tuple[Authority, ssl.SSLContext], tens: int) -> None:
    faults = await lives(range(1000 + 10 * tens, 1010 + 10 * tens), tmp_path, authority)
    assert len(faults) >= 3
    assert sum(faults.values()) > 15
