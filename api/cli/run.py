"""Running a command's coroutine: event loop, signals, and a stop that lets everything finish in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from api.cli.exits import Exit

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command to its end; SIGINT and SIGTERM cancel it and everything it opened is taken down in order.

    Raises:
        SystemExit: It was interrupted; with the documented code.
    """
    try:
        return uvloop.run(_interruptible(main))
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None


async def until_stopped(started: Callable[[], None]) -> None:
    """Call `started`, then wait until SIGINT or SIGTERM asks this process to stop; both are a clean end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    started()
    await stop.wait()


async def _interruptible(main: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs has a task
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        return await main
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
