"""Bringing to the disk what was written to a file, in a thread of its own, while more is written.

A writer that waits for the disk every so many bytes, and a disk that waits for the writer in between, take the sum of
both times. Here at most one sync is under way; what was written when it began is on the disk when it ends, and only
then is that told. Whoever uses this tells nobody of more.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class WriteBehind:
    """Syncs one file.

    Attributes:
        handle: The file, open for writing as long as this is used.
        step_bytes: After so many more bytes another sync begins.
    """

    handle: int
    step_bytes: int
    _lane: ThreadPoolExecutor
    _begun: int = 0
    _pending: Future[None] | None = None

    def reached(self, place: int, then: Callable[[], None] = lambda: None) -> None:
        """Tell that everything before a place is written.

        Args:
            place: In bytes of whatever the caller counts, rising.
            then: Called in the other thread once all that is on the disk; left out where no sync begins now.

        Raises:
            OSError: The sync before this one failed; or what was called after it did.
        """
        if self._pending is not None:
            if not self._pending.done():
                return
            self._pending.result()
            self._pending = None
        if place - self._begun >= self.step_bytes:
            self._begun = place
            self._pending = self._lane.submit(self._sync, then)

    def wait(self) -> None:
        """Wait for the sync that is under way.

        Raises:
            OSError: It failed.
        """
        if self._pending is not None:
            self._pending.result()

    def _sync(self, then: Callable[[], None]) -> None:
        os.fdatasync(self.handle)
        then()


@contextmanager
def write_behind(handle: int, *, step_bytes: int) -> Iterator[WriteBehind]:
    """Sync a file while it is written; left only when no sync is under way any more.

    Args:
        handle: The file.
        step_bytes: After so many more bytes another sync begins.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="sync") as lane:
        yield WriteBehind(handle, step_bytes, lane)


@dataclass
class NewFiles:
    """Makes files whose sync and close happen in another thread, while the next are written.

    Attributes:
        open_max: Most files that wait for it.
    """

    lane: ThreadPoolExecutor
    open_max: int = 16
    _waiting: deque[Future[None]] = field(default_factory=deque)

    @contextmanager
    def new(self, path: Path) -> Iterator[int]:
        """Make a read-only file and give its handle, open for reading and writing.

        Raises:
            OSError: It is there already, or cannot be made; or one before it could not be synced.
        """
        while len(self._waiting) >= self.open_max:
            self._waiting.popleft().result()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o444)
        with ExitStack() as undo:
            undo.callback(os.close, handle)
            yield handle
            undo.pop_all()
        self._waiting.append(self.lane.submit(_sync_and_close, handle))

    def wait(self) -> None:
        """Wait until every file is on the disk.

        Raises:
            OSError: One of them is not.
        """
        while self._waiting:
            self._waiting.popleft().result()


@contextmanager
def new_files() -> Iterator[NewFiles]:
    """Make files; left only when all of them are closed. What was not waited for may not be on the disk."""
    with ThreadPoolExecutor(1, thread_name_prefix="sync") as lane:
        yield NewFiles(lane)


def _sync_and_close(handle: int) -> None:
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
