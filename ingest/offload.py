"""Blocking disk work off the event loop, its errors coded; and work that no cancellation may leave half done."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

from ingest.errors import IngestError, SpoolFailed, UploadNoSpace

P = ParamSpec("P")
R = TypeVar("R")


async def on_disk(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a blocking function in a thread of the common pool.

    Raises:
        UploadNoSpace, SpoolFailed: It met an `OSError`.
    """
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except OSError as error:
        raise disk_error(error) from error


async def on_disk_in(executor: Executor, call: Callable[[], R]) -> R:
    """Make a blocking call in a pool of its own, for work that would hold up the common one; raises as `on_disk`."""
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, call)
    except OSError as error:
        raise disk_error(error) from error


def disk_error(error: OSError) -> IngestError:
    """Return the coded error for a disk that refused to write, to sync or to give."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UploadNoSpace("the disk is full")
    return SpoolFailed(f"the disk failed: {error.strerror or error}", errno=error.errno)


async def to_the_end(work: Coroutine[None, None, R]) -> R:
    """Run work to its end even when the caller is cancelled meanwhile; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, or the loop would complain that nobody did
        raise cancelled
    return task.result()
