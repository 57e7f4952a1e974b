"""The small files of a package, put aside in one file while it is made: 10,000 exhibits have 100,000 of them.

The file has no name (`tempfile.TemporaryFile`), so a crash leaves nothing of it. Pieces are appended; what is made of
pieces that were written at different times, a list that grows by a line an exhibit, is their places in order.
Everything here blocks; use it from one thread at a time.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PIECE_BYTES: Final = 1024 * 1024
"""At most so many bytes are read at once."""

_MARK: Final = "\0"  # begins no text of the record: PostgreSQL keeps none with it
_DEPTH: Final = "  "


@dataclass(frozen=True, slots=True)
class Spilled:
    """Bytes that were put aside: the places of their pieces in the file, (offset, bytes) in order.

    Attributes:
        handle: The file, open as long as the spool is.
    """

    handle: int
    runs: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(size for _, size in self.runs)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes in order.

        Raises:
            OSError: They cannot be read.
        """
        for offset, size in self.runs:
            for at in range(offset, offset + size, PIECE_BYTES):
                yield os.pread(self.handle, min(PIECE_BYTES, offset + size - at), at)


@dataclass
class Spool:
    """Takes pieces."""

    handle: int
    end: int = 0

    def put(self, data: bytes) -> Spilled:
        """Put one piece aside.

        Raises:
            OSError: The disk is full, or fails.
        """
        offset, view = self.end, memoryview(data)
        while view:
            count = os.pwrite(self.handle, view, self.end)
            self.end, view = self.end + count, view[count:]
        return Spilled(self.handle, ((offset, len(data)),))

    def join(self, parts: Iterable[Spilled]) -> Spilled:
        """Return the bytes of several parts as one."""
        return Spilled(self.handle, tuple(run for part in parts for run in part.runs))


@dataclass
class JsonList:
    """A JSON list in the making, member `name` of an object: `weave` puts it there.

    Attributes:
        items: Its items so far, in the form of `json.dumps(indent=1)`.
    """

    spool: Spool
    name: str
    items: list[Spilled] = field(default_factory=list)

    def add(self, item: Any) -> None:
        """Put one more item aside."""
        before = f",\n{_DEPTH}" if self.items else ""
        self.items.append(self.spool.put((before + dumped(item).replace("\n", f"\n{_DEPTH}")).encode()))

    @property
    def place(self) -> list[str]:
        """What stands in the object until the list is woven in; nothing for an empty one."""
        return [f"{_MARK}{self.name}"] if self.items else []


def weave(spool: Spool, value: Mapping[str, Any], *lists: JsonList) -> Spilled:
    """Return the bytes of a JSON object with its long lists in their places (`JsonList.place`), ending its line."""
    parts, text = list[Spilled](), f"{dumped(value)}\n"
    marks = {json.dumps(mark): one for one in lists for mark in one.place}
    for mark in sorted(marks, key=text.index):
        head, _, text = text.partition(mark)
        parts += [spool.put(head.encode()), *marks[mark].items]
    return spool.join([*parts, spool.put(text.encode())])


def dumped(value: Any) -> str:
    """Return a value as packages write JSON: for people too, the same bytes whenever it is written."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)


@contextmanager
def spooling(folder: Path) -> Iterator[Spool]:
    """Open a spool on the disk of a folder; what was put into it can be read until this is left.

    Raises:
        OSError: The folder cannot be written.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        yield Spool(file.fileno())
