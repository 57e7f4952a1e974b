"""Hints begin a round early; one that is lost costs an interval and nothing else."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockstation.config import Settings
from dockstation.detect.hints import ROUND_SECONDS_MIN, FolderHints, Hints
from dockstation.detect.opening import open_folder_hints, open_places
from dockstation.errors import ConfigInvalid, DetectionMissing
from dockstation.slots import Folders
from dockstation.watch import Job


async def test_a_hint_from_any_thread_ends_a_pause_and_counts_once() -> None:
    hints = Hints()
    threading.Thread(target=hints.ring).start()
    begin = time.monotonic()
    assert await hints.pause(30.0)
    assert ROUND_SECONDS_MIN <= time.monotonic() - begin < 10
    assert not await hints.pause(0.05)


async def test_a_flood_of_hints_does_not_shorten_the_shortest_pause() -> None:
    hints = Hints()
    begin = time.monotonic()
    for _ in range(100):
        hints.ring()
    await hints.pause(30.0)
    hints.ring()
    await hints.pause(30.0)
    assert time.monotonic() - begin >= 2 * ROUND_SECONDS_MIN


async def test_a_hint_after_the_end_of_the_loop_is_nobody_s() -> None:
    loop = asyncio.new_event_loop()

    async def make() -> Hints:
        return Hints()

    hints = await asyncio.to_thread(loop.run_until_complete, make())
    loop.close()
    hints.ring()


@pytest.fixture
def folder_hints() -> Iterator[tuple[FolderHints, threading.Event]]:
    rung = threading.Event()
    hints = FolderHints(rung.set)
    yield hints, rung
    hints.close()


def test_a_new_file_rings_and_reading_does_not(
    folder_hints: tuple[FolderHints, threading.Event], tmp_path: Path
) -> None:
    hints, rung = folder_hints
    hints.follow({tmp_path, tmp_path / "missing"})
    (tmp_path / "a.mp4").write_bytes(b"x")
    assert rung.wait(10)
    time.sleep(0.2)
    rung.clear()
    list(tmp_path.iterdir())
    (tmp_path / "a.mp4").read_bytes()
    assert not rung.wait(0.3)


def test_a_folder_that_went_and_came_back_is_watched_again(
    folder_hints: tuple[FolderHints, threading.Event], tmp_path: Path
) -> None:
    hints, rung = folder_hints
    folder = tmp_path / "media"
    folder.mkdir()
    hints.follow({folder})
    folder.rmdir()
    hints.follow({folder})
    folder.mkdir()
    hints.follow({folder})
    time.sleep(0.1)
    rung.clear()
    (folder / "a").touch()
    assert rung.wait(10)
    hints.follow(set())
    time.sleep(0.1)
    rung.clear()
    (folder / "b").touch()
    assert not rung.wait(0.3)


def job(*watch: Path, usb: bool = False) -> Job:
    return Job(watch=watch, recorders=(), send=True, clear=False, usb=usb)


@pytest.mark.parametrize("library", ["pyudev", "dbus_fast", "dbus_fast.aio"])
async def test_without_the_libraries_folders_go_on_and_usb_alone_is_refused(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    said: list[str] = []
    places = open_places(Settings(), job(tmp_path, usb=True), hints=Hints(), notice=said.append)
    assert isinstance(places, Folders)
    assert "pip install 'shilu[usb]'" in said[0]
    with pytest.raises(DetectionMissing, match="shilu"):
        open_places(Settings(), job(usb=True), hints=Hints(), notice=said.append)


async def test_without_watchdog_the_periodic_look_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchdog.events", None)
    said: list[str] = []
    assert open_folder_hints(Hints(), notice=said.append) is None
    assert "periodic look" in said[0]


async def test_places_are_what_the_settings_ask_for(tmp_path: Path) -> None:
    assert isinstance(open_places(Settings(), job(tmp_path), hints=Hints(), notice=print), Folders)
    with pytest.raises(ConfigInvalid, match="NAME=PORT"):
        open_places(Settings(usb_slots=("one",)), job(tmp_path, usb=True), hints=Hints(), notice=print)
    with pytest.raises(ConfigInvalid, match="usb_when_safe"):
        Settings(usb_when_safe="burn")
