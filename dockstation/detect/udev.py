"""udev: which USB volumes with a file system are plugged in, and a hint when that changes.

udev's database names for every block device its bus, its serial number, its port (`ID_PATH`) and what it holds. Read by
pyudev, which is optional; `read_volume` is pure and judges one device's properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dockstation.detect.hints import Ring
from dockstation.detect.volume import Volume
from dockstation.errors import DetectionMissing

_MISSING = "USB recorders cannot be detected: pip install 'shilu[usb]', on a system with udev and libudev"


@dataclass(frozen=True, slots=True)
class UsbVolume:
    """A file system on a USB device: its device node and which one it is."""

    node: str
    volume: Volume


class Udev(Protocol):
    """Where USB volumes are learnt from."""

    def volumes(self) -> tuple[UsbVolume, ...]:
        """Return what is plugged in now."""

    def close(self) -> None:
        """Let go of it."""


def read_volume(properties: Mapping[str, str]) -> UsbVolume | None:
    """Return the USB volume that udev describes, None for anything else: other buses, no file system, no medium."""
    if properties.get("ID_BUS") != "usb" or properties.get("ID_FS_USAGE") != "filesystem":
        return None
    node = properties.get("DEVNAME", "")
    if properties.get("DEVTYPE") not in {"disk", "partition"} or not node.startswith("/dev/"):
        return None
    names = [properties.get(key, "").replace("_", " ") for key in ("ID_VENDOR", "ID_MODEL")]
    volume = Volume(
        serial=properties.get("ID_SERIAL_SHORT"),
        mark=properties.get("ID_FS_UUID") or properties.get("ID_PART_ENTRY_UUID"),
        port=properties.get("ID_PATH", ""),
        model=" ".join(name.strip() for name in names if name.strip()),
        file_system=properties.get("ID_FS_TYPE", ""),
        sequence=properties.get("DISKSEQ", ""),
    )
    return UsbVolume(node, volume)


class PyUdev:
    """udev as pyudev reads it.

    Args:
        ring: Told when block devices come and go.

    Raises:
        DetectionMissing: The library or libudev is not there.
    """

    def __init__(self, ring: Ring) -> None:
        try:
            import pyudev

            self._context: Any = pyudev.Context()
            monitor = pyudev.Monitor.from_netlink(self._context)
            monitor.filter_by("block")
        except (ImportError, OSError) as error:
            raise DetectionMissing(_MISSING) from error
        self._observer: Any = pyudev.MonitorObserver(monitor, callback=lambda _: ring(), name="udev")
        self._observer.start()

    def volumes(self) -> tuple[UsbVolume, ...]:
        """Return what is plugged in now; a device that goes while it is asked is not there."""
        found = [read_volume(dict(device.properties)) for device in self._context.list_devices(subsystem="block")]
        return tuple(sorted((item for item in found if item is not None), key=lambda item: item.node))

    def close(self) -> None:
        """Stop listening."""
        self._observer.stop()
