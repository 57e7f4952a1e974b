"""Recorders that set their clock by a file on the card: written once a docking, whole, and never taken for footage."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dockstation.watch import Report
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip

PROFILE = """
name = "clocked"
title = "sets its clock by a file"
claims = ["**/DCAM_*"]
media = ["**/*.mp4"]
time_zone = "+08:00"
[[names]]
pattern = '(.*/)?DCAM_(?P<recorder>[A-Z0-9]+)_.*'
[clock]
file = "time.txt"
text = "%Y-%m-%d %H:%M:%S"
"""


def with_profile(station: TestStation) -> None:
    station.state.profiles.mkdir(parents=True, exist_ok=True)
    (station.state.profiles / "clocked.toml").write_text(PROFILE, encoding="utf-8")


async def docked(station: TestStation, card: Path, **settings: object) -> Report:
    report = await station.once(card, clear=True, **{"set_clocks": True, **settings})  # type: ignore[arg-type]
    assert report.complete
    return report


async def test_the_clock_file_holds_the_stations_time_in_the_recorders_zone(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    with_profile(station)
    card = make_recorder(tmp_path / "card", count=1)
    before = datetime.now().astimezone()
    await docked(station, card)
    written = datetime.strptime((card / "time.txt").read_text() + "+0800", "%Y-%m-%d %H:%M:%S%z")
    assert abs((written - before).total_seconds()) < 60
    assert sorted(path.name for path in card.iterdir() if path.is_file()) == ["time.txt"]
    write_clip(card, clip_name(7))
    await docked(station, card)
    sent = {file.path for _, inventory in service.inventories.values() for file in inventory.files}
    assert sent == {clip_name(0), clip_name(7)}, "what we wrote is nobody's footage"


async def test_nothing_is_written_unless_it_is_wanted(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    with_profile(station)
    card = make_recorder(tmp_path / "card", count=1)
    await docked(station, card, set_clocks=False)
    assert not (card / "time.txt").exists()
    other = make_recorder(tmp_path / "other", count=1)
    assert (await station.once(other, clear=False, set_clocks=True)).complete
    assert not (other / "time.txt").exists()


async def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    with_profile(station)
    card = make_recorder(tmp_path / "card", count=1)
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (card / "time.txt").symlink_to(victim)
    (card / ".time.txt.part").symlink_to(victim)
    await docked(station, card)
    assert victim.read_text() == "kept"
