"""What is on the disk leaves the system's cache while more arrives; a file system that refuses loses nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from uuid import uuid4

import pytest

from evidence.core.digest import CHUNK_BYTES
from ingest.spool import Disk, Spool

PIECE = bytes(CHUNK_BYTES)
PIECES = 50


class Attentive(Disk):
    """Notes what it is asked to let go, and how much was written by then."""

    def __init__(self) -> None:
        self.written = 0
        self.spans: list[tuple[int, int, int]] = []

    def write(self, descriptor: int, data: memoryview, position: int) -> int:
        self.written = position + len(data)
        return super().write(descriptor, data, position)

    def let_go(self, descriptor: int, start: int, length: int) -> None:
        self.spans.append((self.written, start, start + length))
        super().let_go(descriptor, start, length)


def test_bytes_are_sent_to_the_disk_on_the_way_and_never_beyond_what_is_written(tmp_path: Path) -> None:
    disk = Attentive()
    file = Spool.open(tmp_path / "s", tmp_path / "q", disk=disk).open_for_append(uuid4(), create=True)
    for number in range(PIECES):
        file.write(memoryview(PIECE), number * CHUNK_BYTES)
    spans = list(disk.spans)
    file.sync()
    file.close()
    assert all(end <= written < end + 8 * CHUNK_BYTES for written, _, end in spans)
    assert [end // CHUNK_BYTES for _, _, end in spans] == [8, 16, 24, 32, 40, 48]
    assert max(end - start for _, start, end in spans) == 32 * CHUNK_BYTES
    assert disk.spans[-1] == (PIECES * CHUNK_BYTES, 0, 0)


def test_a_file_system_that_takes_no_advice_keeps_every_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EINVAL, "no such advice here")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    spool, upload = Spool.open(tmp_path / "s", tmp_path / "q"), uuid4()
    file = spool.open_for_append(upload, create=True)
    for number in range(9):
        file.write(memoryview(PIECE), number * CHUNK_BYTES)
    file.sync()
    file.close()
    assert spool.bytes_path(upload).read_bytes() == PIECE * 9
