"""Bytes of a file by place, and numbers out of them; shared by all walks through containers.

Nothing here trusts a length: a read is never longer than `READ_BYTES_MAX`, and what is not there raises `Malformed`,
which every walk turns into an observation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READ_BYTES_MAX = 64 * 1024 * 1024
_AHEAD_BYTES = 64 * 1024


class Malformed(ValueError):
    """A part of the file does not have the form or the length that it states."""


class Source:
    """A file for reading at places, a little ahead of what is asked for.

    Attributes:
        size: Length of the file in bytes.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ahead = b""
        self._ahead_at = 0
        self.size = os.fstat(descriptor).st_size

    def read(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes; fewer only at the end of the file.

        Raises:
            Malformed: More is asked for than a part may be long.
            OSError: The disk does not give its bytes.
        """
        if count > READ_BYTES_MAX or offset < 0:
            raise Malformed("a part is longer than is read at once")
        place = offset - self._ahead_at
        if place < 0 or place + count > len(self._ahead):
            if count >= _AHEAD_BYTES:
                return self._fetch(offset, count)
            self._ahead, self._ahead_at, place = self._fetch(offset, _AHEAD_BYTES), offset, 0
        return self._ahead[place : place + count]

    def exactly(self, offset: int, count: int) -> bytes:
        """Return `count` bytes.

        Raises:
            Malformed: They are not there.
        """
        data = self.read(offset, count)
        if len(data) != count:
            raise Malformed("the file ends inside a part")
        return data

    def number(self, offset: int, count: int, *, little: bool = False) -> int:
        """Return the unsigned number in `count` bytes.

        Raises:
            Malformed: They are not there.
        """
        return int.from_bytes(self.exactly(offset, count), "little" if little else "big")

    def is_zero(self, start: int, end: int) -> bool:
        """Tell whether a stretch holds zeros only; of a very long one the first and the last 64 KiB are looked at."""
        if end - start <= 2 * _AHEAD_BYTES:
            return not any(self.read(start, max(0, end - start)))
        return not any(self.read(start, _AHEAD_BYTES)) and not any(self.read(end - _AHEAD_BYTES, _AHEAD_BYTES))

    def _fetch(self, offset: int, count: int) -> bytes:
        pieces = []
        while count > 0 and (piece := os.pread(self._descriptor, count, offset)):
            pieces.append(piece)
            offset, count = offset + len(piece), count - len(piece)
        return b"".join(pieces)


@contextmanager
def source_of(path: Path) -> Iterator[Source]:
    """Open a file for walking and close it again.

    Raises:
        OSError: It cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Source(descriptor)
    finally:
        os.close(descriptor)
