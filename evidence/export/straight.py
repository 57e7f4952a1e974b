"""Writing large stretches of a file past the page cache, where the file system lets us.

Bytes that nobody here reads again cost a processor twice on their way through the page cache: copied into it, and
written back from it. With `O_DIRECT` the disk takes them from the buffer. It wants buffers, places and lengths of
whole blocks, so the last block is filled up with what the buffer holds; whoever uses this writes what belongs there
later, or cuts the file. Room is taken beforehand (`fallocate`): writes into it need not wait for one another, and a
full disk says so before the first byte. Where a file system has none of this, bytes go the ordinary way.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

BLOCK_BYTES: Final = 4096
"""What disks and file systems of today want whole; a page, too."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass
class Straight:
    """A file that is written, by several threads.

    Attributes:
        handle: The file.
        straight: Whether bytes go past the page cache; no longer once the file system has refused.
    """

    handle: int
    straight: bool

    def write(self, buffer: memoryview, length: int, place: int) -> None:
        """Write the first bytes of a buffer.

        Args:
            buffer: Begins on a page, and is as long as `length` in whole blocks.
            length: In bytes.
            place: In the file, in bytes.

        Raises:
            OSError: The disk is full, or the file cannot be written.
        """
        while length > 0:
            filling = -length % BLOCK_BYTES if self.straight else 0
            try:
                count = min(os.pwrite(self.handle, buffer[: length + filling], place), length)
            except OSError as error:
                if error.errno != errno.EINVAL or not self.straight:
                    raise
                self._ordinary()
                continue
            buffer, length, place = buffer[count:], length - count, place + count

    def _ordinary(self) -> None:
        """Give up what the file system does not do; several threads may come here, the same for each."""
        fcntl.fcntl(self.handle, fcntl.F_SETFL, fcntl.fcntl(self.handle, fcntl.F_GETFL) & ~os.O_DIRECT)
        self.straight = False


@contextmanager
def writing_straight(handle: int, place: int, length: int) -> Iterator[Straight]:
    """Write a stretch of a file; nobody else may write to the same handle meanwhile.

    Args:
        handle: Open for writing.
        place: Where the stretch begins, in bytes; past the page cache only where that is a whole number of blocks.
        length: In bytes.

    Raises:
        OSError: There is no room for it.
    """
    flags = fcntl.fcntl(handle, fcntl.F_GETFL)
    out = Straight(handle, straight=False)
    try:
        if place % BLOCK_BYTES == 0 and length > BLOCK_BYTES:
            out.straight = _set_straight(handle, flags)
        if out.straight:
            _take_room(handle, place, length)
        yield out
    finally:
        fcntl.fcntl(handle, fcntl.F_SETFL, flags)


def _set_straight(handle: int, flags: int) -> bool:
    try:
        fcntl.fcntl(handle, fcntl.F_SETFL, flags | os.O_DIRECT)
    except OSError:
        return False
    return True


def _take_room(handle: int, place: int, length: int) -> None:
    """Take room for a stretch.

    Where the file system cannot, the C library would write a byte to every block instead; as long as the file wants
    whole blocks that fails at the first of them, which is what is wanted here.
    """
    try:
        os.posix_fallocate(handle, place, length)
    except OSError as error:
        if error.errno in _FULL:
            raise
