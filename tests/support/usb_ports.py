"""USB ports for tests: a strict udev and a strict mounter over plain folders, and recorders to plug in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from dockstation.detect.udev import UsbVolume
from dockstation.detect.volume import Volume
from dockstation.errors import MountFailed

PORT = "pci-0000:00:14.0-usb-0:1.{}:1.0-scsi-0:0:0:0"


@dataclass
class FakePorts:
    """Ports into which folders are plugged; stands for udev and for udisks2.

    Attributes:
        media: Where mounts appear.
        cards: Device node to the folder that stands for the card.
        wishes: Every change that was asked of the mounter, in order.
        busy: Nodes that refuse to be unmounted.
        refused: Nodes that refuse to be mounted.
        hanging: When set, mounting waits for it.
    """

    media: Path
    cards: dict[str, Path] = field(default_factory=dict)
    found: dict[str, UsbVolume] = field(default_factory=dict)
    mounted: dict[str, tuple[Path, bool]] = field(default_factory=dict)
    wishes: list[tuple[str, str]] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    hanging: asyncio.Event | None = None
    closed: bool = False
    plugged: int = 0

    def plug(self, card: Path, *, port: int = 1, mark: str = "1A2B-3C4D", serial: str = "D2000017") -> str:
        """Plug a card into a port and return its device node; nodes are used again, as the kernel does."""
        node = f"/dev/sd{'abcdefgh'[port]}1"
        assert node not in self.found, "the port is taken"
        self.plugged += 1
        volume = Volume(serial=serial, mark=mark, port=PORT.format(port), sequence=str(self.plugged))
        self.found[node], self.cards[node] = UsbVolume(node, volume), card
        return node

    def pull(self, node: str) -> None:
        """Pull a card out; its mount vanishes."""
        del self.found[node]
        if node in self.mounted:
            self.mounted.pop(node)[0].rename(self.cards[node])

    def volumes(self) -> tuple[UsbVolume, ...]:
        """See `Udev`."""
        return tuple(self.found[node] for node in sorted(self.found))

    async def mount(self, node: str, *, read_only: bool) -> Path:
        """See `Disks`."""
        self.wishes.append(("ro" if read_only else "rw", node))
        if self.hanging is not None:
            await self.hanging.wait()
        if node not in self.found or node in self.refused:
            raise MountFailed(f"wrong fs type on {node}")
        if node in self.mounted:
            assert read_only, "mounted twice"
            return self.mounted[node][0]
        place = self.media / (self.found[node].volume.mark or "none")
        self.cards[node].rename(place)
        self.mounted[node] = (place, read_only)
        return place

    async def unmount(self, node: str) -> None:
        """See `Disks`."""
        self.wishes.append(("unmount", node))
        if node in self.busy or node not in self.found:
            raise MountFailed("DeviceBusy: target is busy")
        if node in self.mounted:
            self.mounted.pop(node)[0].rename(self.cards[node])

    async def eject(self, node: str) -> None:
        """See `Disks`."""
        self.wishes.append(("eject", node))

    async def close(self) -> None:
        """See `Disks`."""
        self.closed = True


@dataclass
class PortsAsUdev:
    """The udev side of the ports; its end is no coroutine."""

    ports: FakePorts
    closed: bool = False

    def volumes(self) -> tuple[UsbVolume, ...]:
        """See `Udev`."""
        return self.ports.volumes()

    def close(self) -> None:
        """See `Udev`."""
        self.closed = True
