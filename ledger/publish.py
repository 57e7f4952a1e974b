"""Where the log is shown to the world: write-once tiles and bundles, and one checkpoint that only moves forward.

`LogStorage` is all that the sequencer, the reader and the audit know of the place. `LogFolder` keeps a log in a folder
that any web server may serve as it is (C2SP tlog-tiles), `ledger.publish_s3` keeps one in S3-compatible storage. Two
promises make a storage safe against a leader that was late: an immutable name never changes its bytes, and the
checkpoint never goes back, whoever writes and in what order.

Crash story of `put_immutable`, per file: temporary file, linked, folder synced. Before the last step nobody has been
told; the same call with the same bytes, made again after the crash, finds what is there, compares and ends the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.durable import TEMPORARY_PREFIX, create_files, make_folders, remove_temporaries, sync_folder, write_file
from ledger.errors import CheckpointMalformed, CheckpointStale, NoteMalformed, StorageBusy, StorageConflict
from ledger.note import parse_note

CHECKPOINT_PATH = "checkpoint"
"""Name of the published checkpoint below the log's prefix (tlog-tiles)."""

CHECKPOINT_TYPE = "text/plain; charset=utf-8"
"""Media type that a checkpoint is served with (tlog-tiles); the others are bytes."""

TILE_TYPE = "application/octet-stream"

STORED_CHECKPOINT_CACHE = "no-cache"
"""A stored checkpoint is asked for anew by every cache before it is shown."""

TILE_CACHE = "public, max-age=31536000, immutable"
"""Tiles and bundles never change (tlog-tiles)."""

LOCK_WAIT_SECONDS = 3.0
"""How long one writer of the checkpoint waits for another; each holds the lock for the time of one small file."""

_LOCK_NAME = ".lock"
_SETTLED_MAX = 4096


class StoredFiles(Protocol):
    """What an audit needs of a place: to read its files and to list them."""

    async def get(self, path: str) -> bytes | None:
        """Return a file, None when there is none by that name.

        Raises:
            OSError, StorageUnreachable: The storage fails.
        """
        ...

    def paths(self) -> AsyncIterator[str]:
        """Iterate over the names of all stored files, in no particular order.

        Raises:
            OSError, StorageUnreachable: The storage fails.
        """
        ...


class LogStorage(StoredFiles, Protocol):
    """A place for published files; paths are those of tlog-tiles, relative to the log's prefix."""

    async def put_immutable(self, files: Mapping[str, bytes]) -> None:
        """Store files that will never change; all of them are durable when this returns.

        Raises:
            StorageConflict: A name holds other bytes; those stay.
            OSError, StorageUnreachable: The storage fails; some of the files may be there.
        """
        ...

    async def put_checkpoint(self, note: bytes) -> None:
        """Replace the published checkpoint in one step; durable when this returns.

        Raises:
            CheckpointStale: A larger one is published.
            StorageConflict: One of the same size with another root or origin is published, or none that can be read.
            OSError, StorageUnreachable: The storage fails; the old or the new one is there.
        """
        ...

    async def drop_partials(self, paths: Iterable[str]) -> None:
        """Remove the partial files of these full tiles and bundles, as far as there are any."""
        ...

    async def remove_unfinished(self) -> None:
        """Remove what a crash left half written; only for the one who leads, before it writes."""
        ...


class LogFolder:
    """A log in a local folder. Any number of processes may read it and one of them write.

    Args:
        root: The folder; it is made when the first file is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._settled: set[Path] = set()

    async def put_immutable(self, files: Mapping[str, bytes]) -> None:
        """See `LogStorage.put_immutable`."""
        await asyncio.to_thread(self._put_immutable, files)

    async def put_checkpoint(self, note: bytes) -> None:
        """See `LogStorage.put_checkpoint`.

        Raises:
            StorageBusy: Another writer held the lock for more than `LOCK_WAIT_SECONDS`.
        """
        await asyncio.to_thread(self._put_checkpoint, note)

    async def get(self, path: str) -> bytes | None:
        """See `LogStorage.get`."""
        return await asyncio.to_thread(self._get, path)

    async def drop_partials(self, paths: Iterable[str]) -> None:
        """See `LogStorage.drop_partials`; not synced, what a power cut brings back harms nobody."""
        await asyncio.to_thread(self._drop_partials, list(paths))

    async def paths(self) -> AsyncIterator[str]:
        """See `LogStorage.paths`; unfinished files and the lock do not count."""
        walk = os.walk(self.root)
        while (step := await asyncio.to_thread(next, walk, None)) is not None:
            folder, _, names = step
            for name in names:
                if name != _LOCK_NAME and not name.startswith(TEMPORARY_PREFIX):
                    yield (Path(folder) / name).relative_to(self.root).as_posix()

    async def remove_unfinished(self) -> None:
        """See `LogStorage.remove_unfinished`."""
        # A term begins here, and with it all folders are looked at anew: somebody may have moved or replaced them.
        self._settled.clear()
        await asyncio.to_thread(remove_temporaries, self.root)

    def _put_immutable(self, files: Mapping[str, bytes]) -> None:
        targets = {self.root / path: data for path, data in files.items()}
        for folder in {target.parent for target in targets}:
            self._settle(folder)
        for taken in create_files(targets, scratch=self.root):
            if taken.read_bytes() != targets[taken]:
                path = taken.relative_to(self.root).as_posix()
                raise StorageConflict(f"{path} is published with other bytes", path=path)

    def _put_checkpoint(self, note: bytes) -> None:
        following = stored_checkpoint(note)
        self._settle(self.root)
        with self._lock():
            current = self._get(CHECKPOINT_PATH)
            if current is not None:
                check_forward(stored_checkpoint(current), following)
            write_file(self.root / CHECKPOINT_PATH, note)

    def _get(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _drop_partials(self, paths: list[str]) -> None:
        for path in paths:
            folder = self.root / f"{path}.p"
            self._settled.discard(folder)
            shutil.rmtree(folder, ignore_errors=True)

    def _settle(self, folder: Path) -> None:
        """Make a folder, and make sure once per process that a power cut cannot take it or those above away.

        A folder that is there may have been made just before a crash, without its name being synced.
        """
        if folder in self._settled:
            return
        make_folders(folder)
        while folder not in self._settled:
            sync_folder(folder.parent)
            self._settled.add(folder)
            if folder == self.root:
                break
            folder = folder.parent
        if len(self._settled) > _SETTLED_MAX:
            self._settled.clear()

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the folder's lock; it ends with its holder, so a crash leaves nothing behind."""
        handle = os.open(self.root / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            deadline = time.monotonic() + LOCK_WAIT_SECONDS
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise StorageBusy(f"the lock of {self.root} is held by another process") from error
                    time.sleep(0.02)
            yield
        finally:
            os.close(handle)


def stored_checkpoint(note: bytes) -> Checkpoint:
    """Read a published checkpoint without judging its signatures: a storage's business is order, not trust.

    Raises:
        StorageConflict: It is no checkpoint: not from a log, or not for one.
    """
    try:
        return parse_checkpoint(parse_note(note).text)
    except (NoteMalformed, CheckpointMalformed) as error:
        raise StorageConflict(f"not a checkpoint that could be published: {error.message}") from error


def check_forward(current: Checkpoint, following: Checkpoint) -> None:
    """Check that a checkpoint may replace the published one.

    Raises:
        CheckpointStale: It is smaller.
        StorageConflict: It is of another log, or contradicts the published one.
    """
    if following.origin != current.origin:
        raise StorageConflict(f"the storage holds the log {current.origin}, not {following.origin}")
    if following.size < current.size:
        raise CheckpointStale(f"{current.size} entries are published, {following.size} are the past", size=current.size)
    if following.size == current.size and following.root != current.root:
        raise StorageConflict(f"another root is published for {current.size} entries", size=current.size)
