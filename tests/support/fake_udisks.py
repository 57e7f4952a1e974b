"""udisks2 as a D-Bus service of our own on a private bus: the methods the dock calls, with real mounts behind them.

The bus is a real `dbus-daemon`; the service speaks raw messages, so the adapter under test meets real marshalling, real
errors and a real peer that can vanish. Volumes are loop devices where the machine permits, plain folders elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.UDisks2"
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
</policy></busconfig>
"""


def loops_permitted() -> bool:
    """Tell whether this machine lets us mount a file system of our own."""
    if os.geteuid() != 0 or not all(shutil.which(name) for name in ("losetup", "mount", "mkfs.ext4")):
        return False
    return subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode == 0


def make_image(path: Path, content: Path) -> Path:
    """Make a small file system that holds what a folder holds."""
    with path.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-d", content, "-m", "0", path], check=True)
    return path


@dataclass
class Drive:
    """A volume that udisks knows.

    Attributes:
        place: Where it is mounted.
        image: Its file system; None for a plain folder, which cannot be mounted read-only.
        options: What it was mounted with last, None while it is not.
        busy: Whether it refuses to be unmounted.
        ejected: Whether it was ejected.
    """

    place: Path
    image: Path | None
    options: str | None = None
    busy: bool = False
    ejected: bool = False


@dataclass
class FakeUDisks:
    """The service; `drives` by device node."""

    drives: dict[str, Drive] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    silent: bool = False

    def handle(self, message: Message) -> Message | bool | None:
        """Answer a call as udisks2 would."""
        if message.message_type is not MessageType.METHOD_CALL or message.destination != NAME:
            return None
        self.calls.append(f"{(message.interface or '').rpartition('.')[2]}.{message.member}")
        if self.silent:
            return True
        node = "/dev/" + (message.path or "").rpartition("/")[2]
        drive = self.drives.get(node)
        if message.member == "ResolveDevice":
            wanted = message.body[0]["path"].value
            known = [f"/org/freedesktop/UDisks2/block_devices/{wanted[5:]}"] if wanted in self.drives else []
            return Message.new_method_return(message, "ao", [known])
        if drive is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "No such object")
        return self._of_drive(message, drive)

    def _of_drive(self, message: Message, drive: Drive) -> Message:
        if message.member == "Get":
            return Message.new_method_return(message, "v", [self._property(message, drive)])
        options = {key: value.value for key, value in message.body[0].items()}
        assert options.pop("auth.no_user_interaction") is True
        if message.member == "Mount":
            if drive.options is not None:
                return Message.new_error(message, f"{NAME}.Error.AlreadyMounted", "already mounted")
            mount(drive, options.pop("options"))
            return Message.new_method_return(message, "s", [str(drive.place)])
        if message.member == "Unmount":
            if drive.busy or drive.options is None:
                return Message.new_error(message, f"{NAME}.Error.DeviceBusy", "target is busy")
            unmount(drive)
        elif message.member == "Eject":
            drive.ejected = True
        else:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", message.member or "")
        return Message.new_method_return(message)

    def _property(self, message: Message, drive: Drive) -> Any:
        interface, name = message.body
        if (interface, name) == (f"{NAME}.Filesystem", "MountPoints"):
            places = [] if drive.options is None else [os.fsencode(drive.place) + b"\0"]
            return Variant("aay", places)
        assert (interface, name) == (f"{NAME}.Block", "Drive")
        return Variant("o", message.path)


def mount(drive: Drive, options: str) -> None:
    """Mount a drive's image, or pretend to."""
    if drive.image is not None:
        drive.place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-o", f"loop,{options}", drive.image, drive.place], check=True)
    drive.options = options


def unmount(drive: Drive) -> None:
    """Unmount it."""
    if drive.image is not None:
        subprocess.run(["umount", drive.place], check=True)
    drive.options = None


@asynccontextmanager
async def private_bus(folder: Path) -> AsyncIterator[str]:
    """Run a bus of our own for the length of the block; yields its address."""
    config = folder / "bus.conf"
    config.write_text(_CONFIG.format(socket=folder / "bus"), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        "dbus-daemon",
        f"--config-file={config}",
        "--nofork",
        "--print-address=1",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def serving(service: FakeUDisks, address: str) -> AsyncIterator[None]:
    """Let the service be reached under udisks2's name for the length of the block."""
    bus = await MessageBus(bus_address=address, bus_type=BusType.SYSTEM).connect()
    bus.add_message_handler(service.handle)
    await bus.request_name(NAME)
    try:
        yield
    finally:
        bus.disconnect()
        for drive in service.drives.values():
            if drive.options is not None:
                unmount(drive)
