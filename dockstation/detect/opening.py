"""Opening: which places and hints a station has, by its settings and by what is installed.

Detection is optional. Where its libraries or the system's services are missing and folders were named, a notice says so
and the folders are looked at; where nothing but USB was asked for, the start is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dockstation.config import Settings
from dockstation.detect.hints import FolderHints, Hints
from dockstation.detect.places import Places, Several
from dockstation.detect.udev import PyUdev
from dockstation.detect.udisks import UDisks
from dockstation.detect.usb import UsbPlaces, WhenSafe, parse_names
from dockstation.errors import DetectionMissing
from dockstation.slots import Folders

Notice = Callable[[str], None]
"""Takes one sentence for whoever runs the agent."""


class Where(Protocol):
    """Where a job says recorders are."""

    @property
    def watch(self) -> tuple[Path, ...]:
        """Folders whose sub-folders are recorders."""

    @property
    def recorders(self) -> tuple[Path, ...]:
        """Folders each of which is a recorder."""

    @property
    def usb(self) -> bool:
        """Whether recorders on USB ports are looked for."""


def open_places(settings: Settings, where: Where, *, hints: Hints, notice: Notice) -> Places:
    """Return the places of a station; the caller closes them.

    Raises:
        DetectionMissing: Nothing but USB was asked for, and it cannot be looked at.
        ConfigInvalid: `usb_slots` cannot be used.
    """
    folders = Folders(watch=where.watch, recorders=where.recorders)
    if not where.usb:
        return folders
    names = parse_names(settings.usb_slots)
    try:
        disks = UDisks()
        usb = UsbPlaces(
            udev=PyUdev(hints.ring),
            disks=disks,
            names=names,
            when_safe=WhenSafe(settings.usb_when_safe),
            ring=hints.ring,
        )
    except DetectionMissing as error:
        if not where.watch and not where.recorders:
            raise
        notice(error.message)
        return folders
    return Several([usb, folders])


def open_folder_hints(hints: Hints, *, notice: Notice) -> FolderHints | None:
    """Return what notices changes of folders, or None after a notice; the caller closes it."""
    try:
        return FolderHints(hints.ring)
    except DetectionMissing as error:
        notice(error.message)
    except OSError as error:
        notice(f"changes of folders cannot be noticed ({error}): the periodic look finds them")
    return None
