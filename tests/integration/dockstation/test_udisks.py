"""Mounting through udisks2: a real bus, a service that answers as udisks2 does, and loop devices where permitted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dockstation.card import Card
from dockstation.detect import udisks as udisks_module
from dockstation.detect.udev import UsbVolume
from dockstation.detect.udisks import UDisks
from dockstation.detect.usb import UsbPlaces, WhenSafe
from dockstation.detect.volume import Volume
from dockstation.errors import CardLost, MountFailed
from dockstation.intake import FileReader
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder
from tests.support.fake_udisks import (
    Drive,
    FakeUDisks,
    loops_permitted,
    make_image,
    mount,
    private_bus,
    serving,
    unmount,
)
from tests.support.usb_ports import FakePorts, PortsAsUdev

NODE = "/dev/sdx1"
pytestmark = [
    pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="no dbus-daemon on this machine"),
    pytest.mark.timeout(60),
]
needs_loops = pytest.mark.skipif(not loops_permitted(), reason="this machine does not permit loop devices")


@pytest.fixture
async def service_of_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeUDisks]:
    """udisks2 on a bus of its own, with one drive that is a plain folder."""
    disks = FakeUDisks({NODE: Drive(tmp_path / "plain", None)})
    async with private_bus(tmp_path) as address, serving(disks, address):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield disks


@pytest.fixture
def loop(service_of_disks: FakeUDisks, tmp_path: Path) -> Drive:
    """The drive as a real file system on a loop device."""
    make_recorder(tmp_path / "content", count=2)
    drive = Drive(tmp_path / "media" / "card", make_image(tmp_path / "card.img", tmp_path / "content"))
    service_of_disks.drives[NODE] = drive
    return drive


def is_mounted(drive: Drive) -> bool:
    return drive.place.exists() and drive.place.stat().st_dev != drive.place.parent.stat().st_dev


@needs_loops
async def test_a_real_file_system_is_mounted_read_only_writable_and_not_at_all(loop: Drive) -> None:
    disks = UDisks()
    try:
        place = await disks.mount(NODE, read_only=True)
        assert (place, loop.options) == (loop.place, "ro,nosuid,nodev,noexec")
        with pytest.raises(OSError, match="Read-only"):
            (place / "x").touch()
        # Taken over as it is: an agent that was killed left it so.
        assert await disks.mount(NODE, read_only=True) == place
        assert await disks.mount(NODE, read_only=False) == place
        (place / "x").touch()
        assert await disks.mount(NODE, read_only=True) == place
        assert loop.options == "ro,nosuid,nodev,noexec"
        await disks.unmount(NODE)
        await disks.unmount(NODE)
        assert not is_mounted(loop)
        await disks.eject(NODE)
        assert loop.ejected
    finally:
        await disks.close()


async def test_what_does_not_come_read_only_is_not_read(service_of_disks: FakeUDisks) -> None:
    disks = UDisks()
    try:
        with pytest.raises(MountFailed, match="read-only and was not"):
            await disks.mount(NODE, read_only=True)
        assert service_of_disks.drives[NODE].options is None
    finally:
        await disks.close()


async def test_every_refusal_is_one_error_with_the_system_s_words(service_of_disks: FakeUDisks) -> None:
    disks = UDisks()
    drive = service_of_disks.drives[NODE]
    try:
        with pytest.raises(MountFailed, match="does not know /dev/sdy1"):
            await disks.mount("/dev/sdy1", read_only=True)
        drive.options, drive.busy = "rw", True
        with pytest.raises(MountFailed, match="DeviceBusy: target is busy"):
            await disks.unmount(NODE)
    finally:
        drive.busy = False
        await disks.close()


async def test_a_service_that_is_silent_or_not_there_does_not_hold_the_station(
    service_of_disks: FakeUDisks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udisks_module, "CALL_SECONDS", 0.2)
    disks = UDisks()
    service_of_disks.silent = True
    with pytest.raises(MountFailed, match="does not answer: TimeoutError"):
        await disks.mount(NODE, read_only=True)
    await disks.close()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nobody'}")
    with pytest.raises(MountFailed, match="does not answer"):
        await UDisks().mount(NODE, read_only=True)


async def test_a_bus_that_went_and_came_back_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks = UDisks()
    service = FakeUDisks({NODE: Drive(tmp_path, None)})
    for _ in range(2):
        async with private_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            async with serving(service, address):
                await disks.unmount(NODE)
        with pytest.raises(MountFailed):
            await disks.unmount(NODE)
    await disks.close()


@needs_loops
async def test_a_recorder_goes_from_the_port_to_a_cleared_card_on_a_real_file_system(
    service: FakeService, station: TestStation, service_of_disks: FakeUDisks, loop: Drive, tmp_path: Path
) -> None:
    ports = FakePorts(tmp_path)
    ports.found[NODE] = UsbVolume(NODE, Volume(serial="D2000017", mark="1A2B-3C4D", port="1"))
    places = UsbPlaces(udev=PortsAsUdev(ports), disks=UDisks(), names=(), when_safe=WhenSafe.EJECT, ring=lambda: None)
    async with station.watching(clear=True) as watch:
        watch._recorders = places
        report = await watch.once()
        await places.close()
    assert report.complete
    assert station.states() == dict.fromkeys([clip_name(0), clip_name(1)], "cleared")
    assert not is_mounted(loop)
    mount(loop, "ro")
    assert not list(loop.place.rglob("*.mp4"))
    assert sum(service.sealed_entries().values()) == 2


@needs_loops
def test_another_mount_in_the_same_place_is_another_card_though_device_and_inode_are_alike(tmp_path: Path) -> None:
    slot = make_recorder(tmp_path / "slot", count=1)
    with Card(slot) as card:
        card.check()
        before = (slot.stat().st_dev, slot.stat().st_ino)
        subprocess.run(["mount", "--bind", slot, slot], check=True)
        try:
            assert (slot.stat().st_dev, slot.stat().st_ino) == before
            with pytest.raises(CardLost, match="another card"):
                card.check()
        finally:
            subprocess.run(["umount", slot], check=True)
        card.check()


@needs_loops
def test_a_card_pulled_from_under_its_mount_and_replaced_is_never_read_as_the_first(tmp_path: Path) -> None:
    make_recorder(tmp_path / "content", count=1)
    drives = [Drive(tmp_path / "slot", make_image(tmp_path / f"{n}.img", tmp_path / "content")) for n in range(2)]
    mount(drives[0], "ro")
    with Card(tmp_path / "slot") as card:
        (file,) = card.look().files
        # Pulled: the mount goes although the card is held open, and another one takes its place.
        subprocess.run(["umount", "-l", tmp_path / "slot"], check=True)
        mount(drives[1], "ro")
        try:
            with FileReader(card, file) as reader, pytest.raises(CardLost, match="another card"):
                reader.finish()
        finally:
            unmount(drives[1])
