"""Volumes: which card it is, as the machine tells: serial number of the device, mark of the file system, and its port.

A volume's identity is what stays when the card is taken out and put in again: serial number and file-system mark. It
stands for the recorder where names tell no serial, and it tells a card from another one in the same slot. The port is
where it is plugged in; the sequence is the kernel's count of media and never the same twice while the machine runs.

`identify` asks what the kernel and udev left in /sys and /dev for a folder that somebody has mounted; it takes no
library, reads nothing of the card, and answers None for a folder that is no mount of its own. Many devices bear a
serial number that every one of their kind bears; such a number is no identity.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from evidence.core.wire.fields import check_name
from evidence.errors import WireError

SERIAL_CHARS_MIN = 4
"""Shortest serial number that is believed; shorter ones are counters and placeholders."""

_COUNTED = "0123456789ABCDEF0123456789ABCDEF"
_SYSFS = Path("/sys")
_DISKS = Path("/dev/disk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One file system on one device in one port; None or empty where the machine does not tell.

    Attributes:
        serial: Serial number of the USB device.
        mark: Mark of the file system or the partition, as it was made with.
        port: Where it is plugged in, as udev or the kernel call it.
        model: Maker and model, for people.
        file_system: Kind of file system.
        sequence: The kernel's count of media.
    """

    serial: str | None = None
    mark: str | None = None
    port: str = ""
    model: str = ""
    file_system: str = ""
    sequence: str = ""

    @property
    def identity(self) -> str | None:
        """Return the name under which statements carry the card, None when nothing tells it from others."""
        parts = [part for part in (credible_serial(self.serial), credible_mark(self.mark)) if part]
        if not parts:
            return None
        name = " ".join(parts)
        try:
            check_name(name, where="volume")
        except WireError:
            return "volume-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return name


def credible_serial(text: str | None) -> str | None:
    """Return a serial number as far as it can be one device's alone, else None."""
    serial = " ".join((text or "").split())
    bare = serial.lstrip("0")
    if len(serial) < SERIAL_CHARS_MIN or len(bare) < 2 or len(set(serial)) == 1:
        return None
    return None if bare.upper() in _COUNTED else serial


def credible_mark(text: str | None) -> str | None:
    """Return a file-system mark unless it is the one of a card that was never given any."""
    mark = (text or "").strip()
    return mark if len(set(mark) - {"-"}) > 1 else None


def identify(root: Path, *, sysfs: Path = _SYSFS, disks: Path = _DISKS) -> Volume | None:
    """Return the volume that is mounted at a folder, None when the folder is no mount of a block device."""
    try:
        device = os.lstat(root).st_dev
        if device == os.lstat(root.parent).st_dev:
            return None
        block = (sysfs / "dev" / "block" / f"{os.major(device)}:{os.minor(device)}").resolve(strict=True)
    except OSError:
        return None
    usb = next((folder for folder in block.parents if (folder / "idVendor").exists()), None)
    return Volume(
        serial=None if usb is None else _text(usb / "serial"),
        mark=_link_to(device, disks / "by-uuid") or _link_to(device, disks / "by-partuuid"),
        port="" if usb is None else usb.name,
        model="" if usb is None else f"{_text(usb / 'manufacturer') or ''} {_text(usb / 'product') or ''}".strip(),
        sequence=_text(block / "diskseq") or _text(block.parent / "diskseq") or "",
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="backslashreplace").strip() or None
    except OSError:
        return None


def _link_to(device: int, folder: Path) -> str | None:
    try:
        links = sorted(folder.iterdir())
    except OSError:
        return None
    for link in links:
        try:
            if link.stat().st_rdev == device:
                return link.name
        except OSError:
            continue
    return None
