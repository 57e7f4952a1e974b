"""Running: a watch from its first look to its end, by itself or by Ctrl-C or SIGTERM.

A signal cancels what is under way; every file is then in a state from which the next run goes on, so there is nothing
to tidy up but threads and handles. A second signal ends the program on the spot, for the case that a card hangs.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from dockstation.agent import Options, open_watch
from dockstation.config import Settings, StateFolder
from dockstation.events import Bus, Tell
from dockstation.watch import Job, Report

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_forever(folder: StateFolder, settings: Settings, job: Job, options: Options, tell: Tell) -> None:
    """Dock until stopped.

    Raises:
        CodedError: The station cannot work at all.
    """

    async def work() -> None:
        async with open_watch(folder, settings, job, options=options, bus=_bus(tell)) as watch:
            await watch.forever()

    asyncio.run(_until_stopped(work()))


def run_once(folder: StateFolder, settings: Settings, job: Job, options: Options, tell: Tell) -> Report | None:
    """Dock until nothing is waiting any more; return None when stopped before.

    Raises:
        CodedError: The station cannot work at all.
    """

    async def work() -> Report:
        async with open_watch(folder, settings, job, options=options, bus=_bus(tell)) as watch:
            return await watch.once()

    return asyncio.run(_until_stopped(work()))


def _bus(tell: Tell) -> Bus:
    bus = Bus()
    bus.listen(tell)
    return bus


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T | None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def stop() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
