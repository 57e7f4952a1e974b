"""Duties: what a process does besides answering, each in a task of its own, begun again when it fails.

A duty runs until it is told to stop. One that fails because something on its way failed (disk, network, database)
begins again after a pause. One that says it must not go on, because what it would go on with may be damaged, ends for
good; the process keeps answering, but is not ready any more, and an operator has to look.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from ledger.errors import Blame, CodedError
from ledger.pausing import happens

Run = Callable[[asyncio.Event], Awaitable[None]]

PAUSE_SECONDS = 1.0
"""Pause before a failed duty begins again."""

UNWELL_SECONDS = 10.0
"""How long after a failure a duty counts as unwell, although it has begun again."""

STOP_SECONDS_MAX = 30.0
"""How long a duty may take to end once it was told to; then it is cut off, as a crash would."""

_log = structlog.get_logger("shilu.duties")


@dataclass(slots=True)
class _Duty:
    name: str
    run: Run
    error: str | None = None
    failed_at: float = 0.0
    ended: bool = False

    @property
    def complaint(self) -> str | None:
        """What is wrong with it: its error, until it has run well for `UNWELL_SECONDS`; None when nothing is."""
        if self.error is None or (not self.ended and time.monotonic() - self.failed_at > UNWELL_SECONDS):
            return None
        return self.error


class Duties:
    """The duties of one process, as an async context: leaving it tells all of them to stop and waits for them."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._duties: list[_Duty] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Duties:
        return self

    async def __aexit__(self, *exit_details: object) -> None:
        self._stop.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS_MAX)
        for task in late:
            await _log.awarning("duty cut off", duty=task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def begin(self, name: str, run: Run) -> None:
        """Take up a duty; `run` returns soon after the event it is given is set."""
        duty = _Duty(name, run)
        self._duties.append(duty)
        self._tasks.append(asyncio.create_task(self._keep(duty), name=name))

    def complaints(self) -> Mapping[str, str | None]:
        """Return what is wrong with each duty, None for one that is well."""
        return {duty.name: duty.complaint for duty in self._duties}

    async def _keep(self, duty: _Duty) -> None:
        while not self._stop.is_set():
            try:
                await duty.run(self._stop)
            except CodedError as error:
                duty.ended = error.blame is not Blame.WAY
                await self._fail(duty, error)
            except Exception as error:  # noqa: BLE001 - it is logged with its traceback and shown at /readyz
                # broad: a duty lives as long as its process, whatever one of its runs dies of
                await self._fail(duty, error)
            if duty.ended:
                return
            await happens(self._stop, PAUSE_SECONDS)

    async def _fail(self, duty: _Duty, error: Exception) -> None:
        duty.error, duty.failed_at = f"{type(error).__name__}: {error}", time.monotonic()
        await _log.aexception("duty failed", duty=duty.name, ended=duty.ended)
