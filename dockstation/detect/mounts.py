"""Mounts: which mount an opened folder belongs to, as the kernel counts them.

Device and inode of a FAT card's root are the same for every card that the kernel gives the same device number, so they
cannot tell one card from the next in the same slot. The number of the mount can, for as long as a folder of the first
mount is held open: the kernel does not give a number away before the last handle is gone.

Source: proc_pid_fdinfo(5), field `mnt_id`. Where the kernel does not tell, the answer is None and device and inode
remain. The functions block for the length of a few system calls.
"""

from __future__ import annotations

import os
from pathlib import Path

_PEEK_FLAGS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def mount_of(handle: int) -> int | None:
    """Return the number of the mount that an open handle belongs to, None where the kernel does not tell."""
    try:
        text = Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii")
    except OSError:
        return None
    fields = dict(line.partition(":")[::2] for line in text.splitlines())
    number = fields.get("mnt_id", "").strip()
    return int(number) if number.isdigit() else None


def peek(root: Path) -> tuple[int, int, int | None]:
    """Return device, inode and mount of the folder that a path shows now; nothing in it is read.

    Raises:
        OSError: There is none, or it is a link.
    """
    handle = os.open(root, _PEEK_FLAGS)
    try:
        about = os.fstat(handle)
        return about.st_dev, about.st_ino, mount_of(handle)
    finally:
        os.close(handle)
