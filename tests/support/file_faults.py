"""Faults at single file system calls of the threads that write a log folder: EIO, ENOSPC, before a call or after it.

The profiler sees each real call of the C library's wrappers in those threads. What it raises is what the caller of that
system call gets: raised before, the call was not made; raised after, it was made and its answer got lost.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

WATCHED = frozenset({"posix", "fcntl", "_io"})
"""Modules whose functions are counted."""

_NO_SYSTEM_CALLS = frozenset({"fspath", "_path_normpath"})

_NEVER_UNDONE = frozenset({"close"})
"""A file is closed also when close(2) says EIO, and its lock is gone."""

_NEVER_UNREPORTED = frozenset({"scandir"})
"""What returns something that would have to be closed, and changes nothing."""


@dataclass(slots=True)
class FileFault:
    """One call that fails.

    Attributes:
        at: Its number, from 0.
        error: The errno.
        is_done: Whether the call is made all the same.
        calls: The calls that were made, in their order.
    """

    at: int
    error: int
    is_done: bool
    calls: list[str] = field(default_factory=list)

    @property
    def struck(self) -> bool:
        """Whether the call that fails was reached."""
        return len(self.calls) > self.at


@contextmanager
def failing_files(fault: FileFault) -> Iterator[None]:
    """Let the threads that the running event loop starts for blocking work meet the fault."""
    lock = threading.Lock()
    pending = threading.local()

    def watch(_frame: object, event: str, function: object) -> None:
        name = getattr(function, "__name__", "")
        if event not in ("c_call", "c_return") or getattr(function, "__module__", None) not in WATCHED:
            return
        if name in _NO_SYSTEM_CALLS:
            return
        if event == "c_call":
            with lock:
                fault.calls.append(name)
                mine = len(fault.calls) - 1 == fault.at
            opens = name in _NEVER_UNREPORTED or getattr(function, "__module__", None) == "_io"
            is_done = (fault.is_done or name in _NEVER_UNDONE) and not opens
            pending.struck = mine and is_done
            if mine and not is_done:
                raise OSError(fault.error, f"{name}: {os.strerror(fault.error)}")
        elif getattr(pending, "struck", False):
            pending.struck = False
            raise OSError(fault.error, f"{name}: done, and {os.strerror(fault.error)}")

    threading.setprofile(watch)
    # New threads, so that they are watched.
    pool = ThreadPoolExecutor(2)
    asyncio.get_running_loop().set_default_executor(pool)
    try:
        yield
    finally:
        threading.setprofile(None)
        pool.shutdown()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
