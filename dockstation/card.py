"""A recorder's card: an opened folder beneath which files are listed, read and removed, and nothing outside it.

Trust: what lies on a card is written by others. No link is followed at any level (each folder on the way is opened by
itself with `O_NOFOLLOW`), only regular files on the card's own device and mount count, depth and number are limited, a
folder that contains itself is left, and one that refuses to be read is named. A name is never joined to a path that
the kernel would resolve in one go. A file that claims more bytes than the whole card holds is listed and never opened.

A pulled card looks like an empty folder, and another card in its place like the same folder. So a `Card` remembers
device, inode and mount of its root, keeps that root open, and `check` compares them with what the path shows now.
While the root is open the kernel gives its mount's number to no other: two FAT cards in one slot, alike in device and
inode, are told apart by it.

All methods block; the caller runs those of one card on one thread, `close` last.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from dockstation.detect.mounts import mount_of, peek
from dockstation.errors import CardLost, DockError, FileChanged, FileGone, FileUnreadable, FileUnsafe
from evidence.core.wire.paths import escape_path
from evidence.errors import WireError
from ledger.canonical import INTEGER_MAX

ENTRIES_MAX = 200_000
"""Most names that one look takes in; beyond lies a card meant to exhaust the station, or a broken file system."""

DEPTH_MAX = 24
"""Deepest folder below the root; makers use two to five."""

_MEDIUM_ERRNOS = frozenset({errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.ENOMEDIUM})

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK the open of a pipe would wait for a writer who never comes.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


FileKey = tuple[str, bool, int, int]
"""Path, whether it is escaped, size in bytes, time of last modification in nanoseconds."""


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A regular file as one look shows it.

    Attributes:
        name: Path below the root in the file system's bytes.
        path: The same as statements write it; see `evidence.core.wire.paths`.
        raw: Whether `path` is escaped.
        size: Bytes.
        modified_ns: Time of last modification in nanoseconds since 1970.
        device: `st_dev`.
        inode: `st_ino`; stable while the card stays mounted, not longer.
    """

    name: bytes
    path: str
    raw: bool
    size: int
    modified_ns: int
    device: int
    inode: int

    @property
    def identity(self) -> tuple[int, int, int, int]:
        """Return what must stay the same for the bytes to be the same."""
        return (self.device, self.inode, self.size, self.modified_ns)

    @property
    def key(self) -> FileKey:
        """Return what makes it the same file when the card is mounted again."""
        return (self.path, self.raw, self.size, self.modified_ns)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something on the card that is not read, and why.

    Attributes:
        path: Its path for people, escaped where it is not UTF-8.
        code: Code of the error class that describes it.
        reason: One sentence.
    """

    path: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """Result of one look over a card: files in the order of their paths, and what was left alone."""

    files: tuple[SeenFile, ...]
    remarks: tuple[Remark, ...]


NOTHING_SEEN = Sighting((), ())


class Card:
    """An opened recorder folder; use as a context manager.

    Args:
        root: Where the recorder is mounted.

    Raises:
        CardLost: The folder is not there, is a link, or cannot be opened.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self._handle = os.open(root, _FOLDER_FLAGS)
        except OSError as error:
            raise CardLost(f"{root} cannot be opened: {error.strerror}") from error
        about = os.fstat(self._handle)
        self.device, self.inode = about.st_dev, about.st_ino
        self._mount = mount_of(self._handle)
        space = os.fstatvfs(self._handle)
        self._bytes_max = space.f_blocks * space.f_frsize

    def close(self) -> None:
        """Let go of the card, so that it can be unmounted."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self) -> None:
        """Make sure that the path still shows the card that was opened.

        Raises:
            CardLost: It shows nothing, or something else.
        """
        try:
            shown = peek(self.root)
        except OSError as error:
            raise CardLost(f"{self.root} is gone: {error.strerror}") from error
        if shown != (self.device, self.inode, self._mount):
            raise CardLost(f"{self.root} shows another card than the one that was opened")

    def look(self) -> Sighting:
        """List every regular file of the card; nothing is opened but folders.

        Raises:
            CardLost: The card stopped answering.
        """
        files: list[SeenFile] = []
        remarks: list[Remark] = []
        above = ((self.device, self.inode),)
        for count, item in enumerate(self._walk(self._handle, b"", above=above), start=1):
            if isinstance(item, Remark):
                remarks.append(item)
            else:
                files.append(item)
            if count >= ENTRIES_MAX:
                remarks.append(
                    Remark(".", FileUnsafe.code, f"more than {ENTRIES_MAX} names; the rest was not looked at")
                )
                break
        self.check()
        return Sighting(files=tuple(sorted(files, key=lambda file: file.name)), remarks=tuple(remarks))

    def open_file(self, file: SeenFile) -> int:
        """Open a file that `look` has shown and return its handle.

        Raises:
            FileGone: It is no longer there.
            FileChanged: Another file is in its place, or it was written since.
            FileUnsafe: A link or a special file is in its place, or it claims more bytes than the card holds.
            FileUnreadable: The system does not let it be opened.
            CardLost: The card stopped answering.
        """
        # Some file systems that are no card (FUSE, networks) state no size; nothing can be said about their files.
        if 0 < self._bytes_max < file.size:
            raise FileUnsafe(f"{file.path} claims {file.size} bytes, the whole card holds {self._bytes_max}")
        try:
            folder = self._open_parent(file.name)
            try:
                handle = os.open(file.name.rpartition(b"/")[2], _FILE_FLAGS, dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self.explain(error, file) from error
        try:
            check_same(handle, file)
        except DockError:
            os.close(handle)
            raise
        return handle

    def remove(self, file: SeenFile) -> None:
        """Remove a file and bring the removal to the card.

        Raises:
            FileChanged: What has the name now is another file.
            FileGone, FileUnsafe, FileUnreadable, CardLost: See `open_file`.
        """
        last = file.name.rpartition(b"/")[2]
        try:
            folder = self._open_parent(file.name)
            try:
                # Between this look and the unlink nobody but the operating system writes to a docked recorder.
                about = os.stat(last, dir_fd=folder, follow_symlinks=False)
                if (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns) != file.identity:
                    raise FileChanged(f"{file.path} is not the file that was sealed")
                os.unlink(last, dir_fd=folder)
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self.explain(error, file) from error

    def put(self, name: str, data: bytes) -> None:
        """Write a small file into the top folder, whole or not at all; the one place where a card is written to.

        Raises:
            CardLost: The card stopped answering.
            FileUnreadable: The system does not let it be written, for example because the card is read-only.
        """
        part = part_of(name)
        try:
            handle = os.open(part, _NEW_FLAGS, 0o644, dir_fd=self._handle)
            try:
                os.write(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
            # Whatever stands under the name is replaced, a link as well: what it points to is not touched.
            os.replace(part, name, src_dir_fd=self._handle, dst_dir_fd=self._handle)
            os.fsync(self._handle)
        except OSError as error:
            self.check()
            raise FileUnreadable(f"{name} cannot be written: {error.strerror}") from error

    def explain(self, error: OSError, file: SeenFile) -> DockError:
        """Return the coded error for a failed system call on a file of this card.

        A medium error can be one bad sector or a pulled card; the root decides which.
        """
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            self.check()
            return FileGone(f"{file.path} is no longer on the recorder")
        if error.errno in {errno.ELOOP, errno.ENXIO} and self._is_there():
            return FileUnsafe(f"{file.path} is a link or a special file now")
        if error.errno in _MEDIUM_ERRNOS and not self._is_there():
            return CardLost(f"the card stopped answering at {file.path}: {error.strerror}")
        return FileUnreadable(f"{file.path}: {error.strerror}")

    def _is_there(self) -> bool:
        try:
            self.check()
            os.close(os.open(".", _FOLDER_FLAGS, dir_fd=self._handle))
        except (CardLost, OSError):
            return False
        return True

    def _open_parent(self, name: bytes) -> int:
        folder = os.dup(self._handle)
        for part in name.split(b"/")[:-1]:
            try:
                below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
            finally:
                os.close(folder)
            folder = below
        return folder

    def _walk(self, folder: int, prefix: bytes, *, above: tuple[tuple[int, int], ...]) -> Iterator[SeenFile | Remark]:
        """List a folder; `above` holds device and inode of it and of all folders on the way to it."""
        try:
            with os.scandir(folder) as entries:
                # One more than is taken in: enough to notice that there are more, however many there are.
                names = [os.fsencode(entry.name) for entry in islice(entries, ENTRIES_MAX + 1)]
        except OSError as error:
            yield self._unreadable(prefix or b".", error)
            return
        for last in names:
            yield from self._judge(folder, prefix + last, above=above)

    def _judge(self, folder: int, name: bytes, *, above: tuple[tuple[int, int], ...]) -> Iterator[SeenFile | Remark]:
        try:
            about = os.stat(name.rpartition(b"/")[2], dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            yield self._unreadable(name, error)
            return
        if about.st_dev != self.device:
            yield _unsafe(name, "it lies on another device")
        elif stat.S_ISDIR(about.st_mode):
            yield from self._descend(folder, name, above=above)
        elif stat.S_ISLNK(about.st_mode):
            yield _unsafe(name, "it is a symbolic link")
        elif not stat.S_ISREG(about.st_mode):
            yield _unsafe(name, "it is a pipe, a socket or a device")
        else:
            yield self._seen(name, about)

    def _seen(self, name: bytes, about: os.stat_result) -> SeenFile | Remark:
        if about.st_size > INTEGER_MAX:
            return _unsafe(name, f"it claims {about.st_size} bytes, more than statements can carry")
        try:
            path, raw = escape_path(name)
        except WireError as error:
            return _unsafe(name, error.message)
        return SeenFile(
            name=name,
            path=path,
            raw=raw,
            size=about.st_size,
            modified_ns=about.st_mtime_ns,
            device=about.st_dev,
            inode=about.st_ino,
        )

    def _descend(self, folder: int, name: bytes, *, above: tuple[tuple[int, int], ...]) -> Iterator[SeenFile | Remark]:
        if len(above) > DEPTH_MAX:
            yield _unsafe(name, f"it lies deeper than {DEPTH_MAX} folders")
            return
        try:
            below = os.open(name.rpartition(b"/")[2], _FOLDER_FLAGS, dir_fd=folder)
        except OSError as error:
            yield self._unreadable(name, error)
            return
        try:
            about = os.fstat(below)
            identity = (about.st_dev, about.st_ino)
            if identity in above:
                yield _unsafe(name, "it is a folder that contains itself")
            elif mount_of(below) != self._mount:
                yield _unsafe(name, "another mount lies over it")
            else:
                yield from self._walk(below, name + b"/", above=(*above, identity))
        finally:
            os.close(below)

    def _unreadable(self, name: bytes, error: OSError) -> Remark:
        # One folder with a bad sector costs that folder; a card that is gone costs the whole look.
        if error.errno in _MEDIUM_ERRNOS and not self._is_there():
            raise CardLost(f"{self.root} stopped answering: {error.strerror}") from error
        return Remark(_shown(name), FileUnreadable.code, f"it cannot be read: {error.strerror}")


def part_of(name: str) -> str:
    """Return the name under which a file of ours is begun; a pulled card keeps it, and it is nobody's footage."""
    return f".{name}.part"


def check_same(handle: int, file: SeenFile) -> None:
    """Make sure that an open file is the one that was seen: same device, inode, size and time.

    Raises:
        FileUnsafe: It is no regular file.
        FileChanged: It is another file, or it was written since.
    """
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        raise FileUnsafe(f"{file.path} is no regular file")
    if (about.st_dev, about.st_ino) != (file.device, file.inode):
        raise FileChanged(f"{file.path} was replaced by another file")
    if about.st_size != file.size:
        raise FileChanged(f"{file.path} had {file.size} bytes and has {about.st_size} now")
    if about.st_mtime_ns != file.modified_ns:
        raise FileChanged(f"{file.path} was written since it was seen")


def _unsafe(name: bytes, reason: str) -> Remark:
    return Remark(_shown(name), FileUnsafe.code, reason)


def _shown(name: bytes) -> str:
    return name[:512].decode("utf-8", "backslashreplace")
