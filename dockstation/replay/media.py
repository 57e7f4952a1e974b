"""Media of a replay: cards as plain folders anywhere, as real file systems on loop devices where that is permitted.

A card that is pulled vanishes from its slot at once, and what is still being read from it ends in EIO, as a real one
does. Slow and failing reads are made where the station reads (`pread`), for both kinds alike: no kernel module is
needed, and the station's own path through the failure is the real one. What only loop devices show is the rest: mounts
of their own, read-only until files are removed, device and mount numbers of a card, and busy mounts.

Loop devices take root, losetup, mkfs.ext4 and mount. Everything lies below one folder that the caller owns and removes.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dockstation.errors import MountFailed
from dockstation.replay.script import CardPlan

_IMAGE_SPARE_BYTES = 16 << 20
_TOOLS = ("losetup", "mkfs.ext4", "mount", "umount")


class Backing(Enum):
    """What a card is made of."""

    FOLDER = "folder"
    LOOP = "loop"


@dataclass(slots=True)
class _Condition:
    bytes_per_second: int = 0
    failing: tuple[str, int] | None = None


def loops_permitted() -> bool:
    """Tell whether this machine lets the program mount file systems of its own."""
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in _TOOLS):
        return False
    return subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode == 0


def content(path: str, size: int) -> bytes:
    """Return the bytes of a file of that path and size, always the same."""
    return random.Random(f"{path} {size}").randbytes(size)  # noqa: S311 - test data


class Media:
    """The cards of one replay.

    Args:
        folder: Where cards and slots are kept.
        backing: What the cards are made of.
    """

    def __init__(self, folder: Path, backing: Backing) -> None:
        self._folder = folder.resolve()
        self._backing = backing
        self._conditions: dict[str, _Condition] = {}
        self._docked: dict[str, str] = {}
        # Device numbers of mounts that were pulled while they may be read: a kernel with a real card answers EIO.
        self._gone: set[int] = set()
        (self._folder / "slots").mkdir()
        (self._folder / "stash").mkdir()

    @property
    def read_only(self) -> bool:
        """Tell whether docked cards are mounted read-only."""
        return self._backing is Backing.LOOP

    def make(self, name: str, plan: CardPlan) -> None:
        """Make a card with its files, written long ago."""
        root = self._folder / "stash" / name
        root.mkdir()
        for path, size in plan.files:
            self._put(root, path, content(path, size), age_seconds=86_400.0)
        self._conditions[name] = _Condition()
        if self._backing is Backing.LOOP:
            image = root.with_suffix(".img")
            with image.open("wb") as file:
                file.truncate(_IMAGE_SPARE_BYTES + 2 * sum(size for _, size in plan.files))
            _call("mkfs.ext4", "-q", "-m", "0", "-d", root, image)
            shutil.rmtree(root)

    def root(self, slot: str) -> Path:
        """Return where a slot's card is mounted."""
        return self._folder / "slots" / slot

    def dock(self, slot: str, card: str) -> None:
        """Put a card into a slot.

        Raises:
            MountFailed: The slot or the card is taken, or the machine does not mount it.
        """
        if slot in self._docked or card in self._docked.values():
            raise MountFailed(f"slot {slot} or card {card} is taken")
        if self._backing is Backing.LOOP:
            self.root(slot).mkdir(exist_ok=True)
            self._docked[slot] = card
            self.mount(slot, read_only=True)
        else:
            (self._folder / "stash" / card).rename(self.root(slot))
            self._docked[slot] = card

    def pull(self, slot: str) -> None:
        """Take a card out, whatever is being read."""
        card = self._docked.pop(slot)
        if self._backing is Backing.LOOP:
            if self.root(slot).is_mount():
                self._gone.add(self.root(slot).stat().st_dev)
                _call("umount", "-l", self.root(slot))
            self.root(slot).rmdir()
        else:
            self.root(slot).rename(self._folder / "stash" / card)

    def mount(self, slot: str, *, read_only: bool) -> None:
        """Mount a docked card so; only loop devices can be mounted read-only.

        Raises:
            MountFailed: It is in use, or not there any more.
        """
        if self._backing is Backing.FOLDER:
            return
        root, card = self.root(slot), self._docked.get(slot)
        if root.is_mount():
            _call("umount", root)
        access = "ro" if read_only else "rw"
        _call("mount", "-o", f"loop,{access},nosuid,nodev,noexec", self._folder / "stash" / f"{card}.img", root)
        self._gone.discard(root.stat().st_dev)

    def write(self, card: str, path: str, size: int, *, append: bool) -> None:
        """Write a file anew, or let it grow by that many bytes.

        Raises:
            MountFailed: The card is a loop device in a slot, and being read.
        """
        with _Opened(self, card) as root:
            before = (root / path).read_bytes() if append and (root / path).exists() else b""
            self._put(root, path, before + content(path, size), age_seconds=0.0)

    def delete(self, card: str, path: str) -> None:
        """Delete a file."""
        with _Opened(self, card) as root:
            (root / path).unlink()

    def slow(self, card: str, bytes_per_second: int) -> None:
        """Let reading take its time."""
        self._conditions[card].bytes_per_second = bytes_per_second

    def fail(self, card: str, path: str, from_byte: int) -> None:
        """Let a file end in EIO from a byte on."""
        self._conditions[card].failing = (path, from_byte)

    def mend(self, card: str) -> None:
        """Let reading be as it should be."""
        self._conditions[card] = _Condition()

    def pread(self, handle: int, count: int, offset: int) -> bytes:
        """Read as `os.pread`, from a medium in the condition that the script wants."""
        path = Path(f"/proc/self/fd/{handle}").readlink()
        slot = next((slot for slot in self._docked if path.is_relative_to(self.root(slot))), None)
        pulled = path.is_relative_to(self._folder / "stash") or os.fstat(handle).st_dev in self._gone
        if slot is None and pulled:
            raise OSError(errno.EIO, "the card was pulled")
        if slot is None:
            return os.pread(handle, count, offset)
        condition = self._conditions[self._docked[slot]]
        if condition.failing is not None and path == self.root(slot) / condition.failing[0]:
            if offset >= condition.failing[1]:
                raise OSError(errno.EIO, "a bad sector")
            count = min(count, condition.failing[1] - offset)
        if condition.bytes_per_second:
            time.sleep(count / condition.bytes_per_second)
        return os.pread(handle, count, offset)

    def close(self) -> None:
        """Take all cards out."""
        for slot in list(self._docked):
            self.pull(slot)

    def where(self, card: str) -> str | None:
        """Return the slot that a card is in."""
        return next((slot for slot, name in self._docked.items() if name == card), None)

    def stash(self, card: str) -> Path:
        """Return where a card lies that is in no slot."""
        return self._folder / "stash" / (card if self._backing is Backing.FOLDER else f"{card}.img")

    @staticmethod
    def _put(root: Path, path: str, data: bytes, *, age_seconds: float) -> None:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        then = time.time() - age_seconds
        os.utime(place, (then, then))


class _Opened:
    """A card's folder, writable for the length of a block, wherever the card is."""

    def __init__(self, media: Media, card: str) -> None:
        self._media = media
        self._slot = media.where(card)
        self._card = card

    def __enter__(self) -> Path:
        media = self._media
        if self._slot is None:
            if not media.read_only:
                return media.stash(self._card)
            self._slot_made = f".{self._card}"
            media.dock(self._slot_made, self._card)
            media.mount(self._slot_made, read_only=False)
            return media.root(self._slot_made)
        media.mount(self._slot, read_only=False)
        return media.root(self._slot)

    def __exit__(self, *_: object) -> None:
        if self._slot is not None:
            self._media.mount(self._slot, read_only=True)
        elif self._media.read_only:
            self._media.pull(self._slot_made)


def _call(*words: str | Path) -> None:
    ran = subprocess.run(list(map(str, words)), capture_output=True, check=False)
    if ran.returncode:
        raise MountFailed(f"{words[0]}: {ran.stderr.decode(errors='replace').strip()}")
