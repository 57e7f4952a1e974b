"""The spool: bytes of unfinished uploads on one host's disk, on the file system of the objects.

```
<folder>/spool-id           UUID of this spool; rows of other spools are left to other hosts
<folder>/<upload>.bytes     what has arrived, from byte 0; beyond the acknowledged offset anything may follow
<folder>/<upload>.leaves    32 bytes per full chunk: its leaf of the clip tree; of a complete upload per chunk
<quarantine>/<upload>.json  why an upload was refused, written before its bytes move
<quarantine>/<upload>.bytes the bytes themselves, kept for whoever looks into it
```

The acknowledged offset is a row in the database; the length of a file here is never taken for it. Both files are synced
before the offset moves, so every full chunk below an acknowledged offset has its leaf on disk. A crash at any point
leaves more than was acknowledged, never less, and the next writer cuts it back.

Bytes go to the disk while more arrive, and leave the system's cache once they are there: a sync at the end finds little
to do, a night of uploads does not push the database out of memory, and the same few pages are written again and again
instead of fresh ones. Whoever decodes a clip reads it from the disk.

The lock of a writer is a `flock` on the open file: it dies with its holder, and there is nothing to clean up.
Functions here block; callers run them off the event loop. The system's errors come out as `OSError`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

from evidence.core.digest import CHUNK_BYTES
from evidence.core.durable import (
    create_files,
    make_folders,
    publish_file,
    remove_temporaries,
    sync_folder,
    write_file,
)
from ingest.errors import SpoolDamaged, SpoolLost, UploadBusy
from ledger.tree import leaf_hash

LEAF_BYTES = 32
_WRITE_BACK_BYTES = 8 * CHUNK_BYTES
"""Bytes after which those before them are sent to the disk."""
_CACHED_BYTES = 4 * _WRITE_BACK_BYTES
"""How far back is looked for bytes that have come to the disk meanwhile."""
_ID_FILE = "spool-id"
_LEFTOVER_IDLE_SECONDS = 3600.0


class Disk:
    """The system calls that can fail on a full or dying disk, in one place where a test can make each of them fail."""

    def write(self, descriptor: int, data: memoryview, position: int) -> int:
        """Write at a position and return how many bytes were taken."""
        return os.pwrite(descriptor, data, position)

    def sync(self, descriptor: int) -> None:
        """Bring a file's bytes and length to the disk."""
        os.fdatasync(descriptor)

    def let_go(self, descriptor: int, start: int, length: int) -> None:
        """Begin to bring a span to the disk, and forget what of it is there already; length 0 is to the end."""
        # An advice: a file system that does not take it loses speed, not bytes.
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)

    def free_bytes(self, folder: Path) -> int:
        """Return the bytes an unprivileged writer could still write."""
        return shutil.disk_usage(folder).free


class SpoolFile:
    """The bytes and leaves of one upload, open and locked for their one writer."""

    def __init__(self, *, descriptor: int, leaves: int, disk: Disk, folder: Path) -> None:
        self._descriptor = descriptor
        self._leaves = leaves
        self._disk = disk
        self._folder = folder
        self._leaves_changed = False

    def cut_back(self, offset: int) -> None:
        """Remove everything beyond the acknowledged offset; only the rightful writer may.

        The file's name is on the disk after this, so that what is synced into it can be found again.

        Raises:
            SpoolLost: Acknowledged bytes are missing.
        """
        size = os.fstat(self._descriptor).st_size
        if size < offset:
            raise SpoolLost(f"only {size} of {offset} acknowledged bytes are on disk", on_disk=size, offset=offset)
        os.ftruncate(self._descriptor, offset)
        chunks = offset // CHUNK_BYTES
        present = min(os.fstat(self._leaves).st_size // LEAF_BYTES, chunks)
        os.ftruncate(self._leaves, present * LEAF_BYTES)
        if offset == 0:
            sync_folder(self._folder)
        # Leaves are synced with the bytes, so none is missing unless the file was lost; a hole would read as zeros.
        for index in range(present, chunks):
            self.write_leaf(index, leaf_hash(os.pread(self._descriptor, CHUNK_BYTES, index * CHUNK_BYTES)))

    def write(self, data: memoryview, position: int) -> None:
        """Write all of `data` at a position."""
        _write_all(self._disk, self._descriptor, data, position)
        end = (position + len(data)) // _WRITE_BACK_BYTES * _WRITE_BACK_BYTES
        if end > position:
            start = max(0, end - _CACHED_BYTES)
            self._disk.let_go(self._descriptor, start, end - start)

    def write_leaf(self, index: int, leaf: bytes) -> None:
        """Keep the leaf of a full chunk."""
        _write_all(self._disk, self._leaves, memoryview(leaf), index * LEAF_BYTES)
        self._leaves_changed = True

    def sync(self) -> None:
        """Bring everything written so far to the disk.

        After a failed sync the system may have dropped the pages, and a second one would lie: whoever meets the error
        must not acknowledge these bytes any more.
        """
        if self._leaves_changed:
            self._leaves_changed = False
            self._disk.sync(self._leaves)
        self._disk.sync(self._descriptor)
        self._disk.let_go(self._descriptor, 0, 0)

    def close(self) -> None:
        """Close both files, which lets the lock go."""
        os.close(self._leaves)
        os.close(self._descriptor)


class Spool:
    """One spool folder and its quarantine; make it with `Spool.open`."""

    def __init__(self, *, folder: Path, quarantine: Path, spool_id: UUID, disk: Disk) -> None:
        self.folder = folder
        self.quarantine = quarantine
        self.id = spool_id
        self._disk = disk

    @classmethod
    def open(cls, folder: Path, quarantine: Path, *, disk: Disk | None = None) -> Spool:
        """Open a spool, making its folders and its identity on first use; old leftovers of unfinished files go.

        Any number of programs may open one spool at once: the first to give it an identity gives it to all.
        """
        make_folders(folder)
        make_folders(quarantine)
        for place in (folder, quarantine):
            remove_temporaries(place, idle_seconds=_LEFTOVER_IDLE_SECONDS)
        id_file = folder / _ID_FILE
        if not id_file.exists():
            create_files({id_file: f"{uuid4()}\n".encode()}, scratch=folder)
        # Rows will name this identity: its name must not be lost to a power cut, whoever wrote it just now.
        sync_folder(folder)
        return cls(
            folder=folder, quarantine=quarantine, spool_id=UUID(id_file.read_text().strip()), disk=disk or Disk()
        )

    def bytes_path(self, upload: UUID) -> Path:
        """Return where an upload's bytes lie."""
        return self.folder / f"{upload}.bytes"

    def leaves_path(self, upload: UUID) -> Path:
        """Return where the leaves of an upload's full chunks lie."""
        return self.folder / f"{upload}.leaves"

    def quarantined_path(self, upload: UUID) -> Path:
        """Return where the bytes of a refused upload lie."""
        return self.quarantine / f"{upload}.bytes"

    def reason_path(self, upload: UUID) -> Path:
        """Return where the reason of a refused upload lies."""
        return self.quarantine / f"{upload}.json"

    def free_bytes(self) -> int:
        """Return the free bytes of the spool's disk."""
        return self._disk.free_bytes(self.folder)

    def uploads(self) -> set[UUID]:
        """Return the uploads that have a file here."""
        return {UUID(path.stem) for path in self.folder.iterdir() if path.suffix in {".bytes", ".leaves"}}

    def size(self, upload: UUID) -> int | None:
        """Return the length in bytes of an upload's file, acknowledged or not; None when there is no file."""
        try:
            return self.bytes_path(upload).stat().st_size
        except FileNotFoundError:
            return None

    def open_for_append(self, upload: UUID, *, create: bool) -> SpoolFile:
        """Open an upload for a writer and lock it; nothing is changed yet, and nothing waits for the disk.

        Args:
            upload: Which one.
            create: Whether nothing was acknowledged yet, so that the file may be missing.

        Raises:
            UploadBusy: Another writer still holds the lock.
            SpoolLost: The file is missing.
        """
        with contextlib.ExitStack() as undo:
            descriptor = _open(self.bytes_path(upload), create=create)
            undo.callback(os.close, descriptor)
            _take_lock(descriptor)
            leaves = _open(self.leaves_path(upload), create=True)
            undo.pop_all()
        return SpoolFile(descriptor=descriptor, leaves=leaves, disk=self._disk, folder=self.folder)

    @contextlib.contextmanager
    def locked(self, upload: UUID) -> Iterator[None]:
        """Hold the lock of an upload's file, so that no writer has it open; nothing to lock when the file is gone.

        Raises:
            UploadBusy: A writer holds it.
        """
        try:
            descriptor = os.open(self.bytes_path(upload), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            yield
            return
        try:
            _take_lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def kept_leaves(self, upload: UUID) -> list[bytes]:
        """Return the leaves beside an upload's bytes: of full chunks, and once complete of every chunk."""
        try:
            raw = self.leaves_path(upload).read_bytes()
        except FileNotFoundError:
            return []
        return [raw[at : at + LEAF_BYTES] for at in range(0, len(raw) - LEAF_BYTES + 1, LEAF_BYTES)]

    def keep_leaves(self, upload: UUID, leaves: Sequence[bytes]) -> None:
        """Add the leaf of a last, shorter chunk, so that all are at hand when the bytes of the upload have moved on.

        It is not synced: whoever misses it after a power cut hashes the bytes again.
        """
        descriptor = _open(self.leaves_path(upload), create=True)
        try:
            for leaf in leaves[-1:]:
                _write_all(self._disk, descriptor, memoryview(leaf), (len(leaves) - 1) * LEAF_BYTES)
        finally:
            os.close(descriptor)

    def all_leaves(self, upload: UUID, size: int) -> list[bytes]:
        """Return the leaf of every chunk of the first `size` bytes, reading again the chunks that have no kept leaf."""
        leaves = self.kept_leaves(upload)[: size // CHUNK_BYTES]
        for start in range(len(leaves) * CHUNK_BYTES, size, CHUNK_BYTES):
            leaves.append(leaf_hash(self.read(upload, start=start, end=min(start + CHUNK_BYTES, size))))
        return leaves

    def read_checked(self, upload: UUID, *, start: int, end: int) -> Iterator[memoryview]:
        """Yield the bytes of a span in pieces that end with their chunk; a piece is good until the next is asked for.

        Raises:
            SpoolDamaged: A full chunk is not the one whose leaf was kept.
            SpoolLost: Bytes are missing.
        """
        leaves = self.kept_leaves(upload)
        buffer = memoryview(bytearray(CHUNK_BYTES))
        with self._reader(upload) as descriptor:
            while start < end:
                piece = buffer[: min(CHUNK_BYTES - start % CHUNK_BYTES, end - start)]
                if os.preadv(descriptor, [piece], start) < len(piece):
                    raise SpoolLost(f"bytes from {start} to {end} are not all on this disk")
                index = start // CHUNK_BYTES
                is_checkable = len(piece) == CHUNK_BYTES and index < len(leaves)
                if is_checkable and leaf_hash(piece) != leaves[index]:
                    raise SpoolDamaged(f"chunk {index} on disk is not the one that was acknowledged", chunk=index)
                yield piece
                start += len(piece)

    def read(self, upload: UUID, *, start: int, end: int) -> bytes:
        """Return the bytes of a span.

        Raises:
            SpoolLost: They are not all there.
        """
        with self._reader(upload) as descriptor:
            data = os.pread(descriptor, end - start, start)
        if len(data) < end - start:
            raise SpoolLost(f"bytes {start + len(data)} to {end} are not on this disk")
        return data

    @contextlib.contextmanager
    def _reader(self, upload: UUID) -> Iterator[int]:
        try:
            descriptor = os.open(self.bytes_path(upload), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise SpoolLost("the file is not on this disk") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def hold_back(self, upload: UUID, reason: bytes) -> None:
        """Move an upload into quarantine, its reason first; doing it again finishes what a crash interrupted."""
        # A crash after this write leaves the reason without the bytes: recovery finds the reason and calls again.
        write_file(self.reason_path(upload), reason)
        if self.bytes_path(upload).exists():
            publish_file(self.bytes_path(upload), self.quarantined_path(upload))
        self.leaves_path(upload).unlink(missing_ok=True)

    def discard(self, upload: UUID) -> None:
        """Remove an upload's files, whichever are there."""
        self.bytes_path(upload).unlink(missing_ok=True)
        self.leaves_path(upload).unlink(missing_ok=True)


def start_chunk_hash(data: bytes = b"") -> hashlib._Hash:
    """Return the running leaf hash of a chunk that begins with `data` (prefix 0x00, RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + data)


def _open(path: Path, *, create: bool) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError as error:
        raise SpoolLost("the file is not on this disk") from error


def _take_lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UploadBusy("another request still holds this upload") from error


def _write_all(disk: Disk, descriptor: int, data: memoryview, position: int) -> None:
    while data:
        written = disk.write(descriptor, data, position)
        data, position = data[written:], position + written
