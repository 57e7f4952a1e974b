"""Running: a watch from its first look to its end, by itself or by Ctrl-C or SIGTERM.

A signal cancels what is under way; every file is then in a state from which the next run goes on, so there is nothing
to tidy up but threads and handles. A second signal ends the program on the spot, for the case that a card hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from dockstation.agent import Options, open_watch
from dockstation.config import Settings, StateFolder
from dockstation.errors import PageUnavailable
from dockstation.events import Bus, Event, Kind, Tell
from dockstation.replay.media import Backing
from dockstation.replay.player import Done, Player
from dockstation.replay.script import Script
from dockstation.watch import Job, Report, Watch
from evidence.core.clock import utc_now

T = TypeVar("T")

_M_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's `malloc.h`."""

_ARENAS = 2

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def spare_memory() -> None:
    """Let all threads share few pools of memory, where the C library can be told so (glibc).

    A station has a thread per card; a pool of each would keep megabytes that nobody uses. To be called before the first
    thread is started.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def run_forever(folder: StateFolder, settings: Settings, job: Job, options: Options, tell: Tell) -> None:
    """Dock until stopped.

    Raises:
        CodedError: The station cannot work at all.
    """

    async def work() -> None:
        begun = options
        while True:
            bus = _bus(tell)
            async with open_watch(folder, settings, job, options=begun, bus=bus) as watch, AsyncExitStack() as stack:
                if settings.page_listen:
                    await _show_page(settings.page_listen, folder, watch, bus, stack)
                await watch.forever()
            # It ends by itself for one reason: an administrator wants another key.
            begun = replace(options, change_key=True, retry_refused=False)

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


def run_replay(
    folder: StateFolder,
    settings: Settings,
    script: Script,
    backing: Backing,
    tell: Tell,
    on_step: Callable[[Done], None],
) -> bool:
    """Run a station on the recorders of a script; tell whether the script was played to its end, not stopped before.

    Raises:
        ReplayDiffers: Something that the script expects did not come true.
        CodedError: The station cannot work at all.
    """

    async def work() -> bool:
        bus = _bus(tell)
        with TemporaryDirectory(prefix="shilu-replay-") as place:
            player = Player(script, Path(place), backing)
            bus.listen(player.heard)
            options = Options(places=player, pread=player.media.pread)
            job = Job(watch=(), recorders=(), send=True, clear=settings.clear)
            async with open_watch(folder, settings, job, options=options, bus=bus) as watch:
                running = asyncio.create_task(watch.forever())
                try:
                    await player.play(views=watch.showcase.views, tell=on_step)
                finally:
                    running.cancel()
                    await asyncio.gather(running, return_exceptions=True)
        return True

    return asyncio.run(_until_stopped(work())) or False


async def _show_page(listen: str, folder: StateFolder, watch: Watch, bus: Bus, stack: AsyncExitStack) -> None:
    """Serve the status page as long as the station runs; a station without its page still does its work."""
    # Only a station with a screen needs the server half of aiohttp in its memory.
    from dockstation.page.board import Board
    from dockstation.page.server import serving_page

    name = folder.load_enrolment().name
    board = Board(name=name, showcase=watch.showcase, books=watch.books, clock=utc_now)
    bus.listen(board.heard)
    try:
        address = await stack.enter_async_context(serving_page(listen, board))
    except PageUnavailable as error:
        bus(Event(kind=Kind.TROUBLE, at=utc_now(), text=str(error)))
    else:
        bus(Event(kind=Kind.PAGE, at=utc_now(), text=address))


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
