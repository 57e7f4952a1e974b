"""Hostile recorder content as data: what somebody put on a card, and what a station has to make of it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockstation.card import DEPTH_MAX
from tests.support.dock_station import write_clip

Undo = Callable[[], object] | None
Make = Callable[[Path], Undo]


@dataclass(frozen=True)
class Hostile:
    """One kind of hostile content.

    Attributes:
        make: Puts it on a card; may return what undoes it.
        listed: Paths that a look shows as files, as statements write them.
        remarks: Path and a word of the reason for everything that is left alone.
        stuck: Paths that are listed and whose bytes are refused.
    """

    make: Make
    listed: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    stuck: tuple[str, ...] = ()


def _links(card: Path) -> Undo:
    (card / "out").symlink_to("/etc/passwd")
    (card / "up").symlink_to("..")
    (card / "self").symlink_to("self")
    (card / "root").symlink_to("/")
    return None


def _special(card: Path) -> Undo:
    os.mkfifo(card / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(card / "sock.mp4"))
    return None


def _device(card: Path) -> Undo:
    # /dev/zero under the name of a recording: a reader that opened it would never end.
    os.mknod(card / "zero.mp4", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    return None


def _names(card: Path) -> Undo:
    for name in (b"new\nline.mp4", b"bell\x07\x1b[2J.mp4", "\u202egpj.mp4".encode(), b"\xff\xfe.mp4", b"n" * 255):
        write_clip(card, os.fsdecode(name), size=1)
    return None


def _case(card: Path) -> Undo:
    write_clip(card, "DCIM/A.mp4", size=1)
    write_clip(card, "DCIM/a.MP4", size=2)
    return None


def _sparse(card: Path) -> Undo:
    with (card / "giant.mp4").open("wb") as file:
        file.truncate(1 << 40)
    return None


def _deep(card: Path) -> Undo:
    folder = card
    for _ in range(DEPTH_MAX + 20):
        folder = folder / "d"
    folder.mkdir(parents=True)
    return None


def _closed(card: Path) -> Undo:
    write_clip(card, "closed/a.mp4")
    (card / "closed").chmod(0)
    # Permissions do not bind root: look as somebody whom they bind.
    card.chmod(0o755)
    if os.geteuid() != 0:
        return lambda: (card / "closed").chmod(0o700)
    os.seteuid(65534)

    def undo() -> None:
        os.seteuid(0)
        (card / "closed").chmod(0o700)

    return undo


def _bound(source: str, target: str) -> Make:
    def make(card: Path) -> Undo:
        write_clip(card.parent / "outside", "secret.mp4")
        (card / target).mkdir(parents=True)
        subprocess.run(["mount", "--bind", str(card / source), str(card / target)], check=True)
        return lambda: subprocess.run(["umount", str(card / target)], check=True)

    return make


HOSTILE: dict[str, Hostile] = {
    "links out of the card": Hostile(
        _links, remarks=tuple((name, "symbolic link") for name in ("out", "root", "self", "up"))
    ),
    "pipes and sockets": Hostile(_special, remarks=(("pipe.mp4", "pipe"), ("sock.mp4", "socket"))),
    "names that nobody types": Hostile(
        _names,
        listed=("%FF%FE.mp4", "bell\x07\x1b[2J.mp4", "n" * 255, "new\nline.mp4", "\u202egpj.mp4"),
    ),
    "names that differ in case": Hostile(_case, listed=("DCIM/A.mp4", "DCIM/a.MP4")),
    "a sparse giant": Hostile(_sparse, listed=("giant.mp4",), stuck=("giant.mp4",)),
    "folders without end": Hostile(_deep, remarks=(("/".join("d" * (DEPTH_MAX + 1)), "deeper"),)),
    "a closed folder": Hostile(_closed, remarks=(("closed", "Permission denied"),)),
}
"""What anybody can make on a file system."""

HOSTILE_AS_ROOT: dict[str, Hostile] = {
    "a device": Hostile(_device, remarks=(("zero.mp4", "device"),)),
    "a folder that contains itself": Hostile(_bound(".", "loop"), remarks=(("loop", "contains itself"),)),
    "a folder of another mount": Hostile(_bound("../outside", "DCIM"), remarks=(("DCIM", "another mount"),)),
}
"""What takes a privilege to make; a broken file system shows the like to everybody."""


@contextmanager
def hostile_card(root: Path, content: Hostile) -> Iterator[Path]:
    """Put hostile content on a card, beside one honest clip, for the length of the block."""
    card = root / "card"
    write_clip(card, "honest.mp4", size=10)
    undo = content.make(card)
    try:
        yield card
    finally:
        if undo is not None:
            undo()
