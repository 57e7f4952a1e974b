"""USB recorders as places: found by udev, mounted read-only by udisks2, named after the port they are plugged into.

```
plugged in -> mounted read-only -> (read by the watch) -> everything receipted -> unmounted, resting -> taken out
                   |                        |
                   | refused: shown,        | files to be removed: unmounted, mounted writable, and read-only again
                   | tried again            |
```

Mounting happens beside the rounds, so a device that hangs holds up nobody else. A seat belongs to one medium: another
card in the same port, even under the same device node, is another seat, because udev states another identity or the
kernel counts another medium. A mount whose device has gone is cleaned up by udisks2.

What a crash leaves behind: after mounting, a read-only mount that the next start takes over; while files were being
removed, a writable mount that the next start replaces by a read-only one before it reads; after unmounting, nothing.
Slots' names come from the settings (`usb_slots`); with any given, other ports are not looked at.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

from dockstation.backoff import pause_seconds
from dockstation.detect.hints import Ring
from dockstation.detect.places import Place, Slot
from dockstation.detect.udev import Udev, UsbVolume
from dockstation.detect.udisks import Disks
from dockstation.errors import ConfigInvalid, DockError, MountFailed


class WhenSafe(Enum):
    """What becomes of a recorder on which everything is receipted."""

    UNMOUNT = "unmount"
    EJECT = "eject"
    STAY = "stay"


@dataclass(slots=True)
class _Seat:
    """One medium in one port."""

    found: UsbVolume
    slot: Slot
    mounting: asyncio.Task[None] | None = None
    mounted: bool = False
    resting: bool = False
    error: DockError | None = None
    failures: int = 0
    rest_until: float = 0.0


class UsbPlaces:
    """Recorders on USB ports; see `detect.places`.

    Args:
        udev: What is plugged in.
        disks: Who mounts.
        names: Names of ports, see `parse_names`; with any, other ports are left alone.
        when_safe: What becomes of a recorder on which everything is receipted.
        ring: Told when a mount is done.
    """

    def __init__(
        self, *, udev: Udev, disks: Disks, names: Sequence[tuple[str, str]], when_safe: WhenSafe, ring: Ring
    ) -> None:
        self._udev = udev
        self._disks = disks
        self._names = tuple(names)
        self._when_safe = when_safe
        self._ring = ring
        self._seats: dict[UsbVolume, _Seat] = {}

    async def look(self) -> tuple[Place, ...]:
        """Return what is plugged in: mounted, being mounted, refused or resting; begin to mount what is new."""
        here = {found: name for found in self._udev.volumes() if (name := self._name(found)) is not None}
        for found in set(self._seats) - set(here):
            gone = self._seats.pop(found)
            if gone.mounting is not None:
                gone.mounting.cancel()
        for found, name in here.items():
            if found not in self._seats:
                if self._by_name(name) is not None:
                    # A recorder with two volumes, or two card slots behind one port.
                    name = f"{name} ({found.node.rpartition('/')[2]})"  # noqa: PLW2901 - the name gets longer
                # Its node stands for it until it is mounted.
                self._seats[found] = _Seat(found, Slot(name, Path(found.node), found.volume, read_only=True))
        for seat in self._seats.values():
            if not seat.mounted and not seat.resting and seat.mounting is None and time.monotonic() >= seat.rest_until:
                seat.mounting = asyncio.create_task(self._mount(seat))
        return tuple(_place(self._seats[found]) for found in here)

    async def done(self, slot: Slot) -> None:
        """Unmount a recorder on which everything is receipted; one that is still in use is asked again later."""
        seat = self._by_name(slot.name)
        if seat is None or not seat.mounted or self._when_safe is WhenSafe.STAY:
            return
        with suppress(MountFailed):
            await self._disks.unmount(seat.found.node)
            seat.mounted, seat.resting = False, True
            if self._when_safe is WhenSafe.EJECT:
                await self._disks.eject(seat.found.node)

    @asynccontextmanager
    async def writable(self, slot: Slot) -> AsyncIterator[Slot]:
        """Mount a recorder anew for the length of a block, so that files can be removed.

        Raises:
            MountFailed: It is in use, or cannot be written to.
        """
        seat = self._by_name(slot.name)
        if seat is None:
            raise MountFailed(f"{slot.name}: the recorder has gone")
        node = seat.found.node
        try:
            await self._disks.unmount(node)
            root = await self._disks.mount(node, read_only=False)
            yield replace(slot, root=root, read_only=False)
        finally:
            try:
                root = await self._disks.mount(node, read_only=True)
                seat.slot = replace(seat.slot, root=root)
            except MountFailed:
                # The next look mounts it, or finds it gone.
                seat.mounted = False

    async def close(self) -> None:
        """Stop looking and unmount what is mounted, so that whoever comes after may take it out."""
        self._udev.close()
        seats, self._seats = list(self._seats.values()), {}
        mounting = [seat.mounting for seat in seats if seat.mounting is not None]
        for task in mounting:
            task.cancel()
        await asyncio.gather(*mounting, return_exceptions=True)
        for seat in seats:
            if seat.mounted:
                with suppress(MountFailed):
                    await self._disks.unmount(seat.found.node)
        await self._disks.close()

    async def _mount(self, seat: _Seat) -> None:
        try:
            root = await self._disks.mount(seat.found.node, read_only=True)
            seat.slot, seat.mounted, seat.error, seat.failures = replace(seat.slot, root=root), True, None, 0
        except MountFailed as error:
            seat.error = error
            seat.failures += 1
            seat.rest_until = time.monotonic() + pause_seconds(seat.failures, chance=random.random())  # noqa: S311 - jitter
        finally:
            seat.mounting = None
            self._ring()

    def _by_name(self, name: str) -> _Seat | None:
        return next((seat for seat in self._seats.values() if seat.slot.name == name), None)

    def _name(self, found: UsbVolume) -> str | None:
        port = found.volume.port or found.node.rpartition("/")[2]
        if not self._names:
            return short_port(port)
        return next((name for name, pattern in self._names if fnmatchcase(port, pattern)), None)


def _place(seat: _Seat) -> Place:
    readable = seat.mounted or seat.resting
    return Place(
        seat.slot,
        pending=not readable and seat.error is None,
        resting=seat.resting,
        error=None if readable else seat.error,
    )


def parse_names(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Read `NAME=PORT` pairs into names and patterns of ports; `*` and `?` stand for parts of a port.

    Raises:
        ConfigInvalid: One is not of that form, or a name occurs twice.
    """
    pairs = [(name.strip(), port.strip()) for name, mark, port in (item.partition("=") for item in names) if mark]
    if len(pairs) != len(names) or not all(name and port for name, port in pairs):
        raise ConfigInvalid("usb_slots holds something that is not NAME=PORT")
    if len({name for name, _ in pairs}) != len(pairs):
        raise ConfigInvalid("usb_slots names two ports alike")
    return tuple(pairs)


def short_port(port: str) -> str:
    """Return a port's name for people: of `pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:0` it is `usb-1.4`."""
    found = re.search(r"-usb(?:v[0-9])?-[0-9]+:([0-9.]+):", port)
    return port if found is None else f"usb-{found[1]}"
