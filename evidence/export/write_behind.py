"""Bringing to the disk what was written to a file, in a thread of its own, while more is written.

A writer that waits for the disk every so many bytes, and a disk that waits for the writer in between, take the sum of
both times. Here at most one sync is under way; what was written when it began is on the disk when it ends, and only
then is that told. Whoever uses this tells nobody of more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass


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
