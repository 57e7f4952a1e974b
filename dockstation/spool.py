"""Spool: the station's own store, where files wait for a link that is slower than the shift.

One folder, for the agent alone. A file in it has a name that nobody can guess from outside and that the journal knew
before the file was made; whether it is a part or the whole of a recording is the journal's word, never the name's. So
nothing here is ever renamed, and what no row of the journal names is left alone: it belongs to another log, or to a
person.

The spool takes at most `bytes_max` bytes and leaves `RESERVE_BYTES` of its disk free. Room is set aside for a whole
file before its first byte is copied. A copy that turns out to be damaged is kept beside it as `<name>.damaged`.

All methods but the bookkeeping of room block.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from dockstation.card import Card, SeenFile
from dockstation.errors import DockError, SpoolDamaged, SpoolFull
from dockstation.intake import FileReader
from dockstation.journal import FileRow
from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.core.durable import make_folders, sync_folder
from ledger.tree import leaf_hash

RESERVE_BYTES = 256 * 1024 * 1024
"""What is left free on the spool's disk: the journal and the receipts may lie there too."""


class Spool:
    """The folder and the room in it.

    Args:
        folder: Made if it is missing, for its owner only.
        bytes_max: Most bytes of files in it; 0 for as many as the disk takes.
        rows: The journal's rows whose files lie in it.
    """

    def __init__(self, folder: Path, *, bytes_max: int, rows: Iterable[FileRow] = ()) -> None:
        self.folder = folder
        self._bytes_max = bytes_max
        self._taken = {row.spool: row.seen.size for row in rows if row.spool is not None}
        self._unwritten: dict[str, int] = {}
        make_folders(folder.absolute().parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)

    def set_aside(self, name: str, size: int) -> None:
        """Set room aside for a file that is about to be copied.

        Raises:
            SpoolFull: There is not enough.
        """
        used = sum(taken for other, taken in self._taken.items() if other != name)
        if self._bytes_max and used + size > self._bytes_max:
            raise SpoolFull(f"{self.folder} holds {used} of {self._bytes_max} bytes, {size} more do not fit")
        try:
            about = os.statvfs(self.folder)
        except OSError as error:
            raise SpoolFull(f"{self.folder}: {error.strerror}") from error
        free = about.f_bavail * about.f_frsize - sum(self._unwritten.values())
        if free < size + RESERVE_BYTES:
            raise SpoolFull(f"the disk of {self.folder} has {free} bytes free, {size} more do not fit")
        self._taken[name] = self._unwritten[name] = size

    def written(self, name: str) -> None:
        """Note that nobody writes to a file any more; the room stays taken."""
        self._unwritten.pop(name, None)

    def is_written_to(self, name: str) -> bool:
        """Tell whether somebody copies to this file now."""
        return name in self._unwritten

    def remove(self, name: str) -> None:
        """Remove a file, or do nothing if it is gone already, and bring that to the disk.

        Raises:
            SpoolFull: The disk does not let it go.
        """
        try:
            (self.folder / name).unlink(missing_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise SpoolFull(f"{self.folder / name}: {error.strerror}") from error
        self._taken.pop(name, None)

    def put_aside(self, name: str) -> None:
        """Keep a damaged copy under another name, for somebody to look at."""
        with suppress(OSError):
            (self.folder / name).rename(self.folder / f"{name}.damaged")
        self._taken.pop(name, None)

    def file_of(self, row: FileRow) -> SeenFile:
        """Return a row's copy as a reader wants to see it.

        Raises:
            SpoolDamaged: It is missing, or its size is another.
        """
        name = row.spool or ""
        try:
            about = (self.folder / name).lstat()
        except OSError as error:
            raise SpoolDamaged(f"the copy of {row.path}: {error.strerror}") from error
        if about.st_size != row.seen.size:
            raise SpoolDamaged(f"the copy of {row.path} has {about.st_size} bytes instead of {row.seen.size}")
        return replace(
            row.seen,
            name=os.fsencode(name),
            device=about.st_dev,
            inode=about.st_ino,
            modified_ns=about.st_mtime_ns,
        )

    def check(self) -> None:
        """Do nothing: the station's own disk is not swapped."""

    def open_file(self, file: SeenFile) -> int:
        """Open a copy for reading; see `intake.Medium`.

        Raises:
            SpoolDamaged: It cannot be opened.
        """
        try:
            return os.open(self.folder / os.fsdecode(file.name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise self.explain(error, file) from error

    def explain(self, error: OSError, file: SeenFile) -> DockError:
        """Return what a failed read of a copy means."""
        return SpoolDamaged(f"the copy of {file.path}: {error.strerror}")


class Copy:
    """One file on its way from a card into the spool; every byte that is written was hashed in the same read.

    A part that an earlier run left is gone on with only as far as it fits: what the journal remembers of the card must
    still be there (`FileReader.catch_up`), and each chunk of the part must be the chunk that was just read.

    Raises:
        SpoolFull: The spool's disk fails.
        DockError: See `FileReader`.
    """

    def __init__(self, spool: Spool, card: Card, row: FileRow) -> None:
        self._path = spool.folder / (row.spool or "")
        self._size = row.seen.size
        self._reader = FileReader(card, row.seen)
        self._handle = -1
        try:
            if row.prefix is not None:
                self._reader.catch_up(row.prefix)
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                self._handle = os.open(self._path, flags, 0o600)
                sync_folder(spool.folder)
                self._next = self._fitting_chunks()
                os.ftruncate(self._handle, self._next * CHUNK_BYTES)
            except OSError as error:
                raise SpoolFull(f"{self._path}: {error.strerror}") from error
        except DockError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of both files."""
        self._reader.close()
        if self._handle >= 0:
            os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def reader(self) -> FileReader:
        """Return what reads the card."""
        return self._reader

    def step(self, chunks_max: int) -> int:
        """Copy some chunks, bring them to the disk, and return how many bytes from the start are there.

        Raises:
            SpoolFull: The disk takes no more.
            DockError: See `FileReader.chunk`.
        """
        for _ in range(chunks_max):
            if self._next * CHUNK_BYTES >= self._size:
                break
            self._write(self._reader.chunk(self._next), self._next * CHUNK_BYTES)
            self._next += 1
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            raise SpoolFull(f"{self._path}: {error.strerror}") from error
        return min(self._size, self._next * CHUNK_BYTES)

    def finish(self) -> ClipDigest:
        """Return the digests of what was copied, which is on the disk; see `FileReader.finish`."""
        digest = self._reader.finish()
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise SpoolFull(f"{self._path}: {error.strerror}") from error
        return digest

    def _write(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        try:
            while view:
                count = os.pwrite(self._handle, view, offset)
                view, offset = view[count:], offset + count
        except OSError as error:
            raise SpoolFull(f"{self._path}: {error.strerror}") from error

    def _fitting_chunks(self) -> int:
        known = self._reader.hashed_bytes // CHUNK_BYTES
        for index in range(known):
            data = os.pread(self._handle, CHUNK_BYTES, index * CHUNK_BYTES)
            if len(data) < CHUNK_BYTES or leaf_hash(data) != self._reader.leaf(index):
                return index
        return known
